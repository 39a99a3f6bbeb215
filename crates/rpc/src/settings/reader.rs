//! The reader.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Secret;

/// Why the configuration cannot be used: every fault found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} fault(s):\n  {}", faults.len(), faults.join("\n  "))]
pub struct SettingsError {
    /// One sentence a fault, with the key and where it was given.
    pub faults: Vec<String>,
}

/// Looks settings up by dotted key (`auth.issuer`). A lookup always gives a
/// value, a placeholder when the setting is faulty; [`Reader::finish`] then fails
/// with all faults, so that no placeholder is ever used.
#[derive(Debug)]
pub struct Reader {}

impl Reader {
    /// A reader of `file` (none: no file) below `environment`, of which the
    /// variables `MAINSTAY_<SERVICE>__…` count. Fails if the file cannot be read or parsed.
    pub fn load(
        service: &str,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let _ = (service, file, environment);
        todo!()
    }

    /// A text.
    pub fn string(&mut self, key: &'static str, doc: &'static str, default: &str) -> String {
        let _ = (key, doc, default);
        todo!()
    }
    /// A text that must be given.
    pub fn required_string(&mut self, key: &'static str, doc: &'static str) -> String {
        let _ = (key, doc);
        todo!()
    }
    /// A text that may be absent.
    pub fn optional_string(&mut self, key: &'static str, doc: &'static str) -> Option<String> {
        let _ = (key, doc);
        todo!()
    }
    /// One of a few words.
    pub fn choice(
        &mut self,
        key: &'static str,
        doc: &'static str,
        default: &'static str,
        words: &[&'static str],
    ) -> &'static str {
        let _ = (key, doc, default, words);
        todo!()
    }
    /// A whole number within a range.
    pub fn u32(&mut self, key: &'static str, doc: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let _ = (key, doc, default, range);
        todo!()
    }
    /// A whole number within a range.
    pub fn u64(&mut self, key: &'static str, doc: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let _ = (key, doc, default, range);
        todo!()
    }
    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str, doc: &'static str, default: bool) -> bool {
        let _ = (key, doc, default);
        todo!()
    }
    /// A length of time with its unit, `500ms`, `30s`, `5m`, within a range.
    pub fn duration(
        &mut self,
        key: &'static str,
        doc: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let _ = (key, doc, default, range);
        todo!()
    }
    /// An address to bind, `127.0.0.1:7301`.
    pub fn socket_address(&mut self, key: &'static str, doc: &'static str, default: SocketAddr) -> SocketAddr {
        let _ = (key, doc, default);
        todo!()
    }
    /// The path of a file or folder that may be absent.
    pub fn optional_path(&mut self, key: &'static str, doc: &'static str) -> Option<PathBuf> {
        let _ = (key, doc);
        todo!()
    }
    /// Texts; in the environment separated by commas.
    pub fn list(&mut self, key: &'static str, doc: &'static str, default: &[&str]) -> Vec<String> {
        let _ = (key, doc, default);
        todo!()
    }
    /// Lists by name: a table in the file.
    pub fn map_of_lists(&mut self, key: &'static str, doc: &'static str) -> BTreeMap<String, Vec<String>> {
        let _ = (key, doc);
        todo!()
    }
    /// A secret that must be given, as `key` or in the file named by `<key>_file`.
    pub fn required_secret(&mut self, key: &'static str, doc: &'static str) -> Secret {
        let _ = (key, doc);
        todo!()
    }
    /// A secret that may be absent.
    pub fn optional_secret(&mut self, key: &'static str, doc: &'static str) -> Option<Secret> {
        let _ = (key, doc);
        todo!()
    }
    /// Notes a fault that only the settings together show, for example two that exclude each other.
    pub fn fault(&mut self, key: &str, message: impl Into<String>) {
        let _ = (key, message.into());
        todo!()
    }
    /// All settings looked up so far, with value, origin and meaning, secrets redacted; one a line.
    pub fn describe(&self) -> String {
        todo!()
    }
    /// Nothing if all is well, else all faults: those of the lookups, and each key given that no lookup asked for.
    pub fn finish(&self) -> Result<(), SettingsError> {
        todo!()
    }
}
