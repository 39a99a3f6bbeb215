//! `mainstay renewals sync`, on services of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::company::Company;
use crate::up::{PATIENCE, Up, done, folder};
use crate::{Ran, command, run, write};

/// Where the sales tool takes files from.
struct Spool {
    address: SocketAddr,
    folder: PathBuf,
}

impl Spool {
    fn new(address: SocketAddr, folder: &Path) -> Self {
        Self { address, folder: folder.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("renewals.csv")
    }

    fn state(&self) -> PathBuf {
        self.folder.join("renewals.csv.cursor")
    }

    fn arguments(&self) -> [String; 3] {
        ["renewals", "sync", self.file().to_str().expect("a plain path")].map(str::to_owned)
    }

    async fn sync(&self) -> Ran {
        done(self.address, &self.arguments().each_ref().map(String::as_str)).await
    }

    /// Starts a run that stops where it would write the file, and waits until it is there. It is the caller's to kill.
    async fn sync_until_the_file(&self) -> Child {
        let before = std::fs::read_to_string(self.state()).unwrap_or_default();
        // Nobody reads this pipe: whoever opens it to write waits.
        let part = self.folder.join("renewals.csv.part");
        let made = Command::new("mkfifo").arg(&part).status().await.expect("mkfifo runs");
        assert!(made.success());
        let arguments = self.arguments();
        let child = command(self.address, &arguments.each_ref().map(String::as_str))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let is_there = async {
            while std::fs::read_to_string(self.state()).unwrap_or_default() == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, is_there).await.expect("it gets there");
        child
    }

    /// Kills it as if the power went out.
    async fn kill(&self, mut child: Child) {
        child.kill().await.expect("killed");
        std::fs::remove_file(self.folder.join("renewals.csv.part")).expect("the pipe");
    }

    /// The account, due day, status and last column of each line of the file.
    fn lines(&self) -> Vec<[String; 4]> {
        let text = std::fs::read_to_string(self.file()).expect("the file");
        let line = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), 24, "{line}");
            [fields[0], &fields[1][..10], fields[2], fields[23]].map(str::to_owned)
        };
        text.lines().skip(1).map(line).collect()
    }

    fn take_over(&self) {
        std::fs::remove_file(self.file()).expect("taken over");
    }

    /// Imports accounts.
    async fn import(&self, csv: &str) {
        done(self.address, &["import", "accounts", &write(&self.folder, "accounts.csv", csv)]).await;
    }
}

fn open(account: &str, due: &str) -> [String; 4] {
    [account, due, "open", ""].map(str::to_owned)
}

fn gone(account: &str, due: &str, status: &str) -> [String; 4] {
    [account, due, status, ""].map(str::to_owned)
}

#[tokio::test]
async fn r184_sales_get_all_open_renewals_first_and_then_what_changed_and_what_is_gone() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let spool = Spool::new(up.address, folder.path());
    spool
        .import(
            "id,name,segment,arr,renewal_date,csm,account_manager\n\
             moves,Moves,smb,1200 EUR,2060-03-01,mia@example.com,al@example.com\n\
             renews,Renews,smb,900 EUR,2060-04-01,,\n\
             leaves,Leaves,smb,900 EUR,2060-05-01,,\n\
             rests,Rests,smb,900 EUR,2060-06-01,,\n\
             stays,Stays,enterprise,50 USD,2060-07-01,,\n",
        )
        .await;
    let first = spool.sync().await;
    assert!(first.err.contains("5 renewals in all and 0 gone are in"), "{}", first.err);
    let text = std::fs::read_to_string(spool.file()).expect("the file");
    assert!(text.starts_with("account,renewal_time,status,display_name,segment,quarter,arr,"), "{text}");
    let line = "\nmoves,2060-03-01T00:00:00Z,open,Moves,smb,2060-Q1,1200.00,,EUR,,,,,,,,,,no score,mia@example.com,al@example.com,,,\n";
    assert!(text.contains(line), "{text}");
    spool.sync().await;
    assert_eq!(std::fs::read_to_string(spool.file()).expect("the file"), text, "nobody has taken the file over");
    spool.take_over();
    spool.sync().await;
    assert_eq!(spool.lines(), Vec::<[String; 4]>::new(), "nothing changed");

    done(up.address, &["renewals", "call", "moves", "commit", "--by", "mia@example.com"]).await;
    done(up.address, &["renewals", "call", "stays", "churn", "--by", "sam@example.com", "--note", "new CFO"]).await;
    spool.import("id,renewal_date\nmoves,2060-03-20\nrenews,2061-04-01\n").await;
    spool.import("id,stage\nleaves,churned\n").await;
    done(up.address, &["accounts", "archive", "rests"]).await;
    let told = spool.sync().await;
    assert!(told.err.contains("3 renewals new or changed and 4 gone are in"), "{}", told.err);
    let moved = ["moves", "2060-03-01", "moved", "2060-03-20T00:00:00Z"].map(str::to_owned);
    let expected = [
        gone("leaves", "2060-05-01", "churned"),
        moved,
        open("moves", "2060-03-20"),
        gone("renews", "2060-04-01", "renewed"),
        open("renews", "2061-04-01"),
        gone("rests", "2060-06-01", "archived"),
        open("stays", "2060-07-01"),
    ];
    assert_eq!(spool.lines(), expected);
    let text = std::fs::read_to_string(spool.file()).expect("the file");
    let moved = text.lines().find(|line| line.starts_with("moves,2060-03-20")).expect("the moved one");
    assert!(moved.contains(",commit,mia@example.com,20"), "what was called goes along: {moved}");
    assert!(text.contains(",churn,sam@example.com,20") && text.contains(",new CFO,"), "{text}");
    spool.sync().await;
    assert_eq!(spool.lines(), expected, "as long as the file is there, it keeps what it held");
    spool.take_over();
    done(up.address, &["accounts", "unarchive", "rests"]).await;
    spool.sync().await;
    assert_eq!(spool.lines(), [open("rests", "2060-06-01")]);

    // With everything sent again, what was sent of those that are gone by now is taken back.
    spool.take_over();
    done(up.address, &["accounts", "archive", "stays"]).await;
    let [renewals, sync, file] = spool.arguments();
    let all = done(up.address, &[&renewals, &sync, &file, "--full", "--output", "json"]).await;
    assert!(all.err.contains("3 renewals new or changed and 1 gone are in"), "{}", all.err);
    let text = std::fs::read_to_string(spool.file()).expect("the file");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let said: Vec<_> = lines.iter().map(|line| (line["account"].as_str(), line["status"].as_str())).collect();
    let expected = [("moves", "open"), ("renews", "open"), ("rests", "open"), ("stays", "archived")];
    let expected = expected.map(|(account, status)| (format!("accounts/{account}"), status));
    assert_eq!(said, expected.each_ref().map(|(account, status)| (Some(account.as_str()), Some(*status))));
    assert_eq!((&lines[0]["quarter"], &lines[0]["owners"][0]["email"]), (&"2060-Q1".into(), &"mia@example.com".into()));
}

