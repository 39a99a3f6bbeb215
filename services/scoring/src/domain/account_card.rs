//! An account at a glance: how much it is used, what is open, and what was said last.

use chrono::NaiveDate;

use super::model::Input;
use super::series::{AccountSeries, DayNumber, DayValues, date_of, day_number};
use super::story_series::{StoryDays, StorySeries};

/// Days of use that are looked at, and of those before.
const WINDOW_DAYS: DayNumber = 28;
/// Metrics, and features, with the most use.
const NAMED_MAX: usize = 10;
/// The figures that say how content people are.
const FIGURES: [StorySeries; 6] = [
    StorySeries::NpsScore,
    StorySeries::CsatScore,
    StorySeries::CesScore,
    StorySeries::CsmPulse,
    StorySeries::TicketSatisfaction,
    StorySeries::TicketSentiment,
];

/// How much something was used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UseFigure {
    pub input: Input,
    /// In the last 28 days, today included.
    pub total: i64,
    /// In the 28 days before.
    pub earlier_total: i64,
    pub last_day: NaiveDate,
}

/// The newest of a figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewestFigure {
    pub series: StorySeries,
    /// The mean of its day.
    pub value: f64,
    pub day: NaiveDate,
}

/// What the series of an account say at a glance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AtAGlance {
    pub uses: Vec<UseFigure>,
    pub open_tickets: i64,
    pub urgent_tickets: i64,
    pub unpaid_invoices: i64,
    pub open_disputes: i64,
    pub newest_figures: Vec<NewestFigure>,
    pub last_touch_day: Option<NaiveDate>,
}

impl AtAGlance {
    /// As of the end of a day.
    pub(crate) fn of(series: &AccountSeries, today: NaiveDate) -> Self {
        let today = day_number(today);
        let open = |of: StorySeries| series.story(of).map_or(0, |days| days.open_at(today));
        let figure = |of: StorySeries| {
            let days = series.story(of)?;
            let day = days.newest_value_day(today)?;
            Some(NewestFigure { series: of, value: days.mean(day, day)?, day: date_of(day) })
        };
        let touches = series.story(StorySeries::Touches).map(StoryDays::happened);
        Self {
            uses: uses(series, today),
            open_tickets: open(StorySeries::TicketsOpen),
            urgent_tickets: open(StorySeries::UrgentTicketsOpen),
            unpaid_invoices: open(StorySeries::InvoicesUnpaid),
            open_disputes: open(StorySeries::DisputesOpen),
            newest_figures: FIGURES.into_iter().filter_map(figure).collect(),
            last_touch_day: touches.and_then(|days| days.newest_day(today)).map(date_of),
        }
    }
}

fn uses(series: &AccountSeries, today: DayNumber) -> Vec<UseFigure> {
    let first = today - (WINDOW_DAYS - 1);
    let earlier = (first - WINDOW_DAYS, first - 1);
    let figure = |input: Input, days: &DayValues, total: &dyn Fn(DayNumber, DayNumber) -> i64| {
        let last_day = date_of(days.newest_day(today)?);
        Some(UseFigure { input, total: total(first, today), earlier_total: total(earlier.0, earlier.1), last_day })
    };
    let distinct = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let users = figure(Input::AnyUser, series.any_user(), &|from, to| distinct(series.distinct_users(from, to)));
    let features =
        figure(Input::AnyFeature, series.any_feature(), &|from, to| distinct(series.distinct_features(from, to)));
    let named = |input: Input, days: &DayValues| figure(input, days, &|from, to| sum(days, from, to));
    let metrics = series.usage_metrics().filter_map(|metric| {
        let days = series.usage(metric)?;
        named(Input::Metric(metric.to_owned()), days)
    });
    let of_features = series.features().filter_map(|(feature, days)| named(Input::Feature(feature.to_owned()), days));
    let most = [most_used(metrics.collect()), most_used(of_features.collect())];
    users.into_iter().chain(features).chain(most.into_iter().flatten()).collect()
}

/// The most used first; of those alike, as they came.
fn most_used(mut figures: Vec<UseFigure>) -> Vec<UseFigure> {
    figures.sort_by_key(|figure| std::cmp::Reverse((figure.total, figure.earlier_total)));
    figures.truncate(NAMED_MAX);
    figures
}

fn sum(days: &DayValues, first: DayNumber, last: DayNumber) -> i64 {
    days.between(first, last).iter().fold(0, |sum: i64, &(_, total)| sum.saturating_add(total))
}

#[cfg(test)]
mod tests {
    use super::super::series::{SeriesKey, SeriesKind};
    use super::super::story_series::StoryRow;
    use super::*;

    fn key(kind: SeriesKind, name: &str) -> SeriesKey {
        SeriesKey { kind, name: name.to_owned() }
    }

    #[test]
    fn r81_use_is_that_of_28_days_beside_the_28_before() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 31).expect("a day");
        let day = day_number(today);
        let mut series = AccountSeries::default();
        let counts = [(day + 1, 1_000), (day, 5), (day - 27, 7), (day - 28, 11), (day - 55, 13), (day - 56, 17)];
        series.add_counts(&key(SeriesKind::Usage, "emails"), counts);
        series.add_counts(&key(SeriesKind::Usage, "calls"), [(day - 1, 40)]);
        series.add_counts(&key(SeriesKind::User, "ann"), [(day, 1)]);
        series.add_counts(&key(SeriesKind::User, "bob"), [(day - 30, 2)]);
        series.add_counts(&key(SeriesKind::User, "eve"), [(day - 30, 2), (day - 2, 1)]);
        let glance = AtAGlance::of(&series, today);
        let seen: Vec<(Input, i64, i64, String)> = glance
            .uses
            .into_iter()
            .map(|figure| (figure.input, figure.total, figure.earlier_total, figure.last_day.to_string()))
            .collect();
        let expected = [
            (Input::AnyUser, 2, 2, "2026-03-31"),
            (Input::Metric("calls".to_owned()), 40, 0, "2026-03-30"),
            (Input::Metric("emails".to_owned()), 12, 24, "2026-03-31"),
        ];
        assert_eq!(seen, expected.map(|(input, total, earlier, day)| (input, total, earlier, day.to_owned())));
    }

    #[test]
    fn r81_what_is_open_and_what_was_said_last_is_as_of_the_day() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 31).expect("a day");
        let day = day_number(today);
        let mut series = AccountSeries::default();
        series.add_story_days(StoryRow::Sum(StorySeries::TicketsOpen), &[(day - 9, 3), (day - 1, -1), (day + 1, -2)]);
        for (row, days) in [
            (StoryRow::Sum(StorySeries::NpsScore), [(day - 40, 9_000), (day - 3, 7_000)]),
            (StoryRow::Count(StorySeries::NpsScore), [(day - 40, 1), (day - 3, 2)]),
        ] {
            series.add_story_days(row, &days);
        }
        let glance = AtAGlance::of(&series, today);
        assert_eq!((glance.open_tickets, glance.urgent_tickets, glance.last_touch_day), (2, 0, None));
        let day = NaiveDate::from_ymd_opt(2026, 3, 28).expect("a day");
        assert_eq!(glance.newest_figures, [NewestFigure { series: StorySeries::NpsScore, value: 3.5, day }]);
    }
}
