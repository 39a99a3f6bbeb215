//! Several replicas, restarts, and events that come again.

use std::collections::HashSet;

use futures::future::join_all;
use mainstay_api::mainstay::scoring::v1::TicketPriority::Critical;
use mainstay_surveys::SurveysService;

use crate::harness::{Harness, about_critical_tickets, account, quarterly};

#[tokio::test]
async fn three_replicas_at_once_ask_each_contact_once() {
    let harness = Harness::start("2026-01-05").await;
    harness.publish("nps", quarterly()).await;
    harness.publish("critical", about_critical_tickets()).await;
    let replicas = [harness.replica().await, harness.replica().await];
    for number in 0..30 {
        let id = format!("c{number}");
        harness.tell_account(account(&id)).await;
        harness.resolve_ticket(&id, "T-1", Critical, &format!("other@{id}.example")).await;
        harness.resolve_ticket(&id, "T-1", Critical, &format!("other@{id}.example")).await;
    }
    let workers = replicas.iter().map(SurveysService::workers).chain([harness.workers.clone()]);
    let settling = join_all(workers.map(|workers| async move { workers.settle().await }));
    for settled in settling.await {
        settled.expect("due work");
    }
    harness.settle().await;
    let decisions = harness.decisions().await;
    let occasions: HashSet<_> = decisions
        .iter()
        .map(|decision| (&decision.account, &decision.program, &decision.occasion, &decision.contact_id))
        .collect();
    assert_eq!(occasions.len(), decisions.len());
    let sent = decisions.iter().filter(|decision| decision.reason == 0).count();
    assert_eq!(sent, 60, "each champion in the quarter, each other about the ticket");
    let to: HashSet<_> = harness.mails(60).await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(to.len(), 60, "nobody has two mails");
}

#[tokio::test]
async fn a_service_that_was_away_decides_once_on_what_it_missed() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.publish("critical", about_critical_tickets()).await;
    harness.settle().await;
    harness.tell_account(account("acme")).await;
    harness.clock.advance(chrono::TimeDelta::hours(1));
    harness.resolve_ticket("acme", "T-1", Critical, "").await;
    // A day later another process takes over.
    harness.clock.advance(chrono::TimeDelta::days(1));
    let other = harness.replica().await;
    other.workers().settle().await.expect("due work");
    assert_eq!(harness.decided().await, ["acme champion SENT"]);
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 1);
    harness.mails(1).await;
}
