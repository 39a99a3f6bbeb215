//! Texts of others, made to fit what scoring takes.
//!
//! A vendor's texts are longer than ours may be, and nobody can have the vendor shorten them: they are cut, where a caller of ours would
//! be refused.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Most characters of a subject line, a reason and the like.
pub(crate) const LINE_LENGTH_MAX: usize = 500;
/// Most characters of what a customer wrote.
pub(crate) const TEXT_LENGTH_MAX: usize = 20_000;
/// Most characters of an account's or a person's name.
pub(crate) const NAME_LENGTH_MAX: usize = 200;
/// Most characters of a plan, an industry and the like.
pub(crate) const WORD_LENGTH_MAX: usize = 100;
/// Most characters of an id in a source.
const ID_LENGTH_MAX: usize = 128;
/// Most characters of a metric, feature or action.
const KEY_LENGTH_MAX: usize = 63;
/// Half of a SHA-256 tells contents apart as well as ids of 128 bits do.
const HASH_BYTES: usize = 16;

/// The first characters of a text, without those that no database can hold, and without space around it.
pub(crate) fn cut(text: &str, most: usize) -> String {
    text.trim().chars().filter(|character| *character != '\0').take(most).collect()
}

/// A text, unless it is absent or has nothing in it.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An id as scoring takes it: as it is, or, when it is too long or has control characters, a hash of it.
pub(crate) fn id(text: &str) -> String {
    let fits = text.chars().count() <= ID_LENGTH_MAX && !text.chars().any(char::is_control);
    if fits { text.to_owned() } else { hash(text.as_bytes()) }
}

/// A name of ours, `[a-z0-9][a-z0-9_.-]{0,62}`, for what others call `Report Exported`: `report_exported`. None when no
/// letter or digit of ASCII is in it.
pub(crate) fn key(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    for character in text.chars() {
        let character = character.to_ascii_lowercase();
        let is_plain = character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
        if is_plain {
            key.push(character);
        } else if !key.ends_with('_') {
            key.push('_');
        }
    }
    let key = key.trim_start_matches(['_', '.', '-']);
    let key: String = key.chars().take(KEY_LENGTH_MAX).collect();
    let key = key.trim_end_matches('_');
    (!key.is_empty()).then(|| key.to_owned())
}

/// What identifies a payload that has no id: equal payloads have the same, whatever the order of their fields.
pub(crate) fn content_id(payload: &Value) -> String {
    // A `Value` keeps the fields of objects sorted, so that its text is the same for equal ones.
    hash(payload.to_string().as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..HASH_BYTES].iter().fold("sha256-".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use mainstay_domain::is_key;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_others_become_keys() {
        for (given, expected) in [
            ("Report Exported", "report_exported"),
            ("  API: call / v2.1 ", "api_call_v2.1"),
            ("__init__", "init"),
            ("naïve-Größe", "na_ve-gr_e"),
        ] {
            assert_eq!(key(given).as_deref(), Some(expected), "{given}");
        }
        assert_eq!(key("報告"), None);
    }

    #[test]
    fn equal_payloads_have_the_same_id_whatever_the_order_of_their_fields() {
        let id = |text: &str| content_id(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(id("{\"a\": 1, \"b\": {\"d\": 2, \"c\": 3}}"), id("{\"b\": {\"c\": 3, \"d\": 2}, \"a\": 1}"));
        // Computed by an implementation of its own in Python: it must not change between versions.
        assert_eq!(content_id(&json!({"b": 1, "a": [null, "x"]})), "sha256-6566c16d5797373869cdb3d2515191eb");
    }

    proptest! {
        #[test]
        fn what_becomes_a_key_is_one(text in any::<String>()) {
            if let Some(key) = key(&text) {
                prop_assert!(is_key(&key), "{key:?}");
            }
        }

        #[test]
        fn an_id_fits_and_ids_that_fit_stay(text in ".{1,200}") {
            let id = id(&text);
            prop_assert!(id.chars().count() <= 128 && !id.chars().any(char::is_control));
            if text.chars().count() <= 128 && !text.chars().any(char::is_control) {
                prop_assert_eq!(id, text);
            }
        }
    }
}
