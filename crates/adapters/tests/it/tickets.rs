//! What tickets in our own schema become.

use mainstay_adapters::Vendor;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{TicketAction, TicketPriority, TicketSignal};
use serde_json::json;

use crate::{at, faults, fixture, payload_of, signal, time_of, with};

#[test]
fn r190_tickets_of_any_help_desk_are_read() {
    let told = signal(Vendor::Tickets, &fixture("tickets/opened"));
    assert_eq!(
        (told.account.as_str(), told.source.as_str(), told.source_id.as_str()),
        ("accounts/acme", "helpdesk", "event-1")
    );
    assert_eq!(time_of(&told), at("2026-11-20T09:30:00Z"));
    let expected = TicketSignal {
        ticket_id: "4711".to_owned(),
        action: TicketAction::Opened.into(),
        priority: TicketPriority::Urgent.into(),
        subject: "Nothing works".to_owned(),
        text: "Help!".to_owned(),
        requester_email: "eve@acme.example".to_owned(),
        ..Default::default()
    };
    assert_eq!(payload_of(told), Payload::Ticket(expected));
    let answered = json!({"account": "acme", "ticket_id": "1", "action": "updated", "time": "2026-11-20T10:30:00Z",
        "first_response_time": "2026-11-20T10:00:00Z", "sentiment": -0.5, "open": true});
    let Payload::Ticket(told) = payload_of(signal(Vendor::Tickets, &answered)) else { panic!("a ticket") };
    let first_response = told.first_response_time.map(|time| time.seconds);
    let expected = (Some(at("2026-11-20T10:00:00Z").timestamp()), Some(-0.5), true);
    assert_eq!((first_response, told.sentiment, told.open), expected);
    let short = json!({"account": "accounts/acme", "ticket_id": "1", "action": "Resolved", "time": "2026-11-20T10:30:00+01:00"});
    let told = signal(Vendor::Tickets, &short);
    assert_eq!((told.account.as_str(), told.source.as_str()), ("accounts/acme", "tickets"));
    assert!(told.source_id.starts_with("sha256-"));
    assert_eq!(time_of(&told), at("2026-11-20T09:30:00Z"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let payload = with(fixture("tickets/opened"), "/account", json!("a b"));
    let payload = with(payload, "/action", json!("closed"));
    let payload = with(payload, "/priority", json!("p1"));
    let payload = with(payload, "/source", json!("Help Desk"));
    let fields: Vec<String> = faults(Vendor::Tickets, &payload)
        .iter()
        .filter_map(|fault| fault.split_once(": ").map(|(field, _)| field.to_owned()))
        .collect();
    assert_eq!(fields, ["account", "action", "priority", "source"]);
    let misspelt = json!({"account": "acme", "ticket_id": "1", "action": "opened", "time": "2026-11-20T09:30:00Z", "prio": "high"});
    assert!(faults(Vendor::Tickets, &misspelt)[0].contains("unknown field `prio`"));
    assert_eq!(
        faults(Vendor::Tickets, &with(fixture("tickets/opened"), "/account", json!(" "))),
        ["account: is empty"]
    );
    let rating = json!({"account": "acme", "ticket_id": "1", "action": "opened", "time": "2026-11-20T09:30:00Z", "satisfaction": 6});
    assert_eq!(faults(Vendor::Tickets, &rating), ["satisfaction: must be 1 to 5"]);
}
