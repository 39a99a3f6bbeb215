//! `mainstay up`, as a process of its own: data stays between runs, however it ends.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mainstay_api::mainstay::scoring::v1::GetHealthRequest;
use mainstay_api::mainstay::scoring::v1::health_service_client::HealthServiceClient;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{Ran, run, write};

/// Longer than anything here takes on a busy machine; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A running `mainstay up`.
pub(crate) struct Up {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    pub(crate) expansion: SocketAddr,
    pub(crate) surveys: SocketAddr,
}

/// The command on data in a folder.
fn command(data_dir: &Path) -> Command {
    let mut command = bare_command();
    command.arg("--data-dir").arg(data_dir);
    command
}

fn bare_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    for name in ["MAINSTAY_DATA_DIR", "MAINSTAY_DATABASE_URL", "MAINSTAY_LOG"] {
        command.env_remove(name);
    }
    command
        .args(["up", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--output", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Up {
    /// Starts it and waits until it says where it is.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::run(command(data_dir)).await
    }

    /// The same on a database that is there.
    pub(crate) async fn on_database(url: &str) -> Self {
        let mut command = bare_command();
        command.args(["--database-url", url]);
        Self::run(command).await
    }

    async fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("says where it is").expect("text");
        if line.is_empty() {
            let mut told = String::new();
            child.stderr.take().expect("piped").read_to_string(&mut told).await.expect("text");
            panic!("it ended: {told}");
        }
        let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = |service: &str, key: &str| {
            let url = said["services"][service][key].as_str().expect("an address");
            url.trim_start_matches("http://").parse().expect("an address")
        };
        Self {
            child,
            address: address("scoring", "server"),
            admin: address("scoring", "admin"),
            expansion: address("expansion", "server"),
            surveys: address("surveys", "server"),
        }
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("runs")
    }

    /// Ends it with a signal and gives its exit code; none when the signal killed it.
    pub(crate) async fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().await.expect("kill runs");
        assert!(sent.success());
        timeout(PATIENCE, self.child.wait()).await.expect("ends").expect("waits").code()
    }
}

/// A folder that the user who runs PostgreSQL can reach.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a mode");
    folder
}

pub(crate) async fn done(address: SocketAddr, arguments: &[&str]) -> Ran {
    let ran = run(address, arguments).await;
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran
}

/// Today, as the services have it.
pub(crate) async fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output().await.expect("date runs");
    String::from_utf8(date.stdout).expect("text").trim().to_owned()
}

/// Waits until the account has a score: it is made in the background.
pub(crate) async fn wait_for_score(address: SocketAddr, account: &str) {
    let mut client = HealthServiceClient::connect(format!("http://{address}")).await.expect("connects");
    let request = GetHealthRequest { account: format!("accounts/{account}"), day: String::new() };
    let scored = async {
        while !client.get_health(request.clone()).await.is_ok_and(|health| health.get_ref().score.is_some()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, scored).await.expect("scored");
}

#[tokio::test]
async fn data_is_kept_when_it_is_stopped_and_when_it_is_killed() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let up = Up::start(&data_dir).await;

    let status = done(up.address, &["status", "--output", "json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status.out).expect("JSON");
    assert_eq!(status["serverVersion"], env!("CARGO_PKG_VERSION"));
    let elsewhere = run(up.admin, &["health", "list"]).await;
    assert!(elsewhere.err.contains("is this the address of its RPCs?"), "{}", elsewhere.err);

    let today = done(up.address, &["models", "get", "active", "--output", "json"]).await;
    let model: serde_json::Value = serde_json::from_str(&today.out).expect("JSON");
    assert_eq!(model["name"], "models/default");

    let accounts = write(folder.path(), "accounts.csv", "id,name,segment\nacme,Acme,smb\nglobex,Globex,enterprise\n");
    let imported = done(up.address, &["import", "accounts", &accounts]).await;
    assert!(imported.out.starts_with("accounts: 2 new"), "{}", imported.out);
    let now = model["activateTime"].as_str().expect("active");
    let rows = ["ana", "ben"].map(|user| format!("acme,{now},{user},login"));
    let signals = write(folder.path(), "signals.csv", &format!("account,time,user_id,action\n{}\n", rows.join("\n")));
    let imported = done(up.address, &["import", "signals", &signals]).await;
    assert!(imported.out.starts_with("signals: 2 recorded"), "{}", imported.out);

    wait_for_score(up.address, "acme").await;

    let second = command(&data_dir).output().await.expect("runs");
    let told = String::from_utf8(second.stderr).expect("text");
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("as process {}", up.pid())), "{told}");

    assert_eq!(up.end("-TERM").await, Some(0));

    let up = Up::start(&data_dir).await;
    let again = done(up.address, &["import", "signals", &signals]).await;
    assert!(again.out.starts_with("signals: 0 recorded, 2 known already"), "{}", again.out);
    assert_eq!(up.end("-KILL").await, None);

    let up = Up::start(&data_dir).await;
    let listed = done(up.address, &["health", "list"]).await;
    assert!(listed.out.contains("Acme"), "{}", listed.out);
    let listed = done(up.address, &["accounts", "list"]).await;
    assert!(listed.out.contains("Acme") && listed.out.contains("Globex"), "{}", listed.out);
    assert_ne!(up.admin, up.address);
    assert_eq!(up.end("-INT").await, Some(0));
}

