//! Several dispatchers share the work.

use std::collections::BTreeSet;

use mainstay_delivery::MessageState;

use crate::fixture::{Fixture, email, webhook};

#[tokio::test]
async fn several_dispatchers_send_each_message_once() {
    let fixture = Fixture::start().await;
    for _ in 0..60 {
        fixture.enqueue_new(email()).await;
        fixture.enqueue_new(webhook()).await;
    }
    let sends = (0..4).map(|_| {
        let dispatcher = fixture.dispatcher();
        tokio::spawn(async move { dispatcher.run_due().await.expect("no fault") })
    });
    let sent: usize = futures::future::join_all(sends).await.into_iter().map(|sent| sent.expect("no panic")).sum();
    assert_eq!(sent, 120);
    let emails = fixture.smtp.emails();
    let email_ids: BTreeSet<&str> = emails.iter().map(|email| email.message_id.as_str()).collect();
    let requests = fixture.http.requests();
    let webhook_ids: BTreeSet<&str> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!((emails.len(), email_ids.len(), requests.len(), webhook_ids.len()), (60, 60, 60, 60));
    assert!(fixture.records().await.iter().all(|record| record.state == MessageState::Sent && record.attempts == 1));
}
