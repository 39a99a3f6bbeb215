//! Times, days, money, enums and counts, between messages and the domain.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use mainstay_api::mainstay::common::v1 as proto;
use mainstay_domain::{Currency, Money, Violations};
use mainstay_rpc::ApiError;
use prost_types::Timestamp;
use tonic::Status;

/// Years of times and days: what messages can say, and the database can keep.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// A time as messages have it.
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0) }
}

/// A time of a message, in whole microseconds; absent stays absent.
pub fn time(found: &mut Violations, field: &str, given: Option<&Timestamp>) -> Option<DateTime<Utc>> {
    let given = given?;
    let nanos = u32::try_from(given.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    let time = nanos.and_then(|nanos| DateTime::from_timestamp(given.seconds, nanos / 1_000 * 1_000));
    let time = time.filter(|time| YEARS.contains(&time.year()));
    if time.is_none() {
        found.add(field, "is not a time between the years 1 and 9999");
    }
    time
}

/// A UTC day of a message; empty is absent.
pub fn day(found: &mut Violations, field: &str, given: &str) -> Option<NaiveDate> {
    if given.is_empty() {
        return None;
    }
    let day = NaiveDate::parse_from_str(given, "%Y-%m-%d").ok().filter(|day| day.to_string() == given);
    let day = day.filter(|day| YEARS.contains(&day.year()));
    if day.is_none() {
        let shown: String = given.chars().take(40).collect();
        found.add(field, format!("`{shown}` is not a day such as `2026-01-31`"));
    }
    day
}

/// The distinct values of a repeated enum; notes each number that stands for none.
pub fn enum_values<T: PartialEq>(
    found: &mut Violations,
    field: &str,
    given: &[i32],
    what: &str,
    value_of: impl Fn(i32) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    for (index, &number) in given.iter().enumerate() {
        match value_of(number) {
            Some(value) if values.contains(&value) => {}
            Some(value) => values.push(value),
            None => found.add(format!("{field}[{index}]"), format!("{number} is no {what}")),
        }
    }
    values
}

/// An amount of a message.
pub fn money(found: &mut Violations, field: &str, given: Option<&proto::Money>) -> Option<Money> {
    let given = given?;
    let currency = found.take(&format!("{field}.currency_code"), Currency::parse(&given.currency_code))?;
    Some(Money { currency, minor_units: given.minor_units })
}

/// An amount as messages have it.
pub fn money_message(money: Money) -> proto::Money {
    proto::Money { currency_code: money.currency.to_string(), minor_units: money.minor_units }
}

/// A count as messages have it; what is counted is bounded by the size of a batch.
pub fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The value that a request must have, or all that is wrong with the request.
///
/// # Errors
/// `INVALID_FIELDS` with everything found.
pub fn complete<T>(found: Violations, value: Option<T>) -> Result<T, ApiError> {
    match value {
        Some(value) => found.into_result(value).map_err(ApiError::invalid),
        None => Err(ApiError::invalid(found)),
    }
}

/// The end of a stream at shutdown; `how` says how to go on.
pub fn shutting_down(how: &str) -> Status {
    ApiError::common(proto::ErrorReason::ShuttingDown, format!("the server is shutting down: {how}")).into()
}
