//! Points of a customer's journey at which it meets friction, and whether those who met it leave more often.
//!
//! Each is an exposure before the landmark, compared within the stage of the journey in which the customer was at the landmark: those who
//! just began leave for other reasons than those whose contract ends.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{Currency, MoneyError, Segment};
use mainstay_statistics::many_tests::holm;

use super::exposure::ExposureReport;
use super::{FollowUp, FollowedCustomers, FollowedPortfolio};
use crate::domain::cohort::UncountedReason;
use crate::domain::risk_trigger::RiskTriggerKind;

/// A customer is on board for so many days after its start, and renews for so many before its contract ends.
pub(crate) const STAGE_DAYS: i32 = 90;

/// Where a customer met friction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touchpoint {
    /// A condition of this kind lasted on some day.
    Condition(RiskTriggerKind),
    /// An incident or outage hit it.
    Incident,
}

impl Touchpoint {
    /// All there are: conditions of what customers did and met, not of the score, which is made of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Condition(RiskTriggerKind::FeatureNotAdopted),
        Self::Condition(RiskTriggerKind::LoginDrop),
        Self::Condition(RiskTriggerKind::UsageDecline),
        Self::Condition(RiskTriggerKind::Inactivity),
        Self::Condition(RiskTriggerKind::ChampionSilent),
        Self::Condition(RiskTriggerKind::TicketUrgent),
        Self::Condition(RiskTriggerKind::TicketFrustrated),
        Self::Incident,
        Self::Condition(RiskTriggerKind::PaymentFailed),
        Self::Condition(RiskTriggerKind::PaymentSlowing),
        Self::Condition(RiskTriggerKind::BillingDispute),
    ];
}

/// How far a customer had come at the landmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JourneyStage {
    /// It started within the days before.
    Onboarding,
    /// Neither.
    InUse,
    /// Its contract ended or ends within the days after.
    Renewing,
}

/// Who is to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TouchpointQuery {
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// At whose end everybody is a customer.
    pub landmark: NaiveDate,
    /// How many days friction is looked for in; the landmark is the last of them.
    pub exposure_days: u32,
    /// The days after the landmark.
    pub follow_up: FollowUp,
}

impl TouchpointQuery {
    /// The first day that friction is looked for on.
    pub(crate) fn exposure_first_day(&self) -> NaiveDate {
        self.landmark - TimeDelta::days(i64::from(self.exposure_days) - 1)
    }
}

/// Customers that met the same friction, were followed equally long and have the same end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TouchedCustomers {
    /// For each of [`Touchpoint::ALL`], whether they met it.
    pub touched: [bool; Touchpoint::ALL.len()],
    pub stage: JourneyStage,
    /// The day of the follow-up, from 1, on which they left or were last seen.
    pub day: u32,
    /// Whether they left then.
    pub churned: bool,
    pub currency: Option<Currency>,
    pub count: u64,
    /// Their yearly revenue, in minor units; 0 without a currency.
    pub annual_revenue: i128,
}

/// All customers that were there at the landmark.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TouchedPortfolio {
    pub customers: Vec<TouchedCustomers>,
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

/// A touchpoint, and whether those who met it stayed as others did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TouchpointEffect {
    pub touchpoint: Touchpoint,
    pub report: ExposureReport<JourneyStage>,
    /// The probability of the stratified test, adjusted for all touchpoints that are tested (Holm 1979); none without a test.
    pub adjusted_p: Option<f64>,
    /// How many more of those who met it left than would have as the others of their stage did: the sum over stages of
    /// n · (S of the others − S of those who met it). None where no stage has both.
    pub excess_losses: Option<f64>,
}

/// All touchpoints that somebody met, those with the highest excess of losses first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TouchpointMap {
    pub customers: u64,
    pub churned: u64,
    pub touchpoints: Vec<TouchpointEffect>,
    pub uncounted: BTreeMap<UncountedReason, u64>,
}

impl TouchpointMap {
    /// Of a portfolio that was followed for so many days.
    ///
    /// # Errors
    /// When an amount of money leaves its range.
    pub(crate) fn of(portfolio: TouchedPortfolio, days: u32) -> Result<Self, MoneyError> {
        let mut touchpoints = Vec::new();
        for (place, touchpoint) in Touchpoint::ALL.into_iter().enumerate() {
            if !portfolio.customers.iter().any(|one| one.touched[place]) {
                continue;
            }
            let report = ExposureReport::of(of_touchpoint(&portfolio.customers, place), days)?;
            let excess_losses = excess_losses(&report);
            touchpoints.push(TouchpointEffect { touchpoint, report, adjusted_p: None, excess_losses });
        }
        adjust(&mut touchpoints);
        touchpoints.sort_by(|one, other| {
            let excess = |effect: &TouchpointEffect| effect.excess_losses.unwrap_or(f64::NEG_INFINITY);
            excess(other).total_cmp(&excess(one))
        });
        let count = |wanted: fn(&TouchedCustomers) -> bool| {
            portfolio.customers.iter().filter(|one| wanted(one)).map(|one| one.count).sum()
        };
        Ok(Self {
            customers: count(|_| true),
            churned: count(|one| one.churned),
            touchpoints,
            uncounted: portfolio.uncounted,
        })
    }
}

