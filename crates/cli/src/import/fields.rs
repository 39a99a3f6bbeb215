//! Fields of a row, read with their faults gathered.

use std::collections::BTreeMap;

use mainstay_domain::{AccountId, Violations};

use crate::import::mapping::Mapping;
use crate::import::row::Row;
use crate::import::values::number;

/// Reads fields and gathers their faults.
pub(crate) struct FieldReader<'a> {
    pub(crate) mapping: &'a Mapping,
    pub(crate) row: &'a Row,
    pub(crate) faults: &'a mut Violations,
}

impl FieldReader<'_> {
    /// A field that may be empty.
    pub(crate) fn read<T>(&mut self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.mapping.value(field, self.row)?;
        self.faults.take(field, read(text))
    }

    /// A field that may not be empty.
    pub(crate) fn required<T>(&mut self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.faults.require(self.mapping.value(field, self.row).is_some(), field, "is missing");
        self.read(field, read)
    }

    /// A text as it stands there; empty when there is none.
    pub(crate) fn text(&self, field: &str) -> String {
        self.mapping.value(field, self.row).unwrap_or_default().to_owned()
    }

    /// A text that may not be empty.
    pub(crate) fn required_text(&mut self, field: &str) -> String {
        self.required(field, |text| Ok(text.to_owned())).unwrap_or_default()
    }

    /// A field that may not be empty where the row names it.
    pub(crate) fn filled_if_named<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.mapping.names(field, &self.row.header) { self.required(field, read) } else { None }
    }

    /// The numbers of the fields that begin with a prefix, by key.
    pub(crate) fn numbers_below(&mut self, prefix: &str) -> BTreeMap<String, f64> {
        let pairs = self.mapping.values_below(prefix, self.row);
        let read = |(key, text): (String, &str)| {
            let value = self.faults.take(&format!("{prefix}{key}"), number(text))?;
            Some((key, value))
        };
        pairs.into_iter().filter_map(read).collect()
    }
}

/// `accounts/acme`, from that or from `acme`.
pub(crate) fn account_name(text: &str) -> Result<String, String> {
    let id = if text.contains('/') { AccountId::parse_name(text) } else { AccountId::parse(text) };
    id.map(|id| id.name()).map_err(|error| error.to_string())
}
