//! What comes first among open cases, and the chance to save that is a part of it.

use chrono::TimeDelta;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;

use crate::at_risk::{close, open, work_through};
use crate::harness::{Harness, acme};

const START: &str = "2026-03-01T00:00:00Z";

/// Opens a case of an account; its name.
async fn open_of(harness: &mut Harness, account: &str) -> String {
    let request = proto::OpenCaseRequest { account: account.to_owned(), ..Default::default() };
    harness.cases.open_case(request).await.expect("a case").into_inner().name
}

/// Opens cases of an account and loses them.
async fn lose(harness: &mut Harness, account: &str, times: usize) {
    for _ in 0..times {
        let name = open_of(harness, account).await;
        close(harness, &name, proto::CaseOutcome::Churned, "They left").await.expect("lost");
    }
}

/// Tells of another account, like acme but for its name, and of its score.
async fn tell_like_acme(harness: &Harness, id: &str, score: f64) {
    let account = format!("accounts/{id}");
    harness.tell_account(scoring::Account { name: account.clone(), ..acme() }).await;
    let change =
        scoring::HealthChange { account, score: Some(score), band: scoring::Band::Stable.into(), ..Default::default() };
    harness.scoring.tell(id, &scoring::HealthChanged { change: Some(change) }).await;
    harness.settle().await;
}

/// Of each open case, what comes first first: the account, the chance to save it, of how many cases that is estimated, and how
/// many of them were as deep.
async fn chances(harness: &mut Harness) -> Vec<(String, f64, i32, i32)> {
    let listed = harness.cases.list_cases(proto::ListCasesRequest::default()).await.expect("cases").into_inner().cases;
    let chance = |case: proto::Case| {
        let priority = case.priority.expect("a priority");
        (case.account, priority.save_chance, priority.save_chance_cases, priority.save_chance_alike_cases)
    };
    listed.into_iter().map(chance).collect()
}

#[tokio::test]
async fn r107_cases_come_by_what_can_be_kept_and_move_with_the_score() {
    let mut harness = Harness::with_acme(START).await;
    harness.tell_account(scoring::Account { name: "accounts/small".to_owned(), arr: None, ..acme() }).await;
    harness.tell_score(35.0).await;
    harness.settle().await;
    open_of(&mut harness, "accounts/small").await;
    let name = open(&mut harness).await.name;
    let listed = harness.cases.list_cases(proto::ListCasesRequest::default()).await.expect("cases").into_inner().cases;
    let accounts: Vec<&str> = listed.iter().map(|case| case.account.as_str()).collect();
    assert_eq!(accounts, ["accounts/acme", "accounts/small"], "unknown revenue comes last");
    let priority = listed[0].priority.clone().expect("a priority");
    // 180 000 EUR × (70 − 35) / 70 × 0.75.
    assert_eq!(priority.expected_gain.expect("an amount").minor_units, 6_750_000);
    let etag = harness.case(&name).await.etag;
    harness.tell_score(56.0).await;
    harness.settle().await;
    let case = harness.case(&name).await;
    assert_eq!(case.priority.expect("a priority").expected_gain.expect("an amount").minor_units, 2_700_000);
    assert_eq!(case.etag, etag, "nobody decided anything");
}

#[tokio::test]
async fn r79_of_accounts_with_equal_revenue_and_score_the_one_that_is_likelier_to_be_saved_comes_first() {
    let mut harness = Harness::with_acme(START).await;
    let small =
        |id: &str| scoring::Account { name: format!("accounts/{id}"), segment: scoring::Segment::Smb.into(), ..acme() };
    for account in [small("small"), small("lost"), scoring::Account { name: "accounts/large".to_owned(), ..acme() }] {
        harness.tell_account(account).await;
    }
    harness.settle().await;
    lose(&mut harness, "accounts/lost", 3).await;
    // Opened first, it would come first if all else were equal.
    open_of(&mut harness, "accounts/small").await;
    let name = open(&mut harness).await.name;
    // Of the segment 3 / 7, of those that had no score either (0 + 4 × 3 / 7) / (3 + 4).
    let of_small = ("accounts/small".to_owned(), 4.0 * (3.0 / 7.0) / 7.0, 3, 3);
    assert_eq!(chances(&mut harness).await, [("accounts/acme".to_owned(), 0.75, 0, 0), of_small.clone()]);

    // What becomes of others counts by the next weekly look, even where nothing is heard of the account itself.
    lose(&mut harness, "accounts/large", 6).await;
    harness.pass(TimeDelta::days(7)).await;
    assert_eq!(chances(&mut harness).await, [of_small, ("accounts/acme".to_owned(), 4.0 * 0.3 / 10.0, 6, 6)]);
    let priority = harness.case(&name).await.priority.expect("a priority");
    // 180 000 EUR × 1 without a score × 0.12.
    assert_eq!(priority.expected_gain.expect("an amount").minor_units, 2_160_000);
}

