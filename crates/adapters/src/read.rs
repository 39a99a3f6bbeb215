//! Reading payloads: typed, and with the path of what is wrong.

use chrono::{DateTime, Utc};
use mainstay_domain::{Currency, Money, Violations};
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

/// An amount as signals have it, of a currency code in any case; none when it is negative, since nothing is due then.
pub(crate) fn money(path: &str, code: &str, minor_units: i64) -> Result<Option<MoneyMessage>, Violations> {
    let money = Money { currency: currency(path, code)?, minor_units };
    Ok((money.minor_units >= 0).then(|| MoneyMessage { currency_code: money.currency.to_string(), minor_units }))
}

/// A currency by its code in any case.
pub(crate) fn currency(path: &str, code: &str) -> Result<Currency, Violations> {
    Currency::parse(&code.to_ascii_uppercase()).map_err(|error| fault(path, error.to_string()))
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
