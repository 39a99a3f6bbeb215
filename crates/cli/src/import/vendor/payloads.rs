//! Payloads as they stand in a file: a JSON array of them, one a line, or one object that fills the file.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::import::row::{Lines, PAYLOAD_BYTES_MAX, ReadError, Reject, without_line_end};

/// A payload's text and the line on which it begins, or why it cannot be read.
pub(crate) type Found = Result<(u64, String), Reject>;

/// Gives all payloads of a file to `take`, until it has enough.
///
/// # Errors
/// The file cannot be read on: what came before was given.
pub(crate) fn each(
    mut reader: Box<dyn BufRead + Send>,
    take: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let first = first_character(&mut reader).map_err(|source| ReadError::Io { line: 1, source })?;
    if first == Some(b'[') { each_of_array(reader, take) } else { each_of_lines(reader, take) }
}

/// The first character that is no space, which is left to be read.
fn first_character(reader: &mut dyn BufRead) -> io::Result<Option<u8>> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let text = buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(buffer);
        let Some(place) = text.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            let length = buffer.len();
            reader.consume(length);
            continue;
        };
        return Ok(text.get(place).copied());
    }
}

/// Payloads one after the other. One that spans lines ends before the next line that begins with a brace.
fn each_of_lines(
    reader: Box<dyn BufRead + Send>,
    take: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let mut lines = Lines::up_to(PAYLOAD_BYTES_MAX, reader);
    let (mut line_text, mut text, mut begun) = (Vec::new(), Vec::new(), 0);
    loop {
        line_text.clear();
        let next = lines.append_next(&mut line_text)?;
        let is_object = line_text.starts_with(b"{");
        if !text.is_empty() && (is_object || next.is_none()) {
            let unread = reject(begun, &text);
            text.clear();
            if take(Err(unread)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let Some(line) = next else { return Ok(ControlFlow::Continue(())) };
        let found = if text.is_empty() && !is_object {
            if line_text.trim_ascii().is_empty() {
                continue;
            }
            Err(reject(line, &line_text))
        } else {
            if text.is_empty() {
                begun = line;
            }
            text.extend_from_slice(&line_text);
            if text.len() > PAYLOAD_BYTES_MAX {
                return Err(ReadError::RowTooLong { line: begun, bytes_max: PAYLOAD_BYTES_MAX });
            }
            let may_end = is_object || line_text.starts_with(b"}");
            if !may_end || serde_json::from_slice::<&RawValue>(&text).is_err() {
                continue;
            }
            let whole = String::from_utf8_lossy(without_line_end(&text)).into_owned();
            text.clear();
            Ok((begun, whole))
        };
        if take(found).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// What is no payload.
fn reject(line: u64, text: &[u8]) -> Reject {
    let reason = match serde_json::from_slice::<&RawValue>(text) {
        Ok(_) => "is not a JSON object that begins its line".to_owned(),
        Err(error) => format!("is not JSON: {error}"),
    };
    Reject { line, reason, text: String::from_utf8_lossy(text).trim().to_owned() }
}

/// Counts lines as they are parsed: the parser takes byte by byte.
struct LineCount<'c, R> {
    inner: R,
    line: &'c Cell<u64>,
}

impl<R: Read> Read for LineCount<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.line.set(self.line.get() + newlines(&buffer[..read]));
        Ok(read)
    }
}

fn newlines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Payloads of an array, which is never in memory as a whole.
fn each_of_array(
    reader: Box<dyn BufRead + Send>,
    take: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let line = Cell::new(1);
    let mut items = Items { take, line: &line, is_enough: false };
    let mut deserializer = serde_json::Deserializer::from_reader(LineCount { inner: reader, line: &line });
    let read = deserializer.deserialize_seq(&mut items);
    if items.is_enough {
        return Ok(ControlFlow::Break(()));
    }
    let end = read.and_then(|()| deserializer.end());
    end.map(|()| ControlFlow::Continue(())).map_err(|error| ReadError::Io { line: line.get(), source: error.into() })
}

struct Items<'t, 'c> {
    take: &'t mut dyn FnMut(Found) -> ControlFlow<()>,
    line: &'c Cell<u64>,
    is_enough: bool,
}

impl<'de> Visitor<'de> for &mut Items<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of payloads")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(raw) = sequence.next_element_seed(Raw)? {
            let text = raw.get();
            let line = self.line.get().saturating_sub(newlines(text.as_bytes()));
            let found = if text.len() > PAYLOAD_BYTES_MAX {
                let reason = "is longer than 64 MiB".to_owned();
                Err(Reject { line, reason, text: String::new() })
            } else {
                Ok((line, text.to_owned()))
            };
            if (self.take)(found).is_break() {
                self.is_enough = true;
                return Err(serde::de::Error::custom("enough"));
            }
        }
        Ok(())
    }
}

