//! What customers are to reach with the product, and where each stands with it. See `docs/adr/0031-adoption.md`.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use mainstay_domain::{AdoptionTargetId, Segment, Violations, is_key};

use super::account::KEY_RULE;
use super::series::{AccountSeries, DayValues, date_of, day_number};
use super::signal::QUANTITY_MAX;

/// Most targets there are: each is looked at whenever an account is scored.
pub(crate) const TARGETS_MAX: usize = 20;
/// Most days that a target grants.
const WITHIN_DAYS_MAX: i32 = 730;
/// Most characters of a display name.
const DISPLAY_NAME_LENGTH_MAX: usize = 200;

/// What a customer gets out of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueOutcome {
    /// A milestone that the product tells of.
    Milestone(String),
    /// So much of a metric in all since the activation.
    UsageTotal { metric: String, quantity: i64 },
    /// A feature, used so often in all since the activation.
    FeatureUses { feature: String, count: i64 },
}

impl ValueOutcome {
    /// The milestone, metric or feature.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Milestone(name) | Self::UsageTotal { metric: name, .. } | Self::FeatureUses { feature: name, .. } => {
                name
            }
        }
    }

    /// How much of it; none for a milestone.
    pub(crate) const fn quantity(&self) -> Option<i64> {
        match self {
            Self::Milestone(_) => None,
            Self::UsageTotal { quantity, .. } => Some(*quantity),
            Self::FeatureUses { count, .. } => Some(*count),
        }
    }

    /// Notes what is wrong with it.
    pub(crate) fn check(&self, found: &mut Violations) {
        let (name_field, quantity_field) = match self {
            Self::Milestone(_) => ("milestone", ""),
            Self::UsageTotal { .. } => ("usage_total.metric", "usage_total.quantity"),
            Self::FeatureUses { .. } => ("feature_uses.feature", "feature_uses.count"),
        };
        found.require(is_key(self.name()), format!("adoption_target.{name_field}"), KEY_RULE);
        let is_quantity = self.quantity().is_none_or(|quantity| (1..=QUANTITY_MAX).contains(&quantity));
        found.require(is_quantity, format!("adoption_target.{quantity_field}"), "must be 1 to 10^12");
    }
}

/// What customers of some segments are to reach, within how many days of their activation, and which share of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdoptionTarget {
    pub id: AdoptionTargetId,
    pub display_name: String,
    /// Sorted; empty: all.
    pub segments: Vec<Segment>,
    pub outcome: ValueOutcome,
    pub within_days: i32,
    /// 0 to 1.
    pub share: f64,
}

/// A target as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptTarget {
    pub target: AdoptionTarget,
    pub updated_at: DateTime<Utc>,
}

/// What is known of an account, for it to be seen where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached<'a> {
    pub segment: Segment,
    pub activation_day: NaiveDate,
    pub series: &'a AccountSeries,
    /// The day on which each milestone was reached first.
    pub milestones: &'a BTreeMap<String, NaiveDate>,
}

/// Where an activated account stands with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountOutcome {
    pub target_id: AdoptionTargetId,
    pub activation_day: NaiveDate,
    /// The last day on which it is reached in time.
    pub due_day: NaiveDate,
    pub reached_day: Option<NaiveDate>,
}

/// What a customer got out of the product, by the targets that are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OutcomeGroup {
    /// It has no targets, or was not activated.
    NoTarget,
    /// Time has run out for one that it did not reach.
    Behind,
    /// It did not reach all, and has time.
    OnTheWay,
    /// It reached all, be it late.
    Achieved,
}

impl OutcomeGroup {
    /// That of an account with these outcomes.
    pub(crate) fn of(outcomes: &[AccountOutcome], today: NaiveDate) -> Self {
        if outcomes.is_empty() {
            Self::NoTarget
        } else if outcomes.iter().any(|outcome| outcome.reached_day.is_none() && outcome.due_day < today) {
            Self::Behind
        } else if outcomes.iter().all(|outcome| outcome.reached_day.is_some()) {
            Self::Achieved
        } else {
            Self::OnTheWay
        }
    }
}

