//! What money is worth that keeps customers, beside money that wins new ones.

use mainstay_domain::{Money, MoneyError};

use super::cohort::{RemainingMonths, monthly_value};
use super::forecast::money_interval;

/// Most projects in one comparison.
pub(crate) const PROJECTS_MAX: usize = 20;
/// Costs of retention are those of a year, and so are the losses it prevents.
pub(crate) const LOSS_DAYS: u32 = 365;

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InvestmentQuery {
    /// Of a year; above 0. All amounts are of its currency.
    pub retention_cost: Money,
    /// Of the expected losses; above 0.
    pub prevented_share: Option<f64>,
    pub projects: Vec<GrowthProject>,
    /// Above 0, at most 1.
    pub gross_margin: f64,
    /// For how many months revenue counts.
    pub months: u32,
}

/// Work that is to win customers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GrowthProject {
    pub display_name: String,
    /// Above 0.
    pub cost: Money,
    /// What the customers won bring in a year.
    pub annual_revenue: Money,
    pub probability: f64,
}

/// A customer that may leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CustomerAtRisk {
    /// Of leaving within [`LOSS_DAYS`].
    pub probability: f64,
    /// In minor units, of the query's currency.
    pub annual_revenue: i64,
    /// None without a start.
    pub age_months: Option<f64>,
}

/// Both sides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InvestmentComparison {
    pub retention: RetentionInvestment,
    /// In the order of the query.
    pub projects: Vec<ProjectComparison>,
    /// For how many months revenue counts.
    pub month_limit: f64,
    /// How many of them a new customer stays.
    pub new_customer_months: f64,
}

/// Money that keeps customers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetentionInvestment {
    /// The yearly revenue of all customers.
    pub arr: Money,
    /// What of it is expected to be lost, and its 95 % interval.
    pub expected_loss: [Money; 3],
    /// How many months longer those stay that are kept.
    pub kept_customer_months: f64,
    /// What preventing all losses is worth, and the same for the ends of the interval.
    pub value_at_stake: [Money; 3],
    pub break_even: Option<RequiredShare>,
    pub expected_return: Option<InvestmentReturn>,
}

/// A project beside keeping customers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProjectComparison {
    pub project: GrowthProject,
    pub expected_return: InvestmentReturn,
    pub equal_return: Option<RequiredShare>,
}

/// What an investment brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InvestmentReturn {
    pub value: Money,
    pub net_value: Money,
    pub ratio: f64,
}

/// Which share of the expected losses must be prevented.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RequiredShare {
    pub share: f64,
    pub low: f64,
    pub high: Option<f64>,
}

impl InvestmentComparison {
    /// Of these customers, who stay as others of their age do.
    ///
    /// # Errors
    /// When an amount leaves the range of money.
    pub(crate) fn of(
        query: &InvestmentQuery,
        customers: &[CustomerAtRisk],
        remaining: &RemainingMonths,
    ) -> Result<Self, MoneyError> {
        let retention = RetentionInvestment::of(query, customers, remaining)?;
        let compare = |project: &GrowthProject| {
            let annual = project.annual_revenue.minor_units as f64 * project.probability * query.gross_margin;
            let value = monthly_value(project.cost.currency, annual, remaining.of_new())?;
            let expected_return = InvestmentReturn::of(value, project.cost)?;
            Ok(ProjectComparison {
                project: project.clone(),
                expected_return,
                equal_return: retention.required_share(query.retention_cost, expected_return.ratio),
            })
        };
        Ok(Self {
            projects: query.projects.iter().map(compare).collect::<Result<_, MoneyError>>()?,
            retention,
            month_limit: remaining.limit(),
            new_customer_months: remaining.of_new(),
        })
    }
}

