use chrono::{DateTime, NaiveTime, Utc};
use mainstay_domain::Segment;

use super::super::account_group::{AccountGroup, Distribution};
use super::super::curve::CurvePoint;
use super::super::model::{ComponentDraft, HealthModel, MeasureDraft, ModelDraft};
use super::super::scoring_facts::ScoringFacts;
use super::super::series::{AccountSeries, Level, SeriesKey, date_of};
use super::super::story_series::{DayEntries, StorySeries};
use super::*;

const DAY: DayNumber = 1_000;

/// A measure over 10 days with fresh data of at most 5.
fn measure(input: Input, aggregation: Aggregation, change: impl FnOnce(&mut MeasureDraft)) -> Measure {
    let mut draft = MeasureDraft {
        id: "m".to_owned(),
        display_name: "M".to_owned(),
        weight: 1.0,
        input: Some(input),
        window_days: 10,
        aggregation: Some(aggregation),
        comparison: Some(Comparison::None),
        curve: vec![CurvePoint { x: 0.0, points: 0.0 }, CurvePoint { x: 1.0, points: 100.0 }],
        freshness_limit_days: 5,
        ..MeasureDraft::default()
    };
    change(&mut draft);
    let component = ComponentDraft {
        id: "c".to_owned(),
        display_name: "C".to_owned(),
        weight: 1.0,
        measures: vec![draft],
        ..ComponentDraft::default()
    };
    let model = HealthModel::from_draft(ModelDraft {
        name: "models/m".to_owned(),
        display_name: "M".to_owned(),
        components: vec![component],
        ..ModelDraft::default()
    });
    model.expect("valid").components.remove(0).measures.remove(0)
}

fn emails() -> Input {
    Input::Metric("emails".to_owned())
}

fn seats() -> Input {
    Input::Metric("seats".to_owned())
}

/// An account that is 100 days old, and a fleet with fresh signals of all kinds.
struct Fixture {
    series: AccountSeries,
    facts: ScoringFacts,
    first_signal_day: Option<DayNumber>,
    context: DayContext,
}

impl Fixture {
    fn new() -> Self {
        let mut context = DayContext::default();
        context.pulses.note(SeriesKind::Usage, "emails", DAY);
        context.pulses.note(SeriesKind::Feature, "export", DAY - 1);
        context.pulses.note_kind(SeriesKind::User, DAY - 2);
        Self {
            series: AccountSeries::default(),
            facts: ScoringFacts { segment: Segment::Smb, industry: "Retail".to_owned(), ..ScoringFacts::default() },
            first_signal_day: Some(DAY - 99),
            context,
        }
    }

    fn counts(mut self, kind: SeriesKind, name: &str, days: &[(DayNumber, i64)]) -> Self {
        let key = SeriesKey { kind, name: name.to_owned() };
        self.series.add_counts(&key, days.iter().map(|&(ago, total)| (DAY - ago, total)));
        self
    }

    fn emails(self, days: &[(DayNumber, i64)]) -> Self {
        self.counts(SeriesKind::Usage, "emails", days)
    }

    fn seats(mut self, levels: &[(DayNumber, f64)]) -> Self {
        let levels = levels.iter().map(|&(ago, level)| Level { day: DAY - ago, level, event_micros: 0 });
        self.series.add_levels("seats", levels);
        self
    }

    /// What stories told, in a fleet whose help desk and surveys told something a day ago.
    fn told(mut self, tell: impl FnOnce(&mut DayEntries)) -> Self {
        for source in ["tickets", "surveys", "touches"] {
            self.context.pulses.note(SeriesKind::Story, source, DAY - 1);
        }
        let mut entries = DayEntries::default();
        tell(&mut entries);
        for (row, day, amount) in entries.amounts() {
            self.series.add_story_days(row, &[(day, amount)]);
        }
        self
    }

    fn read(&self, measure: &Measure) -> Reading {
        let account =
            AccountInputs { series: &self.series, facts: &self.facts, first_signal_day: self.first_signal_day };
        read_measure(measure, &account, &self.context, DAY)
    }

    fn value(&self, input: Input, aggregation: Aggregation) -> Result<f64, MissingReason> {
        self.read(&measure(input, aggregation, |_| ())).value
    }
}

fn same(value: Result<f64, MissingReason>, expected: f64) {
    assert!(value.is_ok_and(|value| (value - expected).abs() < 1e-12), "{value:?} is not {expected}");
}