impl AdoptionTarget {
    /// Notes what is wrong with what is said of a target beside its outcome.
    pub(crate) fn check_terms(found: &mut Violations, display_name: &str, within_days: i32, share: f64) {
        found.check_text("adoption_target.display_name", display_name, DISPLAY_NAME_LENGTH_MAX);
        let is_time = (1..=WITHIN_DAYS_MAX).contains(&within_days);
        found.require(is_time, "adoption_target.within_days", format!("must be 1 to {WITHIN_DAYS_MAX}"));
        let is_share = share > 0.0 && share <= 1.0;
        found.require(is_share, "adoption_target.target_share", "must be above 0 and at most 1");
    }

    /// Where an account stands on a day, by what was known then; none where the target is not its own.
    pub(crate) fn outcome_of(&self, known: Reached<'_>, today: NaiveDate) -> Option<AccountOutcome> {
        let is_own = self.segments.is_empty() || self.segments.contains(&known.segment);
        let days = Days::new(u64::from(self.within_days.unsigned_abs()));
        let due_day = known.activation_day.checked_add_days(days).filter(|_| is_own)?;
        let total =
            |values: Option<&DayValues>, wanted: i64| day_of_total(values?, wanted, known.activation_day, today);
        let reached_day = match &self.outcome {
            ValueOutcome::Milestone(milestone) => known.milestones.get(milestone).copied().filter(|day| *day <= today),
            ValueOutcome::UsageTotal { metric, quantity } => total(known.series.usage(metric), *quantity),
            ValueOutcome::FeatureUses { feature, count } => total(known.series.feature(feature), *count),
        };
        Some(AccountOutcome { target_id: self.id.clone(), activation_day: known.activation_day, due_day, reached_day })
    }
}

