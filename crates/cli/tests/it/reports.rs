//! `mainstay reports` and `mainstay health sync`, on services of their own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::up::{PATIENCE, Up, done, folder, wait_for_score};
use crate::{run, write};

/// Today, as the services have it.
async fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output().await.expect("date runs");
    String::from_utf8(date.stdout).expect("text").trim().to_owned()
}

/// Judges an account.
async fn judge(address: SocketAddr, account: &str, rating: &str) {
    let said = done(address, &["health", "judge", account, rating, "--by", "mia@example.com"]).await.out;
    assert_eq!(said, format!("{account} is judged with {rating} of 5; its score follows in a moment.\n"));
}

/// Two customers, one of whom is all well and one who is about to leave.
async fn two_customers(address: SocketAddr, folder: &Path) {
    let customers = "account,display_name,segment,arr,csm\nacme,Acme Ltd,smb,1200.00 EUR,mia@example.com\nglobex,Globex,smb,900 EUR,\n";
    done(address, &["import", "accounts", &write(folder, "customers.csv", customers)]).await;
    judge(address, "acme", "5").await;
    judge(address, "globex", "1").await;
    for account in ["acme", "globex"] {
        wait_for_score(address, account).await;
    }
}

#[tokio::test]
async fn r58_r193_reports_come_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;

    let shown = done(up.address, &["reports", "health"]).await.out;
    assert!(shown.starts_with("Health of customers, as of "), "{shown}");
    assert!(shown.contains("Most revenue at risk\nACCOUNT  NAME    SEGMENT  SCORE  BAND"), "{shown}");
    let markdown = done(up.address, &["reports", "health", "--period", "week", "--output", "markdown"]).await.out;
    assert!(
        markdown.contains("## Bands\n\n| BAND | CUSTOMERS | BEFORE | ARR |\n| --- | --- | --- | --- |\n"),
        "{markdown}"
    );
    let bands = done(up.address, &["reports", "health", "--csv", "bands"]).await.out;
    assert_eq!(
        bands,
        "band,customers,customers_before,arr\nno score,0,2,\ncritical,1,0,900.00 EUR\nat risk,0,0,\nstable,0,0,\nhealthy,1,0,1200.00 EUR\n"
    );
    let json = done(up.address, &["reports", "health", "--owner", "mia@example.com", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["accountCount"], "1");

    done(up.address, &["reports", "own", "sources/stories/pulses", "mia@example.com"]).await;
    let sources = done(up.address, &["reports", "data", "--csv", "sources"]).await.out;
    let expected = format!("stories/pulses,speaks,{},0,,mia@example.com", today().await);
    assert!(sources.lines().any(|line| line == expected), "{sources}");
    let refused = run(up.address, &["reports", "own", "fields/colour", "mia@example.com"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("fields/renewal_time"), "{}", refused.err);
}

#[tokio::test]
async fn a_judgement_that_is_none_is_refused_before_it_is_sent() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let refused = run(up.address, &["health", "judge", "acme", "6"]).await;
    assert!(refused.code != 0 && refused.err.contains("6 is not in 1..=5"), "{}", refused.err);
    let refused = run(up.address, &["health", "judge", "nobody", "3"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("accounts/nobody does not exist"), "{}", refused.err);
}

#[tokio::test]
async fn r81_a_card_shows_an_account_at_a_glance() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let card = done(up.address, &["accounts", "card", "globex"]).await.out;
    assert!(card.starts_with("Account  Globex (globex)\nHealth   0.0 (critical)\n"), "{card}");
    assert!(card.contains(&format!("Said     judged 1.0 on {}\n", today().await)), "{card}");
    assert!(card.contains("\nWhat to do\n"), "{card}");
    let json = done(up.address, &["accounts", "card", "acme", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["account"]["plan"], &json["newestFigures"][0]["value"]), (&"".into(), &5.0.into()));
    let refused = run(up.address, &["accounts", "card", "nobody"]).await;
    assert_eq!(refused.code, 1, "{}", refused.err);
}

#[tokio::test]
async fn r182_a_crm_gets_all_accounts_first_and_then_what_changed_and_loses_nothing() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let file = folder.path().join("scores.csv");
    let path = file.to_str().expect("a plain path").to_owned();
    let accounts = || -> Vec<String> {
        let text = std::fs::read_to_string(&file).expect("the file");
        text.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
    };
    let first = done(up.address, &["health", "sync", &path]).await;
    assert!(first.err.contains("2 accounts in all are in"), "{}", first.err);
    assert_eq!(accounts(), ["acme", "globex"]);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains("\nacme,Acme Ltd,smb,1200.00,EUR,"), "{text}");
    done(up.address, &["health", "sync", &path]).await;
    assert_eq!(accounts(), ["acme", "globex"], "nobody has taken the file over");

    judge(up.address, "globex", "5").await;
    let changed = async {
        loop {
            std::fs::remove_file(&file).ok();
            done(up.address, &["health", "sync", &path]).await;
            if accounts() == ["globex"] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, changed).await.expect("the change is written");
    done(up.address, &["health", "sync", &path]).await;
    assert_eq!(accounts(), ["globex"], "as long as the file is there, it keeps what it held");
    std::fs::remove_file(&file).expect("taken over");
    done(up.address, &["health", "sync", &path]).await;
    assert_eq!(accounts(), Vec::<String>::new());
    done(up.address, &["health", "sync", &path, "--full"]).await;
    assert_eq!(accounts(), ["acme", "globex"]);
}
