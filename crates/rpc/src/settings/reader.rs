//! The reader: typed look-ups that gather every fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveTime;

use super::source::{Given, GivenByKey, Origin, Value, read_environment, read_file};
use super::{Secret, describe, format_duration, parse_duration};

/// The word for a time of day at which nothing happens.
const OFF: &str = "off";
const TIME_OF_DAY_FORMAT: &str = "%H:%M";

/// Why the configuration cannot be used: every fault found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {} fault(s):\n  {}", faults.len(), faults.join("\n  "))]
pub struct SettingsError {
    /// One sentence a fault, with the key and where it was given.
    pub faults: Vec<String>,
}

/// Looks settings up by dotted key (`auth.issuer`). A look-up always gives a
/// value, a placeholder when the setting is faulty; [`Reader::finish`] then fails
/// with all faults, so that no placeholder is ever used.
#[derive(Debug)]
pub struct Reader {
    given: GivenByKey,
    asked: Vec<Asked>,
    faults: Vec<String>,
}

/// A setting that was looked up, for `describe`.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) doc: &'static str,
    /// As shown: `None` when absent, redacted when secret.
    pub(super) shown: Option<String>,
    pub(super) origin: Origin,
}

impl Reader {
    /// A reader of `environment`, of which the variables `MAINSTAY_<SERVICE>__…` count,
    /// above `file` (none: no file). Fails if the file cannot be read or parsed.
    pub fn load(
        service: &str,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut given = match file {
            Some(path) => read_file(path).map_err(|fault| SettingsError { faults: vec![fault] })?,
            None => GivenByKey::new(),
        };
        given.extend(read_environment(service, environment));
        Ok(Self { given, asked: Vec::new(), faults: Vec::new() })
    }

    /// A text; an empty one is refused.
    pub fn string(&mut self, key: &str, doc: &'static str, default: &str) -> String {
        self.value(key, doc, Some(default.to_owned()), Clone::clone, text).unwrap_or_default()
    }

    /// A text that must be given.
    pub fn required_string(&mut self, key: &str, doc: &'static str) -> String {
        let value = self.optional_string(key, doc);
        self.require(key, doc, value).unwrap_or_default()
    }

    /// A text that may be absent.
    pub fn optional_string(&mut self, key: &str, doc: &'static str) -> Option<String> {
        self.value(key, doc, None, Clone::clone, text)
    }

    /// One of a few words.
    pub fn choice(
        &mut self,
        key: &str,
        doc: &'static str,
        default: &'static str,
        words: &[&'static str],
    ) -> &'static str {
        let read = |value: &Value| {
            let given = text(value)?;
            let word = words.iter().copied().find(|word| *word == given);
            word.ok_or_else(|| format!("must be one of {}, not `{given}`", words.join(", ")))
        };
        self.value(key, doc, Some(default), ToString::to_string, read).unwrap_or(default)
    }

    /// A whole number within `range`.
    pub fn u32(&mut self, key: &str, doc: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let read = |value: &Value| within(number(value)?, &range, ToString::to_string);
        self.value(key, doc, Some(default), ToString::to_string, read).unwrap_or(default)
    }

    /// A whole number within `range`.
    pub fn u64(&mut self, key: &str, doc: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let read = |value: &Value| within(number(value)?, &range, ToString::to_string);
        self.value(key, doc, Some(default), ToString::to_string, read).unwrap_or(default)
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &str, doc: &'static str, default: bool) -> bool {
        let read = |value: &Value| match value {
            Value::Bool(value) => Ok(*value),
            Value::Untyped(text) => text.parse().map_err(|_| format!("must be true or false, not `{text}`")),
            other => Err(format!("must be true or false, not {}", other.kind())),
        };
        self.value(key, doc, Some(default), ToString::to_string, read).unwrap_or(default)
    }

    /// A length of time with its unit (`500ms`, `30s`, `5m`) within `range`.
    pub fn duration(
        &mut self,
        key: &str,
        doc: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let show = |duration: &Duration| format_duration(*duration);
        let read = |value: &Value| match value {
            Value::Integer(number) => {
                Err(format!("must be a length of time with its unit, such as `{number}s`, not a bare number"))
            }
            other => within(parse_duration(&text(other)?)?, &range, show),
        };
        self.value(key, doc, Some(default), show, read).unwrap_or(default)
    }

