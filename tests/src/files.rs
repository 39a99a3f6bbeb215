//! The workspace's files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::Violation;

/// Lines that a file may have.
pub const LINES_MAX: usize = 500;

const SKIPPED: [&str; 4] = ["generated", "target", "__pycache__", ".venv"];

/// A text file of the workspace.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Path from the workspace's root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).expect("tests/ is one below the root").to_owned()
}

/// The files below a folder whose names end so, in order, without generated ones.
pub fn below(folder: &str, extension: &str) -> Result<Vec<TextFile>> {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &root.join(folder), extension, &mut files)?;
    Ok(files)
}

/// Names of the folders directly in one, in order.
pub fn folders(folder: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join(folder)).with_context(|| format!("reading {folder}"))? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn collect(root: &Path, folder: &Path, extension: &str, found: &mut Vec<TextFile>) -> Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        paths.push(entry?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if SKIPPED.contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, extension, found)?;
        } else if path.extension().is_some_and(|own| own == extension) {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            found.push(TextFile { path: path.strip_prefix(root)?.to_string_lossy().into_owned(), text });
        }
    }
    Ok(())
}

/// Whether a file is short enough to be read at once.
pub fn check_length(file: &TextFile) -> Option<Violation> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX)
        .then(|| Violation::new(&file.path, LINES_MAX + 1, format!("{lines} lines, more than {LINES_MAX}: split it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_501_lines_is_too_long() {
        let file = |lines| TextFile { path: "x.rs".into(), text: "line\n".repeat(lines) };
        assert_eq!(check_length(&file(LINES_MAX)), None);
        assert!(check_length(&file(LINES_MAX + 1)).is_some());
    }

    #[test]
    fn generated_files_are_not_among_the_sources() {
        let files = below("crates/api", "rs").expect("readable");
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["crates/api/src/lib.rs"]);
    }
}
