//! The data, and the figures of other programs.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Panics unless both are the same to within `tolerance`.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected} to within {tolerance}");
}

/// A file of the repository, by its path from this crate.
pub(crate) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Figures of other programs.
pub(crate) struct Figures(Value);

impl Figures {
    /// Those that came with the data, to six digits.
    pub(crate) fn reference() -> Self {
        Self(serde_json::from_str(&read("tests/data/reference.json")).expect("JSON"))
    }

    /// Those to all digits.
    pub(crate) fn exact() -> Self {
        Self(serde_json::from_str(&read("tests/data/exact.json")).expect("JSON"))
    }

    /// The part with this JSON pointer.
    #[track_caller]
    pub(crate) fn part(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("no figure {pointer}"))
    }

    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> f64 {
        self.part(pointer).as_f64().unwrap_or_else(|| panic!("{pointer} is no number"))
    }

    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.part(pointer).as_str().unwrap_or_else(|| panic!("{pointer} is no text"))
    }
}

/// A file of values between commas, none of which holds one.
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn read(path: &str) -> Self {
        let text = read(path);
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let columns = lines.next().expect("a header");
        let rows: Vec<Vec<String>> = lines.collect();
        assert!(rows.iter().all(|row| row.len() == columns.len()), "{path} has a row of another length");
        Self { columns, rows }
    }

    /// The customers of `saas_churn.csv`.
    pub(crate) fn churn() -> Self {
        Self::read("tests/data/saas_churn.csv")
    }

    /// A column's values, in the order of the rows.
    pub(crate) fn texts(&self, column: &str) -> Vec<&str> {
        let place = self.columns.iter().position(|name| name == column);
        let place = place.unwrap_or_else(|| panic!("no column {column}"));
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    pub(crate) fn numbers(&self, column: &str) -> Vec<f64> {
        self.texts(column).into_iter().map(|text| text.parse().expect("a number")).collect()
    }

    /// Which rows have a 1 in a column of 0 and 1.
    pub(crate) fn flags(&self, column: &str) -> Vec<bool> {
        self.numbers(column).into_iter().map(|number| number > 0.5).collect()
    }
}
