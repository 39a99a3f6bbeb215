//! Models and accounts of all kinds, for property tests.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;
use proptest::sample::select;

use super::story_series::{DayEntries, Shape, StorySeries};
use super::*;

/// The day that tests score.
pub(super) const DAY: DayNumber = 10_000;

/// The names that signals and models of the tests use.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// What is said of an account of which little is.
pub(super) fn facts() -> account::AccountFacts {
    account::AccountFacts {
        display_name: "Acme".to_owned(),
        segment: Segment::Smb,
        industry: String::new(),
        product_line: String::new(),
        plan: String::new(),
        lifecycle_stage: account::LifecycleStage::Active,
        arr: None,
        mrr: None,
        contract_start_at: None,
        renewal_at: None,
        signed_up_at: None,
        activated_at: None,
        seats: None,
        plan_limits: BTreeMap::new(),
        owners: Vec::new(),
        contacts: Vec::new(),
        parent: None,
        labels: BTreeMap::new(),
    }
}

/// An account's inputs, owned.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) series: AccountSeries,
    pub(super) facts: ScoringFacts,
}

impl Account {
    pub(super) fn inputs(&self) -> AccountInputs<'_> {
        AccountInputs { series: &self.series, facts: &self.facts, first_signal_day: self.series.first_signal_day() }
    }
}

/// Scores an account on the tests' day.
pub(super) fn score_today(model: &HealthModel, account: &Account, context: &DayContext) -> Scored {
    score(model, &account.inputs(), context, today())
}

pub(super) fn today() -> NaiveDate {
    date_of(DAY)
}

/// A weight, sometimes none at all.
fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.001f64..10.0, 1 => Just(0.0), 1 => Just(1.0), 1 => 1e-9f64..1e-6]
}

/// A curve that rises, with corners at all sorts of places.
pub(super) fn rising_curve() -> impl Strategy<Value = Vec<CurvePoint>> {
    (-5.0f64..5.0, proptest::collection::vec((0.01f64..20.0, 0.0f64..=1.0), 2..6)).prop_map(|(start, steps)| {
        let mut heights: Vec<f64> = steps.iter().map(|&(_, height)| height * 100.0).collect();
        heights.sort_by(f64::total_cmp);
        let mut x = start;
        let rising = steps.iter().zip(heights).map(|(&(step, _), points)| {
            x += step;
            CurvePoint { x, points }
        });
        rising.collect()
    })
}

fn curve() -> impl Strategy<Value = Vec<CurvePoint>> {
    (rising_curve(), any::<bool>()).prop_map(|(mut corners, falls)| {
        if falls {
            for corner in &mut corners {
                corner.points = 100.0 - corner.points;
            }
        }
        corners
    })
}

fn input() -> impl Strategy<Value = Input> {
    let name = || select(&NAMES[..]).prop_map(str::to_owned);
    prop_oneof![
        3 => name().prop_map(Input::Metric),
        1 => name().prop_map(Input::Feature),
        1 => Just(Input::AnyFeature),
        1 => Just(Input::AnyUser),
        2 => select(StorySeries::ALL.to_vec()).prop_map(Input::Story),
    ]
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    select(vec![
        Aggregation::Sum,
        Aggregation::MeanPerDay,
        Aggregation::ActiveDays,
        Aggregation::Distinct,
        Aggregation::Last,
        Aggregation::Max,
        Aggregation::DaysSinceLast,
        Aggregation::DaysSinceFirst,
        Aggregation::LastOfLimit,
        Aggregation::FadedLast,
    ])
}

/// An aggregation that fits what stories tell; for other inputs the one given, which may not fit.
fn fitting(input: &Input, given: Aggregation) -> Aggregation {
    let Input::Story(series) = input else { return given };
    match (series.shape(), given) {
        (
            Shape::Count,
            Aggregation::Distinct | Aggregation::Last | Aggregation::LastOfLimit | Aggregation::FadedLast,
        ) => Aggregation::Sum,
        (Shape::Count, fitting) => fitting,
        (Shape::Open, Aggregation::Max) => Aggregation::Max,
        (Shape::Open, _) => Aggregation::Last,
        (Shape::Value, Aggregation::FadedLast) if series.value_middle().is_some() => Aggregation::FadedLast,
        (Shape::Value, _) => Aggregation::Mean,
    }
}

fn measure() -> impl Strategy<Value = MeasureDraft> {
    let comparison = select(vec![
        Comparison::None,
        Comparison::EarlierWindow,
        Comparison::SegmentMedian,
        Comparison::IndustryMedian,
        Comparison::PlanMedian,
        Comparison::SegmentRank,
        Comparison::IndustryRank,
        Comparison::PlanRank,
    ]);
    let window = prop_oneof![Just(0), 1i32..40];
    (weight(), input(), window, aggregation(), comparison, curve(), 1i32..40).prop_map(
        |(weight, input, window_days, aggregation, comparison, curve, freshness_limit_days)| MeasureDraft {
            display_name: "Measure".to_owned(),
            weight,
            window_days,
            aggregation: Some(fitting(&input, aggregation)),
            input: Some(input),
            comparison: Some(comparison),
            curve,
            freshness_limit_days,
            ..MeasureDraft::default()
        },
    )
}

