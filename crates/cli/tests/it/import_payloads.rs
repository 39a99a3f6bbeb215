//! `mainstay import` of what vendors send, against a scoring service that runs.

use serde_json::{Value, json};

use crate::up::{Up, done, folder};
use crate::{run, run_with_input, write};

/// A payload of the adapters' tests.
fn payload(name: &str) -> Value {
    let path = format!("{}/../adapters/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

fn lines(payloads: &[Value]) -> String {
    payloads.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

async fn account(up: &Up, id: &str) -> Value {
    let got = done(up.address, &["accounts", "get", id, "--output", "json"]).await;
    serde_json::from_str(&got.out).expect("JSON")
}

#[tokio::test]
async fn r53_r185_r190_what_vendors_send_is_taken_in_once_in_whatever_order() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;

    let customer = payload("stripe/customer_created");
    let mut paid_out = payload("stripe/charge_refunded");
    paid_out["type"] = json!("payout.paid");
    let mut events = vec![
        payload("stripe/invoice_payment_failed_2024"),
        payload("stripe/dispute_created"),
        paid_out,
        customer.clone(),
    ];
    let stripe = write(folder.path(), "stripe.json", &serde_json::to_string_pretty(&events).expect("JSON"));
    let first = done(up.address, &["import", "stripe", &stripe]).await;
    let expected =
        "stripe: 2 signals recorded, 0 known already; accounts: 1 new, 0 changed, 0 unchanged; 1 ignored; 0 rejected\n";
    assert_eq!(first.out, expected, "{}", first.err);
    assert!(first.err.contains("Ignored: the event `payout.paid` says nothing"), "{}", first.err);
    assert_eq!(account(&up, "acme").await["displayName"], "Jenny Rosen");
    let risks = done(up.address, &["risks", "list", "--account", "acme"]).await;
    assert!(risks.out.contains("unpaid") && risks.out.contains("dispute"), "{}", risks.out);

    events.reverse();
    let again = run_with_input(up.address, &["import", "stripe", "-", "--output", "json"], &lines(&events)).await;
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&again["added"], &again["known"], &again["ignored"]), (&json!(0), &json!(2), &json!(1)));
    assert_eq!(again["accounts"], json!({"added": 0, "changed": 0, "known": 1}));

    let group = payload("segment/group");
    let mut older = group.clone();
    older["timestamp"] = json!("2015-12-09T00:00:00Z");
    older["messageId"] = json!("older");
    older["traits"]["name"] = json!("Initech before");
    let calls = [group, payload("segment/track"), payload("segment/identify"), older, payload("segment/page")];
    let segment = write(folder.path(), "calls.jsonl", &lines(&calls));
    let imported = done(up.address, &["import", "segment", &segment]).await;
    let expected = "segment: 3 signals recorded, 0 known already; accounts: 1 new, 1 changed, 0 unchanged; 0 ignored; 0 rejected\n";
    assert_eq!(imported.out, expected, "{}", imported.err);
    let initech = account(&up, "0e8c78ea9d97a7b8185e8632").await;
    assert_eq!((&initech["displayName"], &initech["plan"]), (&json!("Initech"), &json!("enterprise")));
    assert_eq!(initech["contacts"][0]["displayName"], "Peter Gibbons");

    let say = |id: &str, traits: Value| {
        let mut call = payload("segment/group");
        (call["messageId"], call["groupId"], call["traits"]) = (json!(id), json!("chotchkies"), traits);
        call
    };
    let calls = [say("plan", json!({"plan": "team"})), say("name", json!({"name": "Chotchkie's", "plan": ""}))];
    let segment = write(folder.path(), "groups.jsonl", &lines(&calls));
    let imported = done(up.address, &["import", "segment", &segment]).await;
    assert!(imported.out.contains("accounts: 1 new, 0 changed, 0 unchanged"), "{}", imported.out);
    let chotchkies = account(&up, "chotchkies").await;
    assert_eq!((&chotchkies["displayName"], &chotchkies["plan"]), (&json!("Chotchkie's"), &json!("team")));

    let opened = write(folder.path(), "opened.json", &payload("tickets/opened").to_string());
    let mut solved = payload("tickets/opened");
    solved["action"] = json!("resolved");
    solved["id"] = json!("event-2");
    solved["time"] = json!("2026-11-20T10:30:00Z");
    let solved = write(folder.path(), "solved.json", &serde_json::to_string_pretty(&solved).expect("JSON"));
    let both = done(up.address, &["import", "tickets", &solved, &opened]).await;
    assert!(both.out.starts_with("tickets: 2 signals recorded"), "{}", both.out);
    let zendesk = write(folder.path(), "trigger.json", &payload("zendesk/trigger").to_string());
    assert!(done(up.address, &["import", "zendesk", &zendesk]).await.out.starts_with("zendesk: 1 signals recorded"));
    assert_eq!(up.end("-TERM").await, Some(0));
}

