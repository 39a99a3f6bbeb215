//! The file that is imported.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::command::import::{FileFormat, ImportArguments};
use crate::failure::Failure;
use crate::import::csv_rows::CsvRows;
use crate::import::json_rows::JsonRows;
use crate::import::mapping::Mapping;
use crate::import::rejects::RejectFormat;
use crate::import::row::RowSource;

const READ_BUFFER_BYTES: usize = 256 * 1024;

/// The rows of a file, and what is known of it.
pub(crate) struct Source {
    /// Its rows.
    pub(crate) rows: Box<dyn RowSource>,
    /// How much of it was read, in bytes.
    pub(crate) bytes_read: Arc<AtomicU64>,
    /// Its size, when it is known.
    pub(crate) bytes_total: Option<u64>,
    /// Where its bad rows go.
    pub(crate) rejects_path: Option<PathBuf>,
    /// How they are written.
    pub(crate) reject_format: RejectFormat,
}

/// Counts what is read.
pub(crate) struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// Adds what is read of `inner` to `bytes`.
    pub(crate) fn new(inner: R, bytes: Arc<AtomicU64>) -> Self {
        Self { inner, bytes }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens the file, reads its header, and checks that the mapping fits it.
pub(crate) fn open(arguments: &ImportArguments, mapping: &Mapping) -> Result<Source, Failure> {
    let path = arguments.file.as_path();
    let is_standard_input = path == Path::new("-");
    let unreadable = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let format = match arguments.format {
        Some(format) => format,
        None => format_of(path).ok_or_else(|| {
            Failure::Usage(format!("{}: say what it is with --format csv or --format json-lines", path.display()))
        })?,
    };
    let rejects_path = match &arguments.rejects {
        Some(rejects) if rejects == path => {
            return Err(Failure::Usage("--rejects names the file that is imported".to_owned()));
        }
        Some(rejects) => Some(rejects.clone()),
        None if is_standard_input => None,
        None => {
            let mut name = path.as_os_str().to_owned();
            name.push(".rejected");
            Some(PathBuf::from(name))
        }
    };
    let (inner, bytes_total): (Box<dyn Read + Send>, Option<u64>) = if is_standard_input {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        if metadata.is_dir() {
            return Err(unreadable(&"is a folder"));
        }
        (Box::new(file), metadata.is_file().then_some(metadata.len()))
    };
    let bytes_read = Arc::new(AtomicU64::new(0));
    let reader = BufReader::with_capacity(READ_BUFFER_BYTES, Counted::new(inner, bytes_read.clone()));
    let (rows, reject_format): (Box<dyn RowSource>, _) = match format {
        FileFormat::Csv => {
            let delimiter = arguments.delimiter.unwrap_or_else(|| delimiter_of(path));
            let opened = CsvRows::open(reader, delimiter).map_err(|error| unreadable(&error))?;
            let rows = opened.ok_or_else(|| unreadable(&"is empty: it has not even a header"))?;
            if let Some(other) = other_delimiter(&rows.header().titles) {
                let fault = format!("the header is one column with `{other}` in it: is that the --delimiter?");
                return Err(unreadable(&fault));
            }
            mapping.check(rows.header()).map_err(|fault| unreadable(&fault))?;
            let header = rows.header_text().to_owned();
            (Box::new(rows), RejectFormat::Csv { header, delimiter })
        }
        FileFormat::JsonLines => (Box::new(JsonRows::new(reader)), RejectFormat::JsonLines),
    };
    Ok(Source { rows, bytes_read, bytes_total, rejects_path, reject_format })
}

/// A path without `.rejected`, so that a file of bad rows is read as what it is.
fn extension(path: &Path) -> Option<String> {
    let mut original = path.to_path_buf();
    while original.extension().is_some_and(|extension| extension == "rejected") {
        original.set_extension("");
    }
    Some(original.extension()?.to_str()?.to_lowercase())
}

fn format_of(path: &Path) -> Option<FileFormat> {
    match extension(path)?.as_str() {
        "csv" | "tsv" => Some(FileFormat::Csv),
        "jsonl" | "ndjson" | "json" => Some(FileFormat::JsonLines),
        _ => None,
    }
}

fn delimiter_of(path: &Path) -> u8 {
    if extension(path).as_deref() == Some("tsv") { b'\t' } else { b',' }
}

/// What seems to stand between the columns of a header that was read as one.
fn other_delimiter(titles: &[String]) -> Option<&'static str> {
    const DELIMITERS: [(char, &str); 4] = [(';', ";"), ('\t', "\\t"), ('|', "|"), (',', ",")];
    let [only] = titles else { return None };
    DELIMITERS.into_iter().find(|(delimiter, _)| only.contains(*delimiter)).map(|(_, shown)| shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_one_column_may_have_another_delimiter() {
        let other = |titles: &[&str]| other_delimiter(&titles.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(other(&["id;name"]), Some(";"));
        assert_eq!(other(&["id\tname"]), Some("\\t"));
        assert_eq!((other(&["id"]), other(&["id;x", "name"])), (None, None));
    }

    #[test]
    fn the_extension_tells_what_a_file_is() {
        let format = |name: &str| format_of(Path::new(name));
        assert_eq!(format("a.csv"), Some(FileFormat::Csv));
        assert_eq!(format("a.CSV.rejected.rejected"), Some(FileFormat::Csv));
        assert_eq!(format("a.ndjson"), Some(FileFormat::JsonLines));
        assert_eq!((format("a.txt"), format("-"), format("a")), (None, None, None));
        assert_eq!((delimiter_of(Path::new("a.tsv")), delimiter_of(Path::new("a.csv"))), (b'\t', b','));
    }
}
