//! `mainstay health` and `mainstay accounts`.

use std::process::Stdio;

use mainstay_api::mainstay::scoring::v1::{
    Band, Health, HealthChange, HealthFilter, Label, LabelKind, LabelSpeaker, LabelState, Segment, WatchHealthResponse,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tonic::Code;

use crate::server::{TestServer, stream_end};
use crate::{command, run};

fn health(id: &str, score: f64, band: Band) -> Health {
    Health {
        account: format!("accounts/{id}"),
        account_display_name: id.to_uppercase(),
        day: "2026-11-22".to_owned(),
        score: Some(score),
        band: band.into(),
        coverage: 1.0,
        segment: Segment::Smb.into(),
        change_30d: Some(-3.0),
        model: "models/default".to_owned(),
        ..Health::default()
    }
}

async fn portfolio() -> TestServer {
    let server = TestServer::start().await;
    server.state().health = vec![
        health("a", 20.0, Band::Critical),
        health("b", 55.5, Band::AtRisk),
        health("c", 70.0, Band::Stable),
        health("d", 80.0, Band::Stable),
        health("e", 99.0, Band::Healthy),
    ];
    server
}

#[tokio::test]
async fn lists_go_through_all_pages_up_to_the_limit() {
    let server = portfolio().await;
    let ran = run(server.address, &["health", "list", "--limit", "3"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let expected = "\
ACCOUNT  NAME  SEGMENT  BAND      SCORE  1 D  7 D   30 D  ARR  DATA  LAST SIGNAL
a        A     smb      critical   20.0    –    –  ▼ 3.0       100%
b        B     smb      at risk    55.5    –    –  ▼ 3.0       100%
c        C     smb      stable     70.0    –    –  ▼ 3.0       100%
";
    assert_eq!(ran.out, expected);
    assert!(ran.err.contains("--limit 0 shows all"), "{}", ran.err);
    let all = run(server.address, &["health", "list", "--limit", "0", "--output", "json"]).await;
    let accounts: Vec<String> = all
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["account"].to_string())
        .collect();
    assert_eq!(accounts, ["a", "b", "c", "d", "e"].map(|id| format!("\"accounts/{id}\"")));
}

#[tokio::test]
async fn r84_what_people_say_stands_beside_the_computed_band() {
    let server = portfolio().await;
    let label = Label {
        kind: LabelKind::Override.into(),
        state: LabelState::Pending.into(),
        band: Band::Healthy.into(),
        speaker: LabelSpeaker::Csm.into(),
        reason: "They use the app".to_owned(),
        expire_time: Some(prost_types::Timestamp { seconds: 1_798_675_200, nanos: 0 }),
        ..Label::default()
    };
    server.state().health[0].corrections = vec![label];
    let listed = run(server.address, &["health", "list", "--limit", "1"]).await;
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(listed.out.contains("critical (CSM: healthy)   20.0"), "{}", listed.out);
    let shown = run(server.address, &["health", "get", "a"]).await;
    assert!(shown.out.contains("20.0 (critical)\n"), "{}", shown.out);
    let said = "CSM: healthy, pending, until 2026-12-31: They use the app\n";
    assert!(shown.out.contains(said), "{}", shown.out);
}

#[tokio::test]
async fn errors_are_told_to_people_and_to_programs() {
    let server = portfolio().await;
    let people = run(server.address, &["health", "get", "nobody"]).await;
    assert_eq!((people.code, people.out.as_str()), (1, ""));
    assert_eq!(
        people.err,
        "mainstay: there is no account `accounts/nobody`\n  reason: ACCOUNT_NOT_FOUND (NOT_FOUND)\n  request id: request-1\n"
    );
    let programs = run(server.address, &["health", "get", "nobody", "--output", "json"]).await;
    let error: serde_json::Value = serde_json::from_str(&programs.err).expect("JSON");
    assert_eq!(error["error"]["reason"], "ACCOUNT_NOT_FOUND");
    let wrong = run(server.address, &["health", "get", "a b"]).await;
    assert_eq!(wrong.code, 2);
}

#[tokio::test]
async fn a_watch_goes_on_from_its_cursor_after_a_cut_and_says_where_it_ended() {
    let server = TestServer::start().await;
    let answer = |id: &str, cursor: &str| WatchHealthResponse {
        changes: vec![HealthChange { account: format!("accounts/{id}"), score: Some(40.0), ..HealthChange::default() }],
        cursor: cursor.to_owned(),
    };
    server.state().changes = vec![answer("a", "c1"), answer("b", "c2"), answer("c", "c3")];
    let ran = run(server.address, &["health", "watch", "--until-now", "--output", "json"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let cursors: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["cursor"].to_string())
        .collect();
    assert_eq!(cursors, ["\"c1\"", "\"c2\"", "\"c3\""]);
    assert!(ran.err.contains("Go on from here with --cursor c3"), "{}", ran.err);
    assert_eq!(server.state().watched_from, ["", "c1"]);
    let later = run(server.address, &["health", "watch", "--cursor", "c2"]).await;
    assert_eq!(later.out.lines().count(), 1);
    assert!(later.out.contains("  c  "), "{}", later.out);
}

#[tokio::test]
async fn a_watch_that_the_server_ends_goes_on_from_the_cursor_it_is_given() {
    for (code, reason) in [(Code::Unavailable, "SHUTTING_DOWN"), (Code::ResourceExhausted, "SLOW_READER")] {
        let server = TestServer::start().await;
        server.state().watch_end = Some(stream_end(code, reason, "c0"));
        let ran = run(server.address, &["health", "watch", "--until-now"]).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(server.state().watched_from, ["", "c0"], "{reason}");
        assert!(ran.err.contains("Go on from here with --cursor c0"), "{}", ran.err);
    }
    let server = TestServer::start().await;
    server.state().watch_end = Some(stream_end(Code::OutOfRange, "CURSOR_EXPIRED", "c0"));
    let ran = run(server.address, &["health", "watch", "--cursor", "c"]).await;
    assert_eq!(ran.code, 1);
    assert_eq!(server.state().watched_from, ["c"]);
}

#[tokio::test]
async fn an_account_without_health_is_a_failure_however_many_are_asked_for() {
    let server = portfolio().await;
    let all = run(server.address, &["health", "get", "a", "b"]).await;
    assert_eq!((all.code, all.err.as_str()), (0, ""));
    let some = run(server.address, &["health", "get", "a", "nobody"]).await;
    assert_eq!(some.code, 1);
    assert!(some.out.contains("critical"), "{}", some.out);
    assert!(some.err.starts_with("nobody: no such account"), "{}", some.err);
    let json = run(server.address, &["health", "get", "a", "nobody", "--output", "json"]).await;
    let answer: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((json.code, &answer["notFound"][0]), (1, &"accounts/nobody".into()));
}

#[tokio::test]
async fn each_filter_is_asked_for() {
    let server = portfolio().await;
    for (arguments, expected) in [
        (
            ["--band", "critical,no-score"],
            HealthFilter { bands: vec![Band::Critical.into(), Band::Unspecified.into()], ..HealthFilter::default() },
        ),
        (["--fell-by", "15"], HealthFilter { change_30d_at_most: Some(-15.0), ..HealthFilter::default() }),
        (["--rose-by", "2.5"], HealthFilter { change_30d_at_least: Some(2.5), ..HealthFilter::default() }),
        (["--segment", "smb"], HealthFilter { segments: vec![Segment::Smb.into()], ..HealthFilter::default() }),
        (
            ["--owner", "mia@example.com"],
            HealthFilter { owner_email: "mia@example.com".to_owned(), ..HealthFilter::default() },
        ),
    ] {
        let ran = run(server.address, &[&["health", "list"], &arguments[..]].concat()).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(server.state().health_filter.take(), Some(expected), "{arguments:?}");
    }
    for wrong in [&["--rose-by", "-5"][..], &["--fell-by", "101"], &["--fell-by", "5", "--rose-by", "5"]] {
        assert_eq!(run(server.address, &[&["health", "list"], wrong].concat()).await.code, 2, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_reader_that_closes_the_pipe_is_no_error() {
    let server = TestServer::start().await;
    server.state().health = (0..20_000).map(|number| health(&format!("n{number}"), 50.0, Band::AtRisk)).collect();
    let mut child = command(server.address, &["health", "list", "--limit", "0", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.next_line().await.expect("readable").expect("a line");
    drop(lines);
    let output = child.wait_with_output().await.expect("ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
