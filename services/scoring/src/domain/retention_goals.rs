//! What all teams are measured by: metrics of retention against their targets.

use std::collections::BTreeMap;

use mainstay_domain::{Band, Currency, Proportion};

use super::health_report::{ReportGroup, TimeToValue};
use super::renewal::TARGET_RATE;
use super::revenue_retention::RevenueRetention;
use super::shared_target::{Target, Targets};

/// Those who were customers a year ago bring in no less.
const NET_RETENTION_TARGET: f64 = 1.0;
/// As that of renewals.
const GROSS_RETENTION_TARGET: f64 = TARGET_RATE;
/// If all revenue at risk is lost, what is left meets the target of renewals.
const ARR_AT_RISK_SHARE_TARGET: f64 = 0.15;
/// The settled day 30.
const TIME_TO_VALUE_DAYS_TARGET: f64 = 30.0;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RetentionMetric {
    RenewalRate,
    GrossRetention,
    NetRetention,
    ArrAtRiskShare,
    CriticalShare,
    TimeToValueDays,
}

impl RetentionMetric {
    pub(crate) const ALL: [Self; 6] = [
        Self::RenewalRate,
        Self::GrossRetention,
        Self::NetRetention,
        Self::ArrAtRiskShare,
        Self::CriticalShare,
        Self::TimeToValueDays,
    ];

    /// Whether less is better.
    pub(crate) const fn lower_is_better(self) -> bool {
        matches!(self, Self::ArrAtRiskShare | Self::CriticalShare | Self::TimeToValueDays)
    }

    /// The target, where nobody set another.
    pub(super) const fn usual_target(self) -> Option<f64> {
        match self {
            Self::RenewalRate => Some(TARGET_RATE),
            Self::GrossRetention => Some(GROSS_RETENTION_TARGET),
            Self::NetRetention => Some(NET_RETENTION_TARGET),
            Self::ArrAtRiskShare => Some(ARR_AT_RISK_SHARE_TARGET),
            Self::CriticalShare => None,
            Self::TimeToValueDays => Some(TIME_TO_VALUE_DAYS_TARGET),
        }
    }

    /// The highest target that makes sense.
    pub(crate) const fn target_max(self) -> f64 {
        match self {
            Self::RenewalRate | Self::GrossRetention | Self::ArrAtRiskShare | Self::CriticalShare => 1.0,
            Self::NetRetention => 10.0,
            Self::TimeToValueDays => 3_650.0,
        }
    }
}

/// How a metric stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoalState {
    Met,
    Missed,
    NoData,
    NoTarget,
}

/// A metric against its target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetentionGoal {
    pub metric: RetentionMetric,
    /// Of whose revenue it is.
    pub currency: Option<Currency>,
    pub value: Option<f64>,
    pub target: Option<Target>,
    /// Of how many customers or renewals the value is made.
    pub counted: i64,
}

impl RetentionGoal {
    /// How it stands; a target that is exactly reached is met.
    pub(crate) fn state(&self) -> GoalState {
        match (self.value, &self.target) {
            (None, _) => GoalState::NoData,
            (Some(_), None) => GoalState::NoTarget,
            (Some(value), Some(target)) => {
                let is_met = if self.metric.lower_is_better() { value <= target.value } else { value >= target.value };
                if is_met { GoalState::Met } else { GoalState::Missed }
            }
        }
    }
}

/// What the metrics are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoalInputs<'a> {
    pub renewed: Proportion,
    pub retention: &'a RevenueRetention,
    /// The customers of now.
    pub groups: &'a [ReportGroup],
    pub time_to_value: TimeToValue,
}

/// A value, its currency, and of how many customers or renewals it is made.
type Value = (Option<Currency>, f64, i64);

