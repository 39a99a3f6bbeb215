//! Rows of a CSV file (RFC 4180), read line by line so that each keeps its
//! number and its text.

use std::io::BufRead;
use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use crate::import::row::{Header, Lines, ReadError, Reject, Row, RowSource, without_line_end};

/// Reads rows of a CSV file with a header.
pub(crate) struct CsvRows<R> {
    lines: Lines<R>,
    parser: Reader,
    header: Arc<Header>,
    header_text: String,
    text: Vec<u8>,
}

/// A record: its text, and its fields as bytes.
struct Record {
    line: u64,
    fields: Vec<Vec<u8>>,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header. `None`: the file is empty.
    pub(crate) fn open(reader: R, delimiter: u8) -> Result<Option<Self>, ReadError> {
        let mut rows = Self {
            lines: Lines::new(reader),
            parser: ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build(),
            header: Arc::new(Header::new(Vec::new())),
            header_text: String::new(),
            text: Vec::new(),
        };
        let Some(record) = rows.next_record()? else { return Ok(None) };
        let titles = record.fields.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned());
        rows.header = Arc::new(Header::new(titles.collect()));
        rows.header_text = rows.record_text();
        Ok(Some(rows))
    }

    /// The columns.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The header's text as in the file.
    pub(crate) fn header_text(&self) -> &str {
        &self.header_text
    }

    fn record_text(&self) -> String {
        String::from_utf8_lossy(without_line_end(&self.text)).into_owned()
    }

    /// The next record that is not an empty line; its text is left in `self.text`.
    fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        let line = loop {
            self.text.clear();
            let Some(line) = self.lines.append_next(&mut self.text)? else { return Ok(None) };
            if !without_line_end(&self.text).is_empty() {
                break line;
            }
        };
        self.parser.reset();
        let mut output = vec![0; self.text.len()];
        let mut ends = vec![0; 64];
        let (mut read, mut written, mut fields) = (0, 0, 0);
        let mut at_end = false;
        loop {
            let input = if at_end { &[] } else { &self.text[read..] };
            let (result, used, filled, ended) =
                self.parser.read_record(input, &mut output[written..], &mut ends[fields..]);
            read += used;
            written += filled;
            fields += ended;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::OutputFull => output.resize(output.len() * 2 + 64, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                ReadRecordResult::InputEmpty => {
                    at_end = self.lines.append_next(&mut self.text).map_err(|error| begun_at(line, error))?.is_none();
                }
            }
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let mut fields: Vec<Vec<u8>> =
            starts.zip(&ends[..fields]).map(|(start, &end)| output[start..end].to_vec()).collect();
        if let Some(last) = fields.last_mut()
            && last.ends_with(b"\r")
        {
            last.pop();
        }
        Ok(Some(Record { line, fields }))
    }
}

/// A row that is too long is told by the line on which it begins.
fn begun_at(line: u64, error: ReadError) -> ReadError {
    match error {
        ReadError::RowTooLong { bytes_max, .. } => ReadError::RowTooLong { line, bytes_max },
        ReadError::Io { .. } | ReadError::NeverThere { .. } => error,
    }
}

impl<R: BufRead + Send> RowSource for CsvRows<R> {
    fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, ReadError> {
        let Some(Record { line, fields }) = self.next_record()? else { return Ok(None) };
        let text = self.record_text();
        let expected = self.header.titles.len();
        if fields.len() != expected {
            let reason = format!("has {} columns where the header has {expected}", fields.len());
            return Ok(Some(Err(Reject { line, reason, text })));
        }
        let values: Result<Vec<String>, _> = fields.into_iter().map(String::from_utf8).collect();
        Ok(Some(match values {
            Ok(values) => Ok(Row { line, header: self.header.clone(), values, text }),
            Err(_) => Err(Reject { line, reason: "is not UTF-8".to_owned(), text }),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row's line and values, or a bad row's line and reason.
    type Found = Result<(u64, Vec<String>), (u64, String)>;

    fn rows(text: &[u8], delimiter: u8) -> Vec<Found> {
        let mut rows = CsvRows::open(text, delimiter).expect("readable").expect("a header");
        let mut found = Vec::new();
        while let Some(row) = rows.next_row().expect("readable") {
            found.push(row.map(|row| (row.line, row.values)).map_err(|reject| (reject.line, reject.reason)));
        }
        found
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what reading gives")]
    fn row(line: u64, values: &[&str]) -> Found {
        Ok((line, values.iter().map(|&value| value.to_owned()).collect()))
    }

    #[test]
    fn rows_keep_the_numbers_of_their_lines() {
        let expected = [row(2, &["1", "x"]), row(5, &["2", "two\nlines"]), row(7, &["3", "a \"b\""])];
        let unix = "id,name\n1,x\n\n\n2,\"two\nlines\"\n3,\"a \"\"b\"\"\"";
        assert_eq!(rows(unix.as_bytes(), b','), expected);
        let windows = format!("\u{feff}{}\r\n", unix.replace('\n', "\r\n").replace("two\r\n", "two\n"));
        assert_eq!(rows(windows.as_bytes(), b','), expected);
    }

    #[test]
    fn a_quote_inside_a_field_is_only_a_quote() {
        assert_eq!(rows(b"id;name\n1;5\" pipe\n2;y\n", b';'), [row(2, &["1", "5\" pipe"]), row(3, &["2", "y"])]);
    }

    #[test]
    fn rows_of_the_wrong_shape_are_rejected_and_do_not_stop_the_rest() {
        let found = rows(b"id,name\n1\n2,b,c\n3,\xff\n4,d\n", b',');
        let reject = |line, reason: &str| Err((line, reason.to_owned()));
        assert_eq!(
            found,
            [
                reject(2, "has 1 columns where the header has 2"),
                reject(3, "has 3 columns where the header has 2"),
                reject(4, "is not UTF-8"),
                row(5, &["4", "d"]),
            ]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_by_its_line() {
        let mut text = b"id,name\n1,x\n2,\"open\n".to_vec();
        text.resize(text.len() + 5 * 1024 * 1024, b'y');
        let mut rows = CsvRows::open(text.as_slice(), b',').expect("readable").expect("a header");
        rows.next_row().expect("the first row");
        assert!(matches!(rows.next_row(), Err(ReadError::RowTooLong { line: 3, .. })));
    }

    #[test]
    fn an_empty_file_has_no_header() {
        assert!(CsvRows::open(b"\n\n".as_slice(), b',').expect("readable").is_none());
    }
}
