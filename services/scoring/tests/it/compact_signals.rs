//! The least that a company sends: with it alone customers are scored, told apart by what they reached, and warned of.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::{RenewalAtRisk, TicketFrustrated};
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::adoption_target::Outcome;
use proto::{OutcomeGroup, TicketAction, TicketPriority};

use crate::account_fixtures::time;
use crate::adoption_fixtures::{client, milestone, set, target};
use crate::harness::{Harness, account, activity};
use crate::risk_fixtures::{Told, lifecycle, ticket, told_of_account};

const TODAY: &str = "2026-03-02";

async fn score(harness: &mut Harness, id: &str) -> f64 {
    harness.health_of(id, "").await.score.expect("a score")
}

/// How an account stands with its target.
async fn group(harness: &Harness, id: &str) -> OutcomeGroup {
    let request = proto::GetAccountAdoptionRequest { account: format!("accounts/{id}") };
    client(harness).get_account_adoption(request).await.expect("adoption").into_inner().group()
}

/// Two customers since New Year, both active on each day of January; on each day since, too, or not at all.
async fn busy_and_quiet() -> Harness {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    let accounts = ["busy", "quiet"]
        .map(|id| proto::Account { activation_time: Some(time("2026-01-01")), ..account(id) })
        .to_vec();
    let request = proto::BatchUpsertAccountsRequest { accounts, ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.turn_to(TODAY).await;
    for id in ["busy", "quiet"] {
        assert_eq!(harness.health_of(id, "").await.score, None, "nothing is known of {id}");
    }
    let january = (1..=31).map(|day| format!("2026-01-{day:02}"));
    let february = (1..=28).map(|day| format!("2026-02-{day:02}"));
    let quiet = january.clone().map(|on| activity("quiet", &on, "ann"));
    let busy = january.chain(february).map(|on| activity("busy", &on, "ann"));
    harness.record(busy.chain(quiet).collect()).await;
    harness.settle().await;
    harness
}

#[tokio::test]
async fn r67_use_milestones_sentiment_and_renewal_dates_suffice_and_each_moves_what_it_is_for() {
    let mut harness = busy_and_quiet().await;
    let (busy, quiet) = (score(&mut harness, "busy").await, score(&mut harness, "quiet").await);
    assert!(busy > 70.0 && quiet < 50.0, "use: busy {busy}, quiet {quiet}");

    set(&harness, target("live", Outcome::Milestone("live".to_owned()))).await;
    assert_eq!(group(&harness, "busy").await, OutcomeGroup::Behind, "its 30 days are over");
    harness.record(vec![milestone("busy", "2026-01-20", "live")]).await;
    harness.settle().await;
    assert_eq!(
        (group(&harness, "busy").await, group(&harness, "quiet").await),
        (OutcomeGroup::Achieved, OutcomeGroup::Behind)
    );
    assert_eq!(score(&mut harness, "busy").await, busy, "what is reached is no part of the usual score");

    let says = |sentiment: f64| {
        let mut wrote = ticket("busy", TODAY, "t-1", TicketAction::Updated, TicketPriority::Unspecified);
        if let Some(Payload::Ticket(told)) = &mut wrote.payload {
            told.sentiment = Some(sentiment);
        }
        wrote.source_id = format!("t-1/{sentiment}");
        wrote
    };
    let opened = ticket("busy", TODAY, "t-1", TicketAction::Opened, TicketPriority::Normal);
    harness.record(vec![opened, says(0.4)]).await;
    harness.settle().await;
    let content = score(&mut harness, "busy").await;
    assert_eq!(told_of_account(&harness, "busy", TicketFrustrated).await, []);
    harness.clock.advance(chrono::TimeDelta::hours(1));
    let mut frustrated = says(-0.9);
    frustrated.event_time = Some(time(&harness.clock_time()));
    harness.record(vec![frustrated]).await;
    harness.settle().await;
    let frustrated = score(&mut harness, "busy").await;
    assert!(frustrated < content, "sentiment: {content}, then {frustrated}");
    assert_eq!(told_of_account(&harness, "busy", TicketFrustrated).await, [Told::Raised]);

    assert_eq!(told_of_account(&harness, "quiet", RenewalAtRisk).await, []);
    let due = |id: &str| {
        let renewal = proto::Renewal { renewal_time: Some(time("2026-05-01")) };
        lifecycle(id, TODAY, Change::Renewal(renewal))
    };
    harness.record(vec![due("busy"), due("quiet")]).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "quiet", RenewalAtRisk).await, [Told::Raised]);
    assert_eq!(told_of_account(&harness, "busy", RenewalAtRisk).await, [], "at {frustrated} points");
}
