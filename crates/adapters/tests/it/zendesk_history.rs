//! What tickets of Zendesk's API and of its incremental exports become.

use mainstay_adapters::{Adapter, Outcome, Vendor};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Signal, TicketAction, TicketPriority, TicketSignal};
use serde_json::{Value, json};

use crate::{at, faults, fixture, ignored, mapped, payload_of, time_of, with};

/// The opening and the state that a ticket becomes.
fn signals(payload: &Value) -> [Signal; 2] {
    mapped(Vendor::Zendesk, payload).signals.try_into().expect("the opening and the state")
}

fn state(payload: &Value) -> TicketSignal {
    let [_, state] = signals(payload);
    match payload_of(state) {
        Payload::Ticket(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn source_ids(payload: &Value) -> [String; 2] {
    signals(payload).map(|signal| signal.source_id)
}

fn with_status(status: &str) -> Value {
    with(fixture("zendesk/ticket"), "/status", json!(status))
}

#[test]
fn r190_a_ticket_of_the_api_is_opened_and_then_as_it_is_now() {
    let [opened, state] = signals(&fixture("zendesk/ticket"));
    for told in [&opened, &state] {
        assert_eq!((told.account.as_str(), told.source.as_str()), ("accounts/509974", "zendesk"));
    }
    assert_eq!(time_of(&opened), at("2009-07-20T22:55:29Z"));
    assert_eq!(time_of(&state), at("2011-05-05T10:38:52Z"));
    let ticket = TicketSignal {
        ticket_id: "zendesk-35436".to_owned(),
        priority: TicketPriority::High.into(),
        subject: "Help, my printer is on fire!".to_owned(),
        ..TicketSignal::default()
    };
    let as_opened = TicketSignal {
        action: TicketAction::Opened.into(),
        text: "The fire is very colorful.".to_owned(),
        ..ticket.clone()
    };
    let as_it_is =
        TicketSignal { action: TicketAction::Updated.into(), satisfaction: Some(5), open: true, ..ticket.clone() };
    assert_eq!(payload_of(opened), Payload::Ticket(as_opened));
    assert_eq!(payload_of(state), Payload::Ticket(as_it_is));
    // As the events and triggers call it, so that all of them tell of one ticket.
    let trigger = mapped(Vendor::Zendesk, &fixture("zendesk/trigger")).signals.remove(0);
    let Payload::Ticket(told) = payload_of(trigger) else { panic!("a ticket") };
    assert_eq!(told.ticket_id, ticket.ticket_id);
}

#[test]
fn r190_the_status_says_how_a_ticket_is() {
    for (status, action, open) in [
        ("new", TicketAction::Updated, false),
        ("open", TicketAction::Updated, true),
        ("pending", TicketAction::Updated, true),
        ("hold", TicketAction::Updated, true),
        ("solved", TicketAction::Resolved, false),
        ("Closed", TicketAction::Resolved, false),
        ("deleted", TicketAction::Resolved, false),
    ] {
        let told = state(&with_status(status));
        assert_eq!((told.action(), told.open), (action, open), "{status}");
    }
}

#[test]
fn the_texts_of_deleted_tickets_which_are_overwritten_are_not_taken() {
    let deleted = with(with_status("deleted"), "/subject", json!("SCRUBBED"));
    for told in signals(&with(deleted, "/description", json!("SCRUBBED"))) {
        let Payload::Ticket(ticket) = payload_of(told) else { panic!("a ticket") };
        assert_eq!((ticket.subject.as_str(), ticket.text.as_str()), ("", ""));
    }
}

#[test]
fn r190_a_rating_is_told_once_the_customer_gave_it() {
    let rated = |rating: Value| state(&with(fixture("zendesk/ticket"), "/satisfaction_rating", rating)).satisfaction;
    assert_eq!(rated(json!({"score": "bad"})), Some(1));
    assert_eq!(rated(json!({"id": 1, "score": "good", "comment": null})), Some(5));
    for none in [Value::Null, json!({"score": "offered"}), json!({"score": "unoffered"}), json!({"score": null})] {
        assert_eq!(rated(none), None);
    }
}

#[test]
fn r190_a_ticket_that_is_exported_again_is_known_and_one_that_changed_has_another_state() {
    let before = source_ids(&fixture("zendesk/ticket"));
    let retold = with(fixture("zendesk/ticket"), "/updated_at", json!(" 2011-05-05T12:38:52+02:00"));
    assert_eq!(source_ids(&with(retold, "/subject", json!("Printer"))), before);
    let [opened, later] = source_ids(&with(fixture("zendesk/ticket"), "/updated_at", json!("2011-05-06T10:38:52Z")));
    assert_eq!(opened, before[0]);
    assert_ne!(later, before[1]);
    // Of times without seconds, two states may have the same.
    let [_, solved] = source_ids(&with_status("solved"));
    assert_ne!(solved, before[1]);
    let [other, _] = source_ids(&with(fixture("zendesk/ticket"), "/id", json!(35437)));
    assert_ne!(other, before[0]);
}

#[test]
fn times_may_be_without_seconds_and_no_state_is_older_than_the_ticket() {
    let minutes = with(fixture("zendesk/ticket"), "/created_at", json!("2009-07-20T22:55Z"));
    let [opened, state] = signals(&with(minutes, "/updated_at", json!("2009-07-20T22:56+00:00")));
    assert_eq!((time_of(&opened), time_of(&state)), (at("2009-07-20T22:55:00Z"), at("2009-07-20T22:56:00Z")));
    let [opened, state] = signals(&with(with_status("closed"), "/updated_at", json!("2001-01-01T00:00:00Z")));
    assert_eq!(time_of(&opened), time_of(&state));
}

#[test]
fn r190_the_account_that_somebody_added_goes_before_the_organization() {
    let mut ticket = fixture("zendesk/ticket");
    ticket["mainstay_account"] = json!("acme");
    assert_eq!(signals(&ticket).map(|told| told.account), ["accounts/acme", "accounts/acme"]);
    for nobody in [Value::Null, json!(0), json!("")] {
        let reason = ignored(Vendor::Zendesk, &with(fixture("zendesk/ticket"), "/organization_id", nobody));
        assert!(reason.contains("`mainstay_account` nor `organization_id`"), "{reason}");
    }
}

#[test]
fn r190_a_page_gives_its_tickets_whatever_else_stands_in_it() {
    let adapter = Adapter::new(Vendor::Zendesk);
    let other = with(fixture("zendesk/ticket"), "/id", json!("35437"));
    let given = adapter.payloads(json!({
        "tickets": [fixture("zendesk/ticket"), other.clone()],
        "count": 2, "end_of_stream": true, "end_time": 1_390_362_485,
        "next_page": "https://company.zendesk.com/api/v2/incremental/tickets.json?start_time=1390362485",
        "after_cursor": "MTU3NjYxMzUzOS4wfHw0Njd8", "before_url": null,
    }));
    let expected = [("tickets[0]".to_owned(), fixture("zendesk/ticket")), ("tickets[1]".to_owned(), other)];
    assert_eq!(given, expected);
    assert_eq!(adapter.payloads(json!({"tickets": [], "count": 0})), []);
    for (vendor, alone) in [
        (Vendor::Zendesk, fixture("zendesk/trigger")),
        (Vendor::Zendesk, json!([{"tickets": []}])),
        (Vendor::Zendesk, json!(7)),
        (Vendor::Tickets, json!({"tickets": [1, 2]})),
    ] {
        assert_eq!(Adapter::new(vendor).payloads(alone.clone()), [(String::new(), alone)]);
    }
    let shown = json!({"ticket": fixture("zendesk/ticket")});
    assert_eq!(source_ids(&shown), source_ids(&fixture("zendesk/ticket")));
    let in_a_file = adapter.map(&fixture("zendesk/ticket"), None);
    assert!(matches!(in_a_file, Ok(Outcome::Mapped(_))), "{in_a_file:?}");
}

#[test]
fn what_is_malformed_in_a_ticket_is_told_with_its_path() {
    for (pointer, value, told) in [
        ("/status", json!("waiting"), "status: `waiting` is no status of a ticket: new, open"),
        ("/status", Value::Null, "status: "),
        ("/priority", json!("P1"), "priority: `P1` is no priority"),
        ("/created_at", json!("yesterday"), "created_at: `yesterday` is not a time"),
        ("/updated_at", json!("2011-05-05"), "updated_at: `2011-05-05` is not a time"),
        ("/satisfaction_rating/score", json!("great"), "satisfaction_rating.score: `great` is no rating"),
        ("/satisfaction_rating", json!("good"), "satisfaction_rating: "),
        ("/organization_id", json!("a b"), "organization_id: names the account"),
        ("/id", json!(1.5), "id: "),
    ] {
        let ticket = with(fixture("zendesk/ticket"), pointer, value);
        let found = faults(Vendor::Zendesk, &ticket);
        assert!(found[0].starts_with(told), "{pointer}: {found:?}");
        let found = faults(Vendor::Zendesk, &json!({ "ticket": ticket }));
        assert!(found[0].starts_with(&format!("ticket.{told}")), "{pointer}: {found:?}");
    }
    assert_eq!(faults(Vendor::Zendesk, &json!({"id": 1, "status": "new"})), ["created_at: is missing"]);
    assert_eq!(faults(Vendor::Zendesk, &json!({"ticket": {"id": 1}})), ["ticket.created_at: is missing"]);
    let no_page = faults(Vendor::Zendesk, &json!({"tickets": {"id": 1}}));
    assert!(no_page[0].starts_with("tickets: "), "{no_page:?}");
}
