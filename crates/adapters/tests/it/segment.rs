//! What payloads of Segment become.

use mainstay_adapters::{News, Vendor};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Account, Contact, FeatureUse, UsageCount, UserActivity};
use serde_json::{Value, json};

use crate::{at, faults, fixture, ignored, mapped, news, payload_of, signal, time_of, with};

const GROUP: &str = "accounts/0e8c78ea9d97a7b8185e8632";
const USER: &str = "97980cfea0067";

fn payloads(payload: &Value) -> Vec<Payload> {
    mapped(Vendor::Segment, payload).signals.into_iter().map(payload_of).collect()
}

fn tracked(event: &str, properties: Value) -> Value {
    with(with(fixture("segment/track"), "/event", json!(event)), "/properties", properties)
}

fn usage(metric: &str, quantity: i64) -> Payload {
    Payload::Usage(UsageCount { metric: metric.to_owned(), quantity })
}

fn activity(action: &str) -> Payload {
    Payload::Activity(UserActivity { user_id: USER.to_owned(), action: action.to_owned() })
}

fn feature(feature: &str, count: i64) -> Payload {
    Payload::FeatureUse(FeatureUse { feature: feature.to_owned(), user_id: USER.to_owned(), count })
}

#[test]
fn r53_what_has_a_quantity_is_use_of_a_metric_and_activity() {
    let told = mapped(Vendor::Segment, &fixture("segment/track"));
    let ids: Vec<&str> = told.signals.iter().map(|signal| signal.source_id.as_str()).collect();
    let id = "ajs-f8ca1e4de5024d9430b3928bd8ac6b96";
    assert_eq!(ids, [format!("{id}/usage"), format!("{id}/activity")]);
    assert_eq!((told.signals[0].account.as_str(), told.signals[0].source.as_str()), (GROUP, "segment"));
    assert_eq!(time_of(&told.signals[0]), at("2015-12-10T04:08:31.905Z"));
    assert_eq!(payloads(&fixture("segment/track")), [usage("report_exported", 3), activity("report_exported")]);
    let unknown_user = with(fixture("segment/track"), "/userId", Value::Null);
    assert_eq!(payloads(&unknown_user), [usage("report_exported", 3)]);
}

#[test]
fn r53_each_rule_of_tracked_events_holds() {
    for (event, properties, expected) in [
        ("Emails Sent", json!({"value": 120}), vec![usage("emails_sent", 120), activity("emails_sent")]),
        ("Order Completed", json!({"value": 120, "currency": "USD"}), vec![activity("order_completed")]),
        ("Order Completed", json!({"value": 9.99}), vec![activity("order_completed")]),
        ("Signed In", json!({}), vec![activity("signed_in")]),
        ("Signed In", Value::Null, vec![activity("signed_in")]),
        ("Dashboard Used", json!({}), vec![feature("dashboard", 1)]),
        ("Clicked", json!({"feature": "Bulk Export", "quantity": 4}), vec![feature("bulk_export", 4)]),
    ] {
        assert_eq!(payloads(&tracked(event, properties)), expected, "{event}");
    }
    let nobody = with(tracked("Signed In", json!({})), "/userId", json!(""));
    assert!(ignored(Vendor::Segment, &nobody).contains("userId"));
    assert!(ignored(Vendor::Segment, &tracked("登录", json!({}))).contains("names nothing"));
    assert!(ignored(Vendor::Segment, &tracked("API Used", json!({"quantity": 0}))).contains("0 times"));
}

#[test]
fn pages_and_screens_are_activity() {
    assert_eq!(payloads(&fixture("segment/page")), [activity("page")]);
    assert_eq!(payloads(&with(fixture("segment/page"), "/type", json!("screen"))), [activity("screen")]);
}

#[test]
fn an_identified_user_is_a_contact() {
    let told = news(Vendor::Segment, &fixture("segment/identify"));
    assert_eq!((told.account.name().as_str(), told.subject.as_str()), (GROUP, "segment/contact/97980cfea0067"));
    let peter = Contact {
        id: USER.to_owned(),
        display_name: "Peter Gibbons".to_owned(),
        email: "peter@initech.example".to_owned(),
        title: "Engineer".to_owned(),
        champion: false,
        language_code: "en-US".to_owned(),
    };
    assert_eq!(told.news, News::Contact(peter));
    let traits = json!({"firstName": "Peter", "lastName": "Gibbons", "email": "none"});
    let by_mail = with(with(fixture("segment/identify"), "/userId", json!("peter@initech.example")), "/traits", traits);
    let News::Contact(contact) = news(Vendor::Segment, &by_mail).news else { panic!("a contact") };
    assert!(mainstay_domain::is_resource_id(&contact.id), "{}", contact.id);
    assert_eq!((contact.display_name.as_str(), contact.email.as_str()), ("Peter Gibbons", ""));
}

#[test]
fn a_group_is_an_account_with_what_its_traits_say() {
    let told = news(Vendor::Segment, &fixture("segment/group"));
    let initech = Account {
        name: GROUP.to_owned(),
        display_name: "Initech".to_owned(),
        industry: "Technology".to_owned(),
        plan: "enterprise".to_owned(),
        ..Account::default()
    };
    let fields = vec!["display_name", "industry", "plan"];
    assert_eq!(told.news, News::Fields { account: initech, fields });
    assert_eq!((told.subject.as_str(), told.stamp.at), ("segment/group", at("2015-12-10T04:08:31.905Z")));
    let named = with(fixture("segment/group"), "/traits", json!({"mainstay_account": 42, "name": "Initech"}));
    assert_eq!(news(Vendor::Segment, &named).account.name(), "accounts/42");
    let silent = with(fixture("segment/group"), "/traits", json!({"employees": 329}));
    assert!(ignored(Vendor::Segment, &silent).contains("no name"));
}

#[test]
fn calls_of_nobody_and_other_calls_are_ignored() {
    let groupless = with(fixture("segment/track"), "/context", json!({"ip": "108.0.78.21"}));
    assert!(ignored(Vendor::Segment, &groupless).contains("of which group"));
    let alias = with(fixture("segment/track"), "/type", json!("alias"));
    assert!(ignored(Vendor::Segment, &alias).contains("`alias`"));
}

#[test]
fn what_is_malformed_is_told_with_its_path() {
    for (pointer, value, told) in [
        ("/timestamp", json!("today"), "timestamp: "),
        ("/event", json!(""), "event: is missing"),
        ("/properties/quantity", json!("three"), "properties.quantity: must be a whole number"),
        ("/properties/quantity", json!(-1), "properties.quantity: must be a whole number"),
        ("/context/groupId", json!("a/b"), "context.groupId: names the account"),
        ("/type", Value::Null, "type: "),
    ] {
        let faults = faults(Vendor::Segment, &with(fixture("segment/track"), pointer, value));
        assert!(faults[0].starts_with(told), "{pointer}: {faults:?}");
    }
}

#[test]
fn a_message_without_an_id_is_known_by_its_content() {
    let anonymous = with(fixture("segment/page"), "/messageId", Value::Null);
    let id = signal(Vendor::Segment, &anonymous).source_id;
    assert!(id.starts_with("sha256-"), "{id}");
    assert_eq!(signal(Vendor::Segment, &anonymous).source_id, id);
}