#[test]
fn counts_become_numbers_over_their_window() {
    // The window of 10 days begins 9 days ago.
    let account = Fixture::new().emails(&[(10, 100), (9, 3), (4, 7), (2, 0)]);
    same(account.value(emails(), Aggregation::Sum), 10.0);
    same(account.value(emails(), Aggregation::MeanPerDay), 1.0);
    same(account.value(emails(), Aggregation::ActiveDays), 3.0);
    same(account.value(emails(), Aggregation::Max), 7.0);
    same(account.value(emails(), Aggregation::DaysSinceLast), 2.0);
    same(account.value(emails(), Aggregation::DaysSinceFirst), 9.0);
}

#[test]
fn a_lifetime_begins_with_the_first_signal_of_any_kind() {
    let account = Fixture::new().emails(&[(49, 25), (10, 25)]);
    let lifetime = |aggregation| account.read(&measure(emails(), aggregation, |draft| draft.window_days = 0)).value;
    same(lifetime(Aggregation::Sum), 50.0);
    same(lifetime(Aggregation::MeanPerDay), 0.5);
    same(lifetime(Aggregation::DaysSinceLast), 10.0);
    same(lifetime(Aggregation::DaysSinceFirst), 49.0);
}

#[test]
fn users_and_features_are_counted_once_each() {
    let account = Fixture::new()
        .counts(SeriesKind::User, "ann", &[(1, 5), (3, 1)])
        .counts(SeriesKind::User, "bob", &[(3, 2), (20, 1)])
        .counts(SeriesKind::User, "cid", &[(30, 1)])
        .counts(SeriesKind::Feature, "export", &[(2, 4)])
        .counts(SeriesKind::Feature, "import", &[(40, 1)]);
    same(account.value(Input::AnyUser, Aggregation::Distinct), 2.0);
    same(account.value(Input::AnyUser, Aggregation::ActiveDays), 2.0);
    same(account.value(Input::AnyUser, Aggregation::Max), 5.0);
    same(account.value(Input::AnyFeature, Aggregation::Distinct), 1.0);
    same(account.value(Input::Feature("export".to_owned()), Aggregation::Sum), 4.0);
}

#[test]
fn a_silent_customer_is_silent_and_a_silent_source_is_missing() {
    let mut account = Fixture::new().emails(&[(60, 5)]);
    same(account.value(emails(), Aggregation::Sum), 0.0);
    same(account.value(emails(), Aggregation::ActiveDays), 0.0);
    same(account.value(emails(), Aggregation::DaysSinceLast), 10.0);
    same(account.value(Input::AnyUser, Aggregation::Distinct), 0.0);

    account.context = DayContext::default();
    account.context.pulses.note(SeriesKind::Usage, "emails", DAY - 5);
    same(account.value(emails(), Aggregation::Sum), 0.0);
    account.context = DayContext::default();
    account.context.pulses.note(SeriesKind::Usage, "emails", DAY - 6);
    let reading = account.read(&measure(emails(), Aggregation::Sum, |_| ()));
    assert_eq!((reading.value, reading.freshness_days), (Err(MissingReason::Stale), Some(6)));
    assert_eq!(account.value(Input::AnyUser, Aggregation::Sum), Err(MissingReason::NoData));
}

#[test]
fn nothing_is_known_of_an_account_before_its_first_signal() {
    let mut account = Fixture::new();
    for first_signal_day in [None, Some(DAY + 1)] {
        account.first_signal_day = first_signal_day;
        assert_eq!(account.value(emails(), Aggregation::Sum), Err(MissingReason::NoData));
    }
    account.first_signal_day = Some(DAY);
    assert_eq!(account.value(emails(), Aggregation::DaysSinceLast), Err(MissingReason::NoData));
    assert_eq!(account.value(emails(), Aggregation::DaysSinceFirst), Err(MissingReason::NoData));
}

#[test]
fn levels_are_read_by_their_own_freshness() {
    let account = Fixture::new().seats(&[(12, 90.0), (8, 60.0), (4, 30.0)]);
    same(account.value(seats(), Aggregation::Last), 30.0);
    same(account.value(seats(), Aggregation::Max), 60.0);
    same(account.value(seats(), Aggregation::ActiveDays), 2.0);
    same(account.value(seats(), Aggregation::DaysSinceLast), 4.0);
    same(account.value(seats(), Aggregation::DaysSinceFirst), 8.0);
    assert_eq!(account.value(seats(), Aggregation::Sum), Err(MissingReason::NoData));

    let stale = Fixture::new().seats(&[(6, 30.0)]);
    let reading = stale.read(&measure(seats(), Aggregation::Last, |_| ()));
    assert_eq!((reading.value, reading.freshness_days), (Err(MissingReason::Stale), Some(6)));
    assert_eq!(Fixture::new().value(seats(), Aggregation::Last), Err(MissingReason::NoData));

    let narrow = measure(seats(), Aggregation::Last, |draft| draft.window_days = 4);
    assert_eq!(account.read(&narrow).value, Err(MissingReason::Stale));
}

