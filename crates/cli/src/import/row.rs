//! Rows as they stand in a file.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use thiserror::Error;

const MIB: usize = 1024 * 1024;

/// Longest row that is read, in bytes. A quote that is never closed would
/// otherwise make one row of the rest of the file.
pub(crate) const ROW_BYTES_MAX: usize = 4 * MIB;

/// Longest payload of a vendor that is read, in bytes: a page of an export has up to a thousand tickets.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 64 * MIB;

/// Columns that we add to rejected rows; when such a file is imported they are skipped.
pub(crate) const REJECT_COLUMNS: [&str; 3] = ["rejected_line", "rejected_reason", "rejected_text"];

/// The columns of a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// As in the file.
    pub(crate) titles: Vec<String>,
    places: HashMap<String, usize>,
}

impl Header {
    /// A header of these titles; the first of two equal ones counts.
    pub(crate) fn new(titles: Vec<String>) -> Self {
        let mut places = HashMap::with_capacity(titles.len());
        for (place, title) in titles.iter().enumerate() {
            places.entry(normalized(title)).or_insert(place);
        }
        Self { titles, places }
    }

    /// Titles that mean the same column as an earlier one. Rows that were
    /// rejected several times have our own columns several times.
    pub(crate) fn repeated(&self) -> Vec<&str> {
        let is_repeated = |(place, title): &(usize, &String)| {
            let column = normalized(title);
            self.place(&column) != Some(*place) && !REJECT_COLUMNS.contains(&column.as_str())
        };
        self.titles.iter().enumerate().filter(is_repeated).map(|(_, title)| title.as_str()).collect()
    }

    /// The place of a column by its normalized title.
    pub(crate) fn place(&self, normalized_title: &str) -> Option<usize> {
        self.places.get(normalized_title).copied()
    }
}

/// A column's title with what does not matter taken out: case, and whether
/// words are joined by spaces, hyphens or underscores. What follows a dot is a
/// key of the caller's and keeps its hyphens.
pub(crate) fn normalized(title: &str) -> String {
    let lower = title.trim().to_lowercase();
    match lower.split_once('.') {
        Some((prefix, key)) => format!("{}.{}", prefix.replace([' ', '-'], "_"), key.trim()),
        None => lower.replace([' ', '-'], "_"),
    }
}

/// A row that could be read.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its columns.
    pub(crate) header: Arc<Header>,
    /// Its values, as many as columns.
    pub(crate) values: Vec<String>,
    /// Its text as in the file, without the line's end.
    pub(crate) text: String,
}

/// A row that is not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) reason: String,
    /// Its text as in the file.
    pub(crate) text: String,
}

/// Why a file cannot be read on.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// The file or pipe fails.
    #[error("line {line}: {source}")]
    Io {
        /// Where.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A row is longer than any real one.
    #[error("line {line}: the row is longer than {} MiB; is a quote not closed?", bytes_max / MIB)]
    RowTooLong {
        /// Where it begins.
        line: u64,
        /// How long one may be.
        bytes_max: usize,
    },
    /// What is mapped is not in the file.
    #[error("no row has `{columns}`, which --map names; what was to be read from there is as it was")]
    NeverThere {
        /// The columns, joined.
        columns: String,
    },
}

/// Gives rows one after the other.
pub(crate) trait RowSource: Send {
    /// The next row, or why it is none. `None` at the end.
    fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, ReadError>;
}

/// Lines of a file with their numbers.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
    bytes_max: usize,
}

impl<R: BufRead> Lines<R> {
    /// Lines from here on, the first with number 1.
    pub(crate) fn new(reader: R) -> Self {
        Self::up_to(ROW_BYTES_MAX, reader)
    }

    /// As [`Self::new`], of rows of so many bytes at most.
    pub(crate) fn up_to(bytes_max: usize, reader: R) -> Self {
        Self { reader, number: 0, bytes_max }
    }

    /// Adds the next line, with its end, to `buffer`, and gives its number.
    /// `None` at the end of the file.
    pub(crate) fn append_next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<u64>, ReadError> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let line = self.number + 1;
        let allowed = (self.bytes_max + 1).saturating_sub(buffer.len());
        let start = buffer.len();
        let mut limited = io::Read::take(&mut self.reader, allowed as u64);
        let read = limited.read_until(b'\n', buffer).map_err(|source| ReadError::Io { line, source })?;
        if buffer.len() > self.bytes_max {
            return Err(ReadError::RowTooLong { line, bytes_max: self.bytes_max });
        }
        if read == 0 {
            return Ok(None);
        }
        self.number = line;
        if line == 1 && buffer[start..].starts_with(BYTE_ORDER_MARK) {
            buffer.drain(start..start + BYTE_ORDER_MARK.len());
        }
        Ok(Some(line))
    }
}

/// A line without its end.
pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_mean_the_same_whatever_joins_their_words() {
        assert_eq!(normalized(" Display Name "), "display_name");
        assert_eq!(normalized("display-name"), "display_name");
        assert_eq!(normalized("Label.sales-region"), "label.sales-region");
        let header = Header::new(["Name", "NAME", "x"].map(str::to_owned).to_vec());
        assert_eq!((header.place("name"), header.repeated()), (Some(0), vec!["NAME"]));
    }

    #[test]
    fn a_line_without_end_is_not_read_into_memory() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x')));
        let error = lines.append_next(&mut Vec::new()).expect_err("endless");
        assert!(matches!(error, ReadError::RowTooLong { line: 1, .. }));
    }
}
