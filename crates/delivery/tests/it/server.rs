//! `DeliveryService`, as an operator meets it.

use mainstay_api::mainstay::delivery::v1 as api;
use mainstay_api::mainstay::delivery::v1::delivery_service_server::DeliveryService;
use mainstay_delivery::{DeliveryServer, Email};
use mainstay_domain::AccountId;
use mainstay_storage::Idempotency;
use mainstay_testkit::http::HttpAnswer;
use mainstay_testkit::{idempotency, pagination};
use std::sync::Arc;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, SCHEMA, email, email_to, slack, webhook};

fn server(fixture: &Fixture) -> DeliveryServer {
    DeliveryServer::new(
        fixture.delivery.clone(),
        fixture.database.pool().clone(),
        Arc::new(fixture.clock.clone()),
        Idempotency::new(&SCHEMA),
        &fixture.settings(),
    )
}

async fn list(server: &DeliveryServer, request: api::ListMessagesRequest) -> Result<api::ListMessagesResponse, Status> {
    Ok(server.list_messages(Request::new(request)).await?.into_inner())
}

async fn get(server: &DeliveryServer, name: &str) -> Result<api::Message, Status> {
    Ok(server.get_message(Request::new(api::GetMessageRequest { name: name.to_owned() })).await?.into_inner())
}

async fn replay(server: &DeliveryServer, name: &str, request_id: &str) -> Result<api::Message, Status> {
    let request = api::ReplayMessageRequest { name: name.to_owned(), request_id: request_id.to_owned() };
    Ok(server.replay_message(Request::new(request)).await?.into_inner())
}

async fn enable(server: &DeliveryServer, name: &str, request_id: &str) -> Result<api::Destination, Status> {
    let request = api::EnableDestinationRequest { name: name.to_owned(), request_id: request_id.to_owned() };
    Ok(server.enable_destination(Request::new(request)).await?.into_inner())
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn pages_cover_all_messages_newest_first() {
    let fixture = Fixture::start().await;
    let mut names = Vec::new();
    for index in 0..7 {
        // Several of one moment, and moments that differ.
        if index % 3 == 0 {
            fixture.pass(chrono::TimeDelta::seconds(1));
        }
        names.push((fixture.enqueue_new(email()).await, index));
    }
    fixture.enqueue_new(slack()).await;
    let server = server(&fixture);
    let page = async |purpose: &str, channel: api::Channel, page_size: i32, page_token: String| {
        let purpose = purpose.to_owned();
        let request =
            api::ListMessagesRequest { purpose, channel: channel.into(), page_size, page_token, ..Default::default() };
        let page = list(&server, request).await?;
        Ok((page.messages.into_iter().map(|message| message.name).collect(), page.next_page_token))
    };
    let mut records = fixture.records().await;
    records.retain(|record| record.channel == mainstay_delivery::Channel::Email);
    assert!(records.is_sorted_by(|left, right| (left.created_at, left.id) > (right.created_at, right.id)));
    let expected: Vec<String> = records.iter().map(|record| format!("messages/{}", record.id)).collect();
    assert_eq!(expected.len(), names.len());
    pagination::assert_pages_cover(
        async |size, token| page("", api::Channel::Email, size, token).await,
        async |size, token| page("alert_raised", api::Channel::Email, size, token).await,
        &expected,
    )
    .await;
}

#[tokio::test]
async fn lists_are_filtered() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    let acme = AccountId::parse("acme").expect("an id");
    let dead = fixture.enqueue(&fixture.message(email_to("gone@example.org")).about(&acme)).await.id;
    let mut reminder = fixture.message(slack());
    reminder.purpose = "task_due".to_owned();
    let sent = fixture.enqueue(&reminder).await.id;
    fixture.dispatcher().run_due().await.expect("no fault");
    let waiting = fixture.enqueue(&fixture.message(webhook()).about(&acme)).await.id;
    let server = server(&fixture);
    let all = api::ListMessagesRequest::default;
    let cases = [
        (all(), vec![waiting, sent, dead]),
        (api::ListMessagesRequest { state: api::MessageState::Dead.into(), ..all() }, vec![dead]),
        (api::ListMessagesRequest { state: api::MessageState::Pending.into(), ..all() }, vec![waiting]),
        (api::ListMessagesRequest { channel: api::Channel::Slack.into(), ..all() }, vec![sent]),
        (api::ListMessagesRequest { purpose: "task_due".to_owned(), ..all() }, vec![sent]),
        (api::ListMessagesRequest { account: "accounts/acme".to_owned(), ..all() }, vec![waiting, dead]),
        (api::ListMessagesRequest { destination: "destinations/webhook/crm".to_owned(), ..all() }, vec![waiting]),
    ];
    for (request, expected) in cases {
        let shown = format!("{request:?}");
        let page = list(&server, request).await.expect("a page");
        let mut found: Vec<String> = page.messages.iter().map(|message| message.name.clone()).collect();
        let mut expected: Vec<String> = expected.iter().map(|id| format!("messages/{id}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{shown}");
        assert!(page.messages.iter().all(|message| message.content.is_none() && message.attempts.is_empty()));
    }
}

#[tokio::test]
async fn all_faults_of_a_filter_are_told_at_once() {
    let fixture = Fixture::start().await;
    let request = api::ListMessagesRequest {
        state: 9,
        channel: 9,
        purpose: "Alert".to_owned(),
        account: "acme".to_owned(),
        destination: "crm".to_owned(),
        ..Default::default()
    };
    let status = list(&server(&fixture), request).await.expect_err("faults");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let details = status.get_error_details();
    let fields: Vec<&str> =
        details.bad_request().expect("fields").field_violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["state", "channel", "purpose", "account", "destination"]);
}