fn of_touchpoint(customers: &[TouchedCustomers], place: usize) -> FollowedPortfolio<JourneyStage> {
    let mut alike: BTreeMap<_, (u64, i128)> = BTreeMap::new();
    for one in customers {
        let key = (one.stage, one.touched[place], one.day, one.churned, one.currency);
        let (count, annual_revenue) = alike.entry(key).or_default();
        *count += one.count;
        *annual_revenue += one.annual_revenue;
    }
    let customers = alike.into_iter().map(|((stratum, exposed, day, churned, currency), (count, annual_revenue))| {
        FollowedCustomers { stratum, exposed, day, churned, currency, count, annual_revenue }
    });
    FollowedPortfolio { customers: customers.collect(), uncounted: BTreeMap::new() }
}

fn excess_losses(report: &ExposureReport<JourneyStage>) -> Option<f64> {
    let excess = report.strata.iter().filter_map(|(_, comparison)| {
        let (group, reference) = comparison.group.retention().zip(comparison.reference.retention())?;
        Some(comparison.group.customers as f64 * (reference - group))
    });
    excess.reduce(|sum, one| sum + one)
}

fn adjust(touchpoints: &mut [TouchpointEffect]) {
    let tested = touchpoints.iter_mut().filter_map(|effect| {
        let p = effect.report.stratified_test.as_ref().ok()?.p;
        Some((p, &mut effect.adjusted_p))
    });
    let (probabilities, places): (Vec<f64>, Vec<&mut Option<f64>>) = tested.unzip();
    for (place, adjusted) in places.into_iter().zip(holm(&probabilities)) {
        *place = Some(adjusted);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAYS: u32 = 90;
    const URGENT: usize = 5;
    const PAYMENT: usize = 8;

    fn touched(places: &[usize]) -> [bool; Touchpoint::ALL.len()] {
        std::array::from_fn(|place| places.contains(&place))
    }

    /// Of so many customers, how many left on day 30; the others stayed to the end.
    fn left(stage: JourneyStage, places: &[usize], churned: u64, of: u64) -> [TouchedCustomers; 2] {
        let some = |day, churned, count| TouchedCustomers {
            touched: touched(places),
            stage,
            day,
            churned,
            currency: None,
            count,
            annual_revenue: 0,
        };
        [some(30, true, churned), some(DAYS, false, of - churned)]
    }

    fn map(customers: Vec<TouchedCustomers>) -> TouchpointMap {
        TouchpointMap::of(TouchedPortfolio { customers, uncounted: BTreeMap::new() }, DAYS).expect("in range")
    }

    #[test]
    fn r76_friction_is_compared_within_the_stage_and_ranked_by_what_it_takes() {
        let map = map([
            left(JourneyStage::InUse, &[], 10, 200),
            left(JourneyStage::InUse, &[PAYMENT], 30, 100),
            left(JourneyStage::InUse, &[URGENT], 5, 100),
            left(JourneyStage::Renewing, &[], 40, 100),
            left(JourneyStage::Renewing, &[URGENT], 20, 50),
        ]
        .concat());
        assert_eq!((map.customers, map.churned), (550, 105));
        let order: Vec<Touchpoint> = map.touchpoints.iter().map(|effect| effect.touchpoint).collect();
        assert_eq!(order, [Touchpoint::ALL[PAYMENT], Touchpoint::ALL[URGENT]], "others met nothing");
        let payment = &map.touchpoints[0];
        // 30 % of 100 against 5 % of 300 who use it without a failed payment.
        assert!((payment.excess_losses.expect("both") - 25.0).abs() < 1e-9);
        assert!(payment.adjusted_p.expect("tested") < 0.001);
        // 5 of 100 against 40 of 300, and 20 of 50 against 40 of 100: by stage, none leaves more often.
        let urgent = &map.touchpoints[1];
        assert!((urgent.excess_losses.expect("both") - (100.0 * (0.05 - 40.0 / 300.0))).abs() < 1e-9);
        assert_eq!(urgent.report.strata.len(), 2);
    }

    #[test]
    fn a_portfolio_without_friction_has_an_empty_map() {
        let map = map(left(JourneyStage::InUse, &[], 3, 10).to_vec());
        assert_eq!((map.touchpoints.len(), map.customers, map.churned), (0, 10, 3));
    }

    proptest! {
        #[test]
        fn r76_each_touchpoint_counts_every_customer_once(
            counts in proptest::collection::vec((0usize..3, proptest::collection::vec(0usize..10, 0..4), 0u64..10, 0u64..10), 1..20),
        ) {
            let stages = [JourneyStage::Onboarding, JourneyStage::InUse, JourneyStage::Renewing];
            let customers: Vec<TouchedCustomers> = counts
                .iter()
                .flat_map(|(stage, places, churned, stayed)| left(stages[*stage], places, *churned, churned + stayed))
                .collect();
            let found = map(customers);
            for effect in &found.touchpoints {
                let all = &effect.report.all;
                prop_assert_eq!(all.group.customers + all.reference.customers, found.customers);
                prop_assert_eq!(all.group.churned + all.reference.churned, found.churned);
                let p = effect.report.stratified_test.as_ref().ok().map(|test| test.p);
                prop_assert_eq!(effect.adjusted_p.is_some(), p.is_some());
                prop_assert!(effect.adjusted_p.is_none_or(|adjusted| adjusted >= p.expect("tested")));
            }
        }
    }
}
