//! What payloads of Segment become.

use mainstay_adapters::{AccountField, ContactField, News, Vendor};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Account, Contact, FeatureUse, UsageCount, UserActivity};
use serde_json::{Value, json};

use crate::{
    all_news, at, faults, fixture, ignored, ignored_in_file, mapped, news, payload_of, received_at, signal, time_of,
    with,
};

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

/// What the news of a payload say, each with its subject.
fn told(payload: &Value) -> Vec<(String, News)> {
    all_news(Vendor::Segment, payload).into_iter().map(|news| (news.subject, news.news)).collect()
}

fn contact(id: &str, field: ContactField, value: &str) -> News {
    News::Contact { id: id.to_owned(), field, value: value.to_owned() }
}

#[test]
fn an_identified_user_is_a_contact_of_whom_each_field_is_told_for_itself() {
    let all = all_news(Vendor::Segment, &fixture("segment/identify"));
    assert!(all.iter().all(|news| news.account.name() == GROUP), "{all:?}");
    let expected = [
        (ContactField::DisplayName, "Peter Gibbons"),
        (ContactField::Email, "peter@initech.example"),
        (ContactField::Title, "Engineer"),
        (ContactField::LanguageCode, "en-US"),
    ];
    let expected = expected.map(|(field, value)| {
        (format!("segment/contact/97980cfea0067/{}", field.as_str()), contact(USER, field, value))
    });
    assert_eq!(told(&fixture("segment/identify")), expected);

    let traits = json!({"firstName": "Peter", "lastName": "Gibbons", "email": "none", "title": " "});
    let by_mail = with(with(fixture("segment/identify"), "/userId", json!("peter@initech.example")), "/traits", traits);
    let by_mail = with(by_mail, "/context/locale", json!(""));
    let News::Contact { id, field: ContactField::DisplayName, value } = news(Vendor::Segment, &by_mail).news else {
        panic!("a name")
    };
    assert!(mainstay_domain::is_resource_id(&id), "{id}");
    assert_eq!(value, "Peter Gibbons");
    let silent = with(by_mail, "/traits", Value::Null);
    assert!(ignored(Vendor::Segment, &silent).contains("nothing of the user"));
}

#[test]
fn a_group_is_an_account_of_which_each_trait_is_told_for_itself() {
    let field = |field: AccountField, value: &str| {
        (format!("segment/{}", field.as_str()), News::Field(field, value.to_owned()))
    };
    let expected = [
        field(AccountField::DisplayName, "Initech"),
        field(AccountField::Industry, "Technology"),
        field(AccountField::Plan, "enterprise"),
    ];
    assert_eq!(told(&fixture("segment/group")), expected);
    let first = &all_news(Vendor::Segment, &fixture("segment/group"))[0];
    assert_eq!((first.account.name().as_str(), first.stamp.at), (GROUP, at("2015-12-10T04:08:31.905Z")));
    let named = with(fixture("segment/group"), "/traits", json!({"mainstay_account": 42, "name": "Initech"}));
    assert_eq!(news(Vendor::Segment, &named).account.name(), "accounts/42");
    let silent = with(fixture("segment/group"), "/traits", json!({"employees": 329, "name": "", "plan": "\u{0}"}));
    assert!(ignored(Vendor::Segment, &silent).contains("no name"));
}

#[test]
fn what_is_told_leaves_all_else_as_it_was() {
    let eve =
        Contact { id: "eve".to_owned(), email: "eve@initech.example".to_owned(), champion: true, ..Contact::default() };
    let known = Account { industry: "Software".to_owned(), contacts: vec![eve.clone()], ..Account::default() };
    let mut account = known.clone();
    News::Exists("Other".to_owned()).apply(&mut account);
    assert_eq!(account, known);
    let eves_title = contact("eve", ContactField::Title, "CTO");
    let bobs_name = contact("bob", ContactField::DisplayName, "Bob");
    for news in [News::Field(AccountField::Plan, "team".to_owned()), eves_title, bobs_name] {
        news.apply(&mut account);
    }
    let eve = Contact { title: "CTO".to_owned(), ..eve };
    let bob = Contact { id: "bob".to_owned(), display_name: "Bob".to_owned(), ..Contact::default() };
    assert_eq!(account, Account { plan: "team".to_owned(), contacts: vec![eve, bob], ..known });
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

#[test]
fn a_call_without_a_time_has_that_of_its_receipt_and_says_nothing_of_accounts_and_people() {
    let timeless = |name: &str| {
        let call = with(fixture(&format!("segment/{name}")), "/timestamp", Value::Null);
        with(call, "/receivedAt", Value::Null)
    };
    assert_eq!(time_of(&signal(Vendor::Segment, &timeless("page"))), received_at());
    for name in ["page", "identify", "group"] {
        assert!(ignored_in_file(Vendor::Segment, &timeless(name)).contains("does not say when it happened"), "{name}");
    }
    for name in ["identify", "group"] {
        assert!(ignored(Vendor::Segment, &timeless(name)).contains("since when"), "{name}");
    }
}