    /// A time of day to the minute, `07:00`; `off` and the empty text are none. An empty variable is none at all, as any
    /// empty variable: the default holds.
    pub fn time_of_day(&mut self, key: &str, doc: &'static str, default: Option<NaiveTime>) -> Option<NaiveTime> {
        let show = |time: &Option<NaiveTime>| {
            time.map_or_else(|| OFF.to_owned(), |time| time.format(TIME_OF_DAY_FORMAT).to_string())
        };
        let read = |value: &Value| match value {
            Value::Untyped(given) | Value::Text(given) if given.is_empty() || given == OFF => Ok(None),
            Value::Untyped(given) | Value::Text(given) => parse_time_of_day(given).map(Some),
            other => Err(format!("must be a time of day such as `07:00` in quotes, not {}", other.kind())),
        };
        self.value(key, doc, Some(default), show, read).flatten()
    }

    /// An address to bind, `127.0.0.1:7461` or `[::1]:7461`.
    pub fn socket_address(&mut self, key: &str, doc: &'static str, default: SocketAddr) -> SocketAddr {
        let read = |value: &Value| {
            let given = text(value)?;
            given.parse().map_err(|_| format!("must be an IP address and port such as `127.0.0.1:7461`, not `{given}`"))
        };
        self.value(key, doc, Some(default), ToString::to_string, read).unwrap_or(default)
    }

    /// The path of a file or folder that may be absent.
    pub fn optional_path(&mut self, key: &str, doc: &'static str) -> Option<PathBuf> {
        self.value(key, doc, None, |path: &PathBuf| path.display().to_string(), |value| text(value).map(PathBuf::from))
    }

    /// Texts; in the environment separated by commas.
    pub fn list(&mut self, key: &str, doc: &'static str, default: &[&str]) -> Vec<String> {
        let default = default.iter().map(ToString::to_string).collect();
        self.value(key, doc, Some(default), |list: &Vec<String>| list.join(", "), list).unwrap_or_default()
    }

    /// Lists by name: a table in the file. Names are compared exactly; the environment's are in lower case.
    pub fn map_of_lists(&mut self, key: &'static str, doc: &'static str) -> BTreeMap<String, Vec<String>> {
        let prefix = format!("{key}.");
        let names: Vec<String> =
            self.given.keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect();
        if names.is_empty() {
            self.value(key, doc, None::<()>, |()| String::new(), |_| Err("must be a table of lists".to_owned()));
        }
        let mut lists = BTreeMap::new();
        for name in names {
            let whole_key = format!("{prefix}{name}");
            if let Some(list) = self.value(&whole_key, doc, None, |list: &Vec<String>| list.join(", "), list) {
                lists.insert(name, list);
            }
        }
        lists
    }

    /// The names below `key` of which at least one setting is given, sorted: `crm` for `webhook` when `webhook.crm.url`
    /// is. For tables whose names the operator chooses; each setting of each is then looked up.
    pub fn names(&self, key: &str) -> BTreeSet<String> {
        let prefix = format!("{key}.");
        let below = self.given.keys().filter_map(|given| given.strip_prefix(&prefix));
        below.filter_map(|rest| rest.split_once('.')).map(|(name, _)| name.to_owned()).collect()
    }

    /// A secret that must be given, as `key` or in the file that `<key>_file` names.
    pub fn required_secret(&mut self, key: &str, doc: &'static str) -> Secret {
        let faults_before = self.faults.len();
        let secret = self.optional_secret(key, doc);
        if secret.is_none() && self.faults.len() == faults_before {
            self.faults.push(format!("{key} or {key}_file must be given: {doc}"));
        }
        secret.unwrap_or_else(|| Secret::new(""))
    }

    /// A secret that may be absent, as `key` or in the file that `<key>_file` names
    /// (without the line break at its end).
    pub fn optional_secret(&mut self, key: &str, doc: &'static str) -> Option<Secret> {
        let read = |value: &Value| match value {
            Value::Untyped(given) | Value::Text(given) if !given.is_empty() => Ok(Secret::new(given)),
            _ => Err("must be a text that is not empty".to_owned()),
        };
        let read_file = |value: &Value| {
            let path = text(value)?;
            let content =
                std::fs::read_to_string(&path).map_err(|error| format!("the file {path} cannot be read: {error}"))?;
            let secret = content.trim_end_matches(['\r', '\n']);
            if secret.is_empty() { Err(format!("the file {path} is empty")) } else { Ok((Secret::new(secret), path)) }
        };
        let file_key = format!("{key}_file");
        if let (Some(direct), Some(in_file)) = (self.given.get(key), self.given.get(&file_key)) {
            let fault = format!("{key} ({}) and {file_key} ({}) exclude each other", direct.origin, in_file.origin);
            self.faults.push(fault);
        }
        let direct = self.value(key, doc, None, ToString::to_string, read);
        if !self.given.contains_key(&file_key) {
            self.asked.push(Asked { key: file_key, doc, shown: None, origin: Origin::Default });
            return direct;
        }
        let in_file = self.value(&file_key, doc, None, |(_, path)| path.clone(), read_file);
        in_file.map(|(secret, _)| secret).or(direct)
    }