impl GoalInputs<'_> {
    /// Every metric against its target; those of revenue once for each currency. One without data has no value.
    pub(crate) fn goals(self, targets: &Targets) -> Vec<RetentionGoal> {
        let goals_of = |metric: RetentionMetric| {
            let target = targets.of(metric);
            let goal = move |(currency, value, counted)| RetentionGoal {
                metric,
                currency,
                value,
                target: target.clone(),
                counted,
            };
            let values = self.values(metric);
            let unknown = values.is_empty().then_some((None, None, 0));
            let known = values.into_iter().map(|(currency, value, counted)| (currency, Some(value), counted));
            known.chain(unknown).map(goal).collect::<Vec<_>>()
        };
        RetentionMetric::ALL.into_iter().flat_map(goals_of).collect()
    }

    fn values(self, metric: RetentionMetric) -> Vec<Value> {
        let currencies = &self.retention.currencies;
        let counted = |accounts: u64| i64::try_from(accounts).unwrap_or(i64::MAX);
        match metric {
            RetentionMetric::RenewalRate => {
                self.renewed.share().map(|share| (None, share, self.renewed.total)).into_iter().collect()
            }
            RetentionMetric::GrossRetention => {
                currencies.iter().map(|one| (Some(one.currency), one.gross(), counted(one.accounts))).collect()
            }
            RetentionMetric::NetRetention => {
                currencies.iter().map(|one| (Some(one.currency), one.net(), counted(one.accounts))).collect()
            }
            RetentionMetric::ArrAtRiskShare => self.arr_at_risk(),
            RetentionMetric::CriticalShare => self.critical().into_iter().collect(),
            RetentionMetric::TimeToValueDays => {
                let TimeToValue { days_median, activated_count } = self.time_to_value;
                days_median.map(|days| (None, days, activated_count)).into_iter().collect()
            }
        }
    }

    /// Of each currency in which customers bring in anything.
    fn arr_at_risk(self) -> Vec<Value> {
        // Wider than an amount: sums of groups may leave its range.
        let mut sums: BTreeMap<Currency, (i64, i128, i128)> = BTreeMap::new();
        for group in self.groups {
            let Some(arr) = group.arr else { continue };
            let (accounts, at_risk, all) = sums.entry(arr.currency).or_default();
            *accounts += group.account_count;
            *all += i128::from(arr.minor_units);
            if matches!(group.band, Some(Band::Critical | Band::AtRisk)) {
                *at_risk += i128::from(arr.minor_units);
            }
        }
        let with_revenue = sums.into_iter().filter(|(_, (_, _, all))| *all > 0);
        with_revenue
            .map(|(currency, (accounts, at_risk, all))| (Some(currency), at_risk as f64 / all as f64, accounts))
            .collect()
    }

    fn critical(self) -> Option<Value> {
        let customers = |is_counted: fn(Band) -> bool| -> i64 {
            let counted = self.groups.iter().filter(|group| group.band.is_some_and(is_counted));
            counted.map(|group| group.account_count).sum()
        };
        let critical = Proportion { count: customers(|band| band == Band::Critical), total: customers(|_| true) };
        critical.share().map(|share| (None, share, critical.total))
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Money;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Segment;
    use crate::domain::revenue_retention::CurrencyRetention;

    fn money(code: &str, minor_units: i64) -> Money {
        Money { currency: Currency::parse(code).expect("a currency"), minor_units }
    }

    fn group(band: Option<Band>, account_count: i64, arr: Option<Money>) -> ReportGroup {
        ReportGroup {
            segment: Segment::Unknown,
            band,
            band_before: None,
            account_count,
            score_sum: 0,
            compared_count: 0,
            change_sum: 0,
            arr,
            oldest_day: None,
        }
    }

    fn nothing() -> RevenueRetention {
        RevenueRetention { currencies: Vec::new(), currency_changed: 0, known_since: None }
    }

    fn judged(
        inputs: GoalInputs<'_>,
        targets: &Targets,
    ) -> Vec<(RetentionMetric, Option<String>, Option<f64>, GoalState)> {
        let goals = inputs.goals(targets);
        let currency = |goal: &RetentionGoal| goal.currency.map(|currency| currency.to_string());
        goals.iter().map(|goal| (goal.metric, currency(goal), goal.value, goal.state())).collect()
    }

    #[test]
    fn r201_r210_each_metric_stands_against_its_target_and_each_currency_for_itself() {
        let euros = CurrencyRetention {
            currency: money("EUR", 0).currency,
            accounts: 4,
            start: 1_000,
            churned: 100,
            contraction: 100,
            expansion: 300,
        };
        let dollars = CurrencyRetention { currency: money("USD", 0).currency, churned: 50, contraction: 0, ..euros };
        let retention = RevenueRetention { currencies: vec![euros, dollars], currency_changed: 0, known_since: None };
        let groups = [
            group(Some(Band::Critical), 1, Some(money("EUR", 10))),
            group(Some(Band::AtRisk), 2, Some(money("EUR", 20))),
            group(Some(Band::Healthy), 4, Some(money("EUR", 70))),
            group(Some(Band::Stable), 1, Some(money("USD", 70))),
            group(None, 2, Some(money("USD", 30))),
            group(Some(Band::Critical), 1, None),
        ];
        let inputs = GoalInputs {
            renewed: Proportion { count: 17, total: 20 },
            retention: &retention,
            groups: &groups,
            time_to_value: TimeToValue { days_median: Some(30.5), activated_count: 3 },
        };
        let of = |code: &str| Some(code.to_owned());
        let expected = [
            (RetentionMetric::RenewalRate, None, Some(0.85), GoalState::Met),
            (RetentionMetric::GrossRetention, of("EUR"), Some(0.8), GoalState::Missed),
            (RetentionMetric::GrossRetention, of("USD"), Some(0.95), GoalState::Met),
            (RetentionMetric::NetRetention, of("EUR"), Some(0.8 + 0.3), GoalState::Met),
            (RetentionMetric::NetRetention, of("USD"), Some(0.95 + 0.3), GoalState::Met),
            (RetentionMetric::ArrAtRiskShare, of("EUR"), Some(0.3), GoalState::Missed),
            (RetentionMetric::ArrAtRiskShare, of("USD"), Some(0.0), GoalState::Met),
            // Two of nine that have a score.
            (RetentionMetric::CriticalShare, None, Some(2.0 / 9.0), GoalState::NoTarget),
            (RetentionMetric::TimeToValueDays, None, Some(30.5), GoalState::Missed),
        ];
        assert_eq!(judged(inputs, &Targets::default()), expected);

        let asked = [(RetentionMetric::CriticalShare, 0.2), (RetentionMetric::RenewalRate, 0.9)].into();
        let targets = Targets { asked, ..Targets::default() };
        let states: Vec<_> =
            judged(inputs, &targets).into_iter().map(|(metric, _, _, state)| (metric, state)).collect();
        assert!(states.contains(&(RetentionMetric::CriticalShare, GoalState::Missed)), "{states:?}");
        assert!(states.contains(&(RetentionMetric::RenewalRate, GoalState::Missed)), "{states:?}");
    }

    #[test]
    fn r210_a_metric_without_data_says_so_and_is_not_missed() {
        let inputs = GoalInputs {
            renewed: Proportion::default(),
            retention: &nothing(),
            groups: &[],
            time_to_value: TimeToValue::default(),
        };
        let expected: Vec<_> =
            RetentionMetric::ALL.into_iter().map(|metric| (metric, None, None, GoalState::NoData)).collect();
        assert_eq!(judged(inputs, &Targets::default()), expected);
    }

    fn band() -> impl Strategy<Value = Option<Band>> {
        prop_oneof![Just(None), Just(Some(Band::Critical)), Just(Some(Band::AtRisk)), Just(Some(Band::Healthy))]
    }

    proptest! {
        #[test]
        fn shares_are_shares_whatever_the_customers_bring_in(
            customers in proptest::collection::vec((band(), 1i64..50, proptest::option::of((0..2usize, 0..=i64::MAX))), 0..20)
        ) {
            let groups: Vec<ReportGroup> = customers
                .into_iter()
                .map(|(band, count, arr)| group(band, count, arr.map(|(code, units)| money(["EUR", "JPY"][code], units))))
                .collect();
            let retention = nothing();
            let inputs = GoalInputs {
                renewed: Proportion::default(),
                retention: &retention,
                groups: &groups,
                time_to_value: TimeToValue::default(),
            };
            let goals = inputs.goals(&Targets::default());
            for metric in RetentionMetric::ALL {
                prop_assert!(goals.iter().any(|goal| goal.metric == metric));
            }
            for goal in goals {
                prop_assert!(goal.value.is_none_or(|value| (0.0..=1.0).contains(&value)), "{goal:?}");
                prop_assert_eq!(goal.value.is_none(), goal.counted == 0, "{:?}", goal);
            }
        }
    }
}
