//! What a change of plan costs and gives, in the open.

use mainstay_domain::{Currency, Money, MoneyError};

use super::plan::{Plan, PlanLimit};
use super::price::{PricePeriod, yearly};
use super::usage::MonthUse;

/// Prices a year of two plans, paid by one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceComparison {
    /// How it is paid.
    pub period: PricePeriod,
    /// Of the plan left.
    pub from: Money,
    /// Of the plan taken.
    pub to: Money,
    /// How much more the plan taken costs.
    pub difference: Money,
}

/// A limit of two plans.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitComparison {
    /// The metric.
    pub metric: String,
    /// Of the plan left.
    pub from: Option<f64>,
    /// Of the plan taken.
    pub to: Option<f64>,
    /// What was used in the last month reported.
    pub used: Option<f64>,
}

/// What a change of plan costs and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanComparison {
    /// The plan left.
    pub from: Plan,
    /// The plan taken.
    pub to: Plan,
    /// Seats that the prices are for.
    pub seats: i64,
    /// By period, the yearly first.
    pub prices: Vec<PriceComparison>,
    /// By metric.
    pub limits: Vec<LimitComparison>,
    /// Features of the plan taken that the other has not.
    pub added_features: Vec<String>,
    /// Features of the plan left that the other has not.
    pub removed_features: Vec<String>,
    /// The last month reported, which `used` of limits is of.
    pub last_month: Option<MonthUse>,
}

impl PlanComparison {
    /// What the change costs more a year: by yearly prices, where both plans have them.
    pub fn gain(&self) -> Option<Money> {
        self.prices.first().map(|price| price.difference)
    }
}

/// Compares two plans in a currency, or in the only one in which both have a price of the same period.
///
/// # Errors
/// A sentence that says what is not known.
pub fn compare(
    from: Plan,
    to: Plan,
    seats: i64,
    currency: Option<Currency>,
    last_month: Option<MonthUse>,
) -> Result<PlanComparison, String> {
    let mut comparisons = Vec::new();
    for currency in currencies(&from, currency) {
        let found = prices_in(&from, &to, seats, currency).map_err(|error| error.to_string())?;
        if !found.is_empty() {
            comparisons.push((currency, found));
        }
    }
    if comparisons.len() > 1 {
        let codes: Vec<String> = comparisons.iter().map(|(currency, _)| currency.to_string()).collect();
        return Err(format!("both plans have prices in {}: say in which to compare", codes.join(", ")));
    }
    let Some((_, prices)) = comparisons.pop() else {
        let of = currency.map_or("one currency".to_owned(), |currency| currency.to_string());
        return Err(format!(
            "{} and {} have no prices in {of} for the same period",
            from.name().name(),
            to.name().name()
        ));
    };
    let (old, new) = (&from.draft, &to.draft);
    let mut metrics: Vec<&str> = old.limits.iter().chain(&new.limits).map(|limit| limit.metric.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let limits = metrics
        .into_iter()
        .map(|metric| LimitComparison {
            metric: metric.to_owned(),
            from: limit_of(&old.limits, metric),
            to: limit_of(&new.limits, metric),
            used: last_month.as_ref().and_then(|month| month.of_metric(metric)).and_then(|limit| limit.used),
        })
        .collect();
    let missing_in = |features: &[String], others: &[String]| -> Vec<String> {
        features.iter().filter(|feature| !others.contains(feature)).cloned().collect()
    };
    Ok(PlanComparison {
        seats,
        prices,
        limits,
        added_features: missing_in(&new.features, &old.features),
        removed_features: missing_in(&old.features, &new.features),
        last_month,
        from,
        to,
    })
}

fn currencies(from: &Plan, wanted: Option<Currency>) -> Vec<Currency> {
    let mut all: Vec<Currency> = from.draft.prices.iter().map(|price| price.amount.currency).collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|currency| wanted.is_none_or(|wanted| wanted == *currency));
    all
}

fn limit_of(limits: &[PlanLimit], metric: &str) -> Option<f64> {
    limits.iter().find(|limit| limit.metric == metric).map(|limit| limit.limit)
}

fn prices_in(from: &Plan, to: &Plan, seats: i64, currency: Currency) -> Result<Vec<PriceComparison>, MoneyError> {
    let mut found = Vec::new();
    for period in [PricePeriod::Year, PricePeriod::Month] {
        let cost = |plan: &Plan| yearly(&plan.draft.prices, plan.draft.included_seats, seats, period, currency);
        let (Some(from), Some(to)) = (cost(from)?, cost(to)?) else { continue };
        let minor_units = to.minor_units.checked_sub(from.minor_units).ok_or(MoneyError::OutOfRange)?;
        found.push(PriceComparison { period, from, to, difference: Money { currency, minor_units } });
    }
    Ok(found)
}