#[test]
fn a_level_without_a_plan_limit_is_missing() {
    let mut account = Fixture::new().seats(&[(1, 30.0)]);
    assert_eq!(account.value(seats(), Aggregation::LastOfLimit), Err(MissingReason::NoPlanLimit));
    account.facts.plan_limits.insert("seats".to_owned(), 40.0);
    same(account.value(seats(), Aggregation::LastOfLimit), 0.75);
    account.facts.plan_limits.insert("seats".to_owned(), f64::MIN_POSITIVE / 4.0);
    same(account.value(seats(), Aggregation::LastOfLimit), f64::MAX);
}

/// So many days before the day of the tests.
fn ago(days: DayNumber) -> DateTime<Utc> {
    date_of(DAY - days).and_time(NaiveTime::MIN).and_utc()
}

fn compared(series: StorySeries, aggregation: Aggregation) -> Measure {
    measure(Input::Story(series), aggregation, |draft| draft.comparison = Some(Comparison::EarlierWindow))
}

#[test]
fn what_lasts_has_a_last_and_a_largest_and_is_0_of_whom_nothing_is_told() {
    let open = |aggregation| measure(Input::Story(StorySeries::TicketsOpen), aggregation, |_| ());
    let account = Fixture::new().told(|entries| {
        entries.span(StorySeries::TicketsOpen, ago(40), Some(ago(2)));
        entries.span(StorySeries::TicketsOpen, ago(8), Some(ago(5)));
        entries.span(StorySeries::TicketsOpen, ago(1), None);
    });
    same(account.read(&open(Aggregation::Last)).value, 1.0);
    same(account.read(&open(Aggregation::Max)).value, 2.0);
    let trend = account.read(&compared(StorySeries::TicketsOpen, Aggregation::Max));
    assert_eq!((trend.value, trend.base_value), (Ok(2.0), Some(1.0)), "the window before ended 10 days ago");

    let untold = Fixture::new().told(|_| ());
    same(untold.read(&open(Aggregation::Last)).value, 0.0);
    same(untold.read(&open(Aggregation::Max)).value, 0.0);
    assert_eq!(Fixture::new().read(&open(Aggregation::Last)).value, Err(MissingReason::NoData), "no help desk");
}

#[test]
fn figures_have_their_mean_over_the_window_and_their_own_freshness() {
    let csat = |change: fn(&mut MeasureDraft)| measure(Input::Story(StorySeries::CsatScore), Aggregation::Mean, change);
    let account = Fixture::new().told(|entries| {
        for (days, score) in [(30, 1.0), (9, 5.0), (4, 2.0), (4, 5.0)] {
            entries.value(StorySeries::CsatScore, ago(days), score);
        }
    });
    let reading = account.read(&csat(|_| ()));
    assert_eq!((reading.value, reading.freshness_days), (Ok(4.0), Some(4)));
    let narrow = account.read(&csat(|draft| draft.window_days = 4));
    assert_eq!(narrow.value, Err(MissingReason::Stale), "the newest answer is older than the window");
    let strict = account.read(&csat(|draft| draft.freshness_limit_days = 3));
    assert_eq!((strict.value, strict.freshness_days), (Err(MissingReason::Stale), Some(4)));
    let untold = Fixture::new().told(|_| ());
    assert_eq!(untold.read(&csat(|_| ())).value, Err(MissingReason::NoData));
}

#[test]
fn nothing_in_the_window_before_is_no_matter_of_age() {
    let trend = compared(StorySeries::CsatScore, Aggregation::Mean);
    for earlier in [None, Some(30)] {
        let account = Fixture::new().told(|entries| {
            entries.value(StorySeries::CsatScore, ago(1), 4.0);
            earlier.into_iter().for_each(|days| entries.value(StorySeries::CsatScore, ago(days), 2.0));
        });
        let reading = account.read(&trend);
        assert_eq!((reading.value, reading.raw_value), (Err(MissingReason::NoEarlierData), Some(4.0)));
    }
    let levels = measure(seats(), Aggregation::Last, |draft| draft.comparison = Some(Comparison::EarlierWindow));
    for before in [vec![(1, 5.0)], vec![(30, 4.0), (1, 5.0)]] {
        assert_eq!(Fixture::new().seats(&before).read(&levels).value, Err(MissingReason::NoEarlierData));
    }
}

