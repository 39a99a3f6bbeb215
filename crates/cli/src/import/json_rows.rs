//! Rows of a file of JSON lines: one object a line.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::import::row::{Header, Lines, ReadError, Reject, Row, RowSource, without_line_end};

/// Reads rows of a file of JSON lines.
pub(crate) struct JsonRows<R> {
    lines: Lines<R>,
    header: Arc<Header>,
    text: Vec<u8>,
}

impl<R: BufRead> JsonRows<R> {
    /// Rows from here on.
    pub(crate) fn new(reader: R) -> Self {
        Self { lines: Lines::new(reader), header: Arc::new(Header::new(Vec::new())), text: Vec::new() }
    }

    /// The columns and values of an object. Rows mostly have the same columns
    /// as the row before, whose header is then used again.
    fn parse(&mut self, text: &str) -> Result<(Arc<Header>, Vec<String>), String> {
        let mut pairs = Vec::new();
        flatten("", text, &mut pairs)?;
        let (titles, values): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
        if self.header.titles != titles {
            self.header = Arc::new(Header::new(titles));
        }
        Ok((self.header.clone(), values))
    }
}

/// Adds the fields of an object to `pairs`, those of objects inside with dotted
/// names, lists as their JSON, and `null` as an empty value. Numbers keep their
/// digits: they are never read as floats here.
fn flatten(prefix: &str, object: &str, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(object)
        .map_err(|error| format!("is not a JSON object: {error}; every line must be one"))?;
    for (name, raw) in fields {
        let text = raw.get();
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match text.as_bytes().first() {
            Some(b'{') => flatten(&name, text, pairs)?,
            Some(b'"') => {
                let value = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
                pairs.push((name, value));
            }
            _ if text == "null" => pairs.push((name, String::new())),
            _ => pairs.push((name, text.to_owned())),
        }
    }
    Ok(())
}

impl<R: BufRead + Send> RowSource for JsonRows<R> {
    fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, ReadError> {
        loop {
            self.text.clear();
            let Some(line) = self.lines.append_next(&mut self.text)? else { return Ok(None) };
            let bytes = without_line_end(&self.text);
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let Ok(text) = str::from_utf8(bytes).map(str::to_owned) else {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return Ok(Some(Err(Reject { line, reason: "is not UTF-8".to_owned(), text })));
            };
            return Ok(Some(match self.parse(&text) {
                Ok((header, values)) => Ok(Row { line, header, values, text }),
                Err(reason) => Err(Reject { line, reason, text }),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_rows_with_dotted_names_and_exact_numbers() {
        let text = "{\"id\": \"a\", \"arr\": 123456789012345678.10, \"limit\": {\"emails\": 5}, \"x\": null}\n\n\
                    {\"x\": [{\"y\": 1}], \"id\": \"b\", \"arr\": 1, \"limit\": {\"emails\": 6}}\n";
        let mut rows = JsonRows::new(text.as_bytes());
        let first = rows.next_row().expect("readable").expect("a row").expect("an object");
        assert_eq!(
            (first.line, first.header.titles.as_slice()),
            (1, ["arr", "id", "limit.emails", "x"].map(str::to_owned).as_slice())
        );
        assert_eq!(first.values, ["123456789012345678.10", "a", "5", ""]);
        let second = rows.next_row().expect("readable").expect("a row").expect("an object");
        assert_eq!(
            (second.line, second.values.as_slice()),
            (3, ["1", "b", "6", "[{\"y\": 1}]"].map(str::to_owned).as_slice())
        );
        assert!(Arc::ptr_eq(&first.header, &second.header));
        assert!(rows.next_row().expect("readable").is_none());
    }

    #[test]
    fn lines_that_are_no_objects_are_rejected_with_their_numbers() {
        let mut rows = JsonRows::new(b"[1]\n{\"a\": 1\n\xff\n{}".as_slice());
        for line in 1..=3 {
            let reject = rows.next_row().expect("readable").expect("a row").expect_err("no object");
            assert_eq!(reject.line, line);
        }
        assert!(rows.next_row().expect("readable").expect("a row").is_ok());
    }
}