#[tokio::test]
async fn accounts_keep_what_a_file_does_not_say_and_come_back_from_the_archive() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let full = "{\"id\":\"acme\",\"name\":\"Acme\",\"contacts\":[{\"id\":\"c-1\",\"display_name\":\"Eve\"}],\"label\":{\"tier\":\"1\"}}\n";
    let full = write(folder.path(), "accounts.jsonl", full);
    done(up.address, &["import", "accounts", &full]).await;
    let some = write(folder.path(), "accounts.csv", "id,plan,seats\nacme,gold,5\n");
    let imported = done(up.address, &["import", "accounts", &some]).await;
    assert_eq!(imported.out, "accounts: 0 new, 1 changed, 0 unchanged; 0 rejected\n");
    let account = async || -> serde_json::Value {
        let got = done(up.address, &["accounts", "get", "acme", "--output", "json"]).await;
        serde_json::from_str(&got.out).expect("JSON")
    };
    let stored = account().await;
    assert_eq!((&stored["plan"], &stored["seats"]), (&"gold".into(), &"5".into()));
    assert_eq!((&stored["contacts"][0]["displayName"], &stored["labels"]["tier"]), (&"Eve".into(), &"1".into()));

    let archived = done(up.address, &["accounts", "archive", "acme"]).await;
    assert!(archived.out.starts_with("acme is archived since 20"), "{}", archived.out);
    let refused = run(up.address, &["import", "accounts", &some]).await;
    assert!(refused.err.contains("until UnarchiveAccount"), "{}", refused.err);
    let back = done(up.address, &["accounts", "unarchive", "acme"]).await;
    assert_eq!(back.out, "acme is not archived; it is scored from today on.\n");
    assert_eq!(account().await.get("archiveTime"), None);
    done(up.address, &["import", "accounts", &some]).await;
    assert_eq!(up.end("-TERM").await, Some(0));
}

#[tokio::test]
async fn models_are_written_compared_checked_and_applied_as_text() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let default = done(up.address, &["models", "get", "default", "--yaml"]).await.out;
    let text = default.replacen("name: models/default", "name: models/ours", 1);
    let file = write(folder.path(), "ours.yaml", &text);

    let checked = done(up.address, &["models", "apply", &file, "--check"]).await;
    assert_eq!(checked.out, "ours can be created.\n");
    assert_eq!(run(up.address, &["models", "get", "ours"]).await.code, 1, "a check creates nothing");

    let applied = done(up.address, &["models", "apply", &file, "--activate"]).await;
    assert_eq!(applied.out, "ours scores from today on; all accounts are scored again.\n");
    assert_eq!(done(up.address, &["models", "get", "active", "--yaml"]).await.out, text);
    let differs = done(up.address, &["models", "diff", "default", &file, "--lines"]).await;
    assert!(differs.out.contains("\n- name: models/default\n+ name: models/ours\n"), "{}", differs.out);

    let same = done(up.address, &["models", "diff", "default", &file]).await;
    assert_eq!(same.out, "default and ours are the same.\n", "a name makes no difference");
    let lighter = write(folder.path(), "lighter.yaml", &text.replacen("weight: 27", "weight: 5", 1));
    let differs = done(up.address, &["models", "diff", "default", &lighter]).await;
    assert!(differs.out.contains("~  components.usage.weight  27      5"), "{}", differs.out);
    assert!(differs.out.contains("activity_trend                      27.0%   6.4%"), "{}", differs.out);
    let own = done(up.address, &["models", "activate", "default", "--segment", "enterprise"]).await;
    assert_eq!(own.out, "default scores enterprise accounts from today on; all accounts are scored again.\n");
    let unexplained = run(up.address, &["models", "release", "enterprise", "--accept-worse"]).await;
    assert!(unexplained.code == 2 && unexplained.err.contains("--reason"), "{}", unexplained.err);
    let release = ["models", "release", "enterprise", "--accept-worse", "--reason", "one model for all"];
    let released = done(up.address, &release).await;
    assert_eq!(released.out, "The general model, now ours, scores enterprise accounts from today on.\n");
    let tried = run(up.address, &["models", "backtest", &lighter, "--from", "2020-01-01", "--step", "300"]).await;
    assert!(tried.code == 1 && tried.err.contains("0 accounts left and 0 stayed"), "{}", tried.err);

    let faulty = write(folder.path(), "faulty.yaml", &text.replacen("weight: ", "weight: -", 1));
    let refused = run(up.address, &["models", "apply", &faulty]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("model.components[0].weight"), "{}", refused.err);
    let unreadable = write(folder.path(), "unreadable.yaml", "name: models/x\nnames: y\n");
    let refused = run(up.address, &["models", "apply", &unreadable]).await;
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("line 2"), "{}", refused.err);
    assert_eq!(up.end("-TERM").await, Some(0));
}

#[tokio::test]
async fn a_port_that_others_reach_is_refused() {
    let ran = Command::new(env!("CARGO_BIN_EXE_mainstay"))
        .args(["up", "--listen", "0.0.0.0:7461"])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("runs");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("only this machine is served"));
}