#[tokio::test]
async fn r79_of_two_accounts_of_a_segment_the_one_that_fell_as_those_that_were_lost_has_the_lower_chance() {
    let mut harness = Harness::with_acme(START).await;
    tell_like_acme(&harness, "gone", 40.0).await;
    lose(&mut harness, "accounts/gone", 4).await;
    tell_like_acme(&harness, "kept", 60.0).await;
    let kept = open_of(&mut harness, "accounts/kept").await;
    work_through(&mut harness, &kept).await;
    tell_like_acme(&harness, "kept", 80.0).await;
    close(&mut harness, &kept, proto::CaseOutcome::Saved, "").await.expect("saved");

    tell_like_acme(&harness, "shallow", 69.0).await;
    open_of(&mut harness, "accounts/shallow").await;
    harness.tell_score(35.0).await;
    harness.settle().await;
    let deep = open(&mut harness).await.name;
    // Of the segment (1 + 3) / (5 + 4). Deep: (0 + 4 × 4 / 9) / (4 + 4); less so: (1 + 4 × 4 / 9) / (1 + 4).
    let of_deep = ("accounts/acme".to_owned(), 4.0 * (4.0 / 9.0) / 8.0, 5, 4);
    let of_shallow = ("accounts/shallow".to_owned(), (1.0 + 4.0 * (4.0 / 9.0)) / 5.0, 5, 1);
    assert_eq!(
        chances(&mut harness).await,
        [of_deep.clone(), of_shallow.clone()],
        "there is more to be kept of the deep one"
    );

    // A case is compared with those that began as it did, wherever the score goes while it is open: both are at 69 now, and
    // differ by that alone.
    harness.tell_score(69.0).await;
    harness.settle().await;
    assert_eq!(chances(&mut harness).await, [of_shallow, of_deep]);
    close(&mut harness, &deep, proto::CaseOutcome::Churned, "They left").await.expect("lost");
    harness.pass(TimeDelta::days(7)).await;
    // It counts among the deep ones: of the segment (1 + 3) / (6 + 4), of those less deep still one of one.
    let of_shallow = ("accounts/shallow".to_owned(), (1.0 + 4.0 * 0.4) / 5.0, 6, 1);
    assert_eq!(chances(&mut harness).await, [of_shallow]);
}

#[tokio::test]
async fn r79_cases_that_end_at_once_all_count() {
    let mut harness = Harness::with_acme(START).await;
    let mut names = Vec::new();
    for number in 0..8 {
        let account = format!("accounts/customer-{number}");
        harness.tell_account(scoring::Account { name: account.clone(), ..acme() }).await;
        harness.settle().await;
        names.push(open_of(&mut harness, &account).await);
    }
    let lost = |name: String| {
        let mut client = harness.cases.clone();
        let request = proto::CloseCaseRequest {
            name,
            outcome: proto::CaseOutcome::Churned.into(),
            notes: "They left".to_owned(),
            ..Default::default()
        };
        async move { client.close_case(request).await }
    };
    let answers = futures::future::join_all(names.into_iter().map(lost)).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    open(&mut harness).await;
    // Of the segment 3 / 12, of those without a score, which all are, (0 + 4 × 3 / 12) / (8 + 4).
    assert_eq!(chances(&mut harness).await, [("accounts/acme".to_owned(), 1.0 / 12.0, 8, 8)]);
}

#[tokio::test]
async fn r79_what_ended_before_depths_were_told_apart_counts_for_the_segment_alone() {
    let mut harness = Harness::with_acme(START).await;
    lose(&mut harness, "accounts/acme", 1).await;
    open(&mut harness).await;
    assert_eq!(chances(&mut harness).await, [("accounts/acme".to_owned(), 4.0 * 0.6 / 5.0, 1, 1)]);
    // As `migrate` leaves what was counted before, and the open cases of before.
    for statement in [
        "INSERT INTO interventions.case_outcomes (kind, segment, saved_count, lost_count)
         SELECT kind, segment, 0, 3 FROM interventions.case_outcomes",
        "UPDATE interventions.cases SET save_chance = 0.5, save_chance_cases = 4, save_chance_alike = DEFAULT",
    ] {
        sqlx::query(statement).execute(harness.database.pool()).await.expect("rows of before");
    }
    assert_eq!(chances(&mut harness).await, [("accounts/acme".to_owned(), 0.5, 4, 0)]);
    harness.pass(TimeDelta::days(7)).await;
    // Of the segment (0 + 3) / (4 + 4), of those known to be alike (0 + 4 × 3 / 8) / (1 + 4).
    assert_eq!(chances(&mut harness).await, [("accounts/acme".to_owned(), 0.3, 4, 1)]);
}