/// The day from `first` to `last` on which the total of the days since `first` came to be what is wanted.
fn day_of_total(values: &DayValues, wanted: i64, first: NaiveDate, last: NaiveDate) -> Option<NaiveDate> {
    let mut total: i64 = 0;
    let days = values.between(day_number(first), day_number(last));
    let day = days.iter().find(|(_, amount)| {
        total = total.saturating_add(*amount);
        total >= wanted
    });
    day.map(|(day, _)| date_of(*day))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::series::{SeriesKey, SeriesKind};
    use super::*;

    const ACTIVATED: i32 = 20_000;

    fn target(outcome: ValueOutcome) -> AdoptionTarget {
        AdoptionTarget {
            id: AdoptionTargetId::parse("first-report").expect("an id"),
            display_name: String::new(),
            segments: Vec::new(),
            outcome,
            within_days: 30,
            share: 0.6,
        }
    }

    fn usage(quantity: i64) -> ValueOutcome {
        ValueOutcome::UsageTotal { metric: "reports".to_owned(), quantity }
    }

    fn series_of(days: &[(i32, i64)]) -> AccountSeries {
        let mut series = AccountSeries::default();
        let key = SeriesKey { kind: SeriesKind::Usage, name: "reports".to_owned() };
        series.add_counts(&key, days.iter().copied());
        series
    }

    fn reached_on(target: &AdoptionTarget, series: &AccountSeries, today: i32) -> Option<i32> {
        let milestones = BTreeMap::from([("live".to_owned(), date_of(ACTIVATED - 3))]);
        let segment = Segment::Smb;
        let known = Reached { segment, activation_day: date_of(ACTIVATED), series, milestones: &milestones };
        target.outcome_of(known, date_of(today)).and_then(|outcome| outcome.reached_day).map(day_number)
    }

    #[test]
    fn r74_a_total_is_reached_on_the_day_it_comes_to_since_the_activation() {
        let series = series_of(&[(ACTIVATED - 1, 50), (ACTIVATED, 4), (ACTIVATED + 9, 5), (ACTIVATED + 40, 100)]);
        assert_eq!(reached_on(&target(usage(4)), &series, ACTIVATED + 50), Some(ACTIVATED));
        assert_eq!(reached_on(&target(usage(9)), &series, ACTIVATED + 50), Some(ACTIVATED + 9));
        assert_eq!(reached_on(&target(usage(10)), &series, ACTIVATED + 50), Some(ACTIVATED + 40), "late, but reached");
        assert_eq!(reached_on(&target(usage(10)), &series, ACTIVATED + 39), None, "not by then");
        assert_eq!(reached_on(&target(usage(110)), &series, ACTIVATED + 50), None);
    }

    #[test]
    fn a_milestone_of_before_the_activation_is_reached() {
        let live = target(ValueOutcome::Milestone("live".to_owned()));
        assert_eq!(reached_on(&live, &AccountSeries::default(), ACTIVATED), Some(ACTIVATED - 3));
        let other = target(ValueOutcome::Milestone("invited".to_owned()));
        assert_eq!(reached_on(&other, &AccountSeries::default(), ACTIVATED), None);
    }

    #[test]
    fn r73_a_target_is_that_of_its_segments_alone() {
        let enterprise = AdoptionTarget { segments: vec![Segment::Enterprise], ..target(usage(1)) };
        let series = series_of(&[(ACTIVATED, 1)]);
        let (milestones, activation_day) = (BTreeMap::new(), date_of(ACTIVATED));
        let known = |segment| Reached { segment, activation_day, series: &series, milestones: &milestones };
        assert_eq!(enterprise.outcome_of(known(Segment::Smb), activation_day), None);
        let outcome = enterprise.outcome_of(known(Segment::Enterprise), activation_day).expect("its own");
        assert_eq!((outcome.due_day, outcome.reached_day), (date_of(ACTIVATED + 30), Some(activation_day)));
    }

    #[test]
    fn r82_a_customer_is_behind_the_day_after_its_time_and_achieves_late_too() {
        let outcome = |due: i32, reached: Option<i32>| AccountOutcome {
            target_id: AdoptionTargetId::parse("first-report").expect("an id"),
            activation_day: date_of(ACTIVATED),
            due_day: date_of(ACTIVATED + due),
            reached_day: reached.map(|day| date_of(ACTIVATED + day)),
        };
        let group = |outcomes: &[AccountOutcome], day: i32| OutcomeGroup::of(outcomes, date_of(ACTIVATED + day));
        assert_eq!(group(&[], 5), OutcomeGroup::NoTarget);
        assert_eq!(group(&[outcome(30, None), outcome(10, Some(3))], 30), OutcomeGroup::OnTheWay);
        assert_eq!(group(&[outcome(30, None), outcome(10, Some(3))], 31), OutcomeGroup::Behind);
        assert_eq!(group(&[outcome(30, Some(90)), outcome(10, Some(3))], 95), OutcomeGroup::Achieved);
    }

    #[test]
    fn all_that_is_wrong_with_a_target_is_named() {
        let mut found = Violations::new();
        ValueOutcome::FeatureUses { feature: "No Key".to_owned(), count: 0 }.check(&mut found);
        AdoptionTarget::check_terms(&mut found, &"x".repeat(201), 0, f64::NAN);
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        let expected = ["feature_uses.feature", "feature_uses.count", "display_name", "within_days", "target_share"];
        assert_eq!(fields, expected.map(|field| format!("adoption_target.{field}")));
        let mut found = Violations::new();
        usage(1).check(&mut found);
        AdoptionTarget::check_terms(&mut found, "", 730, 1.0);
        assert!(found.is_empty(), "{found:?}");
    }

    proptest! {
        #[test]
        fn r74_more_is_never_reached_before_less(
            days in proptest::collection::vec((ACTIVATED - 20..ACTIVATED + 60, 0i64..50), 0..40),
            less in 1i64..200,
            more in 0i64..200,
        ) {
            let series = series_of(&days);
            let [first, then] = [less, less + more]
                .map(|wanted| reached_on(&target(usage(wanted)), &series, ACTIVATED + 60).unwrap_or(i32::MAX));
            prop_assert!(first <= then);
        }
    }
}
