//! How many renewed, and who knew it.

use std::collections::BTreeMap;

use mainstay_domain::{Currency, Money, MoneyError, Proportion};
use mainstay_statistics::classification::{Forecast, brier};

use super::{Outcome, Renewal};

/// How many of the renewals that were due renewed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RenewalReport {
    /// Of the decided ones.
    pub renewed: Proportion,
    pub undecided: u64,
    pub revenues: Vec<RenewedRevenue>,
    /// Of how many both said something, and the Brier scores of people and of the model.
    pub accuracy: Option<(u64, f64, f64)>,
}

/// The revenue of decided renewals in one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RenewedRevenue {
    pub renewed: Money,
    pub churned: Money,
}

impl RenewedRevenue {
    /// The share that renewed.
    pub(crate) fn rate(self) -> Option<f64> {
        let (renewed, churned) = (self.renewed.minor_units as f64, self.churned.minor_units as f64);
        (renewed + churned > 0.0).then(|| renewed / (renewed + churned))
    }
}

impl RenewalReport {
    /// What became of these.
    ///
    /// # Errors
    /// When a sum leaves the range of money.
    pub(crate) fn of(renewals: &[Renewal]) -> Result<Self, MoneyError> {
        let mut renewed = Proportion::default();
        let mut revenues: BTreeMap<Currency, RenewedRevenue> = BTreeMap::new();
        let (mut people, mut model) = (Vec::new(), Vec::new());
        for renewal in renewals {
            let Some((outcome, _)) = renewal.outcome else { continue };
            let is_renewed = outcome == Outcome::Renewed;
            renewed.total += 1;
            renewed.count += i64::from(is_renewed);
            if let Some(arr) = renewal.arr {
                let none = Money { minor_units: 0, ..arr };
                let sums = revenues.entry(arr.currency).or_insert(RenewedRevenue { renewed: none, churned: none });
                let sum = if is_renewed { &mut sums.renewed } else { &mut sums.churned };
                *sum = sum.checked_add(arr)?;
            }
            if let Some(call) = &renewal.call
                && let Some(likelihood) = call.likelihood
                && let Ok(by_model) = Forecast::new(likelihood, is_renewed)
                && let Ok(by_person) = Forecast::new(call.expectation.likelihood(), is_renewed)
            {
                people.push(by_person);
                model.push(by_model);
            }
        }
        let accuracy =
            brier(&people).zip(brier(&model)).map(|(by_people, by_model)| (people.len() as u64, by_people, by_model));
        let undecided = renewals.iter().filter(|renewal| renewal.outcome.is_none()).count() as u64;
        Ok(Self { renewed, undecided, revenues: revenues.into_values().collect(), accuracy })
    }
}
