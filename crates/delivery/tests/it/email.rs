//! Email by SMTP.

use std::time::Duration;

use chrono::TimeDelta;
use mainstay_delivery::{AttemptOutcome, DeliverySettings, Email, EmailHeader, MessageState, SmtpTls};
use mainstay_domain::Clock;
use mainstay_rpc::settings::Secret;
use mainstay_testkit::smtp::{SmtpEncryption, SmtpProtection, SmtpReceiver, SmtpStep};
use mainstay_testkit::tls::{authority_file, other_authority_file};

use crate::fixture::{Fixture, email, email_to};

#[tokio::test]
async fn r188_an_email_arrives_as_it_was_written() {
    let fixture = Fixture::start().await;
    let written = Email {
        to: "Änn Example <ann@example.org>".to_owned(),
        from_name: Some("Acme's desk".to_owned()),
        reply_to: Some("desk@example.com".to_owned()),
        subject: "Wie geht's? Zufriedenheit – 2 Fragen".to_owned(),
        text: "Grüße\n.\n..a line that begins with dots\n".to_owned(),
        html: Some("<p>Grüße</p>".to_owned()),
        headers: vec![
            EmailHeader::new("List-Unsubscribe", format!("<https://example.com/u/{}>", "a".repeat(200))),
            EmailHeader::new("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ],
    };
    let id = fixture.enqueue_new(written).await;
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 1);

    let emails = fixture.smtp.emails();
    let [received] = emails.as_slice() else { panic!("{emails:?}") };
    assert_eq!(
        (received.from.as_str(), received.to.as_slice()),
        ("care@example.com", &["ann@example.org".to_owned()][..])
    );
    assert_eq!(received.message_id, format!("{id}@example.com"));
    assert_eq!(received.subject, "Wie geht's? Zufriedenheit – 2 Fragen");
    assert_eq!(received.text.replace("\r\n", "\n"), "Grüße\n.\n..a line that begins with dots\n");
    assert_eq!(received.html, "<p>Grüße</p>");
    assert_eq!(received.from_header, ("Acme's desk".to_owned(), "care@example.com".to_owned()));
    assert_eq!(received.header("Reply-To"), "desk@example.com");
    assert_eq!(received.header("Date"), "Sun, 01 Mar 2026 00:00:00 +0000");
    assert_eq!(received.header("List-Unsubscribe"), format!("<https://example.com/u/{}>", "a".repeat(200)));
    assert_eq!(received.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");

    let record = fixture.record(id).await;
    assert_eq!((record.state, record.sent_at, record.attempts), (MessageState::Sent, Some(fixture.clock.now()), 1));
    let attempts = fixture.attempts(id).await;
    assert_eq!((attempts[0].outcome, attempts[0].status_code), (Some(AttemptOutcome::Sent), Some(250)));
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_is_dead_at_once_with_the_reason() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    let id = fixture.enqueue_new(email_to("gone@example.org")).await;
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert_eq!((record.state, record.dead_at), (MessageState::Dead, Some(fixture.clock.now())));
    let error = record.last_error.expect("a reason");
    assert!(error.contains("the recipient is refused") && error.contains("5.1.1 no such user"), "{error}");
    let attempts = fixture.attempts(id).await;
    assert_eq!((attempts[0].outcome, attempts[0].status_code), (Some(AttemptOutcome::Refused), Some(550)));
    fixture.pass(TimeDelta::days(7));
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 0);
    assert_eq!(fixture.attempts(id).await.len(), 1, "it is not tried again");
}

#[tokio::test]
async fn content_that_is_refused_for_good_is_dead_and_for_now_is_tried_again() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_next(SmtpStep::Content, ["554 5.7.1 looks like spam"]);
    let dead = fixture.enqueue_new(email()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    assert_eq!(fixture.record(dead).await.state, MessageState::Dead);

    for (step, reply) in [
        (SmtpStep::Content, "452 4.3.1 no room"),
        (SmtpStep::Recipient, "450 4.2.1 greylisted"),
        (SmtpStep::Mail, "451 4.3.0 later"),
        (SmtpStep::Connect, "421 4.3.2 too busy"),
    ] {
        let fixture = Fixture::start().await;
        fixture.smtp.refuse_next(step, [reply]);
        let id = fixture.enqueue_new(email()).await;
        let dispatcher = fixture.dispatcher();
        assert_eq!(dispatcher.run_due().await.expect("no fault"), 0, "{step:?}");
        let record = fixture.record(id).await;
        assert_eq!(record.state, MessageState::Pending, "{step:?}");
        assert!(record.last_error.expect("a reason").contains(&reply[4..]), "{step:?}");
        fixture.pass(TimeDelta::seconds(5));
        assert_eq!(dispatcher.run_due().await.expect("no fault"), 1, "{step:?}");
        assert_eq!(fixture.record(id).await.last_error, None, "{step:?}");
    }
}

/// A relay that does not know its clients any more (`530`, `550` to `MAIL`) refuses all alike: that is the settings' fault.
#[tokio::test]
async fn a_relay_that_refuses_the_sender_kills_no_message() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_next(SmtpStep::Mail, ["530 5.7.0 authentication required"]);
    fixture.smtp.refuse_next(SmtpStep::Connect, ["554 5.3.2 no service here"]);
    let ids = [fixture.enqueue_new(email()).await, fixture.enqueue_new(email()).await];
    fixture.dispatcher().run_due().await.expect("no fault");
    for id in ids {
        assert_eq!(fixture.record(id).await.state, MessageState::Pending);
    }
}

