//! Etags: a resource's version as callers see it.

use std::fmt;

/// The version of a stored resource. Callers send it back unread; it changes
/// with every change of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Etag(i64);

impl Etag {
    /// The etag of a version number.
    pub const fn of_version(version: i64) -> Self {
        Self(version)
    }

    /// Whether `sent`, as a caller gave it, is this etag.
    pub fn matches(self, sent: &str) -> bool {
        self.to_string() == sent
    }
}

impl fmt::Display for Etag {
    /// Quoted as an HTTP entity tag (RFC 9110, section 8.8.3), as AIP-154 asks.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{:x}\"", self.0)
    }
}
