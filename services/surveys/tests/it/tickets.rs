//! Surveys about tickets.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::TicketPriority::{Critical, Low, Urgent};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::Clock;

use crate::harness::{Harness, about_critical_tickets, about_support, account, at, resolved};

#[tokio::test]
async fn r3_a_resolved_critical_ticket_is_asked_about_once_and_whoever_opened_it_first() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.tell_account(account("acme")).await;
    harness.publish("critical", about_critical_tickets()).await;
    harness.settle().await;
    harness.clock.advance(TimeDelta::minutes(1));
    harness.resolve_ticket("acme", "T-1", Critical, "Other@acme.example").await;
    harness.resolve_ticket("acme", "T-2", Urgent, "champion@acme.example").await;
    let opened = scoring::TicketChanged {
        action: scoring::TicketAction::Opened.into(),
        ..resolved("T-3", Critical, "champion@acme.example")
    };
    harness.scoring.tell_at("acme", &opened, harness.clock.now()).await;
    harness.settle().await;
    let decisions = harness.decisions().await;
    assert_eq!(harness.decided().await, ["acme other SENT"], "only critical ones that were resolved");
    assert_eq!(decisions[0].occasion, "ticket/zendesk/T-1");
    assert_eq!(harness.mails(1).await[0].to, ["other@acme.example"]);

    harness.clock.advance(TimeDelta::days(40));
    harness.resolve_ticket("acme", "T-1", Critical, "other@acme.example").await;
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 1, "reopened and resolved again, it is the same ticket");
}

#[tokio::test]
async fn r6_any_resolved_ticket_is_asked_about_by_csat_also_of_who_is_no_contact() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.tell_account(account("acme")).await;
    harness.publish("support", about_support()).await;
    harness.settle().await;
    harness.resolve_ticket("acme", "T-1", Low, "stranger@acme.example").await;
    // Of this account nothing else was told yet.
    harness.resolve_ticket("globex", "T-9", Low, "ann@globex.example").await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme stranger@acme.example SENT", "globex ann@globex.example SENT"]);
    let mails = harness.mails(2).await;
    assert!(mails[0].text.contains("How satisfied are you") && mails[0].text.contains("?score=5"), "{}", mails[0].text);
    assert!(!mails[0].text.contains("?score=0"), "satisfaction goes from 1 to 5");
    let kinds: Vec<_> = harness.decisions().await.iter().map(proto::Invitation::kind).collect();
    assert_eq!(kinds, [proto::SurveyKind::Csat; 2]);
}

#[tokio::test]
async fn r6_of_two_programmes_for_a_ticket_that_for_critical_ones_asks() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.tell_account(account("acme")).await;
    harness.publish("a-support", about_support()).await;
    harness.publish("b-critical", about_critical_tickets()).await;
    harness.settle().await;
    harness.resolve_ticket("acme", "T-1", Critical, "champion@acme.example").await;
    harness.settle().await;
    let by_program = |decisions: Vec<proto::Invitation>, program: &str| -> Vec<String> {
        let of_program = decisions.into_iter().filter(|decision| decision.program == program);
        let mut decided: Vec<_> =
            of_program.map(|decision| format!("{} {:?}", decision.contact_id, decision.state())).collect();
        decided.sort();
        decided
    };
    assert_eq!(by_program(harness.decisions().await, "programs/b-critical"), ["champion Sent"]);
    assert_eq!(by_program(harness.decisions().await, "programs/a-support"), ["champion NotAsked", "other Sent"]);
}

#[tokio::test]
async fn tickets_that_are_heard_of_too_late_or_were_resolved_before_publishing_are_no_occasions() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    harness.tell_account(account("acme")).await;
    harness.publish("critical", about_critical_tickets()).await;
    harness.settle().await;
    let ticket = |id| resolved(id, Critical, "champion@acme.example");
    harness.scoring.tell_at("acme", &ticket("before"), at("2026-01-05T09:59:59Z")).await;
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 0);
    harness.clock.set(at("2026-02-01"));
    harness.scoring.tell_at("acme", &ticket("late"), at("2026-01-24T23:59:59Z")).await;
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 0);
    harness.scoring.tell_at("acme", &ticket("in-time"), at("2026-01-25")).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme champion SENT"]);
}
