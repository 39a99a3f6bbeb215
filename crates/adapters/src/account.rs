//! Which account a vendor's customer is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mainstay_domain::{AccountId, Violations};
use serde_json::Value;

use crate::read::fault;

/// The key of metadata that names the account, unless another is configured.
pub const DEFAULT_ACCOUNT_KEY: &str = "mainstay_account";

/// Free data that callers give the vendor's objects.
pub(crate) type Metadata = BTreeMap<String, Value>;

/// Where a payload may name the account: its path, and what stands there.
pub(crate) struct Candidate<'a> {
    path: String,
    text: Option<Cow<'a, str>>,
}

impl<'a> Candidate<'a> {
    /// A text at a path.
    pub(crate) fn new(path: impl Into<String>, text: Option<&'a str>) -> Self {
        Self { path: path.into(), text: text.map(Cow::Borrowed) }
    }

    /// A value at a path: a text, or a number as ids are in some systems.
    pub(crate) fn of_value(path: impl Into<String>, value: Option<&'a Value>) -> Self {
        let text = match value {
            Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
            Some(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
            _ => None,
        };
        Self { path: path.into(), text }
    }

    /// The value of a key of metadata at a path.
    pub(crate) fn of_metadata(path: &str, metadata: Option<&'a Metadata>, key: &str) -> Self {
        Self::of_value(format!("{path}.{key}"), metadata.and_then(|metadata| metadata.get(key)))
    }
}

/// The account of the first candidate that has a text; none when all are empty.
///
/// # Errors
/// The text is no id of an account.
pub(crate) fn account<'a>(
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Result<Option<AccountId>, Violations> {
    let given = |candidate: Candidate<'a>| {
        let text = candidate.text.filter(|text| !text.trim().is_empty())?;
        Some((candidate.path, text))
    };
    let Some((path, text)) = candidates.into_iter().find_map(given) else { return Ok(None) };
    // Both the id and the resource name say which account is meant.
    let text = text.trim();
    let id = text.strip_prefix("accounts/").unwrap_or(text);
    AccountId::parse(id).map(Some).map_err(|error| fault(path, format!("names the account: {error}")))
}
