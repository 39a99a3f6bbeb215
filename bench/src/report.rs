//! What is printed: tables that can be pasted into `docs/performance.md`.

use std::time::Duration;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

/// A table under a heading.
pub(crate) struct Report {
    heading: String,
    table: Table,
}

impl Report {
    /// An empty one; the first column stands to the left, all others to the right.
    pub(crate) fn new(heading: impl Into<String>, titles: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(titles.iter().copied());
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self { heading: heading.into(), table }
    }

    /// Adds a row.
    pub(crate) fn row<const COUNT: usize>(&mut self, cells: [String; COUNT]) {
        self.table.add_row(cells);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        println!("\n### {}\n\n{}", self.heading, self.table);
    }
}

/// Says on standard error what goes on, so that tables alone are on standard output.
pub(crate) fn progress(what: &str) {
    eprintln!("… {what}");
}

/// How many a second.
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

/// A number without decimals, thousands apart.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A ratio.
pub(crate) fn ratio(number: f64, of: f64) -> String {
    format!("{:.2}", number / of)
}

/// Seconds.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Milliseconds.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

/// Bytes, in MB of 10^6.
pub(crate) fn megabytes(bytes: f64) -> String {
    format!("{} MB", whole(bytes / 1e6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(whole(0.4), "0");
        assert_eq!(whole(999.0), "999");
        assert_eq!(whole(1_000.0), "1 000");
        assert_eq!(whole(1_234_567.0), "1 234 567");
    }
}