#[tokio::test]
async fn r190_what_zendesk_exports_of_the_past_is_taken_in_once_and_beside_its_events() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let accounts = write(folder.path(), "accounts.csv", "id,name\n509974,Acme\n8447346622462,Globex\n");
    done(up.address, &["import", "accounts", &accounts]).await;
    let ticket = |id: i64, status: &str| {
        let mut ticket = payload("zendesk/ticket");
        (ticket["id"], ticket["status"], ticket["priority"]) = (json!(id), json!(status), json!("urgent"));
        ticket["created_at"] = json!("2025-01-08T10:12:07Z");
        ticket["updated_at"] = json!("2025-01-08T10:20:00Z");
        ticket
    };
    let mut nobody = ticket(3, "open");
    nobody["organization_id"] = json!(null);
    let mut of_event = ticket(5158, "solved");
    of_event["organization_id"] = json!(8_447_346_622_462_i64);
    let tickets = [ticket(1, "open"), ticket(2, "closed"), nobody, ticket(4, "waiting"), of_event];
    let page = json!({"count": 5, "end_of_stream": true, "next_page": null, "tickets": tickets});
    let file = write(folder.path(), "tickets.json", &page.to_string());
    let events = write(folder.path(), "events.jsonl", &payload("zendesk/created").to_string());
    done(up.address, &["import", "zendesk", &events]).await;
    let first = run(up.address, &["import", "zendesk", &file]).await;
    let expected = "zendesk: 6 signals recorded, 0 known already; accounts: 0 new, 0 changed, 0 unchanged; 1 ignored; 1 rejected\n";
    assert_eq!((first.code, first.out.as_str()), (1, expected), "{}", first.err);
    assert!(first.err.contains("line 1: tickets[3].status: `waiting` is no status of a ticket"), "{}", first.err);
    let risks = async |id: &str| done(up.address, &["risks", "list", "--account", id, "--output", "json"]).await.out;
    let open = risks("509974").await;
    assert!(open.contains("zendesk-1") && !open.contains("zendesk-2"), "{open}");
    assert!(!risks("8447346622462").await.contains("zendesk-5158"));

    let pretty = write(folder.path(), "pretty.json", &serde_json::to_string_pretty(&page).expect("JSON"));
    let again = run(up.address, &["import", "zendesk", &pretty]).await;
    assert!(again.out.starts_with("zendesk: 0 signals recorded, 6 known already"), "{}", again.out);
    let rejected = format!("{file}.rejected");
    let set_aside = std::fs::read_to_string(&rejected).expect("the ticket");
    let mut corrected: Value = serde_json::from_str(&set_aside).expect("one ticket");
    assert_eq!((&corrected["id"], &corrected["tickets"]), (&json!(4), &Value::Null));
    corrected["status"] = json!("solved");
    let alone = json!({"ticket": ticket(1, "solved")});
    let rest = write(folder.path(), "rest.jsonl", &lines(&[corrected, alone]));
    let more = done(up.address, &["import", "zendesk", &rest]).await;
    assert!(more.out.starts_with("zendesk: 3 signals recorded, 1 known already"), "{}", more.out);
    assert!(!risks("509974").await.contains("zendesk-1"));
    assert_eq!(up.end("-TERM").await, Some(0));
}

#[tokio::test]
async fn bad_payloads_and_refused_ones_are_set_aside_and_can_be_imported_once_they_are_right() {
    let folder = folder();
    let up = Up::start(&folder.path().join("data")).await;
    let mut malformed = payload("lago/invoice_created");
    malformed["invoice"]["total_amount_cents"] = json!("120");
    let unknown = payload("lago/invoice_payment_overdue");
    let text = format!("{malformed}\nnothing\n{unknown}\n{}\n", payload("lago/subscription_started"));
    let file = write(folder.path(), "lago.jsonl", &text);
    let refused = run(up.address, &["import", "lago", &file]).await;
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(refused.out.ends_with("; 0 ignored; 4 rejected\n"), "{}", refused.out);
    for told in [
        "line 1: invoice.total_amount_cents: invalid type",
        "line 2: is not JSON",
        "line 3: accounts/5eb02857 does not exist",
        "line 4: ",
    ] {
        assert!(refused.err.contains(told), "{}", refused.err);
    }

    let customer = write(folder.path(), "customer.json", &payload("lago/customer_created").to_string());
    let key = ["--account-key", "none"];
    done(up.address, &["import", "lago", &customer, key[0], key[1]]).await;
    let rejected = format!("{file}.rejected");
    let again = run(up.address, &["import", "lago", &rejected, "--rejects", &format!("{file}.rest")]).await;
    assert_eq!(again.code, 1, "{}", again.err);
    let expected =
        "lago: 3 signals recorded, 0 known already; accounts: 0 new, 0 changed, 0 unchanged; 0 ignored; 2 rejected\n";
    assert_eq!(again.out, expected, "{}", again.err);
    let by_original = run(up.address, &["import", "lago", &file, "--signals-only"]).await;
    assert!(by_original.out.starts_with("lago: 0 signals recorded, 3 known already"), "{}", by_original.out);
    assert_eq!(account(&up, "5eb02857").await["plan"], "premium");
    assert_eq!(up.end("-TERM").await, Some(0));
}

#[tokio::test]
async fn nothing_is_sent_by_a_dry_run_and_files_that_are_not_there_are_told_first() {
    let nowhere = "127.0.0.1:9".parse().expect("an address");
    let folder = folder();
    let file = write(folder.path(), "event.json", &payload("stripe/subscription_updated").to_string());
    let dry = run(nowhere, &["import", "stripe", &file, "--dry-run"]).await;
    let expected = "stripe: 3 signals and 0 accounts good, none sent; 0 ignored; 0 rejected\n";
    assert_eq!((dry.code, dry.out.as_str()), (0, expected), "{}", dry.err);
    let group = write(folder.path(), "group.json", &payload("segment/group").to_string());
    let dry = run(nowhere, &["import", "segment", &group, "--dry-run"]).await;
    assert!(dry.out.starts_with("segment: 0 signals and 1 accounts good"), "{}", dry.out);
    let missing = run(nowhere, &["import", "stripe", &file, "/nonexistent/x.json"]).await;
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("/nonexistent/x.json: "), "{}", missing.err);
    let help = run(nowhere, &["import", "segment", "--help"]).await;
    assert!(help.out.contains("report_exported") && help.out.contains("changes nothing"), "{}", help.out);
}