#[test]
fn of_what_never_happened_no_days_have_passed_since() {
    let silence = |window_days| {
        let answered = Input::Story(StorySeries::TouchesAnswered);
        measure(answered, Aggregation::DaysSinceLast, |draft| draft.window_days = window_days)
    };
    let touched = |answered: Option<DayNumber>| {
        Fixture::new().told(|entries| {
            entries.count(StorySeries::Touches, ago(3));
            answered.into_iter().for_each(|days| entries.count(StorySeries::TouchesAnswered, ago(days)));
        })
    };
    for window_days in [10, 0] {
        assert_eq!(touched(None).read(&silence(window_days)).value, Err(MissingReason::NoData), "never answered");
    }
    same(touched(Some(4)).read(&silence(10)).value, 4.0);
    same(touched(Some(60)).read(&silence(10)).value, 10.0);
    same(touched(Some(60)).read(&silence(0)).value, 60.0);
}

#[test]
fn the_earlier_window_ends_where_this_one_begins() {
    let trend = measure(emails(), Aggregation::Sum, |draft| draft.comparison = Some(Comparison::EarlierWindow));
    let account = Fixture::new().emails(&[(20, 1_000), (19, 2), (10, 6), (9, 1), (0, 1)]);
    let reading = account.read(&trend);
    same(reading.value, 0.25);
    assert_eq!((reading.raw_value, reading.base_value), (Some(2.0), Some(8.0)));
    same(Fixture::new().emails(&[(40, 1)]).read(&trend).value, 0.0);
    same(Fixture::new().emails(&[(0, 9)]).read(&trend).value, 2.0);
}

#[test]
fn an_account_younger_than_both_windows_is_too_young() {
    let trend = measure(emails(), Aggregation::Sum, |draft| draft.comparison = Some(Comparison::EarlierWindow));
    let mut account = Fixture::new().emails(&[(3, 1)]);
    account.first_signal_day = Some(DAY - 19);
    same(account.read(&trend).value, 2.0);
    account.first_signal_day = Some(DAY - 18);
    let reading = account.read(&trend);
    assert_eq!((reading.value, reading.raw_value), (Err(MissingReason::TooYoung), Some(1.0)));
}

const NO_SEGMENT: MissingReason = MissingReason::NoGroupBase(AccountGroupKind::Segment);

#[test]
fn a_segment_with_too_few_accounts_or_a_median_of_nothing_is_no_base() {
    let against = measure(emails(), Aggregation::Sum, |draft| draft.comparison = Some(Comparison::SegmentMedian));
    let mut account = Fixture::new().emails(&[(1, 6)]);
    let mut read_with = |median, account_count| {
        let distribution = Distribution::from_quantiles(vec![median], account_count).expect("one");
        account.context.distributions.insert(AccountGroup::Segment(Segment::Smb), "m", distribution);
        account.read(&against)
    };
    same(read_with(4.0, 5).value, 1.5);
    let reading = read_with(4.0, 4);
    assert_eq!((reading.value, reading.raw_value), (Err(NO_SEGMENT), Some(6.0)));
    assert_eq!(read_with(0.0, 50).value, Err(NO_SEGMENT));
}

#[test]
fn r68_a_rank_says_where_an_account_stands_among_those_of_its_industry() {
    let ranked = measure(emails(), Aggregation::Sum, |draft| draft.comparison = Some(Comparison::IndustryRank));
    let mut account = Fixture::new().emails(&[(1, 6)]);
    let numbers: Vec<f64> = (1..=21).map(f64::from).collect();
    let mut spread = |industry: &str, account_count: usize| {
        let distribution = Distribution::from_quantiles(numbers.clone(), account_count).expect("some");
        account.context.distributions = GroupDistributions::default();
        account.context.distributions.insert(AccountGroup::industry(industry).expect("a name"), "m", distribution);
        account.read(&ranked)
    };
    let reading = spread("RETAIL ", 21);
    same(reading.value, 0.25);
    assert_eq!((reading.raw_value, reading.base_value), (Some(6.0), Some(11.0)), "beside the median");
    let no_industry = MissingReason::NoGroupBase(AccountGroupKind::Industry);
    assert_eq!(spread("retail", 19).value, Err(no_industry), "too few to rank in");
    assert_eq!(spread("banking", 21).value, Err(no_industry));
    account.facts.industry.clear();
    assert_eq!(account.read(&ranked).value, Err(no_industry), "not known");
}