impl RetentionInvestment {
    fn of(
        query: &InvestmentQuery,
        customers: &[CustomerAtRisk],
        remaining: &RemainingMonths,
    ) -> Result<Self, MoneyError> {
        let currency = query.retention_cost.currency;
        let sum: i128 = customers.iter().map(|customer| i128::from(customer.annual_revenue)).sum();
        let arr = Money { currency, minor_units: i64::try_from(sum).map_err(|_| MoneyError::OutOfRange)? };
        let amounts: Vec<_> =
            customers.iter().map(|customer| (customer.probability, customer.annual_revenue)).collect();
        let expected_loss = money_interval(&amounts, arr);

        let losses = customers.iter().map(|customer| {
            let stays = customer.age_months.map_or_else(|| remaining.of_new(), |age| remaining.at(age));
            let anyway = months_before_leaving(customer.probability, remaining.limit());
            (customer.probability * customer.annual_revenue as f64, (stays - anyway).max(0.0))
        });
        let (loss, months_of_loss) =
            losses.fold((0.0, 0.0), |(loss, weighted), (of_one, months)| (loss + of_one, weighted + of_one * months));
        let kept_customer_months = if loss > 0.0 { months_of_loss / loss } else { 0.0 };
        let value = |lost: f64| monthly_value(currency, lost * query.gross_margin, kept_customer_months);
        let [_, low, high] = expected_loss.map(|amount| amount.minor_units as f64);
        let value_at_stake = [value(loss)?, value(low)?, value(high)?];

        let mut investment =
            Self { arr, expected_loss, kept_customer_months, value_at_stake, break_even: None, expected_return: None };
        investment.break_even = investment.required_share(query.retention_cost, 1.0);
        investment.expected_return = query
            .prevented_share
            .map(|share| InvestmentReturn::of(value(loss * share)?, query.retention_cost))
            .transpose()?;
        Ok(investment)
    }

    /// Which share of the losses must be prevented for so much to come in for each unit of the cost; none when nothing is at stake.
    fn required_share(&self, cost: Money, ratio: f64) -> Option<RequiredShare> {
        let of =
            |value: Money| (value.minor_units > 0).then(|| cost.minor_units as f64 * ratio / value.minor_units as f64);
        let [value, low, high] = self.value_at_stake;
        of(value).map(|share| RequiredShare { share, low: of(high).unwrap_or(share), high: of(low) })
    }
}

/// How many of the first `limit` months one stays who leaves within a year, on average, by the constant rate that gives this
/// probability of it: for so long its revenue comes without any help.
fn months_before_leaving(probability: f64, limit: f64) -> f64 {
    /// The months of [`LOSS_DAYS`].
    const YEAR: f64 = 12.0;
    /// Below, the rate is as good as 0, and those who leave do so evenly over the year.
    const RARE: f64 = 1e-6;
    let limit = limit.min(YEAR);
    if probability < RARE {
        return limit - limit * limit / (2.0 * YEAR);
    }
    let rate = -(-probability.min(1.0 - f64::EPSILON)).ln_1p() / YEAR;
    let reached = -(-rate * limit).exp_m1() / rate - limit * (-rate * YEAR).exp();
    reached / probability
}

