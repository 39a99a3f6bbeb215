//! Destinations that are gone, unknown, or back.

use chrono::TimeDelta;
use mainstay_delivery::{Channel, DeliverySettings, Destination, DestinationState, MessageState};
use mainstay_domain::Clock;
use mainstay_testkit::http::HttpAnswer;

use crate::fixture::{Fixture, email, slack, webhook, webhook_to};

fn crm() -> Destination {
    Destination::named(Channel::Webhook, "crm").expect("a name")
}

async fn states(fixture: &Fixture) -> Vec<DestinationState> {
    let mut connection = fixture.database.pool().acquire().await.expect("a connection");
    let configured = fixture.settings().destinations();
    fixture.delivery.destinations(&mut connection, &configured).await.expect("destinations")
}

async fn enable(fixture: &Fixture) -> bool {
    let mut connection = fixture.database.pool().acquire().await.expect("a connection");
    fixture.delivery.enable(&mut connection, &crm()).await.expect("no fault")
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_and_what_waited_goes_once_it_is_enabled() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(410));
    let first = fixture.enqueue_new(webhook()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let second = fixture.enqueue_new(webhook()).await;
    fixture.pass(TimeDelta::hours(1));
    fixture.enqueue_new(slack()).await;
    fixture.enqueue_new(email()).await;
    fixture.http.answer(HttpAnswer::status(200));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 2, "the others go on");

    let listed = states(&fixture).await;
    let state = listed.iter().find(|state| state.destination == crm()).expect("the webhook");
    assert_eq!(state.disabled_at, Some(fixture.clock.now() - TimeDelta::hours(1)));
    assert_eq!((state.reason.as_deref(), state.pending), (Some("answered 410 Gone"), 2));
    assert!(listed.iter().filter(|state| state.destination != crm()).all(|state| state.disabled_at.is_none()));

    assert!(enable(&fixture).await);
    assert!(!enable(&fixture).await, "it is enabled");
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 2);
    for id in [first, second] {
        assert_eq!(fixture.record(id).await.state, MessageState::Sent);
    }
}

#[tokio::test]
async fn what_waits_for_a_disabled_destination_for_a_week_is_dead() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(410));
    let id = fixture.enqueue_new(webhook()).await;
    let dispatcher = fixture.dispatcher();
    dispatcher.run_due().await.expect("no fault");
    fixture.pass(TimeDelta::days(7));
    dispatcher.run_due().await.expect("no fault");
    assert_eq!(fixture.record(id).await.state, MessageState::Pending);
    fixture.pass(TimeDelta::microseconds(1));
    dispatcher.run_due().await.expect("no fault");
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Dead);
    assert_eq!(record.last_error.as_deref(), Some("its destination was disabled for seven days"));
}

#[tokio::test]
async fn a_destination_that_the_settings_do_not_have_fails_until_they_do() {
    let fixture = Fixture::start().await;
    let id = fixture.enqueue_new(webhook_to("bi")).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    assert_eq!(fixture.record(id).await.attempts, 0, "another replica may have it");
    fixture.pass(TimeDelta::minutes(1));
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 0);
    let record = fixture.record(id).await;
    assert_eq!((record.state, record.attempts), (MessageState::Pending, 1));
    assert_eq!(record.last_error.as_deref(), Some("the settings have no delivery.webhook.bi"));
    let listed: Vec<String> = states(&fixture).await.iter().map(|state| state.destination.to_string()).collect();
    assert_eq!(listed, ["email", "slack/ops", "webhook/bi", "webhook/crm"]);

    let settings: DeliverySettings = fixture.settings().with_webhook("bi", fixture.http.url("/bi"), Vec::new());
    fixture.pass(TimeDelta::seconds(5));
    assert_eq!(fixture.dispatcher_with(&settings).run_due().await.expect("no fault"), 1);
    assert_eq!(fixture.http.requests()[0].path, "/bi");
}
