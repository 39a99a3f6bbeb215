//! What a forecast is made of: an account on a day.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::{HealthModel, Scored};

/// An account at the end of a day, as far as it was known then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CustomerDay {
    pub day: NaiveDate,
    /// What was read of each measure of the health model, in its order.
    pub measure_values: Vec<Option<f64>>,
    /// Share of the model's weight that had fresh data.
    pub coverage: f64,
    pub last_signal_day: Option<NaiveDate>,
    /// The beginning as a customer.
    pub start_day: Option<NaiveDate>,
    /// A day on which the contract is due for renewal, before or after `day`.
    pub renewal_day: Option<NaiveDate>,
}

/// What an account says of its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContractDays {
    /// The beginning as a customer.
    pub start_day: Option<NaiveDate>,
    /// A day on which the contract is due for renewal.
    pub renewal_day: Option<NaiveDate>,
}

impl ContractDays {
    /// Whether it was a customer by a day, as far as its beginning is known.
    pub(crate) fn has_begun(self, day: NaiveDate) -> bool {
        self.start_day.is_none_or(|start| start <= day)
    }
}

impl CustomerDay {
    /// An account as it was scored as of the end of a day.
    pub(crate) fn of(day: NaiveDate, scored: &Scored, contract: ContractDays) -> Self {
        Self {
            day,
            measure_values: scored.measures.iter().map(|measure| measure.value).collect(),
            coverage: scored.coverage,
            last_signal_day: scored.last_signal_day,
            start_day: contract.start_day,
            renewal_day: contract.renewal_day,
        }
    }

    fn days_since(&self, earlier: NaiveDate) -> f64 {
        (self.day - earlier).num_days().max(0) as f64
    }

    /// How many days it is to the next yearly renewal; none without a date.
    pub(crate) fn days_to_renewal(&self) -> Option<u32> {
        let renewal = next_anniversary(self.renewal_day?, self.day);
        u32::try_from((renewal - self.day).num_days()).ok()
    }

    /// When the next yearly renewal is; none without a date.
    pub(super) fn renewal_time(&self, horizon_days: u32) -> Option<RenewalTime> {
        self.days_to_renewal().map(|days| RenewalTime::after(days, horizon_days))
    }

    /// How long it is a customer, in months of equal length; none without a start.
    pub(crate) fn months_as_customer(&self) -> Option<f64> {
        const DAYS_OF_A_MONTH: f64 = 365.25 / 12.0;
        self.start_day.map(|start| self.days_since(start) / DAYS_OF_A_MONTH)
    }
}

/// An input of a forecast.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InputKind {
    /// The points of a measure, 0 to 100.
    Measure(String),
    /// The share of data that was fresh.
    DataCoverage,
    /// Of the days since the last signal, plus 1, the logarithm.
    LogDaysSinceSignal,
    /// Of the months as a customer, plus 1, the logarithm.
    LogMonthsAsCustomer,
    /// Whether a yearly renewal falls within a third of the horizon.
    Renewal(HorizonThird),
}

/// A third of the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HorizonThird {
    First,
    Second,
    Last,
}

/// When a renewal is, against the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenewalTime {
    Within(HorizonThird),
    Later,
}

impl RenewalTime {
    /// So many days from now.
    pub(crate) fn after(days: u32, horizon_days: u32) -> Self {
        match u64::from(days.saturating_sub(1)) * 3 / u64::from(horizon_days.max(1)) {
            0 => Self::Within(HorizonThird::First),
            1 => Self::Within(HorizonThird::Second),
            2 => Self::Within(HorizonThird::Last),
            _ => Self::Later,
        }
    }
}

impl InputKind {
    /// All inputs that a health model gives.
    pub(crate) fn all(health_model: &HealthModel) -> Vec<Self> {
        let measures = health_model.measures().map(|(_, measure)| Self::Measure(measure.id.clone()));
        measures
            .chain([
                Self::DataCoverage,
                Self::LogDaysSinceSignal,
                Self::LogMonthsAsCustomer,
                Self::Renewal(HorizonThird::First),
                Self::Renewal(HorizonThird::Second),
                Self::Renewal(HorizonThird::Last),
            ])
            .collect()
    }