/// A valid model of up to four components with up to four measures each.
pub(super) fn model() -> impl Strategy<Value = HealthModel> {
    let component = (weight(), proptest::collection::vec(measure(), 1..5)).prop_map(|(weight, measures)| {
        ComponentDraft { display_name: "Component".to_owned(), weight, measures, ..ComponentDraft::default() }
    });
    proptest::collection::vec(component, 1..5)
        .prop_map(|mut components| {
            for (index, component) in components.iter_mut().enumerate() {
                component.id = format!("c{index}");
                for (place, measure) in component.measures.iter_mut().enumerate() {
                    measure.id = format!("m{index}_{place}");
                }
            }
            ModelDraft {
                name: "models/test".to_owned(),
                display_name: "Test".to_owned(),
                components,
                ..ModelDraft::default()
            }
        })
        .prop_filter_map("a valid model", |draft| HealthModel::from_draft(draft).ok())
}

/// A signal: kind, name, days before the tests' day (negative: after it), amount.
pub(super) type Seen = (SeriesKind, &'static str, i32, i64);

pub(super) fn seen(days_before: std::ops::Range<i32>) -> impl Strategy<Value = Seen> {
    let kinds = [SeriesKind::Usage, SeriesKind::Gauge, SeriesKind::User, SeriesKind::Feature, SeriesKind::Story];
    let kinds = select(kinds.to_vec());
    (kinds, select(&NAMES[..]), days_before, 0i64..9)
}

/// Adds signals to a series.
pub(super) fn add_seen(series: &mut AccountSeries, all: &[Seen]) {
    for &(kind, name, days_before, amount) in all {
        let day = DAY - days_before;
        match kind {
            SeriesKind::Gauge => series.add_levels(name, [Level { day, level: amount as f64, event_micros: amount }]),
            SeriesKind::Story => add_told(series, told_series(name, amount), day, amount),
            SeriesKind::Usage | SeriesKind::User | SeriesKind::Feature => {
                series.add_counts(&SeriesKey { kind, name: name.to_owned() }, [(day, amount)]);
            }
        }
    }
}

/// The series that a story of this name and amount tells; all are told of.
pub(super) fn told_series(name: &str, amount: i64) -> StorySeries {
    let names = NAMES.iter().position(|known| *known == name).unwrap_or(0);
    let place = 9 * names + usize::try_from(amount).unwrap_or(0);
    StorySeries::ALL[place % StorySeries::ALL.len()]
}

/// Adds what a story tells of a day: one that happened, one that lasts for some days or for good, or a figure.
fn add_told(series: &mut AccountSeries, told: StorySeries, day: DayNumber, amount: i64) {
    let at = |day| date_of(day).and_time(NaiveTime::MIN).and_utc();
    let mut entries = DayEntries::default();
    match told.shape() {
        Shape::Count => entries.count(told, at(day)),
        Shape::Open => {
            let days = DayNumber::try_from(amount).ok().filter(|days| *days > 3);
            entries.span(told, at(day), days.map(|days| at(day + days)));
        }
        Shape::Value => {
            let (least, most) = told.value_range();
            entries.value(told, at(day), (amount as f64 / 2.0 - 1.0).clamp(least, most));
        }
    }
    for (row, day, amount) in entries.amounts() {
        series.add_story_days(row, &[(day, amount)]);
    }
}

pub(super) fn account() -> impl Strategy<Value = Account> {
    let segment = select(vec![Segment::Unknown, Segment::Enterprise, Segment::MidMarket, Segment::Smb]);
    let limits = proptest::collection::btree_map(select(&NAMES[..]).prop_map(str::to_owned), 0.5f64..20.0, 0..3);
    (proptest::collection::vec(seen(0..90), 0..40), limits, segment).prop_map(|(all, plan_limits, segment)| {
        let mut series = AccountSeries::default();
        add_seen(&mut series, &all);
        Account {
            series,
            facts: ScoringFacts { segment, plan_limits, plan: "Team".to_owned(), ..ScoringFacts::default() },
        }
    })
}

/// What all accounts together tell: some sources fresh, some stale, some never there.
pub(super) fn context() -> impl Strategy<Value = DayContext> {
    let groups = [
        AccountGroup::Segment(Segment::Unknown),
        AccountGroup::Segment(Segment::Smb),
        AccountGroup::Plan("team".to_owned()),
    ];
    let base =
        (select(groups.to_vec()), 0usize..4, 0usize..4, proptest::collection::vec(0.0f64..9.0, 3..9), 3usize..30);
    (proptest::collection::vec(seen(0..60), 0..30), proptest::collection::vec(base, 0..12)).prop_map(|(all, bases)| {
        let mut context = DayContext::default();
        for (kind, name, days_before, amount) in all {
            let name = if kind == SeriesKind::Story { told_series(name, amount).source().name() } else { name };
            context.pulses.note(kind, name, DAY - days_before);
        }
        for (group, component, place, mut quantiles, account_count) in bases {
            quantiles.sort_by(f64::total_cmp);
            let distribution = Distribution::from_quantiles(quantiles, account_count).expect("some");
            context.distributions.insert(group, &format!("m{component}_{place}"), distribution);
        }
        context
    })
}
