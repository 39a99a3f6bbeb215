//! One measure of one account on one day.

use super::account_group::{AccountGroupKind, GroupDistributions, MEDIAN_ACCOUNTS_MIN, RANK_ACCOUNTS_MIN};
use super::model::{Aggregation, Comparison, GroupStatistic, Input, Measure, Window};
use super::pulses::Pulses;
use super::score::AccountInputs;
use super::series::{DayNumber, DayValues, GaugeDays, SeriesKind};
use super::story_series::{Shape, StoryDays, StorySeries};

/// What a number counts as when the earlier window had nothing and this one has something.
pub(super) const DOUBLED: f64 = 2.0;

/// Why a measure was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingReason {
    /// There never was data.
    NoData,
    /// The newest data is older than the measure's limit or its window.
    Stale,
    /// The account is too young for the comparison.
    TooYoung,
    /// The account's group of this kind has too few accounts to compare with, or a median of 0, or is not known.
    NoGroupBase(AccountGroupKind),
    /// The account has no plan limit for the metric.
    NoPlanLimit,
    /// The account is old enough for the comparison, but the window before has nothing to compare with.
    NoEarlierData,
}

/// What all accounts together tell about a day; the same for each account scored on it.
#[derive(Debug, Clone, Default)]
pub struct DayContext {
    /// When signals came in last, up to the day.
    pub pulses: Pulses,
    /// How measures were spread over groups of accounts on the day before.
    pub distributions: GroupDistributions,
}

/// What a measure reads of an account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The number before the curve, or why there is none; finite.
    pub value: Result<f64, MissingReason>,
    /// The number before the comparison, of which the distributions over groups are made.
    /// Absent: there is no fresh data.
    pub raw_value: Option<f64>,
    /// What it was compared with; for a rank the group's median. Absent: nothing.
    pub base_value: Option<f64>,
    /// Age in days of the newest data. Absent: there is none.
    pub freshness_days: Option<i32>,
}

impl Reading {
    fn missing(reason: MissingReason, freshness_days: Option<i32>) -> Self {
        Self { value: Err(reason), raw_value: None, base_value: None, freshness_days }
    }
}

