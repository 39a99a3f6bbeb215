//! Messages to Slack incoming webhooks.

use mainstay_delivery::{MessageState, Slack};
use mainstay_testkit::http::HttpAnswer;
use serde_json::json;

use crate::fixture::{Fixture, slack};

#[tokio::test]
async fn r188_slack_gets_text_and_blocks() {
    let fixture = Fixture::start().await;
    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "*Acme*" } }]);
    fixture.enqueue_new(slack()).await;
    let dispatcher = fixture.dispatcher();
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);
    fixture.enqueue_new(Slack { blocks: Some(blocks.clone()), ..slack() }).await;
    assert_eq!(dispatcher.run_due().await.expect("no fault"), 1);

    let requests = fixture.http.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/slack"));
    assert_eq!(requests[0].header("content-type"), "application/json");
    assert_eq!(requests[0].json(), json!({ "text": "*Acme* fell silent" }));
    assert_eq!(requests[1].json(), json!({ "text": "*Acme* fell silent", "blocks": blocks }));
}

#[tokio::test]
async fn what_slack_cannot_show_is_dead_at_once() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(400).with_body("invalid_blocks"));
    let id = fixture.enqueue_new(slack()).await;
    fixture.dispatcher().run_due().await.expect("no fault");
    let record = fixture.record(id).await;
    assert_eq!(record.state, MessageState::Dead);
    assert_eq!(record.last_error.as_deref(), Some("answered 400 Bad Request: invalid_blocks"));
}

#[tokio::test]
async fn the_database_never_holds_an_address_of_slack_or_a_key() {
    let fixture = Fixture::start().await;
    fixture.http.answer(HttpAnswer::status(404).with_body("no_service"));
    fixture.enqueue_new(slack()).await;
    fixture.enqueue_new(crate::fixture::webhook()).await;
    fixture.dispatcher().run_due().await.expect("no fault");
    let mut rows = 0;
    for table in ["delivery_messages", "delivery_attempts", "delivery_destinations"] {
        let statement = format!("SELECT to_jsonb(one)::text FROM alerting.{table} AS one");
        let found: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(fixture.database.pool()).await.expect("rows");
        rows += found.len();
        for row in found {
            for secret in [fixture.http.url(""), "/slack\"".to_owned(), "whsec".to_owned()] {
                assert!(!row.contains(&secret), "{row}");
            }
        }
    }
    assert_eq!(rows, 4, "two messages, two attempts");
}
