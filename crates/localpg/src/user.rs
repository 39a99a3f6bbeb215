//! Who runs the server: the same user as this process, unless that is root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::LocalPgError;

const CANDIDATES: [&str; 2] = ["postgres", "nobody"];
const KEPT_VARIABLES: [&str; 4] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// An unprivileged user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unprivileged {
    name: String,
    uid: u32,
    gid: u32,
}

/// Who runs the server and its helpers.
#[derive(Debug, Clone)]
pub(crate) struct ServerUser {
    /// `None`: the user of this process.
    unprivileged: Option<Unprivileged>,
}

impl ServerUser {
    /// The user of this process; for root, which PostgreSQL refuses, `postgres` or else `nobody`.
    pub(crate) fn choose() -> Result<Self, LocalPgError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { unprivileged: None });
        }
        let path = Path::new("/etc/passwd");
        let users = fs::read_to_string(path).map_err(LocalPgError::io("read", path))?;
        let chosen = CANDIDATES.iter().find_map(|name| lookup_user(&users, name));
        Ok(Self { unprivileged: Some(chosen.ok_or(LocalPgError::NoUnprivilegedUser)?) })
    }

    /// A program that runs as this user, from the root folder, with an environment in which no
    /// `PG…` variable or language of the caller changes what PostgreSQL does.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(user) = &self.unprivileged {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Gives a file or folder that this process made to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), LocalPgError> {
        match &self.unprivileged {
            Some(user) => {
                chown(path, Some(user.uid), Some(user.gid)).map_err(LocalPgError::io("change the owner of", path))
            }
            None => Ok(()),
        }
    }

    /// Checks that this user can enter the folder or run the program `path`, and names the folder in the way when not.
    pub(crate) fn check_reach(&self, path: &Path) -> Result<(), LocalPgError> {
        let Some(user) = &self.unprivileged else { return Ok(()) };
        let reached = self
            .command("/bin/sh")
            .args(["-c", "test -x \"$1\"", "sh"])
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(LocalPgError::io("run", Path::new("/bin/sh")))?;
        if reached.success() {
            return Ok(());
        }
        let closed = closed_ancestor(path, user.uid, user.gid).unwrap_or_else(|| path.to_owned());
        Err(LocalPgError::Unreachable { user: user.name.clone(), wanted: path.to_owned(), closed })
    }
}

fn lookup_user(users: &str, name: &str) -> Option<Unprivileged> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let mut numbers = fields.skip(1);
        let uid = numbers.next()?.parse().ok()?;
        let gid = numbers.next()?.parse().ok()?;
        (uid != 0).then(|| Unprivileged { name: name.to_owned(), uid, gid })
    })
}

/// The outermost folder on the way to `path` that the user may not enter, as far as its mode tells.
fn closed_ancestor(path: &Path, uid: u32, gid: u32) -> Option<PathBuf> {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors
        .into_iter()
        .find(|ancestor| {
            fs::metadata(ancestor).is_ok_and(|metadata| {
                let shift = match (metadata.uid() == uid, metadata.gid() == gid) {
                    (true, _) => 6,
                    (false, true) => 3,
                    (false, false) => 0,
                };
                metadata.permissions().mode() >> shift & 0o1 == 0
            })
        })
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:/bin/sh\npostgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\nbad:x:0:0::/:/bin/sh\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let found = lookup_user(USERS, "postgres");
        assert_eq!(found, Some(Unprivileged { name: "postgres".to_owned(), uid: 101, gid: 104 }));
        assert_eq!(lookup_user(USERS, "nobody"), None);
    }

    #[test]
    fn another_name_of_root_is_not_unprivileged() {
        assert_eq!(lookup_user(USERS, "bad"), None);
    }

    #[test]
    fn the_folder_in_the_way_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let closed = folder.path().join("closed");
        let inner = closed.join("inner");
        fs::create_dir_all(&inner).expect("folders");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("a mode");
        assert_eq!(closed_ancestor(&inner, 4242, 4242), Some(closed));
    }
}