    /// Its name.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Measure(id) => id,
            Self::DataCoverage => "data_coverage",
            Self::LogDaysSinceSignal => "log_days_since_signal",
            Self::LogMonthsAsCustomer => "log_months_as_customer",
            Self::Renewal(HorizonThird::First) => "renewal_in_first_third",
            Self::Renewal(HorizonThird::Second) => "renewal_in_second_third",
            Self::Renewal(HorizonThird::Last) => "renewal_in_last_third",
        }
    }

    /// Whether it is 0 or 1.
    pub(super) const fn is_indicator(&self) -> bool {
        matches!(self, Self::Renewal(_))
    }

    /// Its value for an account whose renewal is at a time; none where it is missing. That there is no renewal date says nothing:
    /// it is taken from those who left.
    pub(super) fn value(
        &self,
        health_model: &HealthModel,
        customer: &CustomerDay,
        renewal: Option<RenewalTime>,
    ) -> Option<f64> {
        match self {
            Self::Measure(id) => {
                let mut measures = health_model.measures().zip(&customer.measure_values);
                let ((_, measure), value) = measures.find(|((_, measure), _)| measure.id == *id)?;
                value.map(|value| measure.curve.points_at(value))
            }
            Self::DataCoverage => Some(customer.coverage),
            Self::LogDaysSinceSignal => customer.last_signal_day.map(|last| customer.days_since(last).ln_1p()),
            Self::LogMonthsAsCustomer => customer.months_as_customer().map(f64::ln_1p),
            Self::Renewal(third) => renewal.map(|renewal| f64::from(u8::from(renewal == RenewalTime::Within(*third)))),
        }
    }
}

/// The first anniversary of a day after another day.
///
/// The renewal date that is known today is that of today's contract: who stayed has a later one than who left. As anniversaries
/// both say the same of a day in the past, so that the date does not tell the outcome. Contracts of other lengths than years are
/// seen at the end of each year.
fn next_anniversary(of: NaiveDate, after: NaiveDate) -> NaiveDate {
    let in_year = |year: i32| of.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28)).unwrap_or(of);
    let this_year = in_year(after.year());
    if this_year > after { this_year } else { in_year(after.year() + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DEFAULT_MODEL, parse_model_file};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn renewals_are_seen_as_anniversaries() {
        for (of, after, expected) in [
            ("2026-06-30", "2025-06-29", "2025-06-30"),
            ("2026-06-30", "2025-06-30", "2026-06-30"),
            ("2026-06-30", "2027-12-31", "2028-06-30"),
            ("2024-02-29", "2026-02-01", "2026-02-28"),
            ("2024-02-29", "2028-02-01", "2028-02-29"),
        ] {
            assert_eq!(next_anniversary(day(of), day(after)), day(expected), "{of} after {after}");
        }
    }

    #[test]
    fn r77_inputs_are_the_points_of_the_measures_and_what_is_known_of_time() {
        let model = HealthModel::from_draft(parse_model_file(DEFAULT_MODEL).expect("parses")).expect("valid");
        let inputs = InputKind::all(&model);
        assert_eq!(inputs.len(), model.measures().count() + 6);
        let mut customer = CustomerDay {
            day: day("2026-03-01"),
            measure_values: vec![None; model.measures().count()],
            coverage: 0.5,
            last_signal_day: Some(day("2026-02-28")),
            start_day: None,
            renewal_day: Some(day("2027-05-30")),
        };
        let (_, first) = model.measures().next().expect("a measure");
        let best = first.curve.corners().last().expect("a corner").x;
        customer.measure_values[0] = Some(best);
        let values = |customer: &CustomerDay| -> Vec<Option<f64>> {
            inputs.iter().map(|input| input.value(&model, customer, customer.renewal_time(90))).collect()
        };
        let known = values(&customer);
        assert_eq!(known[0], Some(first.curve.points_at(best)));
        assert_eq!(known[1], None);
        let others = &known[model.measures().count()..];
        assert_eq!(others, [Some(0.5), Some(2.0_f64.ln()), None, Some(0.0), Some(0.0), Some(1.0)]);
        let renewals = |renewal_day: Option<&str>| {
            let customer = CustomerDay { renewal_day: renewal_day.map(day), ..customer.clone() };
            values(&customer)[model.measures().count() + 3..].to_vec()
        };
        let [none, yes] = [Some(0.0), Some(1.0)];
        assert_eq!(renewals(Some("2026-03-02")), [yes, none, none], "the next day");
        assert_eq!(renewals(Some("2026-03-31")), [yes, none, none], "the 30th");
        assert_eq!(renewals(Some("2026-04-01")), [none, yes, none]);
        assert_eq!(renewals(Some("2026-05-30")), [none, none, yes], "the 90th");
        assert_eq!(renewals(Some("2026-05-31")), [none; 3], "a day beyond the horizon");
        assert_eq!(renewals(None), [None; 3]);
    }
}
