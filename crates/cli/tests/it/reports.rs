//! `mainstay reports` and `mainstay health sync`, on services of their own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::up::{PATIENCE, Up, done, folder, today, wait_for_score};
use crate::{run, write};

/// The day so many days ago, as the services have it.
async fn days_ago(days: u32) -> String {
    let date =
        Command::new("date").args(["-u", "-d", &format!("-{days} days"), "+%F"]).output().await.expect("date runs");
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
        markdown.contains("## Bands\n\n| BAND | CUSTOMERS | BEFORE | ARR |\n| --- | ---: | ---: | ---: |\n"),
        "{markdown}"
    );
    let bands = done(up.address, &["reports", "health", "--csv", "bands"]).await.out;
    assert_eq!(
        bands,
        "band,customers,customers_before,arr\nno score,0,2,\ncritical,1,0,900.00 EUR\nat risk,0,0,\nstable,0,0,\nhealthy,1,0,1200.00 EUR\n"
    );
    let rows = format!("account,time,kind,question,score,source_id\nacme,{},survey_answer,nps,10,a-1\n", today().await);
    done(up.address, &["import", "signals", &write(folder.path(), "answers.csv", &rows)]).await;
    let summary = done(up.address, &["reports", "health", "--csv", "summary"]).await.out;
    let columns = ",customers_referenceable,referenceable_share,customers_ready_to_grow,arr_ready_to_grow\n";
    assert!(summary.contains(columns), "r200, r201: {summary}");
    assert!(summary.ends_with(",1,0.5,0,\n"), "r201: acme is healthy, and a promoter: {summary}");
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
async fn r216_files_say_which_system_speaks_and_the_report_tells_on_what_they_disagree() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let crm = write(folder.path(), "crm.csv", "account,display_name,plan,seats\nacme,Acme Ltd,Pro,5\n");
    done(up.address, &["import", "accounts", &crm, "--source", "crm"]).await;
    let billing = write(folder.path(), "billing.csv", "account,plan,seats\nacme,pro,7\n");
    done(up.address, &["import", "accounts", &billing, "--source", "billing"]).await;
    let told = done(up.address, &["reports", "data", "--csv", "disagreements"]).await.out;
    assert_eq!(told, "field,owner_email,customers,account,claims\nseats,,1,acme,billing: 7; crm: 5\n");
    let sources = done(up.address, &["reports", "data", "--csv", "sources"]).await.out;
    let expected = format!("systems/billing/account,speaks,{},0,,", today().await);
    assert!(sources.lines().any(|line| line == expected), "{sources}");
    let claims = done(up.address, &["accounts", "claims", "acme"]).await.out;
    assert_eq!(claims.lines().filter(|line| line.ends_with("disputed")).count(), 2, "{claims}");
    let refused = run(up.address, &["import", "accounts", &crm, "--source", "Our CRM"]).await;
    assert!(refused.code != 0 && refused.err.contains("source"), "{}", refused.err);
}

#[tokio::test]
async fn r76_the_map_of_touchpoints_comes_as_tables_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let customers = "account,display_name,activation_time\nacme,Acme Ltd,2024-01-01\n";
    done(up.address, &["import", "accounts", &write(folder.path(), "customers.csv", customers)]).await;
    let shown = done(up.address, &["cohorts", "touchpoints"]).await.out;
    assert!(shown.contains("Nobody met friction."), "{shown}");
    let summary = done(up.address, &["cohorts", "touchpoints", "--csv", "summary"]).await.out;
    assert!(summary.trim_end().ends_with(",1,0"), "one customer, who stayed: {summary}");
    let json = done(up.address, &["cohorts", "touchpoints", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["customerCount"], "1");
    let refused = run(up.address, &["cohorts", "touchpoints", "--window", "999"]).await;
    assert!(refused.code == 1 && refused.err.contains("must be 1 to 365"), "{}", refused.err);
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
    assert_eq!(
        (&json["account"]["displayName"], &json["newestFigures"][0]["value"]),
        (&"Acme Ltd".into(), &5.0.into())
    );
    let refused = run(up.address, &["accounts", "card", "nobody"]).await;
    assert_eq!(refused.code, 1, "{}", refused.err);
}

