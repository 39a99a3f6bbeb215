//! The rules of the house, as far as a program can see them: which layer may use what, whose
//! tables a query names, which crate builds on which, how long a file may be.
//!
//! The tests in `suite/` apply them to the workspace.

pub mod files;
pub mod layers;
pub mod manifests;
pub mod source;
pub mod sql;

use std::fmt;

/// A rule broken at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path from the workspace's root.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Which rule, and how to keep it.
    pub message: String,
}

impl Violation {
    /// A rule broken there.
    pub fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}
