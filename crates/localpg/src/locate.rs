//! Where the machine's PostgreSQL is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::LocalPgError;

/// The oldest major version that Mainstay works with.
pub(crate) const MAJOR_MIN: u32 = 14;

/// The variable that names the folder of the binaries; nothing else is looked at when it is set.
const BIN_VARIABLE: &str = "MAINSTAY_PG_BIN";

const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Folders whose children are one installation each, and where the binaries are in a child.
const INSTALLATIONS: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The binaries of one PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    /// The folder of `initdb`, `pg_ctl` and `postgres`.
    pub(crate) binaries: PathBuf,
    /// The major version.
    pub(crate) major: u32,
}

/// Where to look for an installation.
#[derive(Debug)]
pub(crate) struct Places {
    explicit: Option<PathBuf>,
    path: Vec<PathBuf>,
    usual: Vec<PathBuf>,
}

impl Places {
    /// Those of this machine: [`BIN_VARIABLE`] alone if it is set, else the PATH, else the places where
    /// Debian, the PostgreSQL project's RPMs, Homebrew and Postgres.app install, newest version first.
    pub(crate) fn of_this_machine() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            explicit: std::env::var_os(BIN_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from),
            path: std::env::split_paths(&path).filter_map(|folder| behind_links(&folder)).collect(),
            usual: INSTALLATIONS
                .iter()
                .flat_map(|(parent, prefix, binaries)| children(Path::new(parent), prefix, binaries))
                .collect(),
        }
    }

    /// The installation to use: one of the major version `wanted` if data of that version exists.
    pub(crate) fn find(&self, wanted: Option<u32>) -> Result<Installation, LocalPgError> {
        if let Some(folder) = &self.explicit {
            return explicit(folder, wanted);
        }
        let suits = |found: &Installation| is_suitable(found, wanted);
        if let Some(found) = self.path.iter().filter_map(|folder| inspect(folder)).find(suits) {
            return Ok(found);
        }
        let usual = self.usual.iter().filter_map(|folder| inspect(folder)).filter(suits);
        usual.max_by_key(|found| found.major).ok_or_else(|| LocalPgError::NotFound { wanted, looked: Self::looked() })
    }

    fn looked() -> String {
        let parents = INSTALLATIONS.map(|(parent, prefix, binaries)| format!("{parent}/{prefix}*/{binaries}"));
        format!("the PATH, {}", parents.join(", "))
    }
}

/// Whether an installation is new enough, and of the major version `wanted`.
pub(crate) fn is_suitable(found: &Installation, wanted: Option<u32>) -> bool {
    found.major >= MAJOR_MIN && wanted.is_none_or(|major| found.major == major)
}

fn explicit(folder: &Path, wanted: Option<u32>) -> Result<Installation, LocalPgError> {
    let refuse = |fault| Err(LocalPgError::BinFolder { folder: folder.to_owned(), fault });
    if let Some(missing) = PROGRAMS.iter().find(|program| !folder.join(program).is_file()) {
        return refuse(format!("that folder has no `{missing}`: name the one that holds {}", PROGRAMS.join(", ")));
    }
    match (inspect(folder), wanted) {
        (None, _) => refuse("its `postgres --version` does not answer: is it built for this machine?".to_owned()),
        (Some(found), _) if found.major < MAJOR_MIN => {
            refuse(format!("it holds PostgreSQL {}, and {MAJOR_MIN} or newer is needed", found.major))
        }
        (Some(found), Some(major)) if found.major != major => refuse(format!(
            "it holds PostgreSQL {}, and the data folder was written by {major}: name the binaries of {major}, or use \
             another data folder",
            found.major
        )),
        (Some(found), _) => Ok(found),
    }
}

/// The installation in a folder, if it is whole and answers.
pub(crate) fn inspect(folder: &Path) -> Option<Installation> {
    if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
    let binaries = fs::canonicalize(folder).ok()?;
    Some(Installation { binaries, major })
}

