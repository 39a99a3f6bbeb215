//! What payloads of Zendesk become.

use mainstay_adapters::Vendor;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketPriority, TicketSignal};
use serde_json::{Value, json};

use crate::{at, faults, fixture, ignored, payload_of, signal, time_of, with};

fn ticket(payload: &Value) -> TicketSignal {
    match payload_of(signal(Vendor::Zendesk, payload)) {
        Payload::Ticket(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r190_a_ticket_is_opened_with_its_priority_subject_and_text() {
    let told = signal(Vendor::Zendesk, &fixture("zendesk/created"));
    assert_eq!(
        (told.account.as_str(), told.source.as_str(), told.source_id.as_str()),
        ("accounts/8447346622462", "zendesk", "cbe4028c-7239-495d-b020-f22348516046")
    );
    assert_eq!(time_of(&told), at("2025-01-08T10:12:07.672717Z"));
    let expected = TicketSignal {
        ticket_id: "zendesk-5158".to_owned(),
        action: TicketAction::Opened.into(),
        priority: TicketPriority::Low.into(),
        subject: "My printer is on fire".to_owned(),
        text: "The smoke is very colorful.".to_owned(),
        ..TicketSignal::default()
    };
    assert_eq!(payload_of(told), Payload::Ticket(expected));
}

#[test]
fn r190_what_happens_to_a_ticket_is_told() {
    for (name, action, priority) in [
        ("priority_changed", TicketAction::Updated, TicketPriority::Urgent),
        ("status_changed", TicketAction::Resolved, TicketPriority::Urgent),
        ("status_changed_back", TicketAction::Reopened, TicketPriority::Urgent),
        ("comment_added", TicketAction::Updated, TicketPriority::Low),
    ] {
        let told = ticket(&fixture(&format!("zendesk/{name}")));
        assert_eq!((told.action(), told.priority()), (action, priority), "{name}");
    }
    let pending = with(fixture("zendesk/status_changed"), "/event/current", json!("PENDING"));
    assert_eq!(ticket(&pending).action(), TicketAction::Updated);
    for gone in ["merged", "soft_deleted", "permanently_deleted", "marked_as_spam"] {
        let kind = json!(format!("zen:event-type:ticket.{gone}"));
        assert_eq!(ticket(&with(fixture("zendesk/created"), "/type", kind)).action(), TicketAction::Resolved, "{gone}");
    }
}

#[test]
fn only_what_the_customer_wrote_is_its_text() {
    let comment = || fixture("zendesk/comment_added");
    assert_eq!(ticket(&comment()).text, "It still burns.");
    let by_staff = with(comment(), "/event/comment/author/is_staff", json!(true));
    assert_eq!(ticket(&by_staff).text, "");
    let private = with(comment(), "/event/comment/is_public", json!(false));
    assert!(ignored(Vendor::Zendesk, &private).contains("private"));
    let long = with(comment(), "/event/comment/body", json!("x\0".repeat(30_000)));
    assert_eq!(ticket(&long).text, "x".repeat(20_000));
}

#[test]
fn tickets_of_nobody_and_other_events_are_ignored() {
    for nobody in [Value::Null, json!(""), json!("0"), json!(0)] {
        let payload = with(fixture("zendesk/created"), "/detail/organization_id", nobody);
        assert!(ignored(Vendor::Zendesk, &payload).contains("no organization"));
    }
    let tags = with(fixture("zendesk/created"), "/type", json!("zen:event-type:ticket.tags_changed"));
    assert!(ignored(Vendor::Zendesk, &tags).contains("tags_changed"));
    let user = json!({"type": "zen:event-type:user.created", "id": "1"});
    assert!(ignored(Vendor::Zendesk, &user).contains("user.created"));
}

#[test]
fn r75_a_public_comment_of_the_staff_is_an_answer() {
    let answered = |is_staff: bool| {
        let comment = with(fixture("zendesk/comment_added"), "/event/comment/author/is_staff", json!(is_staff));
        let told = ticket(&comment);
        (told.first_response_time.map(|time| time.seconds), told.text)
    };
    assert_eq!(answered(true), (Some(at("2025-01-08T11:00:00Z").timestamp()), String::new()));
    assert_eq!(answered(false), (None, "It still burns.".to_owned()));
}

#[test]
fn r190_a_trigger_tells_of_a_ticket_in_its_own_template() {
    let payload = fixture("zendesk/trigger");
    let told = signal(Vendor::Zendesk, &payload);
    assert_eq!((told.account.as_str(), time_of(&told)), ("accounts/acme", at("2025-01-08T11:00:00Z")));
    assert!(told.source_id.starts_with("sha256-"), "{}", told.source_id);
    let expected = TicketSignal {
        ticket_id: "zendesk-35436".to_owned(),
        action: TicketAction::Updated.into(),
        priority: TicketPriority::Urgent.into(),
        subject: "My printer is on fire".to_owned(),
        text: "It still burns.".to_owned(),
        requester_email: "eve@acme.example".to_owned(),
        open: true,
        ..Default::default()
    };
    assert_eq!(payload_of(told), Payload::Ticket(expected));
    let action = |action: &str, status: &str| {
        let payload = with(payload.clone(), "/action", json!(action));
        ticket(&with(payload, "/status", json!(status))).action()
    };
    assert_eq!(action("escalated", "Open"), TicketAction::Escalated);
    assert_eq!(action("", "Solved"), TicketAction::Resolved);
    assert_eq!(action("", "New"), TicketAction::Opened);
    let open = |status: &str| ticket(&with(payload.clone(), "/status", json!(status))).open;
    for (status, expected) in [("Pending", true), ("On-hold", true), ("hold", true), ("New", false), ("Solved", false)]
    {
        assert_eq!(open(status), expected, "{status}");
    }
    let satisfaction = |rating: Value| ticket(&with(payload.clone(), "/satisfaction", rating)).satisfaction;
    assert_eq!(satisfaction(json!("Good, I'm satisfied")), Some(5));
    assert_eq!(satisfaction(json!("Bad")), Some(1));
    assert_eq!(satisfaction(json!(3)), Some(3));
    assert_eq!(satisfaction(json!("offered")), None);
    let nobody = with(payload, "/mainstay_account", json!(""));
    assert!(ignored(Vendor::Zendesk, &nobody).contains("`mainstay_account`"));
}

/// Solved, reopened and solved again in the same words would be one delivery that was tried again.
#[test]
fn r190_a_trigger_that_does_not_say_when_is_told_what_to_add_to_its_template() {
    let expected =
        r#"updated_at: is missing: add `"updated_at": "{{ticket.updated_at_with_timestamp}}"` to the trigger's JSON"#;
    let empty = with(fixture("zendesk/trigger"), "/updated_at", json!(""));
    let mut absent = fixture("zendesk/trigger");
    absent.as_object_mut().expect("an object").remove("updated_at");
    for payload in [empty, absent] {
        assert_eq!(faults(Vendor::Zendesk, &payload), [expected]);
    }
    let solved = |time: &str| {
        let solved = with(fixture("zendesk/trigger"), "/status", json!("Solved"));
        signal(Vendor::Zendesk, &with(solved, "/updated_at", json!(time))).source_id
    };
    assert_ne!(solved("2025-01-08T11:00Z"), solved("2025-01-08T11:05Z"));
}

/// As the reference of Zendesk's placeholders has it, <https://support.zendesk.com/hc/en-us/articles/4408886858138>, and as others
/// who fill the template may write it.
#[test]
fn r190_a_trigger_says_the_time_with_or_without_seconds() {
    let time =
        |text: &str| time_of(&signal(Vendor::Zendesk, &with(fixture("zendesk/trigger"), "/updated_at", json!(text))));
    for (text, expected) in [
        ("2013-12-12T05:35Z", "2013-12-12T05:35:00Z"),
        ("2013-12-12T05:35+01:00", "2013-12-12T04:35:00Z"),
        ("2013-12-12T05:35-0830", "2013-12-12T14:05:00Z"),
        (" 2013-12-12T05:35:59Z ", "2013-12-12T05:35:59Z"),
        ("2013-12-12T05:35:59.5+01:00", "2013-12-12T04:35:59.5Z"),
    ] {
        assert_eq!(time(text), at(expected), "{text}");
    }
}

#[test]
fn what_is_malformed_is_told_with_its_path() {
    for (name, pointer, value, told) in [
        ("created", "/detail/priority", json!("P1"), "detail.priority: `P1` is no priority"),
        ("priority_changed", "/event/current", json!("P1"), "event.current: `P1` is no priority"),
        ("created", "/time", json!("now"), "time: "),
        ("created", "/detail/organization_id", json!("a b"), "detail.organization_id: names the account"),
        ("status_changed", "/event", json!({}), "event.current: is missing"),
        ("comment_added", "/event", json!({}), "event.comment: is missing"),
        ("trigger", "/action", json!("closed"), "action: `closed` is no action of a ticket"),
        ("trigger", "/satisfaction", json!("7"), "satisfaction: `7` is no rating"),
        ("trigger", "/updated_at", json!("Jan 8"), "updated_at: `Jan 8` is not a time"),
        ("trigger", "/updated_at", json!("2013-12-12T05:35"), "updated_at: `2013-12-12T05:35` is not a time"),
    ] {
        let faults = faults(Vendor::Zendesk, &with(fixture(&format!("zendesk/{name}")), pointer, value));
        assert!(faults[0].starts_with(told), "{name} {pointer}: {faults:?}");
    }
    assert_eq!(faults(Vendor::Zendesk, &json!({"mainstay_account": "acme"})), ["ticket_id: is missing"]);
}
