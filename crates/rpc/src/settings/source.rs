//! Where settings are given: the file and the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere.
    Default,
    /// A line of the configuration file, counted from 1.
    File { path: PathBuf, line: usize },
    /// A variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line } => write!(out, "{}:{line}", path.display()),
            Self::Environment(name) => write!(out, "environment {name}"),
        }
    }
}

/// A value as it was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// From the environment, where all is text: read as the type that is asked for.
    Untyped(String),
    Text(String),
    Integer(String),
    Bool(bool),
    List(Vec<Value>),
    /// A kind that no setting has.
    Other(&'static str),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Untyped(_) | Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Values by dotted key.
pub(super) type GivenByKey = BTreeMap<String, Given>;

pub(super) fn read_file(path: &Path) -> Result<GivenByKey, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the configuration file {} cannot be read: {error}", path.display()))?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(&text, span.start));
        format!("{}:{line}: not TOML: {}", path.display(), error.message())
    })?;
    let mut given = GivenByKey::new();
    flatten(&text, path, "", table.get_ref(), &mut given);
    Ok(given)
}

/// The variables of a service: `MAINSTAY_<SERVICE>__SECTION__KEY` is `section.key`.
/// An empty variable counts as absent, since compose files cannot leave one out.
pub(super) fn read_environment(service: &str, environment: impl IntoIterator<Item = (String, String)>) -> GivenByKey {
    let prefix = format!("MAINSTAY_{}__", service.to_uppercase().replace('-', "_"));
    environment
        .into_iter()
        .filter_map(|(name, text)| {
            let key = name.strip_prefix(&prefix)?.to_lowercase().replace("__", ".");
            let given = Given { value: Value::Untyped(text), origin: Origin::Environment(name) };
            (given.value != Value::Untyped(String::new())).then_some((key, given))
        })
        .collect()
}

fn flatten(text: &str, path: &Path, prefix: &str, table: &DeTable<'_>, given: &mut GivenByKey) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(text, path, &format!("{key}."), inner, given);
        } else {
            let origin = Origin::File { path: path.to_owned(), line: line_at(text, name.span().start) };
            given.insert(key, Given { value: converted(value.get_ref()), origin });
        }
    }
}

fn converted(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Value::Integer(number.as_str().to_owned()),
        DeValue::Integer(_) => Value::Other("a number that is not decimal"),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => Value::List(items.iter().map(|item| converted(item.get_ref())).collect()),
        DeValue::Table(_) => Value::Other("a table"),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
