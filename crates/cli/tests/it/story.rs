//! `mainstay story`, as its readers run it.

use std::process::Stdio;

use tokio::process::Command;
use tokio::time::timeout;

use crate::up::PATIENCE;
use crate::{ran, run};

#[tokio::test]
async fn the_story_goes_through_all_four_services_to_its_end() {
    let told = Command::new(env!("CARGO_BIN_EXE_mainstay"))
        .args(["story", "--output", "table"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let told = ran(timeout(PATIENCE * 5, told).await.expect("an end").expect("starts"));
    assert_eq!(told.code, 0, "{}\n{}", told.out, told.err);
    // Each is the outcome of what was before.
    let mut rest = told.out.as_str();
    for line in [
        "Critical ticket T-77",
        "A customer answered 3 of 10",
        "Overdue: call the customer by 2026-01-13 13:00 UTC; now with mia@example.com, dora@example.com",
        "The case of Globex SpA: resolved; next: hear the customer again, in 45 d.",
        "No activity for 14 days",
        "missing: a score above 70: it is ",
        "of them recovered    1",
        "The case of Globex SpA: saved.",
        "Week over week",
        "18700 of 20000 `api_calls` were used in 2026-04",
        "is with sam@example.com",
        " is won.",
        "saved, of those saved or churned           100%",
        "involve the director           100%",
    ] {
        let found = rest.find(line);
        rest = &rest[found.unwrap_or_else(|| panic!("`{line}` is missing from here on:\n{rest}"))..];
    }
}

#[tokio::test]
async fn findings_that_are_none_are_refused_before_anything_is_sent() {
    let nobody = "127.0.0.1:9".parse().expect("an address");
    let refused = run(nobody, &["cases", "update", "0198c0de-0000-7000-8000-000000000000"]).await;
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("there is nothing to record: give --done"), "{}", refused.err);
}