#[tokio::test]
async fn r184_nothing_is_lost_when_a_run_is_killed_before_or_after_it_put_the_file_in_place() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let spool = Spool::new(up.address, folder.path());
    let arr_is =
        async |arr: &str| spool.import(&format!("id,name,arr,renewal_date\nacme,Acme,{arr} EUR,2060-03-01\n")).await;
    arr_is("100").await;
    spool.sync().await;
    spool.take_over();

    // Killed before: the sales tool has 100 EUR, whatever was about to be written.
    arr_is("200").await;
    let child = spool.sync_until_the_file().await;
    let state_of_killed = std::fs::read_to_string(spool.state()).expect("a state");
    let second = run(up.address, &spool.arguments().each_ref().map(String::as_str)).await;
    assert_eq!(second.code, 2);
    assert!(second.err.contains("another run is writing the same file"), "two at once: {}", second.err);
    spool.kill(child).await;
    assert!(!spool.file().exists());
    spool.sync().await;
    assert_eq!(spool.lines(), [open("acme", "2060-03-01")]);

    // Killed after, and taken over: it has 200 EUR, and the line has to come again although all is as it was before that run.
    std::fs::write(spool.state(), &state_of_killed).expect("as the killed one left it");
    spool.take_over();
    arr_is("100").await;
    spool.sync().await;
    assert_eq!(spool.lines(), [open("acme", "2060-03-01")]);
    assert!(std::fs::read_to_string(spool.file()).expect("the file").contains(",100.00,"));
    spool.take_over();
    spool.sync().await;
    assert_eq!(spool.lines(), Vec::<[String; 4]>::new(), "and once is enough");

    // Of two that start together, one writes, and the other either waits for nobody or is told.
    let arguments = spool.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let (one, other) = tokio::join!(run(up.address, &arguments), run(up.address, &arguments));
    let codes = [one.code, other.code];
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 2].contains(code)), "{} {}", one.err, other.err);
    assert_eq!(spool.lines(), Vec::<[String; 4]>::new());
}

#[tokio::test]
async fn a_state_of_something_else_is_refused_with_what_to_do() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let spool = Spool::new(up.address, folder.path());
    std::fs::write(spool.state(), "\nAAAAAAAAAGQ\n").expect("of the health");
    let refused = run(up.address, &spool.arguments().each_ref().map(String::as_str)).await;
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("name another with --state, or remove it"), "{}", refused.err);
    assert!(!spool.file().exists());
}

#[tokio::test]
async fn r184_a_likelihood_comes_with_its_interval_and_model_and_again_once_it_moved_by_a_percent() {
    let company = Company::start().await;
    let folder = folder();
    let spool = Spool::new(company.up.address, folder.path());
    company
        .sql(
            "UPDATE scoring.accounts SET renewal_at = now() + interval '60 days'
              WHERE account_id IN (SELECT account_id FROM scoring.accounts WHERE lifecycle_stage = 3 ORDER BY account_id LIMIT 1)",
        )
        .await;
    done(company.up.address, &["forecast", "train"]).await;
    spool.sync().await;
    let text = std::fs::read_to_string(spool.file()).expect("the file");
    let fields: Vec<&str> = text.lines().nth(1).expect("a line").split(',').collect();
    let [likelihood, low, high] = [9, 10, 11].map(|place| fields[place].parse::<f64>().expect("a number"));
    assert!(0.0 < low && low < high && high <= 1.0 && (0.0..1.0).contains(&likelihood), "{text}");
    assert_eq!(fields[12], "1", "the model: {text}");
    let amount = |place: usize| fields[place].parse::<f64>().expect("an amount");
    assert!((amount(7) - amount(6) * likelihood).abs() <= 0.005, "{text}");

    spool.take_over();
    company.sql("UPDATE scoring.health SET measure_values = ARRAY[measure_values[1] + 0.01]").await;
    spool.sync().await;
    assert_eq!(spool.lines(), Vec::<[String; 4]>::new(), "the likelihood moved a little");
    spool.take_over();
    company
        .sql("UPDATE scoring.health SET measure_values = ARRAY[CASE WHEN measure_values[1] < 50 THEN 90 ELSE 10 END]")
        .await;
    spool.sync().await;
    assert_eq!(spool.lines().len(), 1);
    spool.take_over();
    done(company.up.address, &["forecast", "train"]).await;
    spool.sync().await;
    assert_eq!(spool.lines().len(), 1, "another model says it");
}
