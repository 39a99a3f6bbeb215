//! `mainstay import signals`.

use std::fmt::Write as _;

use crate::server::TestServer;
use crate::{run, write};

/// A file of so many different signals of one account.
fn file_of(count: usize) -> String {
    let mut text = "account,date,metric,quantity\n".to_owned();
    for quantity in 0..count {
        writeln!(text, "acme,2026-11-22,emails,{quantity}").expect("a string takes all");
    }
    text
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_from_the_first_batch_that_was_not_acknowledged() {
    let server = TestServer::start().await;
    server.state().cut_at = Some(3);
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "signals.csv", &file_of(50));
    let ran = run(server.address, &["import", "signals", &file, "--batch-size", "5"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("connecting again"), "{}", ran.err);
    // The third batch was recorded before the cut, so that its five are known when it comes again.
    assert_eq!(ran.out, "signals: 45 recorded, 5 known already; 0 rejected\n");
    let state = server.state();
    assert_eq!(state.signals.len(), 50);
    assert_eq!(state.sequences, [1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn an_import_that_is_run_again_changes_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "signals.csv", &file_of(12));
    let first = run(server.address, &["import", "signals", &file]).await;
    assert_eq!((first.code, first.out.as_str()), (0, "signals: 12 recorded, 0 known already; 0 rejected\n"));
    let again = run(server.address, &["import", "signals", &file]).await;
    assert_eq!((again.code, again.out.as_str()), (0, "signals: 0 recorded, 12 known already; 0 rejected\n"));
}

#[tokio::test]
async fn equal_rows_count_once_unless_their_lines_are_to_tell_them_apart() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = "account,date,metric,quantity\nacme,2026-11-22,orders,1\nacme,2026-11-22,orders,1\n";
    let file = write(folder.path(), "signals.csv", text);
    let by_content = run(server.address, &["import", "signals", &file]).await;
    assert_eq!(by_content.out, "signals: 1 recorded, 1 known already; 0 rejected\n");
    let by_line = run(server.address, &["import", "signals", &file, "--source-id-from", "line"]).await;
    assert_eq!(by_line.out, "signals: 2 recorded, 0 known already; 0 rejected\n");
}

#[tokio::test]
async fn bad_rows_and_refused_ones_are_set_aside_and_the_rest_is_taken_in() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let lines = [
        "{\"account\":\"acme\",\"time\":\"2026-11-22T10:00:00Z\",\"user\":\"u1\",\"source_id\":\"1\"}",
        "{\"account\":\"unknown\",\"time\":\"2026-11-22T10:00:00Z\",\"user\":\"u1\",\"source_id\":\"2\"}",
        "{\"account\":\"acme\",\"time\":\"22.11.2026\",\"user\":\"u1\",\"source_id\":\"3\"}",
        "{\"account\":\"acme\",\"time\":\"2026-11-22\",\"metric\":\"seats\",\"level\":\"NaN\",\"source_id\":\"4\"}",
    ];
    let file = write(folder.path(), "signals.jsonl", &lines.join("\n"));
    let rejects = folder.path().join("bad.jsonl");
    let rejects = rejects.to_str().expect("a plain path");
    let ran = run(server.address, &["import", "signals", &file, "--rejects", rejects]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "signals: 1 recorded, 0 known already; 3 rejected\n"));
    let rejected = std::fs::read_to_string(rejects).expect("set aside");
    let reasons: Vec<(u64, String)> = rejected
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|row| (row["rejected_line"].as_u64().expect("a number"), row["rejected_reason"].to_string()))
        .collect();
    assert_eq!(reasons.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(reasons[0].1.contains("there is no account"), "{reasons:?}");
    assert!(reasons[1].1.contains("event_time: ") && reasons[2].1.contains("level: "), "{reasons:?}");
}

#[tokio::test]
async fn a_file_of_nothing_but_bad_rows_is_a_failure() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "signals.csv", "account,date\nacme,2026-11-22\n");
    let ran = run(server.address, &["import", "signals", &file]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, "signals: 0 recorded, 0 known already; 1 rejected\n"));
    assert!(server.state().sequences.is_empty());
}

#[tokio::test]
async fn what_was_taken_in_before_the_server_went_away_is_told() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = file_of(20);
    text.push_str("\"acme,2026-11-22,emails,1\n");
    text.push_str(&"x".repeat(5 * 1024 * 1024));
    let file = write(folder.path(), "signals.csv", &text);
    let ran = run(server.address, &["import", "signals", &file, "--batch-size", "10"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("line 22: the row is longer than 4 MiB"), "{}", ran.err);
    assert!(ran.err.contains("Run the same command again"), "{}", ran.err);
}

#[tokio::test]
async fn tickets_billing_and_contracts_are_taken_in_from_csv_and_json_lines() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = "\
account,date,Number,Event,priority
acme,2026-11-20,t-1,opened,urgent
acme,2026-11-21,t-1,resolved,
acme,2026-11-21,t-2,closed,
";
    let file = write(folder.path(), "tickets.csv", text);
    let arguments = ["import", "signals", &file, "--map", "ticket_id=Number", "--map", "action=Event"];
    let ran = run(server.address, &arguments).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "signals: 2 recorded, 0 known already; 1 rejected\n"));
    assert!(ran.err.contains("line 4: action: `closed` is no action of a ticket"), "{}", ran.err);

    let lines = [
        "{\"account\":\"acme\",\"date\":\"2026-11-20\",\"invoice\":\"in-1\",\"action\":\"payment_failed\",\"amount\":\"49.50 EUR\"}",
        "{\"account\":\"acme\",\"date\":\"2026-11-20\",\"dispute\":\"d-1\",\"invoice\":\"in-1\",\"action\":\"opened\"}",
        "{\"account\":\"acme\",\"date\":\"2026-11-20\",\"kind\":\"lifecycle\",\"action\":\"seat_change\",\"seats\":12}",
        "{\"account\":\"acme\",\"date\":\"2026-11-20\",\"kind\":\"lifecycle\",\"action\":\"upgrade\",\"plan\":\"pro\",\"arr\":\"12000 EUR\"}",
        "{\"account\":\"acme\",\"date\":\"2026-11-21\",\"kind\":\"lifecycle\",\"action\":\"plan_change\"}",
    ];
    let file = write(folder.path(), "billing.jsonl", &lines.join("\n"));
    let ran = run(server.address, &["import", "signals", &file]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "signals: 4 recorded, 0 known already; 1 rejected\n"), "{}", ran.err);
    assert!(ran.err.contains("line 5: plan: is missing, and so is arr"), "{}", ran.err);
}