#[tokio::test]
async fn an_answer_out_of_turn_is_not_taken_for_a_success() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_next(SmtpStep::Content, ["354 still going on"]);
    let id = fixture.enqueue_new(email()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert_eq!(record.last_error.as_deref(), Some("the relay answered 354 out of turn"));
    fixture.pass(TimeDelta::seconds(5));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    assert_eq!(fixture.smtp.connections(), 2);
}

#[tokio::test]
async fn connections_are_used_again() {
    let fixture = Fixture::start().await;
    let dispatcher = fixture.dispatcher();
    for _ in 0..5 {
        fixture.enqueue_new(email()).await;
        assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    }
    assert_eq!(fixture.smtp.connections(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_the_relay_gave_up_costs_no_attempt() {
    let fixture = Fixture::start().await;
    let dispatcher = fixture.dispatcher();
    fixture.enqueue_new(email()).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    fixture.smtp.refuse_next(SmtpStep::Mail, ["421 4.4.2 idle for too long"]);
    let id = fixture.enqueue_new(email()).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    assert_eq!((fixture.record(id).await.attempts, fixture.smtp.connections()), (1, 2));
}

#[tokio::test]
async fn a_send_that_ran_out_of_time_leaves_no_connection_behind() {
    let fixture = Fixture::start().await;
    let settings = DeliverySettings { send_timeout: Duration::from_millis(300), ..fixture.settings() };
    let dispatcher = fixture.dispatcher_with(&settings);
    fixture.smtp.hold();
    let late = fixture.enqueue_new(email()).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let error = fixture.record(late).await.last_error.expect("a reason");
    assert_eq!(error, "not done within 300 ms");

    fixture.smtp.release();
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    let refused = fixture.enqueue_new(email_to("gone@example.org")).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    assert_eq!(fixture.record(refused).await.state, MessageState::Dead, "the old answer is not taken for its own");

    fixture.pass(TimeDelta::seconds(5));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    let emails = fixture.smtp.emails();
    assert_eq!(emails.len(), 2, "it had been taken, and came again");
    assert_eq!(emails[0].message_id, emails[1].message_id);
    assert_eq!(emails[0].raw, emails[1].raw);
}

/// A relay with TLS and a login, and the settings for it.
async fn protected_relay(fixture: &Fixture, tls: (SmtpEncryption, SmtpTls)) -> (SmtpReceiver, DeliverySettings) {
    let login = Some(("care".to_owned(), "hunter2".to_owned()));
    let relay = SmtpReceiver::start_with(SmtpProtection { tls: tls.0, login }).await;
    let mut settings = fixture.settings();
    let smtp = settings.smtp.as_mut().expect("a relay");
    smtp.port = relay.port();
    smtp.tls = tls.1;
    smtp.ca_file = Some(authority_file());
    smtp.credentials = Some(("care".to_owned(), Secret::new("hunter2")));
    (relay, settings)
}

#[tokio::test]
async fn email_goes_through_an_encrypted_relay_after_a_login() {
    for tls in [(SmtpEncryption::StartTls, SmtpTls::StartTls), (SmtpEncryption::Implicit, SmtpTls::Implicit)] {
        let fixture = Fixture::start().await;
        let (relay, settings) = protected_relay(&fixture, tls).await;
        let dispatcher = fixture.dispatcher_with(&settings);
        for _ in 0..2 {
            fixture.enqueue_new(email()).await;
            assert_eq!(dispatcher.run_due().await.expect("no fault"), 1, "{tls:?}");
        }
        assert_eq!((relay.emails().len(), relay.connections()), (2, 1), "{tls:?}");
    }
}

#[tokio::test]
async fn a_relay_that_is_not_trusted_or_does_not_encrypt_gets_nothing() {
    let fixture = Fixture::start().await;
    let (relay, trusted) = protected_relay(&fixture, (SmtpEncryption::StartTls, SmtpTls::StartTls)).await;
    let (plain_relay, plain) = protected_relay(&fixture, (SmtpEncryption::None, SmtpTls::StartTls)).await;
    let mut untrusted = trusted.clone();
    untrusted.smtp.as_mut().expect("a relay").ca_file = Some(other_authority_file());
    let mut wrong_login = trusted.clone();
    wrong_login.smtp.as_mut().expect("a relay").credentials = Some(("care".to_owned(), Secret::new("hunter3")));
    for (settings, why) in [(untrusted, "certificate"), (plain, "STARTTLS"), (wrong_login, "5.7.8")] {
        let id = fixture.enqueue_new(email()).await;
        assert_eq!(fixture.dispatcher_with(&settings).run_due().await.expect("no fault"), 0, "{why}");
        let record = fixture.record(id).await;
        let error = record.last_error.expect("a reason");
        assert!(error.contains(why) && !error.contains("hunter"), "{error}");
        assert_eq!(record.state, MessageState::Pending, "{why}");
    }
    assert!(relay.emails().is_empty() && plain_relay.emails().is_empty());
}

#[tokio::test]
async fn without_a_relay_email_waits_and_says_so() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    let dispatcher = fixture.dispatcher_with(&DeliverySettings { smtp: None, ..fixture.settings() });
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Pending);
    assert!(record.last_error.expect("a reason").contains("delivery.smtp.host"));
    fixture.pass(TimeDelta::seconds(5));
    assert_eq!(fixture.dispatcher().run_due().await.expect("no fault"), 1, "once there is one, it goes");
}
