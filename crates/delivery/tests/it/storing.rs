//! Enqueuing, in the transaction of what the message tells of; retention.

use chrono::TimeDelta;
use mainstay_delivery::{EnqueueError, MessageState, NewMessage};
use mainstay_domain::{AccountId, Clock};

use crate::fixture::{Fixture, email, email_to, slack, webhook};

#[tokio::test]
async fn a_message_is_sent_only_if_its_transaction_commits() {
    let fixture = Fixture::start().await;
    let mut transaction = fixture.database.pool().begin().await.expect("a transaction");
    let message = fixture.message(email());
    fixture.delivery.enqueue(&mut transaction, &message, fixture.clock.now()).await.expect("enqueued");
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    transaction.rollback().await.expect("a rollback");
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    assert!(fixture.smtp.emails().is_empty() && fixture.records().await.is_empty());
}

#[tokio::test]
async fn the_same_id_or_key_again_is_the_same_message() {
    let fixture = Fixture::start().await;
    let first = fixture.message(email()).with_dedupe_key("alert/7/raised/ann");
    assert!(fixture.enqueue(&first).await.is_new);

    let same_id = NewMessage { dedupe_key: None, ..first.clone() };
    let same_key = fixture.message(email_to("bob@example.org")).with_dedupe_key("alert/7/raised/ann");
    for again in [first.clone(), same_id, same_key] {
        let enqueued = fixture.enqueue(&again).await;
        assert_eq!((enqueued.id, enqueued.is_new), (first.id, false));
    }
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 1);
    assert_eq!(fixture.smtp.emails().len(), 1);
    assert!(!fixture.enqueue(&first).await.is_new, "also after it was sent");
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 0);
}

#[tokio::test]
async fn two_who_enqueue_one_key_at_once_make_one_message() {
    let fixture = Fixture::start().await;
    let messages: Vec<NewMessage> =
        (0..8).map(|_| fixture.message(slack()).with_dedupe_key("alert/7/raised/ops")).collect();
    let enqueued = futures::future::join_all(messages.iter().map(|message| fixture.enqueue(message))).await;
    assert_eq!(enqueued.iter().filter(|one| one.is_new).count(), 1);
    assert!(enqueued.iter().all(|one| one.id == enqueued[0].id), "{enqueued:?}");
    assert_eq!(fixture.records().await.len(), 1);
}

#[tokio::test]
async fn what_can_never_be_sent_is_refused_and_the_transaction_goes_on() {
    let fixture = Fixture::start().await;
    let mut transaction = fixture.database.pool().begin().await.expect("a transaction");
    let faulty = fixture.message(email_to("nobody"));
    let refusal = fixture.delivery.enqueue(&mut transaction, &faulty, fixture.clock.now()).await;
    assert!(matches!(&refusal, Err(EnqueueError::Invalid(faults)) if faults.len() == 1), "{refusal:?}");
    let sound = fixture.message(email());
    fixture.delivery.enqueue(&mut transaction, &sound, fixture.clock.now()).await.expect("enqueued");
    transaction.commit().await.expect("a commit");
    assert_eq!(fixture.records().await.len(), 1);
}

#[tokio::test]
async fn a_message_waits_for_its_time() {
    let fixture = Fixture::start().await;
    let send_at = fixture.clock.now() + TimeDelta::hours(8);
    let id = fixture.enqueue(&fixture.message(email()).with_send_at(send_at)).await.id;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    fixture.clock.set(send_at);
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    assert_eq!(fixture.record(id).await.sent_at, Some(send_at));
}

#[tokio::test]
async fn what_was_sent_long_ago_goes_and_what_is_dead_stays() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    let dead = fixture.enqueue_new(email_to("gone@example.org")).await;
    for _ in 0..3 {
        fixture.enqueue_new(email()).await;
    }
    fixture.dispatcher().run_due().await.expect("no fault");
    fixture.pass(TimeDelta::days(30));
    let recent = fixture.enqueue_new(webhook()).await;
    fixture.dispatcher().run_due().await.expect("no fault");

    let before = fixture.clock.now() - TimeDelta::days(7);
    let prune = async |limit| fixture.delivery.prune(fixture.database.pool(), before, limit).await.expect("pruned");
    assert_eq!(prune(2).await, 2);
    assert_eq!(prune(2).await, 1);
    assert_eq!(prune(2).await, 0);
    let left: Vec<_> = fixture.records().await.iter().map(|record| (record.id, record.state)).collect();
    assert_eq!(left, [(recent, MessageState::Sent), (dead, MessageState::Dead)]);
}

#[tokio::test]
async fn a_message_remembers_what_it_is_about() {
    let fixture = Fixture::start().await;
    let account = AccountId::parse("acme").expect("an id");
    let id = fixture.enqueue(&fixture.message(webhook()).about(&account)).await.id;
    let record = fixture.record(id).await;
    assert_eq!((record.account.as_deref(), record.purpose.as_str()), (Some("acme"), "alert_raised"));
    assert_eq!(record.destination.to_string(), "webhook/crm");
    assert_eq!(record.content, webhook().into());
}
