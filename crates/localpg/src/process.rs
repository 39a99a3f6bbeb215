//! Which processes live.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Whether a process of this number lives, whoever owns it. One that has ended and was not waited
/// for still has its number, but lives no more.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Some(known_pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    match test_kill_process(known_pid) {
        Ok(()) | Err(Errno::PERM) => !has_ended(pid),
        Err(_) => false,
    }
}

/// Whether Linux says so of a process that has a number still; other systems do not say.
fn has_ended(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The state follows the program's name, which stands in brackets and may hold any character.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

/// The live server of a PostgreSQL data folder, by its `postmaster.pid`.
///
/// The number alone says little: after a crash it may belong to any process. Linux tells the
/// folder a process works in, which for a server is its data folder; elsewhere the program's name has to do.
pub(crate) fn lookup_live_server(data: &Path) -> Option<u32> {
    let written = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = written.lines().next()?.trim().parse::<u32>().ok()?;
    (is_alive(pid) && is_server_of(pid, data)).then_some(pid)
}

fn is_server_of(pid: u32, data: &Path) -> bool {
    if !Path::new("/proc/self/cwd").exists() {
        return is_named_postgres_by_ps(pid);
    }
    match (fs::read_link(format!("/proc/{pid}/cwd")), fs::canonicalize(data)) {
        (Ok(works_in), Ok(data)) => works_in == data,
        (Err(error), _) if error.kind() == ErrorKind::PermissionDenied => {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| is_server_name(name.trim()))
        }
        _ => false,
    }
}

fn is_named_postgres_by_ps(pid: u32) -> bool {
    Command::new("ps").args(["-o", "comm=", "-p"]).arg(pid.to_string()).output().is_ok_and(|output| {
        let command = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&command).file_name().is_some_and(|name| is_server_name(&name.to_string_lossy()))
    })
}

fn is_server_name(name: &str) -> bool {
    matches!(name, "postgres" | "postmaster")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_no_process_has_number_zero() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(0));
        assert!(!is_alive(u32::MAX));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_has_ended_does_not_live_even_before_it_is_waited_for() {
        let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat runs");
        let pid = child.id();
        assert!(is_alive(pid));
        drop(child.stdin.take());
        while !has_ended(pid) {
            std::thread::yield_now();
        }
        assert!(!is_alive(pid), "a zombie");
        child.wait().expect("waited for");
        assert!(!is_alive(pid));
    }

    #[test]
    fn a_live_process_that_is_not_the_server_does_not_count() {
        let data = tempfile::tempdir().expect("a temporary folder");
        fs::write(data.path().join("postmaster.pid"), format!("{}\n", std::process::id())).expect("a file");
        assert_eq!(lookup_live_server(data.path()), None);
    }
}
