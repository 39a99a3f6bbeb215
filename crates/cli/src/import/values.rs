//! Values from text: dates, whole numbers, numbers, words.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use mainstay_api::mainstay::scoring::v1::{LifecycleStage, Segment};
use prost_types::Timestamp;

/// Reads dates in one of the ways that the command line offers.
#[derive(Debug)]
pub(crate) struct DateReader {
    format: Option<String>,
}

impl DateReader {
    /// RFC 3339 and `YYYY-MM-DD`, or only `format` when one is given.
    pub(crate) fn new(format: Option<&str>) -> Result<Self, String> {
        if let Some(format) = format
            && StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
        {
            return Err(format!("--date-format: `{format}` is not a format; use for example %d.%m.%Y"));
        }
        Ok(Self { format: format.map(str::to_owned) })
    }

    /// A time. A date alone is its midnight, and a time without a zone is UTC.
    pub(crate) fn read(&self, text: &str) -> Result<Timestamp, String> {
        let time = match &self.format {
            Some(format) => read_as(text, format).ok_or_else(|| format!("`{text}` is not a date as {format}"))?,
            None => read_standard(text).ok_or_else(|| {
                format!("`{text}` is neither RFC 3339 nor YYYY-MM-DD; for other dates give --date-format")
            })?,
        };
        Ok(Timestamp {
            seconds: time.timestamp(),
            nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(i32::MAX),
        })
    }
}

fn read_standard(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(|| read_as(text, "%Y-%m-%d"))
}

fn read_as(text: &str, format: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_str(text, format).map(|time| time.to_utc());
    let unzoned = || NaiveDateTime::parse_from_str(text, format).map(|time| time.and_utc());
    let day = || NaiveDate::parse_from_str(text, format).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    zoned.or_else(|_| unzoned()).or_else(|_| day()).ok()
}

/// A whole number; decimals may only be zeros, as spreadsheets write them.
pub(crate) fn whole_number(text: &str) -> Result<i64, String> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    whole.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// A finite number.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("`{text}` is not a finite number such as 12.5")),
    }
}

/// A word without case and what joins its parts: `Mid-Market` is `midmarket`.
fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A segment.
pub(crate) fn segment(text: &str) -> Result<Segment, String> {
    let word = bare(text);
    match word.strip_prefix("segment").unwrap_or(&word) {
        "enterprise" => Ok(Segment::Enterprise),
        "midmarket" => Ok(Segment::MidMarket),
        "smb" => Ok(Segment::Smb),
        _ => Err(format!("`{text}` is not a segment: enterprise, mid-market or smb")),
    }
}

/// A lifecycle stage.
pub(crate) fn lifecycle_stage(text: &str) -> Result<LifecycleStage, String> {
    let word = bare(text);
    match word.strip_prefix("lifecyclestage").unwrap_or(&word) {
        "trial" => Ok(LifecycleStage::Trial),
        "onboarding" => Ok(LifecycleStage::Onboarding),
        "active" => Ok(LifecycleStage::Active),
        "renewing" => Ok(LifecycleStage::Renewing),
        "churned" => Ok(LifecycleStage::Churned),
        _ => Err(format!("`{text}` is not a stage: trial, onboarding, active, renewing or churned")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(format: Option<&str>, text: &str) -> Result<i64, String> {
        DateReader::new(format).expect("a format").read(text).map(|time| time.seconds)
    }

    #[test]
    fn dates_are_read_in_the_standard_ways() {
        assert_eq!(seconds(None, "1970-01-02"), Ok(86_400));
        assert_eq!(seconds(None, "1970-01-02T01:00:00+01:00"), Ok(86_400));
        assert_eq!(seconds(None, "1970-01-02T00:00:00.5Z"), Ok(86_400));
        for bad in ["02.01.1970", "1970-02-30", "1970-01-02T00:00:00", "86400", ""] {
            assert!(seconds(None, bad).expect_err(bad).contains("--date-format"));
        }
    }

    #[test]
    fn other_dates_are_read_by_their_format() {
        assert_eq!(seconds(Some("%d.%m.%Y"), "02.01.1970"), Ok(86_400));
        assert_eq!(seconds(Some("%Y%m%d"), "19700102"), Ok(86_400));
        assert_eq!(seconds(Some("%d/%m/%Y %H:%M"), "02/01/1970 01:00"), Ok(90_000));
        assert_eq!(seconds(Some("%Y-%m-%d %H:%M:%S %z"), "1970-01-02 02:00:00 +0200"), Ok(86_400));
        assert!(seconds(Some("%d.%m.%Y"), "1970-01-02").is_err());
        assert!(DateReader::new(Some("%Q%")).is_err());
    }

    #[test]
    fn numbers_are_whole_or_finite() {
        assert_eq!(whole_number("12.00"), Ok(12));
        for bad in ["12.5", "12.", "1e3", "1,000", "", "9223372036854775808"] {
            assert!(whole_number(bad).is_err(), "{bad}");
        }
        assert_eq!(number("1e3"), Ok(1_000.0));
        for bad in ["NaN", "inf", "1,5", ""] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_may_be_written_in_several_ways() {
        for text in ["Mid-Market", "mid market", "MID_MARKET", "SEGMENT_MID_MARKET"] {
            assert_eq!(segment(text), Ok(Segment::MidMarket), "{text}");
        }
        assert_eq!(lifecycle_stage("Renewing"), Ok(LifecycleStage::Renewing));
        assert!(segment("small").is_err() && lifecycle_stage("gone").is_err());
    }
}
