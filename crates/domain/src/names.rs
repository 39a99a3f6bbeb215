//! Ids and resource names.

use std::fmt;

use thiserror::Error;

/// Why a name or id cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// The collection in front is not the expected one.
    #[error("must be `{collection}/` followed by the id, not `{given}`")]
    Collection {
        /// The expected collection.
        collection: &'static str,
        /// What was given, cut to 80 characters.
        given: String,
    },
    /// The id has a length or characters that it may not have.
    #[error(
        "the id must be 1 to 64 characters of letters, digits and `._~-`, the first a letter or digit, not `{given}`"
    )]
    Id {
        /// What was given, cut to 80 characters.
        given: String,
    },
}

/// Whether `text` may be the id of a resource: `[A-Za-z0-9][A-Za-z0-9._~-]{0,63}`.
pub fn is_resource_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.first(), Some(first) if first.is_ascii_alphanumeric())
        && bytes.len() <= 64
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(byte))
}

/// Whether `text` may name a metric, source, feature, action or label:
/// `[a-z0-9][a-z0-9_.-]{0,62}`.
pub fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_lower_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    matches!(bytes.first(), Some(first) if is_lower_alphanumeric(first))
        && bytes.len() <= 63
        && bytes.iter().all(|byte| is_lower_alphanumeric(byte) || b"_.-".contains(byte))
}

/// Most bytes of a mail address.
pub const EMAIL_LENGTH_MAX: usize = 254;

/// Whether `text` has the form that matters for routing a message: one `@` with something on both
/// sides and no spaces. Whether the address works shows when it is written to.
pub fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= EMAIL_LENGTH_MAX
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! resource_id {
    ($name:ident, $collection:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The collection in front of the id in a resource name.
            pub const COLLECTION: &'static str = $collection;

            /// Reads the id alone.
            pub fn parse(id: &str) -> Result<Self, InvalidName> {
                if is_resource_id(id) { Ok(Self(id.into())) } else { Err(InvalidName::Id { given: shortened(id) }) }
            }

            /// Reads a resource name, the collection and the id.
            pub fn parse_name(name: &str) -> Result<Self, InvalidName> {
                match name.split_once('/') {
                    Some((Self::COLLECTION, id)) => Self::parse(id),
                    _ => Err(InvalidName::Collection { collection: Self::COLLECTION, given: shortened(name) }),
                }
            }

            /// The id alone.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The resource name, the collection and the id.
            pub fn name(&self) -> String {
                format!("{}/{}", Self::COLLECTION, self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

resource_id!(AccountId, "accounts", "The id of an account, the caller's own; compared exactly.");
resource_id!(ModelId, "models", "The id of a health model.");
resource_id!(ProgramId, "programs", "The id of a survey programme.");
resource_id!(AdoptionTargetId, "adoptionTargets", "The id of a target of adoption.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_case() {
        let id = AccountId::parse_name("accounts/0015g00000XyZ.a~b_c-d").expect("a name");
        assert_eq!(id.as_str(), "0015g00000XyZ.a~b_c-d");
        assert_ne!(id, AccountId::parse("0015g00000xyz.a~b_c-d").expect("an id"));
    }

    #[test]
    fn ids_of_the_wrong_length_or_characters_are_refused() {
        assert!(AccountId::parse(&"a".repeat(64)).is_ok());
        for bad in ["", &"a".repeat(65), "-a", "a b", "a/b", "_a", "ä", "a\0"] {
            assert!(AccountId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(matches!(AccountId::parse_name("models/a"), Err(InvalidName::Collection { .. })));
        assert!(matches!(AccountId::parse_name("accounts/a/b"), Err(InvalidName::Id { .. })));
    }

    #[test]
    fn keys_are_lower_case() {
        assert!(is_key("emails_sent.v2-eu"));
        for bad in ["", "Emails", "_a", "a b", &"a".repeat(64)] {
            assert!(!is_key(bad), "{bad:?}");
        }
    }
}