impl InvestmentReturn {
    fn of(value: Money, cost: Money) -> Result<Self, MoneyError> {
        let net = value.minor_units.checked_sub(cost.minor_units).ok_or(MoneyError::OutOfRange)?;
        let net_value = Money { minor_units: net, ..value };
        Ok(Self { value, net_value, ratio: value.minor_units as f64 / cost.minor_units as f64 })
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::cohort::{Age, SeenCustomers};

    fn money(minor_units: i64) -> Money {
        Money { currency: Currency::parse("EUR").expect("a currency"), minor_units }
    }

    /// Half of all leave after a month; the others are seen for two years. Within a year a new customer stays 6.5 months, and
    /// one that is a month old all 12.
    fn remaining() -> RemainingMonths {
        let seen = |months, churned| SeenCustomers {
            cohort: String::new(),
            age: Age::new(months, 0),
            churned,
            currency: None,
            count: 1,
            annual_revenue: 0,
        };
        RemainingMonths::of(&[seen(1, true), seen(24, false)], 12)
    }

    fn query(retention_cost: i64) -> InvestmentQuery {
        InvestmentQuery {
            retention_cost: money(retention_cost),
            prevented_share: None,
            projects: Vec::new(),
            gross_margin: 1.0,
            months: 12,
        }
    }

    fn customer(probability: f64, annual_revenue: i64, age_months: f64) -> CustomerAtRisk {
        CustomerAtRisk { probability, annual_revenue, age_months: Some(age_months) }
    }

    #[test]
    fn r215_kept_revenue_and_won_revenue_count_for_as_long_as_such_customers_stay() {
        let project = GrowthProject {
            display_name: "Partner channel".to_owned(),
            cost: money(50_000),
            annual_revenue: money(240_000),
            probability: 0.5,
        };
        let query = InvestmentQuery {
            prevented_share: Some(0.25),
            projects: vec![project],
            gross_margin: 0.8,
            ..query(20_000)
        };
        let customers = [
            customer(0.5, 120_000, 30.0),
            customer(0.2, 100_000, 0.0),
            CustomerAtRisk { probability: 0.1, annual_revenue: 100_000, age_months: None },
        ];
        let compared = InvestmentComparison::of(&query, &customers, &remaining()).expect("in range");
        let retention = &compared.retention;
        // Lost are 60 000 + 20 000 + 10 000. Kept, the first would stay 12 months, the others 6.5; lost, they stay, by integration of
        // t λ exp(-λ t) / p over 12 months with λ = -ln(1 - p) / 12, for:
        let before = [5.312_34, 5.777_04, 5.894_65];
        assert_eq!((retention.arr, retention.expected_loss[0]), (money(320_000), money(90_000)));
        let months = (60.0 * (12.0 - before[0]) + 20.0 * (6.5 - before[1]) + 10.0 * (6.5 - before[2])) / 90.0;
        assert!((retention.kept_customer_months - months).abs() < 1e-4, "{} {months}", retention.kept_customer_months);
        let stake = 0.8 * 90_000.0 * retention.kept_customer_months / 12.0;
        assert!((retention.value_at_stake[0].minor_units as f64 - stake).abs() <= 0.5);
        let break_even = retention.break_even.expect("something is at stake");
        assert!((break_even.share - 20_000.0 / stake).abs() < 1e-4);
        let expected = retention.expected_return.expect("a share was given");
        assert!((expected.value.minor_units as f64 - 0.25 * stake).abs() <= 0.5);
        assert_eq!(expected.net_value.minor_units, expected.value.minor_units - 20_000);
        // 240 000 × 0.5 × 0.8 × 6.5 / 12 for 50 000.
        let won = &compared.projects[0];
        assert_eq!((won.expected_return.value, won.expected_return.net_value), (money(52_000), money(2_000)));
        let equal = won.equal_return.expect("something is at stake");
        assert!((equal.share - 1.04 * break_even.share).abs() < 1e-12);
        assert!(equal.low < equal.share && equal.high.is_none_or(|high| high > equal.share));
    }

    #[test]
    fn r215_who_leaves_is_there_for_some_months_before() {
        for (probability, limit, expected) in [(0.0, 12.0, 6.0), (1e-7, 36.0, 6.0), (0.5, 6.0, 4.0), (1.0, 12.0, 0.0)] {
            let months = months_before_leaving(probability, limit);
            assert!((months - expected).abs() < 0.5, "{probability}, {limit}: {months}");
        }
        let (below, above) = (months_before_leaving(0.99e-6, 9.0), months_before_leaving(1.01e-6, 9.0));
        assert!((below - above).abs() < 1e-3, "{below} {above}");
    }

    #[test]
    fn r215_nothing_at_stake_is_no_share_to_prevent() {
        let compared =
            InvestmentComparison::of(&query(100), &[customer(0.0, 100, 1.0)], &remaining()).expect("in range");
        assert_eq!((compared.retention.break_even, compared.retention.value_at_stake), (None, [money(0); 3]));
        let nobody = InvestmentComparison::of(&query(100), &[], &RemainingMonths::of(&[], 36)).expect("in range");
        assert_eq!((nobody.retention.break_even, nobody.month_limit), (None, 0.0));
    }

    proptest! {
        #[test]
        fn r215_preventing_the_share_of_equal_return_returns_as_much_as_the_project(
            customers in proptest::collection::vec((0.01f64..1.0, 100_000i64..10_000_000, 0.0f64..40.0), 1..20),
            cost in 100_000i64..1_000_000, annual_revenue in 100_000i64..5_000_000, gross_margin in 0.1f64..1.0,
        ) {
            let customers: Vec<_> = customers.into_iter().map(|(chance, revenue, age)| customer(chance, revenue, age)).collect();
            let display_name = "Project".to_owned();
            let project =
                GrowthProject { display_name, cost: money(cost), annual_revenue: money(annual_revenue), probability: 1.0 };
            let query = InvestmentQuery { projects: vec![project], gross_margin, ..query(300_000) };
            let compared = InvestmentComparison::of(&query, &customers, &remaining()).expect("in range");
            let share = compared.projects[0].equal_return.expect("something is at stake").share;
            let again = InvestmentQuery { prevented_share: Some(share), ..query };
            let again = InvestmentComparison::of(&again, &customers, &remaining()).expect("in range");
            let retention = again.retention.expected_return.expect("a share was given");
            prop_assert!((retention.ratio - again.projects[0].expected_return.ratio).abs() < 1e-4 * retention.ratio.max(1.0));
        }
    }
}
