//! Use that falls week by week: complete weeks against the weeks before.
//!
//! Whole weeks are compared, from Monday to Sunday in UTC, so that weekends make no difference. See
//! `docs/adr/0017-risk-triggers.md`.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::risk_trigger::{Condition, RiskCause, Verdict};
use super::series::{AccountSeries, DayNumber, DayValues, date_of, day_number};

pub(super) const WEEK_DAYS: DayNumber = 7;
/// Weeks that make the base: their median, which one odd week does not move.
pub(super) const BASE_WEEKS: DayNumber = 4;
/// Weeks that fell, one after the other, each below the one before.
pub(super) const FALLING_WEEKS: DayNumber = 3;
/// A decline begins when the newest week is at this share of the base or less.
pub(super) const BEGINS_AT_SHARE: f64 = 0.7;
/// A decline ends when the newest week is at this share of the base or more.
pub(super) const ENDS_AT_SHARE: f64 = 0.85;
/// After so many weeks what was a decline is the new normal.
pub(super) const LASTS_WEEKS_MAX: DayNumber = 12;
/// Below so much in a week of the base, chance moves a count by as much as a decline does.
pub(super) const COUNT_BASE_MIN: f64 = 100.0;
/// Below so many users in a week of the base, a holiday of two is a decline.
pub(super) const USERS_BASE_MIN: f64 = 10.0;

/// What of an account's use declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseSeries {
    /// The sum of a usage metric.
    Metric(String),
    /// The uses of all features.
    AnyFeature,
    /// How many users were active.
    AnyUser,
}

/// A complete week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekOfUse {
    /// Its Monday.
    pub monday: NaiveDate,
    /// The sum, or the number of users.
    pub total: i64,
}

/// Weekly figures of a decline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decline {
    /// What declined.
    pub series: UseSeries,
    /// Monday of the last week before it fell.
    pub base_monday: NaiveDate,
    /// Median of the four weeks up to and with that one; above 0.
    pub base: f64,
    /// The three newest complete weeks, oldest first.
    pub weeks: Vec<WeekOfUse>,
}

impl Decline {
    /// The newest week as a share of the base.
    pub fn share(&self) -> f64 {
        self.weeks.last().map_or(1.0, |week| week.total as f64 / self.base)
    }

    /// Whether it moved by a tenth of its base or more since it was `told`: reckoned in whole numbers, for 70 and 60 of 100 are less than
    /// a tenth apart where fractions are binary.
    pub fn has_moved_by_a_tenth(&self, told: &Self) -> bool {
        let (total, base) = self.total_and_doubled_base();
        let (told_total, told_base) = told.total_and_doubled_base();
        20 * (total * told_base - told_total * base).abs() >= base * told_base
    }

    /// The newest week, and twice the base, which as the median of four whole numbers is whole.
    #[expect(clippy::cast_possible_truncation, reason = "the base lies between two numbers of 64 bits")]
    fn total_and_doubled_base(&self) -> (i128, i128) {
        let total = self.weeks.last().map_or(0, |week| week.total);
        (total.into(), (self.base * 2.0).round() as i128)
    }

    /// Whether its weeks are those in which it began, each of them below the one before. While it lasts they move on, and need not fall.
    pub fn is_of_its_first_weeks(&self) -> bool {
        let follows = |week: &WeekOfUse| day_number(week.monday) - day_number(self.base_monday) == WEEK_DAYS;
        self.weeks.first().is_some_and(follows) && self.weeks.windows(2).all(|pair| pair[1].total < pair[0].total)
    }

    fn into_condition(self) -> Condition {
        Condition { cause: RiskCause::UsageDecline(self), occurrence_count: 1 }
    }
}

/// What an account's use says as of `today`, beside the decline that lasts, which is judged by its own series and base.
pub fn verdict(series: &AccountSeries, today: NaiveDate, lasting: Option<&Decline>) -> Verdict {
    let newest = newest_complete_monday(today);
    match lasting {
        None => Verdict::from(steepest(series, newest).map(Decline::into_condition)),
        Some(last) => {
            let base_monday = day_number(last.base_monday);
            let decline = decline_of(series, last.series.clone(), base_monday, newest);
            match decline.filter(|_| newest - base_monday <= LASTS_WEEKS_MAX * WEEK_DAYS) {
                Some(decline) if decline.share() < ENDS_AT_SHARE => Verdict::Between(decline.into_condition()),
                _ => Verdict::NotMet,
            }
        }
    }
}

