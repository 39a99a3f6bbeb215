//! Reading payloads: typed, and with the path of what is wrong.

use chrono::{DateTime, Utc};
use mainstay_domain::{Currency, Violations};
use prost_types::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use mainstay_api::mainstay::common::v1::Money as MoneyMessage;

/// Reads a payload that lies at `path` of what was sent; empty: the whole.
pub(crate) fn read<T: DeserializeOwned>(path: &str, value: &Value) -> Result<T, Violations> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let within = error.path().to_string();
        let message = error.into_inner().to_string();
        // Only the text says which field is missing; the path ends at what it is missing from.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
        let parts = [path, if within == "." { "" } else { &within }, missing.map_or("", |(name, _)| name)];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        fault(parts.join("."), if missing.is_some() { "is missing".to_owned() } else { message })
    })
}

/// One fault.
pub(crate) fn fault(path: impl Into<String>, description: impl Into<String>) -> Violations {
    let mut found = Violations::new();
    found.add(path, description);
    found
}

/// A time given in seconds since 1970.
pub(crate) fn seconds(path: &str, seconds: i64) -> Result<DateTime<Utc>, Violations> {
    DateTime::from_timestamp(seconds, 0)
        .ok_or_else(|| fault(path, format!("{seconds} is not a time in seconds since 1970")))
}

/// A time as signals have it, in whole microseconds, as it is stored.
pub(crate) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_micros() * 1_000).unwrap_or(0);
    Timestamp { seconds: time.timestamp(), nanos }
}

/// An amount of an object as vendors have it.
pub(crate) struct Amount<'a> {
    /// The path of the object, with the point behind it.
    pub(crate) within: &'a str,
    /// The field of the currency code, in any case.
    pub(crate) currency: (&'a str, &'a str),
    /// The field of the amount.
    pub(crate) counted: (&'a str, i64),
}

impl Amount<'_> {
    /// The amount as signals have it; none when it is negative, since nothing is due then. `to_minor_units` makes minor units of ISO 4217
    /// of what the vendor counts.
    pub(crate) fn money(
        &self,
        to_minor_units: impl FnOnce(Currency, i64) -> Result<i64, String>,
    ) -> Result<Option<MoneyMessage>, Violations> {
        let (field, code) = self.currency;
        let currency = Currency::parse(&code.to_ascii_uppercase())
            .map_err(|error| fault(format!("{}{field}", self.within), error.to_string()))?;
        let (field, given) = self.counted;
        if given < 0 {
            return Ok(None);
        }
        let minor_units =
            to_minor_units(currency, given).map_err(|reason| fault(format!("{}{field}", self.within), reason))?;
        Ok(Some(MoneyMessage { currency_code: currency.to_string(), minor_units }))
    }
}

/// So many times an amount, or why that cannot be.
pub(crate) fn times(amount: i64, factor: i64) -> Result<i64, String> {
    amount.checked_mul(factor).ok_or_else(|| "is out of range".to_owned())
}

/// An id that is written as a text or as a number.
pub(crate) fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(TextOrNumber::deserialize(deserializer)?.into_text())
}

/// As [`text_or_number`], of a field that may be absent, null or empty.
pub(crate) fn text_or_number_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<TextOrNumber>::deserialize(deserializer)?.map(TextOrNumber::into_text);
    Ok(text.filter(|text| !text.trim().is_empty()))
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a whole number")]
enum TextOrNumber {
    Text(String),
    Number(i64),
}

impl TextOrNumber {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        items: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        quantity: i64,
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let told = |value: Value| {
            let faults = read::<Outer>("data.object", &value).expect_err("a fault");
            let first = faults.iter().next().expect("a fault").clone();
            (first.field, first.description)
        };
        let (field, description) = told(json!({"items": [{"quantity": 1}, {"quantity": "x"}]}));
        assert_eq!(field, "data.object.items[1].quantity");
        assert!(description.contains("invalid type"), "{description}");
        let missing = |field: &str| (field.to_owned(), "is missing".to_owned());
        assert_eq!(told(json!({"items": [{}]})), missing("data.object.items[0].quantity"));
        assert_eq!(told(json!({})), missing("data.object.items"));
    }
}