/// The series that an input chose.
enum Source<'a> {
    /// Counts. Absent: the account has none of them.
    Counts(Option<&'a DayValues>),
    Levels(&'a GaugeDays),
    /// What lasts. Absent: the account never had any.
    Open(Option<&'a StoryDays>),
    Figures(StorySeries, &'a StoryDays),
}

/// The days from `first` to `last`, both included.
#[derive(Clone, Copy)]
struct Span {
    first: DayNumber,
    last: DayNumber,
}

/// Reads a measure of an account as of the end of `day`: later data does not count.
pub fn read_measure(measure: &Measure, account: &AccountInputs, context: &DayContext, day: DayNumber) -> Reading {
    let Some(first_day) = account.first_signal_day.filter(|&first| first <= day) else {
        return Reading::missing(MissingReason::NoData, None);
    };
    let Some((source, newest_day)) = find_source(measure, account, &context.pulses, day) else {
        return Reading::missing(MissingReason::NoData, None);
    };
    let freshness_days = day.saturating_sub(newest_day);
    if freshness_days > measure.freshness_limit_days {
        return Reading::missing(MissingReason::Stale, Some(freshness_days));
    }
    let first = match measure.window {
        Window::Days(days) => day.saturating_sub(days - 1),
        Window::Lifetime => first_day,
    };
    match aggregate(measure, account, &source, Span { first, last: day }) {
        Ok(raw) => {
            compare(measure, account, context, &source, raw, Span { first: first_day, last: day }, freshness_days)
        }
        Err(reason) => Reading::missing(reason, Some(freshness_days)),
    }
}

/// The series of an input and its newest data: the account's own for a gauge,
/// and of figures, any account's for all else.
fn find_source<'a>(
    measure: &Measure,
    account: &'a AccountInputs,
    pulses: &Pulses,
    day: DayNumber,
) -> Option<(Source<'a>, DayNumber)> {
    let series = account.series;
    match &measure.input {
        Input::AnyUser => Some((Source::Counts(Some(series.any_user())), pulses.of_kind(SeriesKind::User)?)),
        Input::AnyFeature => Some((Source::Counts(Some(series.any_feature())), pulses.of_kind(SeriesKind::Feature)?)),
        Input::Feature(name) => {
            Some((Source::Counts(series.feature(name)), pulses.of_series(SeriesKind::Feature, name)?))
        }
        Input::Story(story) => {
            let told = series.story(*story);
            let lived = pulses.of_series(SeriesKind::Story, story.source().name());
            match story.shape() {
                Shape::Count => Some((Source::Counts(told.map(StoryDays::happened)), lived?)),
                Shape::Open => Some((Source::Open(told), lived?)),
                Shape::Value => Some((Source::Figures(*story, told?), told?.newest_value_day(day)?)),
            }
        }
        Input::Metric(name) => {
            let is_gauge = match measure.aggregation {
                Aggregation::Last | Aggregation::LastOfLimit => true,
                Aggregation::Sum | Aggregation::MeanPerDay => false,
                Aggregation::ActiveDays
                | Aggregation::Distinct
                | Aggregation::Max
                | Aggregation::Mean
                | Aggregation::FadedLast
                | Aggregation::DaysSinceLast
                | Aggregation::DaysSinceFirst => series.gauge(name).is_some_and(|levels| levels.newest(day).is_some()),
            };
            if is_gauge {
                let levels = series.gauge(name)?;
                Some((Source::Levels(levels), levels.newest(day)?.day))
            } else {
                Some((Source::Counts(series.usage(name)), pulses.of_series(SeriesKind::Usage, name)?))
            }
        }
    }
}

/// The number of a window.
fn aggregate(
    measure: &Measure,
    account: &AccountInputs,
    source: &Source<'_>,
    span: Span,
) -> Result<f64, MissingReason> {
    match source {
        Source::Levels(levels) => aggregate_levels(measure, account, levels, span),
        Source::Counts(values) => aggregate_counts(measure, account, *values, span),
        Source::Open(told) => match measure.aggregation {
            Aggregation::Max => Ok(told.map_or(0, |told| told.most_open(span.first, span.last)) as f64),
            _ => Ok(told.map_or(0, |told| told.open_at(span.last)) as f64),
        },
        Source::Figures(series, told) if measure.aggregation == Aggregation::FadedLast => faded(*series, told, span),
        Source::Figures(_, told) => told.mean(span.first, span.last).ok_or(MissingReason::Stale),
    }
}

/// The newest day's figure, drawn evenly to the middle of its scale as it ages: `middle + (figure - middle) * left / days`, where `left`
/// is how many of the window's days it still has.
fn faded(series: StorySeries, told: &StoryDays, span: Span) -> Result<f64, MissingReason> {
    let newest = told.newest_value_day(span.last).filter(|newest| *newest >= span.first);
    let newest = newest.ok_or(MissingReason::Stale)?;
    let figure = told.mean(newest, newest).ok_or(MissingReason::Stale)?;
    let middle = series.value_middle().ok_or(MissingReason::NoData)?;
    let left = Span { first: span.first, last: newest }.days();
    Ok(middle + (figure - middle) * left / span.days())
}

fn aggregate_counts(
    measure: &Measure,
    account: &AccountInputs,
    values: Option<&DayValues>,
    span: Span,
) -> Result<f64, MissingReason> {
    let days = values.map_or(&[][..], |values| values.between(span.first, span.last));
    let sum = || days.iter().fold(0i64, |sum, &(_, total)| sum.saturating_add(total)) as f64;
    let ever = || values.and_then(|values| values.newest_day(span.last)).is_some();
    Ok(match measure.aggregation {
        Aggregation::Sum => sum(),
        Aggregation::MeanPerDay => sum() / span.days(),
        Aggregation::ActiveDays => days.len() as f64,
        Aggregation::Distinct if measure.input == Input::AnyUser => {
            account.series.distinct_users(span.first, span.last) as f64
        }
        Aggregation::Distinct => account.series.distinct_features(span.first, span.last) as f64,
        Aggregation::Max => days.iter().map(|&(_, total)| total).max().unwrap_or(0) as f64,
        Aggregation::DaysSinceLast => match days.last() {
            Some(&(newest, _)) => f64::from(span.last - newest),
            None if ever() => span.days(),
            None => return Err(MissingReason::NoData),
        },
        Aggregation::DaysSinceFirst => match days.first() {
            Some(&(oldest, _)) => f64::from(span.last - oldest),
            None if ever() => 0.0,
            None => return Err(MissingReason::NoData),
        },
        Aggregation::Last | Aggregation::LastOfLimit | Aggregation::Mean | Aggregation::FadedLast => {
            return Err(MissingReason::NoData);
        }
    })
}

fn aggregate_levels(
    measure: &Measure,
    account: &AccountInputs,
    gauge: &GaugeDays,
    span: Span,
) -> Result<f64, MissingReason> {
    let levels = gauge.between(span.first, span.last);
    let newest = levels.last().ok_or_else(|| match gauge.newest(span.last) {
        Some(_) => MissingReason::Stale,
        None => MissingReason::NoData,
    });
    Ok(match measure.aggregation {
        Aggregation::ActiveDays => levels.len() as f64,
        Aggregation::Last => newest?.level,
        Aggregation::Max => {
            newest?;
            levels.iter().fold(f64::MIN, |most, level| most.max(level.level))
        }
        Aggregation::DaysSinceLast => match newest {
            Ok(level) => f64::from(span.last - level.day),
            Err(MissingReason::Stale) => span.days(),
            Err(reason) => return Err(reason),
        },
        Aggregation::DaysSinceFirst => match (newest, levels.first()) {
            (Ok(_), Some(oldest)) => f64::from(span.last - oldest.day),
            (Err(MissingReason::NoData), _) => return Err(MissingReason::NoData),
            _ => 0.0,
        },
        Aggregation::LastOfLimit => {
            let level = newest?.level;
            let Input::Metric(metric) = &measure.input else { return Err(MissingReason::NoData) };
            let limit = account.facts.plan_limits.get(metric).filter(|limit| **limit > 0.0);
            finite(level / limit.ok_or(MissingReason::NoPlanLimit)?)
        }
        Aggregation::Sum
        | Aggregation::MeanPerDay
        | Aggregation::Distinct
        | Aggregation::Mean
        | Aggregation::FadedLast => {
            return Err(MissingReason::NoData);
        }
    })
}

/// Compares the number of a window; `life` reaches from the account's first signal to the day.
fn compare(
    measure: &Measure,
    account: &AccountInputs,
    context: &DayContext,
    source: &Source<'_>,
    raw: f64,
    life: Span,
    freshness_days: i32,
) -> Reading {
    let compared = match measure.comparison.with_group() {
        Some((kind, statistic)) => {
            compare_with_group(measure, account, context, kind, statistic, raw).map(|(value, base)| (value, Some(base)))
        }
        None if measure.comparison == Comparison::EarlierWindow => {
            earlier_window(measure, account, source, life).map(|base| (share_of(raw, base), Some(base)))
        }
        None => Ok((raw, None)),
    };
    let (value, base_value) = match compared {
        Ok((value, base)) => (Ok(value), base),
        Err(reason) => (Err(reason), None),
    };
    Reading { value, raw_value: Some(raw), base_value, freshness_days: Some(freshness_days) }
}

/// What a number is beside those of the account's group, and the group's median.
fn compare_with_group(
    measure: &Measure,
    account: &AccountInputs,
    context: &DayContext,
    kind: AccountGroupKind,
    statistic: GroupStatistic,
    raw: f64,
) -> Result<(f64, f64), MissingReason> {
    let accounts_min = match statistic {
        GroupStatistic::Median => MEDIAN_ACCOUNTS_MIN,
        GroupStatistic::Rank => RANK_ACCOUNTS_MIN,
    };
    let group = account.facts.group(kind);
    let distribution = group.and_then(|group| context.distributions.lookup(&group, &measure.id));
    let distribution = distribution.filter(|distribution| distribution.account_count() >= accounts_min);
    let distribution = distribution.ok_or(MissingReason::NoGroupBase(kind))?;
    let median = distribution.median();
    match statistic {
        GroupStatistic::Median if median == 0.0 => Err(MissingReason::NoGroupBase(kind)),
        GroupStatistic::Median => Ok((share_of(raw, median), median)),
        GroupStatistic::Rank => Ok((distribution.rank(raw), median)),
    }
}

/// A number as a share of another. Nothing is nothing, whatever the other: who stays away does not recover when both windows are empty.
fn share_of(raw: f64, base: f64) -> f64 {
    if raw == 0.0 {
        0.0
    } else if base != 0.0 {
        finite(raw / base)
    } else {
        DOUBLED
    }
}

/// The number of the window just before, once the account has lived through both.
fn earlier_window(
    measure: &Measure,
    account: &AccountInputs,
    source: &Source<'_>,
    life: Span,
) -> Result<f64, MissingReason> {
    let Window::Days(days) = measure.window else { return Err(MissingReason::TooYoung) };
    let last = life.last.saturating_sub(days);
    let first = last.saturating_sub(days - 1);
    if life.first > first {
        return Err(MissingReason::TooYoung);
    }
    aggregate(measure, account, source, Span { first, last }).map_err(|_| MissingReason::NoEarlierData)
}

impl Span {
    /// How many days.
    fn days(self) -> f64 {
        f64::from(self.last - self.first) + 1.0
    }
}

/// The number, brought back to the largest there is when a division went beyond.
fn finite(number: f64) -> f64 {
    number.clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
mod tests;
