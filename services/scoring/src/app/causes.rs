//! Who caused what happens to each of several accounts in one transaction.

use std::collections::HashMap;

/// The W3C `traceparent` of whoever caused what happens to an account. An account without one is in the trace of the
/// current span.
#[derive(Debug, Default)]
pub(crate) struct Causes<'a>(HashMap<&'a str, &'a str>);

impl Causes<'_> {
    pub(crate) fn of(&self, account_id: &str) -> Option<&str> {
        self.0.get(account_id).copied()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Causes<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(causes: T) -> Self {
        Self(causes.into_iter().collect())
    }
}
