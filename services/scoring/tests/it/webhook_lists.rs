//! What is said of accounts and people by webhooks, in lists and one by one, in whatever order.

use mainstay_api::mainstay::scoring::v1 as proto;
use serde_json::{Value, json};

use crate::webhook_receiver::{Receiver, assert_outcome, body, payload};

const PETER: &str = "97980cfea0067";

/// A call of Segment of a group, with another id and time.
fn call(kind: &str, group: &str, id: &str, time: &str) -> Value {
    let mut call = payload(&format!("segment/{kind}"));
    call["messageId"] = json!(format!("{group}-{id}"));
    call["timestamp"] = json!(time);
    call["context"]["groupId"] = json!(group);
    if kind == "group" {
        call["groupId"] = json!(group);
    }
    call
}

fn with_traits(mut call: Value, traits: Value) -> Value {
    call["traits"] = traits;
    call
}

async fn peter(receiver: &Receiver, group: &str) -> proto::Contact {
    let account = receiver.account(group).await.expect("an account");
    account.contacts.into_iter().find(|contact| contact.id == PETER).expect("a contact")
}

#[tokio::test]
async fn r53_an_account_that_a_list_speaks_of_is_there_before_its_people_and_fields() {
    let receiver = Receiver::start().await;
    for group in ["in-order", "reversed"] {
        let mut list = vec![
            with_traits(call("group", group, "g1", "2023-04-01T00:00:00Z"), json!({"name": "Initech"})),
            with_traits(call("group", group, "g2", "2023-04-02T00:00:00Z"), json!({"plan": "enterprise"})),
            call("track", group, "t", "2023-04-03T00:00:00Z"),
            call("identify", group, "i", "2023-04-04T00:00:00Z"),
        ];
        if group == "reversed" {
            list.reverse();
        }
        assert_outcome(&receiver.segment(&json!(list)).await, 200, "recorded");
        let account = receiver.account(group).await.expect("an account");
        assert_eq!((account.display_name.as_str(), account.plan.as_str()), ("Initech", "enterprise"), "{group}");
        assert_eq!(account.contacts.len(), 1, "{group}");
        assert_eq!(receiver.signals(group).await.len(), 2, "{group}");
    }
}

#[tokio::test]
async fn r53_of_a_list_with_malformed_payloads_the_others_are_taken_in_and_each_fault_is_told_with_its_place() {
    let receiver = Receiver::start().await;
    receiver.create("initech").await;
    let mut negative = call("track", "initech", "negative", "2023-04-01T00:00:00Z");
    negative["properties"]["quantity"] = json!(-1);
    let mut ahead = call("page", "initech", "ahead", "2023-05-09T00:00:00Z");
    ahead["name"] = json!("Ahead");
    let good = call("page", "initech", "good", "2023-04-01T00:00:00Z");
    let list = json!([negative, good, {"type": 7}, ahead]);
    let answer = receiver.segment(&list).await;
    assert_outcome(&answer, 400, "malformed");
    let faults = body(&answer)["errors"].clone();
    let fields: Vec<&str> =
        faults.as_array().expect("a list").iter().filter_map(|fault| fault["field"].as_str()).collect();
    assert_eq!(fields, ["[0].properties.quantity", "[2].type", "[3].event_time"]);
    assert_eq!(receiver.signals("initech").await.len(), 1);
    // What can go better is said first, so that the vendor comes again.
    let unknown = call("page", "nobody", "unknown", "2023-04-01T00:00:00Z");
    assert_outcome(&receiver.segment(&json!([negative, unknown])).await, 503, "unknown_account");
}

#[tokio::test]
async fn r53_a_call_that_says_less_of_a_user_leaves_the_rest_as_it_was() {
    let receiver = Receiver::start().await;
    for group in ["in-order", "reversed"] {
        receiver.create(group).await;
        let identify = |id: &str, time: &str, traits: Value| with_traits(call("identify", group, id, time), traits);
        let mut calls = vec![
            identify("1", "2023-04-01T00:00:00Z", json!({"email": "peter@initech.example", "title": "Engineer"})),
            identify("2", "2023-04-02T00:00:00Z", json!({"name": "Peter Gibbons", "title": "Manager", "email": ""})),
            identify("3", "2023-04-03T00:00:00Z", Value::Null),
            identify("4", "2023-04-04T00:00:00Z", json!({"email": "not one", "name": null})),
        ];
        if group == "reversed" {
            calls.reverse();
        }
        for call in &calls {
            assert_eq!(receiver.segment(call).await.status, 200);
        }
        let peter = peter(&receiver, group).await;
        let told = [peter.display_name.as_str(), &peter.email, &peter.title, &peter.language_code];
        assert_eq!(told, ["Peter Gibbons", "peter@initech.example", "Manager", "en-US"], "{group}");
    }
}

#[tokio::test]
async fn r53_calls_that_say_different_things_of_a_group_leave_each_others_alone() {
    let receiver = Receiver::start().await;
    for group in ["in-order", "reversed"] {
        receiver.create(group).await;
        let say = |id: &str, time: &str, traits: Value| with_traits(call("group", group, id, time), traits);
        let mut calls = vec![
            say("1", "2023-04-01T00:00:00Z", json!({"industry": "Technology", "plan": "team"})),
            say("2", "2023-04-02T00:00:00Z", json!({"plan": "enterprise"})),
            say("3", "2023-04-03T00:00:00Z", json!({"name": "Initech", "plan": " "})),
        ];
        if group == "reversed" {
            calls.reverse();
        }
        for call in &calls {
            assert_outcome(&receiver.segment(call).await, 200, "recorded");
        }
        let account = receiver.account(group).await.expect("an account");
        let told = [account.display_name.as_str(), &account.industry, &account.plan];
        assert_eq!(told, ["Initech", "Technology", "enterprise"], "{group}");
    }
}

#[tokio::test]
async fn r53_what_is_said_for_a_time_ahead_is_refused_and_does_not_stay_the_newest() {
    let receiver = Receiver::start().await;
    receiver.create("initech").await;
    let say = |id: &str, time: &str, name: &str| with_traits(call("group", "initech", id, time), json!({"name": name}));
    let ahead = receiver.segment(&json!([say("1", "2099-01-01T00:00:00Z", "Initrode")])).await;
    assert_outcome(&ahead, 400, "malformed");
    assert_eq!(body(&ahead)["errors"][0]["field"], "[0].event_time");
    assert_outcome(&receiver.segment(&say("2", "2023-04-01T00:00:00Z", "Initech")).await, 200, "recorded");
    assert_eq!(receiver.account("initech").await.expect("an account").display_name, "Initech");
}

#[tokio::test]
async fn of_very_many_faults_the_first_are_told_and_how_many_there_are() {
    let receiver = Receiver::start().await;
    let answer = receiver.segment(&json!(vec![7; 1_000])).await;
    assert_outcome(&answer, 400, "malformed");
    assert_eq!(body(&answer)["errors"].as_array().map(Vec::len), Some(20));
    assert!(body(&answer)["detail"].as_str().is_some_and(|detail| detail.starts_with("1000 fields are wrong")));
}
