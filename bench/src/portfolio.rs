//! Customers made up for measuring: the same ones in every run, and in SQL, Rust and Python alike.

use chrono::{Days, NaiveDate};

/// Metrics of each account.
pub(crate) const METRIC_COUNT: u32 = 3;
/// Days of each metric, from [`first_day`] on.
pub(crate) const DAY_COUNT: u32 = 90;

/// The value of day `day` (from 0) of metric `metric` (from 1) of account `account` (from 1), as SQL sees it.
pub(crate) const VALUE_SQL: &str = "(1 + (account * 7919 + metric * 104729 + day * 7907 + (account * day) % 31) % 997)";

/// The id of `account`, as SQL sees it.
pub(crate) const ACCOUNT_ID_SQL: &str = "('account-' || lpad(account::text, 7, '0'))";

/// The first day of all series. With the 89 days after it, it makes three whole months.
pub(crate) fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default()
}

/// A day, counted from 0.
pub(crate) fn day(place: u32) -> NaiveDate {
    first_day() + Days::new(place.into())
}

/// The id of an account, counted from 1.
pub(crate) fn account_id(account: u32) -> String {
    format!("account-{account:07}")
}

/// The number of an account with an id of [`account_id`].
pub(crate) fn account_number(id: &str) -> Option<u32> {
    id.strip_prefix("account-")?.parse().ok()
}

/// A metric's name, counted from 1.
pub(crate) fn metric_name(metric: u32) -> String {
    format!("metric_{metric}")
}

/// As [`VALUE_SQL`].
pub(crate) fn value(account: u32, metric: u32, day: u32) -> i64 {
    let (account, metric, day) = (i64::from(account), i64::from(metric), i64::from(day));
    1 + (account * 7919 + metric * 104_729 + day * 7907 + (account * day) % 31) % 997
}

/// What an aggregate over all series answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Windows {
    /// How many series there are.
    pub series: i64,
    /// Sum of their last 28 days.
    pub recent_sum: i64,
    /// Sum of the 28 days before.
    pub earlier_sum: i64,
}

impl Windows {
    /// What it must answer for accounts 1 to `accounts`.
    pub(crate) fn expected(accounts: u32) -> Self {
        let mut windows = Self::default();
        for account in 1..=accounts {
            for metric in 1..=METRIC_COUNT {
                let sum = |days: std::ops::Range<u32>| -> i64 { days.map(|day| value(account, metric, day)).sum() };
                windows.series += 1;
                windows.recent_sum += sum(DAY_COUNT - 28..DAY_COUNT);
                windows.earlier_sum += sum(DAY_COUNT - 56..DAY_COUNT - 28);
            }
        }
        windows
    }
}

/// A number that looks random, always the same for the same input: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014.
pub(crate) fn scrambled(input: u64) -> u64 {
    let mut mixed = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