#[tokio::test]
async fn r185_r186_r210_the_report_of_revenue_comes_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let goals = ["reports", "revenue", "--csv", "goals", "--target", "arr-at-risk-share=0.5"];
    let goals = done(up.address, &goals).await.out;
    assert!(
        goals.contains("\narr at risk share,EUR,0.42857142857142855,0.5,met,2,request,\n"),
        "900 of 2,100: {goals}"
    );
    assert!(goals.contains("\nrenewal rate,,,0.85,no data,0,usual,\n"), "{goals}");
    let today = today().await;
    let rows = format!(
        "account,time,kind,invoice_id,action,amount,source_id\n\
         acme,{today},invoice,in-1,payment_failed,49.50 EUR,in-1/1\n\
         acme,{today},invoice,in-2,overdue,100 USD,in-2/1\n"
    );
    done(up.address, &["import", "signals", &write(folder.path(), "invoices.csv", &rows)]).await;

    let shown = done(up.address, &["reports", "revenue"]).await.out;
    assert!(shown.starts_with("Payments and revenue, as of "), "{shown}");
    assert!(shown.contains("\nMost unpaid money\nACCOUNT  NAME      SEGMENT      UNPAID  INVOICES"), "{shown}");
    let markdown = done(up.address, &["reports", "revenue", "--period", "day", "--output", "markdown"]).await.out;
    assert!(markdown.contains("| invoice failed | 1 | 1 | 49.50 EUR |\n"), "{markdown}");
    assert!(markdown.contains("There is no forecast model yet: mainstay forecast train."), "{markdown}");
    let ages = done(up.address, &["reports", "revenue", "--csv", "ages"]).await;
    assert!(ages.err.starts_with("Unpaid invoices by age: Payments and revenue, as of "), "{}", ages.err);
    let ages = ages.out;
    let expected = "days,invoices,customers,unpaid,invoices_before,unpaid_before\n0-7,2,1,49.50 EUR; 100.00 USD,0,\n";
    assert!(ages.starts_with(expected), "{ages}");
    let json = done(up.address, &["reports", "revenue", "--owner", "mia@example.com", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["paymentStatus"]["unpaidInvoiceCount"], "2");
    let set = ["reports", "set-target", "renewal-rate", "0.9", "--team", "sales", "--team", "support"];
    let told = done(up.address, &set).await.err;
    assert_eq!(told, "The target of renewal rate is ≥ 90.0% now, for sales, support together.\n");
    let goals = done(up.address, &["reports", "revenue", "--csv", "goals"]).await.out;
    assert!(goals.contains("\nrenewal rate,,,0.9,no data,0,shared,sales support\n"), "{goals}");
    let targets = done(up.address, &["reports", "targets"]).await.out;
    assert!(targets.contains("\ntime to value days    ≤ 30.0  usual"), "{targets}");
    let told = done(up.address, &["reports", "set-target", "renewal-rate", "--usual"]).await.err;
    assert_eq!(told, "The target of renewal rate is the usual one again, ≥ 85.0%.\n");
    let refused = run(up.address, &["reports", "revenue", "--target", "nrr=1"]).await;
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("net-retention"), "{}", refused.err);
}

#[tokio::test]
async fn r52_the_report_of_service_comes_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let (opened, resolved, today) = (days_ago(12).await, days_ago(10).await, today().await);
    let rows = format!(
        "account,time,kind,ticket_id,action,question,score,source_id\n\
         acme,{opened},ticket,t-1,opened,,,t-1/1\n\
         acme,{resolved},ticket,t-1,resolved,,,t-1/2\n\
         globex,{opened},ticket,t-2,opened,,,t-2/1\n\
         globex,{resolved},ticket,t-2,escalated,,,t-2/2\n\
         globex,{resolved},ticket,t-2,resolved,,,t-2/3\n\
         globex,{today},ticket,t-3,opened,,,t-3/1\n\
         acme,{today},survey_answer,,,ces,6,a-1\n"
    );
    done(up.address, &["import", "signals", &write(folder.path(), "tickets.csv", &rows)]).await;
    let shown = done(up.address, &["reports", "service"]).await.out;
    assert!(shown.starts_with("Service to customers, as of "), "{shown}");
    assert!(shown.contains("\nMedian hours from the opening\nSEGMENT  FIRST ANSWER"), "{shown}");
    let first_contact = done(up.address, &["reports", "service", "--csv", "first-contact"]).await.out;
    let lines: Vec<&str> = first_contact.lines().collect();
    assert_eq!(lines.len(), 3, "{first_contact}");
    assert!(lines[1].starts_with("all,0.5,0.09") && lines[1].ends_with(",1,2,,0,0"), "{first_contact}");
    assert!(lines[2].starts_with("smb,0.5,"), "{first_contact}");
    let effort = done(up.address, &["reports", "service", "--period", "day", "--csv", "effort"]).await.out;
    assert!(effort.ends_with("\nall,6,1,,0\nsmb,6,1,,0\n"), "{effort}");
    let markdown = done(up.address, &["reports", "service", "--output", "markdown"]).await.out;
    assert!(markdown.contains("| all | 3 | 0 | 2 | 0 | 0 | 0 | 1 | 0 |\n"), "{markdown}");
    let hers = ["reports", "service", "--owner", "mia@example.com", "--output", "json"];
    let json: serde_json::Value = serde_json::from_str(&done(up.address, &hers).await.out).expect("JSON");
    let figures = &json["figures"];
    assert_eq!((&figures["decidedCount"], &figures["firstContactRate"]), (&"1".into(), &1.0.into()));
}

