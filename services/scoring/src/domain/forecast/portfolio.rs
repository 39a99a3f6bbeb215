//! What of a portfolio can be expected to be lost.

use std::collections::BTreeMap;

use mainstay_domain::{Currency, Money, MoneyError, MoneySums, Segment, Z_95};

use super::inputs::CustomerDay;
use super::model::ForecastDefinition;
use crate::domain::HealthModel;

/// Customers up to which the distribution of those who leave is exact: it takes the square of them in steps.
const EXACT_MAX: usize = 2_000;
/// Of a distribution, what lies beyond each end of its 95 % interval.
const TAIL: f64 = 0.025;

/// A customer as it is today.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ForecastCustomer {
    pub segment: Segment,
    pub arr: Option<Money>,
    /// Its health; none when it was not scored by the health model of the forecast.
    pub today: Option<CustomerDay>,
}

/// What of all customers can be expected to be lost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PortfolioForecast {
    pub total: ForecastGroup,
    pub segments: BTreeMap<Segment, ForecastGroup>,
    /// Customers without a forecast.
    pub unforecast: u64,
}

/// What of some customers can be expected to be lost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ForecastGroup {
    pub accounts: u64,
    pub expected: f64,
    /// How many leave: the 95 % interval.
    pub low: u64,
    pub high: u64,
    pub revenues: Vec<RevenueAtRisk>,
}

/// What of the revenue in one currency can be expected to be lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RevenueAtRisk {
    pub arr: Money,
    pub expected_loss: Money,
    pub low: Money,
    pub high: Money,
}

impl PortfolioForecast {
    /// What can be expected within `days`.
    ///
    /// # Errors
    /// When a sum leaves the range of money.
    pub(crate) fn of(
        definition: &ForecastDefinition,
        health_model: &HealthModel,
        customers: &[ForecastCustomer],
        days: u32,
    ) -> Result<Self, MoneyError> {
        let mut total = Vec::new();
        let mut by_segment: BTreeMap<Segment, Vec<(f64, Option<Money>)>> = BTreeMap::new();
        for customer in customers {
            if let Some(today) = &customer.today {
                let probability = definition.within(health_model, today, days);
                total.push((probability, customer.arr));
                by_segment.entry(customer.segment).or_default().push((probability, customer.arr));
            }
        }
        let unforecast = (customers.len() - total.len()) as u64;
        let segments = by_segment.into_iter().map(|(segment, members)| Ok((segment, ForecastGroup::of(&members)?)));
        Ok(Self {
            total: ForecastGroup::of(&total)?,
            segments: segments.collect::<Result<_, MoneyError>>()?,
            unforecast,
        })
    }
}

impl ForecastGroup {
    fn of(members: &[(f64, Option<Money>)]) -> Result<Self, MoneyError> {
        let probabilities: Vec<f64> = members.iter().map(|(probability, _)| *probability).collect();
        let (low, high) = count_interval(&probabilities);
        let mut sums = MoneySums::default();
        let mut amounts: BTreeMap<Currency, Vec<(f64, i64)>> = BTreeMap::new();
        for (probability, arr) in members {
            if let Some(arr) = arr {
                sums.add(*arr)?;
                amounts.entry(arr.currency).or_default().push((*probability, arr.minor_units));
            }
        }
        let revenue = |arr: Money| {
            let amounts = amounts.get(&arr.currency).map_or(&[][..], Vec::as_slice);
            let [expected_loss, low, high] = money_interval(amounts, arr);
            RevenueAtRisk { arr, expected_loss, low, high }
        };
        Ok(Self {
            accounts: members.len() as u64,
            expected: probabilities.iter().sum(),
            low,
            high,
            revenues: sums.iter().map(revenue).collect(),
        })
    }
}

/// What can be expected of amounts that come with these probabilities, independently of one another, and its 95 % interval by the
/// normal distribution; from 0 to all of them, which are `sum`.
pub(crate) fn money_interval(amounts: &[(f64, i64)], sum: Money) -> [Money; 3] {
    let amount = |minor_units: i64| minor_units as f64;
    let expected: f64 = amounts.iter().map(|(probability, units)| probability * amount(*units)).sum();
    let variance =
        amounts.iter().map(|(probability, units)| probability * (1.0 - probability) * amount(*units).powi(2));
    let half = Z_95 * variance.sum::<f64>().sqrt();
    [expected, expected - half, expected + half]
        .map(|amount| Money { currency: sum.currency, minor_units: whole(amount, sum.minor_units) })
}

/// An amount to the minor unit, from 0 to the most there is.
#[expect(clippy::cast_possible_truncation, reason = "within 0 and the most")]
fn whole(amount: f64, most: i64) -> i64 {
    (amount.round_ties_even().clamp(0.0, most as f64) as i64).min(most)
}

