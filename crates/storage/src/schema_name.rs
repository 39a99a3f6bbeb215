//! The name of a schema, safe to stand in SQL.

use std::fmt;

/// The name of a service's schema: `[a-z][a-z0-9_]{0,30}`.
///
/// It needs no quotes and cannot carry SQL of its own, so that statements may be
/// built around it once, when a part is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaName(&'static str);

impl SchemaName {
    /// The longest name, in characters.
    pub const LENGTH_MAX: usize = 31;

    /// Takes a name. In a constant, a bad name fails the build.
    ///
    /// # Panics
    /// When the name is not `[a-z][a-z0-9_]{0,30}`.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_schema_name(name), "a schema's name must be [a-z][a-z0-9_]{{0,30}}");
        Self(name)
    }

    /// The name.
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

const fn is_schema_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > SchemaName::LENGTH_MAX || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut index = 1;
    while index < bytes.len() {
        let byte = bytes[index];
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_lower_case_names_pass() {
        const LONGEST: &str = "a234567890123456789012345678901";
        assert!(is_schema_name("scoring"));
        assert!(is_schema_name("s_1"));
        assert!(is_schema_name(LONGEST));
        for bad in ["", "1a", "_a", "Scoring", "a-b", "a b", "a\"", "a;drop", "ä", "a2345678901234567890123456789012"]
        {
            assert!(!is_schema_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_name_can_be_a_constant() {
        const SCHEMA: SchemaName = SchemaName::new("surveys");
        assert_eq!(SCHEMA.as_str(), "surveys");
    }
}