#[tokio::test]
async fn r192_the_report_of_requested_features_comes_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let today = today().await;
    let rows = format!(
        "account,time,kind,feature,source_id\n\
         acme,{today},feature_request,sso,r-1\n\
         globex,{today},feature_request,sso,r-2\n\
         acme,{today},feature_request,export,r-3\n\
         acme,{today},feature_release,export,r-4\n"
    );
    done(up.address, &["import", "signals", &write(folder.path(), "requests.csv", &rows)]).await;
    let shown = done(up.address, &["reports", "features"]).await.out;
    assert!(shown.starts_with("Requested features, as of "), "{shown}");
    let features = done(up.address, &["reports", "features", "--csv", "features"]).await.out;
    let rows: Vec<&str> = features.lines().skip(1).collect();
    let expected =
        [format!("sso,900.00 EUR,1,2100.00 EUR,2,2,2,2,0,{today}"), format!("export,,0,1200.00 EUR,1,1,1,1,0,{today}")];
    assert_eq!(rows, expected);
    let given = done(up.address, &["reports", "features", "--csv", "given"]).await.out;
    assert!(given.ends_with("\nexport,1,1,,0\n"), "{given}");
    let markdown = done(up.address, &["reports", "features", "--size", "1", "--output", "markdown"]).await.out;
    assert!(markdown.contains("| FEATURES | LISTED |"), "{markdown}");
    let json = done(up.address, &["reports", "features", "--days", "28", "--output", "json"]).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((json["featureCount"].as_str(), json["features"][1]["feature"].as_str()), (Some("2"), Some("export")));
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

#[tokio::test]
async fn r84_r182_a_crm_hears_of_corrections_facts_and_the_archive_when_no_score_moves() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    two_customers(up.address, folder.path()).await;
    let file = folder.path().join("scores.csv");
    let path = file.to_str().expect("a plain path").to_owned();
    let titles = "account,display_name,segment,arr,currency,day,score,band,change_1d,change_7d,change_30d,coverage,model,\
                  scored,corrected_band,corrected_by,disputed_by,archived";
    // Each account of the file with its last columns; the file is taken over.
    let next = async |flags: &[&str]| -> Vec<(String, String)> {
        done(up.address, &[&["health", "sync", &path], flags].concat()).await;
        let text = std::fs::read_to_string(&file).expect("the file");
        std::fs::remove_file(&file).expect("taken over");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(titles));
        let last = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[0].to_owned(), fields[14..].join(","))
        };
        lines.map(last).collect()
    };
    let line = |account: &str, last: &str| (account.to_owned(), last.to_owned());
    let nothing = Vec::<(String, String)>::new();
    assert_eq!(next(&[]).await, [line("acme", ",,,"), line("globex", ",,,")]);

    let correct = ["health", "correct", "globex", "--band", "healthy", "--reason", "They talk to us daily"];
    done(up.address, &correct).await;
    assert_eq!(next(&[]).await, [line("globex", "healthy,CSM,,")]);
    let dispute = ["health", "dispute", "globex", "--reason", "We are content", "--by", "customer"];
    done(up.address, &[dispute.as_slice(), &["--contact", "eve@globex.example"]].concat()).await;
    assert_eq!(next(&[]).await, [line("globex", "healthy,CSM,customer,")]);
    let listed = done(up.address, &["health", "corrections", "--output", "json"]).await.out;
    for label in listed.lines() {
        let label: serde_json::Value = serde_json::from_str(label).expect("JSON");
        let name = label["name"].as_str().expect("a name").to_owned();
        if label["kind"] == "LABEL_KIND_OVERRIDE" {
            done(up.address, &["health", "withdraw", &name]).await;
        } else {
            let review = ["health", "review", &name, "reject", "It is computed right", "--reviewer", "sam@example.com"];
            done(up.address, &review).await;
        }
    }
    assert_eq!(next(&[]).await, [line("globex", ",,,")]);
    assert_eq!(next(&[]).await, nothing);

    let renamed = write(folder.path(), "renamed.csv", "account,display_name\nacme,Acme GmbH\n");
    done(up.address, &["import", "accounts", &renamed]).await;
    assert_eq!(next(&[]).await, [line("acme", ",,,")]);
    done(up.address, &["accounts", "archive", "acme"]).await;
    let [(account, last)] = next(&[]).await.try_into().expect("one line");
    assert!(account == "acme" && last.starts_with(",,,20"), "{account} {last}");
    let full = next(&["--full"]).await;
    assert_eq!(full, [line("acme", &last), line("globex", ",,,")], "who has files learns of it, whatever was missed");
    done(up.address, &["accounts", "unarchive", "acme"]).await;
    assert_eq!(next(&[]).await, [line("acme", ",,,")]);
}