/// The 95 % interval of how many of those happen that have these probabilities, independently of one another.
pub(crate) fn count_interval(probabilities: &[f64]) -> (u64, u64) {
    if probabilities.len() <= EXACT_MAX {
        let distribution = poisson_binomial(probabilities);
        return (quantile(&distribution, TAIL), quantile(&distribution, 1.0 - TAIL));
    }
    let mean: f64 = probabilities.iter().sum();
    let variance: f64 = probabilities.iter().map(|probability| probability * (1.0 - probability)).sum();
    let half = Z_95 * variance.sqrt();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and the count")]
    let count = |number: f64| number.clamp(0.0, probabilities.len() as f64).round() as u64;
    (count(mean - half), count(mean + half))
}

/// How likely it is that so many of them happen, from none to all: one convolution for each.
fn poisson_binomial(probabilities: &[f64]) -> Vec<f64> {
    let mut distribution = vec![1.0];
    for probability in probabilities {
        distribution.push(0.0);
        for count in (0..distribution.len()).rev() {
            let happens = if count > 0 { distribution[count - 1] * probability } else { 0.0 };
            distribution[count] = distribution[count] * (1.0 - probability) + happens;
        }
    }
    distribution
}

/// The least number that at least `share` of the distribution does not exceed.
fn quantile(distribution: &[f64], share: f64) -> u64 {
    /// The sum of the distribution is 1 to within this.
    const ROUNDING: f64 = 1e-12;
    let mut sum = 0.0;
    let mut reached = distribution.iter().take_while(|probability| {
        sum += **probability;
        sum < share - ROUNDING
    });
    reached.by_ref().count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn r87_how_many_leave_is_distributed_as_scipy_says() {
        // scipy.stats.binom(10, 0.3): its mass, and ppf(0.025), ppf(0.975).
        let distribution = poisson_binomial(&[0.3; 10]);
        for (count, expected) in [(0, 0.028_247_524_9), (3, 0.266_827_932), (10, 0.000_005_904_9)] {
            assert!((distribution[count] - expected).abs() < 1e-12, "{count}");
        }
        assert_eq!(count_interval(&[0.3; 10]), (0, 6));
        // Of two unlike coins: none 0.72, one 0.26, both 0.02.
        let unlike = poisson_binomial(&[0.1, 0.2]);
        for (found, expected) in unlike.iter().zip([0.72, 0.26, 0.02]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(
            (count_interval(&[]), count_interval(&[1.0; 3]), count_interval(&[0.0; 3])),
            ((0, 0), (3, 3), (0, 0))
        );
    }

    #[test]
    fn r86_revenue_at_risk_is_exact_by_currency_and_never_more_than_there_is() {
        let money =
            |code: &str, minor_units| Some(Money { currency: Currency::parse(code).expect("a currency"), minor_units });
        let members = [(0.5, money("EUR", 1_000)), (0.25, money("EUR", 3_000)), (1.0, money("USD", 7)), (0.1, None)];
        let group = ForecastGroup::of(&members).expect("in range");
        assert!((group.expected - 1.85).abs() < 1e-12);
        let shown: Vec<(String, i64, i64, i64)> = group
            .revenues
            .iter()
            .map(|one| (one.arr.to_string(), one.expected_loss.minor_units, one.low.minor_units, one.high.minor_units))
            .collect();
        // 1 250 ± 1.96 × √(0.25 × 1 000² + 0.1875 × 3 000²) is -1 478 to 3 978.
        assert_eq!(shown, [("40.00 EUR".to_owned(), 1_250, 0, 3_978), ("0.07 USD".to_owned(), 7, 7, 7)]);
    }

    proptest! {
        #[test]
        fn the_exact_and_the_normal_interval_agree_for_many(shift in 0.0f64..0.5) {
            let probabilities: Vec<f64> = (0..EXACT_MAX).map(|place| 0.05 + shift * ((place % 10) as f64) / 10.0).collect();
            let exact = count_interval(&probabilities);
            let more: Vec<f64> = probabilities.iter().copied().chain([0.0]).collect();
            let normal = count_interval(&more);
            prop_assert!(exact.0.abs_diff(normal.0) <= 1 && exact.1.abs_diff(normal.1) <= 1, "{exact:?} {normal:?}");
        }

        #[test]
        fn a_distribution_sums_up_to_one(probabilities in proptest::collection::vec(0.0f64..=1.0, 0..200)) {
            let distribution = poisson_binomial(&probabilities);
            prop_assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mean: f64 = distribution.iter().enumerate().map(|(count, probability)| count as f64 * probability).sum();
            prop_assert!((mean - probabilities.iter().sum::<f64>()).abs() < 1e-9);
            let (low, high) = count_interval(&probabilities);
            prop_assert!(low <= high && high <= probabilities.len() as u64);
        }
    }
}