/// An element as its text.
struct Raw;

impl<'de> DeserializeSeed<'de> for Raw {
    type Value = Box<RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Box<RawValue>, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload's line and text, or the line of what is none.
    type Seen = Result<(u64, String), u64>;

    fn found(text: &'static str) -> (Vec<Seen>, Result<ControlFlow<()>, ReadError>) {
        let mut found = Vec::new();
        let end = each(Box::new(text.as_bytes()), &mut |payload| {
            found.push(payload.map_err(|reject| reject.line));
            ControlFlow::Continue(())
        });
        (found, end)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what reading gives")]
    fn payload(line: u64, text: &str) -> Seen {
        Ok((line, text.to_owned()))
    }

    #[test]
    fn one_a_line_or_one_over_several_lines() {
        let (all, end) = found("\u{feff}{\"a\": 1}\n\n{\n  \"b\": [\n    {\"c\": 2}\n  ]\n}\n{\"d\": 3}");
        let spanning = "{\n  \"b\": [\n    {\"c\": 2}\n  ]\n}";
        assert_eq!(all, [payload(1, "{\"a\": 1}"), payload(3, spanning), payload(8, "{\"d\": 3}")]);
        assert!(end.is_ok());
        assert!(found("").0.is_empty() && found(" \n\n").0.is_empty());
    }

    #[test]
    fn what_is_no_object_is_rejected_and_does_not_spoil_the_rest() {
        let (all, end) = found("{\"a\": 1}\noops\n{\"b\": \n{\"c\": 3}\n{\"d\": }\n{\"e\": 5}\n{\"f\"");
        let expected = [
            payload(1, "{\"a\": 1}"),
            Err(2),
            Err(3),
            payload(4, "{\"c\": 3}"),
            Err(5),
            payload(6, "{\"e\": 5}"),
            Err(7),
        ];
        assert_eq!(all, expected);
        assert!(end.is_ok());
    }

    #[test]
    fn an_array_is_read_element_by_element() {
        let (all, end) = found(" [\n  {\"a\": 1},\n  {\n    \"b\": 2\n  }, 7]\n");
        assert_eq!(all, [payload(2, "{\"a\": 1}"), payload(3, "{\n    \"b\": 2\n  }"), payload(5, "7")]);
        assert!(end.is_ok());
        let (all, end) = found("[{\"a\": 1},\n{\"b\": }]");
        assert_eq!(all, [payload(1, "{\"a\": 1}")]);
        assert!(end.is_err_and(|error| error.to_string().starts_with("line 2: ")));
    }

    #[test]
    fn a_page_of_an_export_may_be_longer_than_a_row() {
        let page = format!("{{\"tickets\": [\"{}\"]}}", "x".repeat(5 * 1024 * 1024));
        let (all, end) = found(String::leak(page));
        assert!(matches!(all.as_slice(), [Ok((1, _))]), "{} payloads", all.len());
        assert!(end.is_ok());
    }

    #[test]
    fn reading_ends_when_nobody_takes_more() {
        for text in ["[{}, {}, {}]", "{}\n{}\n{}\n"] {
            let mut taken = 0;
            let end = each(Box::new(text.as_bytes()), &mut |_| {
                taken += 1;
                if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!((taken, end.is_ok_and(|flow| flow.is_break())), (2, true), "{text}");
        }
    }
}