/// The newest complete week of an account as a share of its base, whether it fell or not; none without a base that counts.
pub fn share_of_base(series: &AccountSeries, of: &UseSeries, today: NaiveDate) -> Option<f64> {
    let newest = newest_complete_monday(today);
    let decline = decline_of(series, of.clone(), newest - FALLING_WEEKS * WEEK_DAYS, newest)?;
    (decline.base >= base_min(of)).then(|| decline.share())
}

/// Monday of the newest week that is over for more than a day, so that what comes in a day late counts.
fn newest_complete_monday(today: NaiveDate) -> DayNumber {
    let yesterday = day_number(today).saturating_sub(1);
    let from_monday = date_of(yesterday).weekday().num_days_from_monday();
    yesterday - DayNumber::try_from(from_monday).unwrap_or(0) - WEEK_DAYS
}

fn steepest(series: &AccountSeries, newest: DayNumber) -> Option<Decline> {
    let metrics = series.usage_metrics().map(|metric| UseSeries::Metric(metric.to_owned()));
    metrics
        .chain([UseSeries::AnyFeature, UseSeries::AnyUser])
        .filter(|of| has_fallen(series, of, newest))
        .filter_map(|of| decline_of(series, of, newest - FALLING_WEEKS * WEEK_DAYS, newest))
        .filter(|decline| decline.base >= base_min(&decline.series) && decline.share() <= BEGINS_AT_SHARE)
        .min_by(|left, right| left.share().total_cmp(&right.share()))
}

/// Whether each of the newest weeks is below the one before. The newest first: most series stop there.
fn has_fallen(series: &AccountSeries, of: &UseSeries, newest: DayNumber) -> bool {
    let mut later = total(series, of, newest);
    (1..=FALLING_WEEKS).all(|weeks| {
        let earlier = total(series, of, newest - weeks * WEEK_DAYS);
        let fell = later < earlier;
        later = earlier;
        fell
    })
}

fn decline_of(series: &AccountSeries, of: UseSeries, base_monday: DayNumber, newest: DayNumber) -> Option<Decline> {
    let of_week = |monday: DayNumber| WeekOfUse { monday: date_of(monday), total: total(series, &of, monday) };
    let mut before: Vec<i64> =
        (0..BASE_WEEKS).map(|weeks| total(series, &of, base_monday - weeks * WEEK_DAYS)).collect();
    before.sort_unstable();
    let middle = before.len() / 2;
    let base = before.get(middle - 1..=middle)?.iter().map(|&total| total as f64).sum::<f64>() / 2.0;
    let weeks = (0..FALLING_WEEKS).rev().map(|weeks| of_week(newest - weeks * WEEK_DAYS)).collect();
    (base > 0.0).then(|| Decline { base_monday: date_of(base_monday), base, weeks, series: of })
}

fn total(series: &AccountSeries, of: &UseSeries, monday: DayNumber) -> i64 {
    let sunday = monday + WEEK_DAYS - 1;
    let sum = |values: &DayValues| {
        values.between(monday, sunday).iter().fold(0, |sum: i64, &(_, total)| sum.saturating_add(total))
    };
    match of {
        UseSeries::Metric(metric) => series.usage(metric).map_or(0, sum),
        UseSeries::AnyFeature => sum(series.any_feature()),
        UseSeries::AnyUser => i64::try_from(series.distinct_users(monday, sunday)).unwrap_or(i64::MAX),
    }
}

const fn base_min(of: &UseSeries) -> f64 {
    match of {
        UseSeries::Metric(_) | UseSeries::AnyFeature => COUNT_BASE_MIN,
        UseSeries::AnyUser => USERS_BASE_MIN,
    }
}

#[cfg(test)]
mod tests;