#[tokio::test]
async fn a_message_is_shown_with_its_content_and_attempts() {
    let fixture = Fixture::start().await;
    fixture.http.answer_next([HttpAnswer::status(500).with_body("oops")]);
    let id = fixture.enqueue(&fixture.message(webhook()).with_dedupe_key("alert/7")).await.id;
    fixture.dispatcher().run_due().await.expect("no fault");
    let server = server(&fixture);
    let message = get(&server, &format!("messages/{id}")).await.expect("the message");
    assert_eq!(message.state(), api::MessageState::Pending);
    assert_eq!(message.destination, "destinations/webhook/crm");
    assert_eq!((message.dedupe_key.as_str(), message.attempt_count), ("alert/7", 1));
    assert_eq!(message.last_error, "answered 500 Internal Server Error: oops");
    assert!(message.next_attempt_time.is_some() && message.sent_time.is_none());
    let [attempt] = message.attempts.as_slice() else { panic!("{:?}", message.attempts) };
    assert_eq!((attempt.number, attempt.outcome(), attempt.status_code), (1, api::AttemptOutcome::Failed, 500));
    assert!(attempt.duration.is_some());
    let Some(api::message::Content::Webhook(content)) = message.content else { panic!("{:?}", message.content) };
    assert_eq!(content.event_type, "alert.raised");
    assert!(format!("{:?}", content.data).contains("accounts/acme"));

    let written = Email { html: Some("<p>x</p>".to_owned()), ..email() };
    let id = fixture.enqueue_new(written).await;
    let message = get(&server, &format!("messages/{id}")).await.expect("the message");
    let Some(api::message::Content::Email(content)) = message.content else { panic!("{:?}", message.content) };
    assert_eq!((content.to.as_str(), content.html.as_str()), ("Ann Example <ann@example.org>", "<p>x</p>"));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let fixture = Fixture::start().await;
    let server = server(&fixture);
    let nobody = format!("messages/{}", fixture.new_id());
    for status in
        [get(&server, &nobody).await.expect_err("none"), replay(&server, &nobody, "").await.expect_err("none")]
    {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "MESSAGE_NOT_FOUND"));
        assert_eq!(status.get_error_details().error_info().expect("info").metadata["message"], nobody);
    }
    let status = enable(&server, "destinations/webhook/none", "").await.expect_err("none");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "DESTINATION_NOT_FOUND"));
    for name in ["", "messages/", "messages/7", "accounts/acme"] {
        assert_eq!(reason(&get(&server, name).await.expect_err("no name")), "INVALID_FIELDS", "{name}");
    }
}

#[tokio::test]
async fn a_dead_message_is_replayed_with_a_new_set_of_attempts() {
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    let id = fixture.enqueue_new(email_to("gone@example.org")).await;
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    fixture.smtp.refuse_recipient("gone@example.org", "450 4.2.1 later");
    let server = server(&fixture);
    let replayed = replay(&server, &format!("messages/{id}"), "").await.expect("replayed");
    assert_eq!((replayed.state(), replayed.dead_time), (api::MessageState::Pending, None));
    dispatcher.run_due().await.expect("no fault");
    let record = fixture.record(id).await;
    let wait = record.due_at - mainstay_domain::Clock::now(&fixture.clock);
    assert!(wait <= chrono::TimeDelta::seconds(5), "the schedule begins anew: {wait}");
    assert_eq!(record.attempts, 2);
}

#[tokio::test]
async fn a_sent_message_that_is_replayed_is_the_same_message() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(email()).await;
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    replay(&server(&fixture), &format!("messages/{id}"), "once").await.expect("replayed");
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    let emails = fixture.smtp.emails();
    assert_eq!(emails.len(), 2);
    assert_eq!(emails[0].message_id, emails[1].message_id);
}

#[tokio::test]
async fn a_replay_may_be_sent_twice() {
    let fixture = Fixture::start().await;
    let ids =
        [fixture.enqueue_new(slack()).await, fixture.enqueue_new(slack()).await, fixture.enqueue_new(slack()).await];
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    let server = server(&fixture);
    idempotency::assert_repeatable(
        async |request_id, content| replay(&server, &format!("messages/{}", ids[content]), &request_id).await,
        async || {
            dispatcher.run_due().await.expect("no fault");
            u64::try_from(fixture.http.requests().len()).expect("few")
        },
    )
    .await;
}

#[tokio::test]
async fn destinations_are_listed_and_enabled() {
    let fixture = Fixture::start().await;
    fixture.http.answer_next([HttpAnswer::status(410)]);
    fixture.enqueue_new(webhook()).await;
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    let server = server(&fixture);
    let listed = server.list_destinations(Request::new(api::ListDestinationsRequest {})).await.expect("a list");
    let listed = listed.into_inner().destinations;
    let names: Vec<&str> = listed.iter().map(|destination| destination.name.as_str()).collect();
    assert_eq!(names, ["destinations/email", "destinations/slack/ops", "destinations/webhook/crm"]);
    assert!(listed.iter().all(|destination| destination.configured));
    let gone = &listed[2];
    assert_eq!((gone.disable_reason.as_str(), gone.pending_count), ("answered 410 Gone", 1));

    let enabled = enable(&server, "destinations/webhook/crm", "once").await.expect("enabled");
    assert_eq!((enabled.disable_time, enabled.pending_count), (None, 1));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    assert_eq!(enable(&server, "destinations/webhook/crm", "once").await.expect("again"), enabled, "the kept answer");
}
