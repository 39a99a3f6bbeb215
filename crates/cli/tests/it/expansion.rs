//! `mainstay plans` and `mainstay opportunities`, against all services in one process.

use std::time::Duration;

use tokio::time::timeout;

use crate::up::{PATIENCE, Up, folder};
use crate::{Ran, run, write};

const TEAM: &str = r#"{
  "displayName": "Team", "upgradePlan": "plans/business", "limits": [ { "metric": "emails", "limit": 10000 } ],
  "includedSeats": "5",
  "prices": [ { "period": "PRICE_PERIOD_MONTH", "basis": "PRICE_BASIS_PER_SEAT",
                "amount": { "currencyCode": "EUR", "minorUnits": "1900" } } ]
}"#;
const BUSINESS: &str = r#"{
  "displayName": "Business", "limits": [ { "metric": "emails", "limit": 50000 } ], "features": [ "automation" ],
  "prices": [ { "period": "PRICE_PERIOD_MONTH", "basis": "PRICE_BASIS_PER_SEAT",
                "amount": { "currencyCode": "EUR", "minorUnits": "2900" } } ]
}"#;

/// Runs a command on expansion to its end, which must be good.
async fn done(up: &Up, arguments: &[&str]) -> Ran {
    let ran = try_run(up, arguments).await;
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran
}

async fn try_run(up: &Up, arguments: &[&str]) -> Ran {
    let server = up.expansion.to_string();
    run(up.address, &[arguments, &["--expansion-server", &server]].concat()).await
}

#[tokio::test]
async fn an_opportunity_is_led_from_the_command_line_with_what_the_plans_say() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    for (id, plan) in [("team", TEAM), ("business", BUSINESS)] {
        let file = write(folder.path(), &format!("{id}.json"), plan);
        let said = done(&up, &["plans", "apply", id, &file, "--check"]).await;
        assert_eq!(said.out, format!("{id}/versions/1 could be created.\n"));
        let said = done(&up, &["plans", "apply", id, &file, "--publish"]).await;
        assert_eq!(said.out, format!("{id}/versions/1 is in force.\n"));
    }
    let wrong = write(folder.path(), "wrong.json", r#"{ "displayname": "Team" }"#);
    let refused = try_run(&up, &["plans", "apply", "wrong", &wrong]).await;
    assert_eq!(refused.code, 2, "{}", refused.err);
    let listed = done(&up, &["plans", "list"]).await;
    assert!(listed.out.contains("team      ") && listed.out.contains("in force"), "{}", listed.out);

    let csv = "id,name,plan,seats,arr,csm\nacme,Acme,team,15,2280.00 EUR,mia@example.com\n";
    let accounts = write(folder.path(), "accounts.csv", csv);
    let imported = run(up.address, &["import", "accounts", &accounts]).await;
    assert_eq!(imported.code, 0, "{} {}", imported.out, imported.err);
    // Scoring tells expansion of the account in the background.
    let compared = timeout(PATIENCE, async {
        loop {
            let ran = try_run(&up, &["plans", "compare", "acme"]).await;
            if ran.code == 0 {
                return ran.out;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let compared = compared.await.expect("the account is known");
    let expected = "\
15 seats, from team/versions/1 to business/versions/1:
PAID     NOW A YEAR   THEN A YEAR          MORE
monthly  2,280.00 EUR  5,220.00 EUR  2,940.00 EUR

LIMIT     NOW   THEN  USED  IN
emails  10000  50000
gets: automation
";
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&compared), words(expected), "{compared}");

    let opened = done(&up, &["opportunities", "open", "acme", "emails"]).await;
    assert!(opened.out.starts_with("acme/") && opened.out.contains(" is open; due "), "{}", opened.out);
    let refused = try_run(&up, &["opportunities", "advance", "acme"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("usage_pack") && refused.err.contains("price_comparison"), "{}", refused.err);
    let unknown = try_run(&up, &["opportunities", "check", "acme", "usage_pack", "nope"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("`nope` is no item of this stage, nothing was marked"), "{}", unknown.err);
    let shown = done(&up, &["opportunities", "show", "acme", "--output", "json"]).await;
    assert!(!shown.out.contains("doneTime"), "{}", shown.out);
    done(&up, &["opportunities", "check", "acme", "usage_pack"]).await;
    done(&up, &["opportunities", "check", "acme", "roi", "matching_features", "price_comparison"]).await;
    let advanced = done(&up, &["opportunities", "advance", "acme"]).await;
    assert!(advanced.out.contains(" is in the stage data prepared; due "), "{}", advanced.out);
    let shown = done(&up, &["opportunities", "show", "acme"]).await;
    for part in ["data prepared", "mia@example.com", "2,940.00 EUR", "present_trends", "moved on"] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let pipeline = done(&up, &["opportunities", "pipeline"]).await;
    assert!(pipeline.out.contains("data prepared      1  2,940.00 EUR"), "{}", pipeline.out);
    let both = try_run(&up, &["opportunities", "close", "acme", "--lost", "price", "--amount", "5 EUR"]).await;
    assert_eq!(both.code, 2, "what was lost has no amount: {}", both.err);
    let neither = try_run(&up, &["opportunities", "close", "acme"]).await;
    assert!(neither.code == 2 && neither.err.contains("--won") && neither.err.contains("--lost"), "{}", neither.err);
    let closed = done(&up, &["opportunities", "close", "acme", "--lost", "price", "--note", "too dear"]).await;
    assert!(closed.out.ends_with(" is lost.\n"), "{}", closed.out);
    let gone = try_run(&up, &["opportunities", "show", "acme"]).await;
    assert_eq!(gone.code, 2);
    assert!(gone.err.contains("has no open opportunity"), "{}", gone.err);
    let json = done(&up, &["opportunities", "list", "--stage", "lost", "--output", "json"]).await;
    let lost: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((&lost["stage"], &lost["lostReason"]), (&"OPPORTUNITY_STAGE_LOST".into(), &"LOST_REASON_PRICE".into()));
    let candidates = done(&up, &["opportunities", "candidates"]).await;
    assert_eq!((candidates.out.as_str(), candidates.err.trim()), ("", "No candidates match."));
    let review = done(&up, &["opportunities", "review", "--month", "2020-01"]).await;
    assert!(review.out.contains("2020-01"), "{}", review.out);
    assert_eq!(up.end("-TERM").await, Some(0));
}
