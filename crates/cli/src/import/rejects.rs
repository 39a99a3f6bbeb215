//! Rows that are not taken in: told, and set aside.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::import::row::{REJECT_COLUMNS, Reject};

/// How many bad rows are told one by one.
pub(crate) const TOLD_MAX: u64 = 20;

/// What the file of rejected rows looks like: as the file they came from, with
/// the line and the reason added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RejectFormat {
    /// A CSV file with this header.
    Csv {
        /// As in the file.
        header: String,
        /// Between its columns.
        delimiter: u8,
    },
    /// JSON lines.
    JsonLines,
}

/// Sets rejected rows aside. The file is made with the first of them.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: Option<PathBuf>,
    format: RejectFormat,
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Rejects {
    /// Sets rows aside in `path`, or only counts them.
    pub(crate) fn new(path: Option<PathBuf>, format: RejectFormat) -> Self {
        Self { path, format, file: None, count: 0 }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Where they are, when there are some.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref().filter(|_| self.count > 0)
    }

    /// Sets a row aside.
    pub(crate) fn add(&mut self, reject: &Reject) -> io::Result<()> {
        self.count += 1;
        let Some(path) = &self.path else { return Ok(()) };
        if self.file.is_none() {
            let mut file = BufWriter::new(File::create(path)?);
            file.write_all(self.format.first_line().as_bytes())?;
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        writeln!(file, "{}", self.format.line(reject))
    }

    /// Writes out what is buffered.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl RejectFormat {
    /// What stands before the first row, with its line's end.
    fn first_line(&self) -> String {
        match self {
            Self::Csv { header, delimiter } => {
                let [line, reason, _] = REJECT_COLUMNS;
                let delimiter = char::from(*delimiter);
                format!("{line}{delimiter}{reason}{delimiter}{header}\n")
            }
            Self::JsonLines => String::new(),
        }
    }

    fn line(&self, reject: &Reject) -> String {
        match self {
            Self::Csv { delimiter, .. } => {
                let reason = reject.reason.replace('"', "\"\"");
                let delimiter = char::from(*delimiter);
                format!("{}{delimiter}\"{reason}\"{delimiter}{}", reject.line, reject.text)
            }
            Self::JsonLines => {
                let [line, reason, text] = REJECT_COLUMNS;
                let told = serde_json::json!(reject.reason);
                let head = format!("{{\"{line}\":{},\"{reason}\":{told}", reject.line);
                match object_fields(&reject.text) {
                    Some("") => format!("{head}}}"),
                    Some(fields) => format!("{head},{fields}}}"),
                    None => format!("{head},\"{text}\":{}}}", serde_json::json!(reject.text)),
                }
            }
        }
    }
}

/// What stands between the braces of a JSON object; `None` when it is none.
fn object_fields(text: &str) -> Option<&str> {
    let text = text.trim();
    serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
    text.strip_prefix('{')?.strip_suffix('}').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64, reason: &str, text: &str) -> Reject {
        Reject { line, reason: reason.to_owned(), text: text.to_owned() }
    }

    fn written(format: RejectFormat, rejects: &[Reject]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.rejected");
        let mut file = Rejects::new(Some(path.clone()), format);
        for reject in rejects {
            file.add(reject).expect("written");
        }
        file.finish().expect("written");
        std::fs::read_to_string(path).expect("there")
    }

    #[test]
    fn csv_rows_are_set_aside_as_they_are_with_line_and_reason() {
        let format = RejectFormat::Csv { header: "id;name".to_owned(), delimiter: b';' };
        let rejects = [reject(3, "name: is \"bad\"", "a;\"two\nlines\""), reject(9, "has 1 columns", "b")];
        let expected = "rejected_line;rejected_reason;id;name\n3;\"name: is \"\"bad\"\"\";a;\"two\nlines\"\n9;\"has 1 columns\";b\n";
        assert_eq!(written(format, &rejects), expected);
    }

    #[test]
    fn json_rows_stay_objects_and_what_is_none_becomes_text() {
        let rejects = [reject(1, "no", " {\"id\": 1.10} "), reject(2, "no", "{}"), reject(3, "no", "{\"id")];
        let expected = "{\"rejected_line\":1,\"rejected_reason\":\"no\",\"id\": 1.10}\n\
                        {\"rejected_line\":2,\"rejected_reason\":\"no\"}\n\
                        {\"rejected_line\":3,\"rejected_reason\":\"no\",\"rejected_text\":\"{\\\"id\"}\n";
        assert_eq!(written(RejectFormat::JsonLines, &rejects), expected);
    }

    #[test]
    fn without_bad_rows_there_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.rejected");
        Rejects::new(Some(path.clone()), RejectFormat::JsonLines).finish().expect("nothing to do");
        assert!(!path.exists());
    }
}
