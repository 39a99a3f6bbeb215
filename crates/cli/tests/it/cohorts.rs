//! `mainstay cohorts exposure`, `mainstay cohorts change` and `mainstay cohorts retention`, on services of their own.

use std::fmt::Write as _;

use tokio::process::Command;

use crate::up::{Up, done, folder};
use crate::{run, write};

/// The UTC day so many days ago.
async fn days_ago(days: u32) -> String {
    let ago = format!("-{days} days");
    let date = Command::new("date").args(["-u", "-d", &ago, "+%F"]).output().await.expect("date runs");
    String::from_utf8(date.stdout).expect("text").trim().to_owned()
}

/// 60 customers of two years. The first 20 were hit by an incident 130 days ago, and 12 of them left 70 days ago, as did 6 others; one
/// was given a feature 100 days ago.
async fn customers(up: &Up, folder: &std::path::Path) {
    let [start, hit, given, left] = [days_ago(730).await, days_ago(130).await, days_ago(100).await, days_ago(70).await];
    let mut accounts = "account,name,segment,activation_date,arr\n".to_owned();
    let mut signals = "account,date,kind,incident_id,severity,feature,action\n".to_owned();
    for number in 0..60 {
        writeln!(accounts, "c-{number},Customer {number},smb,{start},1200 EUR").expect("a string takes all");
        if number < 20 {
            writeln!(signals, "c-{number},{hit},incident,inc-1,major,,").expect("a string takes all");
        }
        if !(12..54).contains(&number) {
            writeln!(signals, "c-{number},{left},lifecycle,,,,churn").expect("a string takes all");
        }
    }
    writeln!(signals, "c-30,{given},feature_release,,,sso,").expect("a string takes all");
    done(up.address, &["import", "accounts", &write(folder, "accounts.csv", &accounts)]).await;
    let imported = done(up.address, &["import", "signals", &write(folder, "signals.csv", &signals)]).await;
    assert!(imported.out.starts_with("signals: 39 recorded"), "{}", imported.out);
}

#[tokio::test]
async fn r89_r90_what_goes_with_leaving_comes_as_tables_markdown_json_and_csv() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    customers(&up, folder.path()).await;

    let landmark = days_ago(100).await;
    let incidents = ["cohorts", "exposure", "incidents", "--landmark", &landmark];
    let shown = done(up.address, &incidents).await.out;
    assert!(shown.starts_with("Incidents and retention, as of "), "{shown}");
    assert!(shown.contains("\nall           20    12  40% ("), "{shown}");
    assert!(
        shown.contains("Of 40 customers who were not exposed, 24.0 would be expected to leave if all were"),
        "{shown}"
    );
    assert!(shown.contains("Yearly revenue: 24,000.00 EUR of the exposed, 48,000.00 EUR of the others."), "{shown}");
    assert!(shown.contains("not what causes what"), "{shown}");
    let markdown = done(up.address, &[&incidents[..], &["--output", "markdown"]].concat()).await.out;
    assert!(markdown.contains("\n| SEGMENT | EXPOSED | LEFT | STAYED | OTHERS |"), "{markdown}");
    let csv = done(up.address, &[&incidents[..], &["--csv"]].concat()).await.out;
    assert!(
        csv.starts_with("segment,group,day,at_risk,churned,survival,low,high\nall,exposed,0,20,0,1,1,1\n"),
        "{csv}"
    );
    let json = done(up.address, &[&incidents[..], &["--at-least", "2", "--output", "json"]].concat()).await.out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["landmarkDay"], &json["all"]["reference"]["customerCount"]), (&landmark.into(), &"60".into()));
    assert_eq!(json["stratifiedTestObstacle"], "one of the groups has no customers");

    let shown = done(up.address, &["cohorts", "change", "--feature", "sso", "--follow", "60"]).await.out;
    assert!(shown.starts_with("Retention before and after the feature sso of "), "{shown}");
    assert!(shown.contains("\nbefore  ") && shown.contains("Who left, month by month\nMONTH    CUSTOMERS"), "{shown}");
    assert!(shown.contains("After less before, in points: -30.0.\n"), "{shown}");
    let months = done(up.address, &["cohorts", "change", &days_ago(100).await, "--csv", "months"]).await.out;
    assert!(months.starts_with("month,customers,churned,churn_rate,low,high,over\n"), "{months}");
    let refused = run(up.address, &["cohorts", "change", "--feature", "dark-mode"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("no customer was given a feature `dark-mode`"), "{}", refused.err);
    assert_eq!(run(up.address, &["cohorts", "change"]).await.code, 2, "a day or a feature is needed");
}

#[tokio::test]
async fn retention_says_as_of_when_it_is_to_people_and_csv_has_figures_only() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let nobody = done(up.address, &["cohorts", "retention"]).await;
    assert!(nobody.out.starts_with("Retention of customers, as of 20"), "{}", nobody.out);
    assert!(nobody.err.contains("There are no customers."), "{}", nobody.err);
    let since = days_ago(100).await;
    let accounts = format!("id,name,segment,activation_date,arr\nacme,Acme,smb,{since},1200 EUR\n");
    done(up.address, &["import", "accounts", &write(folder.path(), "accounts.csv", &accounts)]).await;
    let shown = done(up.address, &["cohorts", "retention", "--by", "segment"]).await.out;
    assert!(shown.starts_with("Retention of customers, as of 20") && shown.contains("\nCOHORT  ACCOUNTS"), "{shown}");
    let markdown = done(up.address, &["cohorts", "retention", "--output", "markdown"]).await.out;
    assert!(markdown.starts_with("# Retention of customers, as of 20"), "{markdown}");
    assert!(markdown.contains("\n| COHORT | ACCOUNTS | LEFT |"), "{markdown}");
    let csv = done(up.address, &["cohorts", "retention", "--csv"]).await.out;
    assert!(csv.starts_with("cohort,currency,month,"), "{csv}");
}