    /// Notes a fault that only settings together show, for example two that exclude each other.
    pub fn fault(&mut self, key: &str, message: impl Display) {
        self.faults.push(self.with_origin(key, &message));
    }

    /// All settings looked up so far, in the form of the file, each with meaning and
    /// origin; secrets redacted.
    pub fn describe(&self) -> String {
        describe::described(&self.asked)
    }

    /// Nothing if all is well, else all faults: those of the look-ups, and each
    /// key given that no look-up asked for.
    pub fn finish(&self) -> Result<(), SettingsError> {
        let asked: BTreeSet<&str> = self.asked.iter().map(|asked| asked.key.as_str()).collect();
        let unknown = self.given.iter().filter(|(key, _)| !asked.contains(key.as_str()));
        let unknown_faults = unknown.map(|(key, given)| describe::unknown_key(key, &given.origin, &asked));
        let faults: Vec<String> = self.faults.iter().cloned().chain(unknown_faults).collect();
        if faults.is_empty() { Ok(()) } else { Err(SettingsError { faults }) }
    }

    fn value<T>(
        &mut self,
        key: &str,
        doc: &'static str,
        default: Option<T>,
        show: impl Fn(&T) -> String,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let (value, origin) = match self.given.get(key) {
            None => (default, Origin::Default),
            Some(Given { value, origin }) => match read(value) {
                Ok(value) => (Some(value), origin.clone()),
                Err(fault) => {
                    let origin = origin.clone();
                    self.faults.push(self.with_origin(key, &fault));
                    (default, origin)
                }
            },
        };
        self.asked.push(Asked { key: key.to_owned(), doc, shown: value.as_ref().map(show), origin });
        value
    }

    fn require<T>(&mut self, key: &str, doc: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.given.contains_key(key) {
            self.faults.push(format!("{key} must be given: {doc}"));
        }
        value
    }

    fn with_origin(&self, key: &str, message: &dyn Display) -> String {
        match self.given.get(key) {
            Some(given) => format!("{key} ({}) {message}", given.origin),
            None => format!("{key} {message}"),
        }
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Untyped(text) | Value::Text(text) if text.is_empty() => Err("must not be empty".to_owned()),
        Value::Untyped(text) | Value::Text(text) => Ok(text.clone()),
        other => Err(format!("must be a text, not {}", other.kind())),
    }
}

/// Exactly as it is shown: two digits each.
fn parse_time_of_day(given: &str) -> Result<NaiveTime, String> {
    let parsed = NaiveTime::parse_from_str(given, TIME_OF_DAY_FORMAT).ok();
    let is_as_written = |time: &NaiveTime| time.format(TIME_OF_DAY_FORMAT).to_string() == given;
    parsed
        .filter(is_as_written)
        .ok_or_else(|| format!("must be a time of day from `00:00` to `23:59`, or `off`, not `{given}`"))
}

fn number<N: FromStr>(value: &Value) -> Result<N, String> {
    match value {
        Value::Untyped(digits) | Value::Integer(digits) => {
            digits.parse().map_err(|_| format!("must be a whole number that is not negative, not `{digits}`"))
        }
        other => Err(format!("must be a whole number, not {}", other.kind())),
    }
}

fn list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Untyped(given) => {
            Ok(given.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
        Value::List(items) => {
            items.iter().map(|item| text(item).map_err(|fault| format!("has an item that {fault}"))).collect()
        }
        other => Err(format!("must be a list of texts, not {}", other.kind())),
    }
}

fn within<N: PartialOrd>(value: N, range: &RangeInclusive<N>, show: impl Fn(&N) -> String) -> Result<N, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("must be from {} to {}, not {}", show(range.start()), show(range.end()), show(&value)))
}
