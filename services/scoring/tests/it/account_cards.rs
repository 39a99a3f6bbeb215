//! Accounts at a glance.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_card_service_client::AccountCardServiceClient;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use tonic::{Code, Status};

use crate::harness::{Harness, account, activity, signal, usage};
use crate::refusals::{reason, violated_fields};
use crate::risk_fixtures::{invoice, ticket};

async fn card(harness: &Harness, account: &str) -> Result<proto::AccountCard, Status> {
    let request = proto::GetAccountCardRequest { account: account.to_owned() };
    let mut client = AccountCardServiceClient::new(harness.channel.clone());
    Ok(client.get_account_card(request).await?.into_inner())
}

#[tokio::test]
async fn r81_a_card_shows_in_one_call_who_how_what_is_open_and_what_to_do() {
    let mut harness = Harness::start("2026-03-31T12:00:00Z").await;
    let acme = proto::Account { segment: proto::Segment::Smb.into(), plan: "Pro".to_owned(), ..account("acme") };
    let request = proto::BatchUpsertAccountsRequest { accounts: vec![acme], ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("created");
    let unscored = card(&harness, "accounts/acme").await.expect("a card");
    assert_eq!((unscored.health, unscored.uses.len()), (None, 0), "not scored yet");

    let answer =
        proto::SurveyAnswerSignal { question: proto::SurveyQuestion::Nps.into(), score: 3, ..Default::default() };
    harness
        .record(vec![
            usage("acme", "2026-03-20", "emails", 40),
            usage("acme", "2026-02-20", "emails", 90),
            activity("acme", "2026-03-30", "ann"),
            ticket("acme", "2026-03-29", "t-1", proto::TicketAction::Opened, proto::TicketPriority::Urgent),
            invoice("acme", "2026-03-28", "i-1", proto::InvoiceAction::PaymentFailed),
            signal("acme", "2026-03-27", Payload::SurveyAnswer(answer)),
            signal("acme", "2026-03-26", Payload::Touch(proto::TouchSignal::default())),
        ])
        .await;
    harness.settle().await;
    let card = card(&harness, "accounts/acme").await.expect("a card");
    assert_eq!(card.account.as_ref().map(|account| account.plan.as_str()), Some("Pro"));
    assert!(card.health.as_ref().is_some_and(|health| health.score.is_some()));
    let kinds: Vec<_> = card.risk_triggers.iter().map(proto::RiskTrigger::kind).collect();
    assert!(kinds.contains(&proto::RiskTriggerKind::TicketUrgent), "{kinds:?}");
    assert!(kinds.contains(&proto::RiskTriggerKind::PaymentFailed), "{kinds:?}");
    assert!(!card.decline_triggers.is_empty() && !card.recommended_steps.is_empty());
    let uses: Vec<_> = card.uses.iter().map(|figure| (figure.total, figure.earlier_total)).collect();
    assert_eq!(uses, [(1, 0), (40, 90)], "a user, and the emails");
    assert_eq!(
        (card.open_ticket_count, card.urgent_ticket_count, card.unpaid_invoice_count, card.open_dispute_count),
        (1, 1, 1, 0)
    );
    let figure = &card.newest_figures[0];
    assert_eq!((figure.series(), figure.value, figure.day.as_str()), (proto::StorySeries::NpsScore, 3.0, "2026-03-27"));
    assert_eq!(card.last_touch_day, "2026-03-26");
}

#[tokio::test]
async fn of_an_account_that_is_none_there_is_no_card() {
    let harness = Harness::start("2026-03-31T12:00:00Z").await;
    let refusal = card(&harness, "accounts/nobody").await.expect_err("not there");
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    assert_eq!(violated_fields(&card(&harness, "nobody").await.expect_err("no name")), ["account"]);
}
