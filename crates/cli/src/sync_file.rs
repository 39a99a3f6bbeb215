//! Files that other tools take over: all of something first, and then what changed. Nothing is lost while nobody takes a file over,
//! whoever dies in between.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// Which file, and from where to go on.
#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The file to write
    file: PathBuf,
    /// Where it is kept from where to go on [default: the file's name with `.cursor` behind it]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// All there is, whatever was written before
    #[arg(long)]
    pub(crate) full: bool,
}

/// From where the file of the last run began, and from where the next one goes on once that file was taken over. A place is a line of
/// text; what it means is the business of who writes the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) start: String,
    pub(crate) end: String,
}

/// A file that is written for others, and what is kept of it. Nobody else writes it meanwhile.
pub(crate) struct SyncFile {
    file: PathBuf,
    state: PathBuf,
    _lock: fs::File,
}

impl SyncFile {
    /// The file of the arguments, held until this is dropped.
    pub(crate) fn open(arguments: &SyncArguments) -> Result<Self, Failure> {
        let file = arguments.file.clone();
        let state = arguments.state.clone().unwrap_or_else(|| with_suffix(&file, ".cursor"));
        let lock = lock(&state)?;
        Ok(Self { file, state, _lock: lock })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Where it is kept from where to go on.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// Whether the file of the last run is there: nobody has taken it over.
    pub(crate) fn is_there(&self) -> Result<bool, Failure> {
        self.file.try_exists().map_err(|error| unreadable(&self.file, &error))
    }

    /// What the last run kept; none when there was no run before.
    pub(crate) fn places(&self) -> Result<Option<Places>, Failure> {
        let text = match fs::read_to_string(&self.state) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&self.state, &error)),
        };
        let mut lines = text.lines().map(str::to_owned);
        Ok(lines.next().zip(lines.next()).map(|(start, end)| Places { start, end }))
    }

    /// Keeps from where to go on.
    pub(crate) fn keep(&self, places: &Places) -> Result<(), Failure> {
        put(&self.state, &format!("{}\n{}\n", places.start, places.end))
    }

    /// Puts the file in place, in place of the one that is there.
    pub(crate) fn write(&self, lines: Vec<String>) -> Result<(), Failure> {
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        put(&self.file, &text)
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{} cannot be read: {error}", path.display()))
}

/// Keeps others from writing the same file, for as long as it is held.
fn lock(state: &Path) -> Result<fs::File, Failure> {
    let path = with_suffix(state, ".lock");
    let fault = |error: &dyn std::fmt::Display| Failure::Usage(format!("{} cannot be locked: {error}", path.display()));
    let file = fs::File::create(&path).map_err(|error| fault(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(fault(&"another run is writing the same file")),
        Err(fs::TryLockError::Error(error)) => Err(fault(&error)),
    }
}

/// Puts a file in place as a whole, and for good: whoever reads it sees the old one or the new one.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let fault = |error: io::Error| Failure::Usage(format!("{} cannot be written: {error}", path.display()));
    let part = with_suffix(path, ".part");
    let mut file = fs::File::create(&part).map_err(fault)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    fs::rename(&part, path).map_err(fault)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(folder: &Path) -> SyncArguments {
        SyncArguments { file: folder.join("scores.csv"), state: None, full: false }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_the_places_are_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SyncFile::open(&arguments(folder.path())).expect("a file");
        assert_eq!((file.places().expect("none"), file.is_there().expect("known")), (None, false));
        for (start, end) in [("", "AAA"), ("AAA", "AAB")] {
            let places = Places { start: start.to_owned(), end: end.to_owned() };
            file.keep(&places).expect("kept");
            assert_eq!(file.places().expect("readable"), Some(places));
            file.write(vec![end.to_owned()]).expect("written");
            assert_eq!(fs::read_to_string(file.path()).expect("readable"), format!("{end}\n"));
        }
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").map(|one| one.expect("one").file_name()).collect();
        names.sort();
        assert_eq!(names, ["scores.csv", "scores.csv.cursor", "scores.csv.cursor.lock"], "nothing else is left behind");
    }

    #[test]
    fn two_runs_do_not_write_the_same_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = SyncFile::open(&arguments(folder.path())).expect("a lock");
        assert!(SyncFile::open(&arguments(folder.path())).is_err());
        drop(held);
        SyncFile::open(&arguments(folder.path())).expect("free again");
    }
}