/// The major version in `postgres (PostgreSQL) 17.2 (Debian …)`, also of a beta such as `18beta1`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let end = number.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

/// The folder that really holds `postgres`: a folder of the PATH often has links to a few programs only.
fn behind_links(folder: &Path) -> Option<PathBuf> {
    let program = fs::canonicalize(folder.join("postgres")).ok()?;
    program.parent().map(Path::to_owned)
}

fn children(parent: &Path, prefix: &str, binaries: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let starts = |name: &OsStr| name.to_string_lossy().starts_with(prefix);
    entries.flatten().filter(|entry| starts(&entry.file_name())).map(|entry| entry.path().join(binaries)).collect()
}

#[cfg(test)]
pub(crate) mod fixture {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Programs that say they are PostgreSQL `version`.
    pub(crate) fn install(folder: &Path, version: &str) -> PathBuf {
        fs::create_dir_all(folder).expect("a folder");
        for program in PROGRAMS {
            let path = folder.join(program);
            fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).expect("a program");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        fs::canonicalize(folder).expect("a folder")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::fixture::install;
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major("postgres (PostgreSQL) devel\n"), None);
    }

    #[test]
    fn the_path_goes_before_the_usual_places_and_these_go_newest_first() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let on_path = install(&root.path().join("path"), "14.1");
        let usual = vec![install(&root.path().join("9"), "16.0"), install(&root.path().join("10"), "17.0")];
        let places = Places { explicit: None, path: vec![on_path.clone()], usual: usual.clone() };
        assert_eq!(places.find(None).expect("one").binaries, on_path);
        let places = Places { explicit: None, path: Vec::new(), usual: usual.clone() };
        assert_eq!(places.find(None).expect("one"), Installation { binaries: usual[1].clone(), major: 17 });
    }

    #[test]
    fn data_gets_the_version_that_wrote_it() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let path = vec![install(&root.path().join("17"), "17.0")];
        let usual = vec![install(&root.path().join("15"), "15.2")];
        let places = Places { explicit: None, path, usual };
        assert_eq!(places.find(Some(15)).expect("one").major, 15);
        let refusal = places.find(Some(16)).expect_err("there is no 16").to_string();
        assert!(refusal.starts_with("PostgreSQL 16 was not found in the PATH, /usr/lib/postgresql/*/bin"), "{refusal}");
        assert!(refusal.contains("apt install postgresql") && refusal.contains("MAINSTAY_PG_BIN"), "{refusal}");
    }

    #[test]
    fn a_version_too_old_is_passed_over() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let places = Places { explicit: None, path: vec![install(root.path(), "13.9")], usual: Vec::new() };
        assert!(matches!(places.find(None), Err(LocalPgError::NotFound { wanted: None, .. })));
    }

    #[test]
    fn the_folder_that_was_named_is_used_or_refused_with_its_fault() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let other = install(&root.path().join("other"), "17.0");
        let named = root.path().join("named");
        let places = Places { explicit: Some(named.clone()), path: vec![other], usual: Vec::new() };
        let fault = |wanted| places.find(wanted).expect_err("a fault").to_string();
        assert!(fault(None).contains("has no `initdb`"), "{}", fault(None));
        install(&named, "13.0");
        assert!(fault(None).contains("it holds PostgreSQL 13, and 14 or newer is needed"), "{}", fault(None));
        install(&named, "15.0");
        assert!(fault(Some(16)).contains("the data folder was written by 16"), "{}", fault(Some(16)));
        assert_eq!(places.find(Some(15)).expect("it").major, 15);
    }

    #[test]
    fn links_on_the_path_lead_to_the_whole_installation() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let real = install(&root.path().join("real"), "16.0");
        let links = root.path().join("links");
        fs::create_dir(&links).expect("a folder");
        symlink(real.join("postgres"), links.join("postgres")).expect("a link");
        assert_eq!(behind_links(&links), Some(real));
    }
}
