use serde_json::json;

use super::*;

fn fields(content: impl Into<Content>) -> Vec<String> {
    let message = NewMessage::new(Uuid::from_u128(1), "alert_raised", content);
    message.violations().iter().map(|fault| fault.field.clone()).collect()
}

fn email() -> Email {
    Email {
        to: "Ann Example <ann@example.com>".to_owned(),
        subject: "An alert".to_owned(),
        text: "Look.".to_owned(),
        ..Email::default()
    }
}

#[test]
fn a_sound_email_has_no_faults() {
    let headers = vec![EmailHeader::new("List-Unsubscribe", "<https://example.com/u/1>")];
    let reply_to = Some("desk@example.com".to_owned());
    assert!(fields(Email { headers, reply_to, html: Some("<p>Look.</p>".to_owned()), ..email() }).is_empty());
}

#[test]
fn all_faults_of_an_email_are_told_at_once() {
    let faulty = Email {
        to: "nobody".to_owned(),
        from_name: Some("Eve\r\nBcc: all@example.com".to_owned()),
        reply_to: Some("@".to_owned()),
        subject: "a\nb".to_owned(),
        text: " ".to_owned(),
        html: Some("\0".to_owned()),
        headers: vec![EmailHeader::new("Bcc", "x"), EmailHeader::new("X-A", "a\r\nb"), EmailHeader::new("", "x")],
    };
    assert_eq!(
        fields(faulty),
        [
            "email.to",
            "email.reply_to",
            "email.from_name",
            "email.subject",
            "email.text",
            "email.html",
            "email.headers[0].name",
            "email.headers[1].value",
            "email.headers[2].name",
        ]
    );
}

#[test]
fn faults_of_slack_messages_and_webhooks_are_told() {
    let slack = Slack { destination: "Ops".to_owned(), text: String::new(), blocks: Some(json!({})) };
    assert_eq!(fields(slack), ["slack.destination", "slack.text", "slack.blocks"]);
    let webhook = Webhook { destination: "crm".to_owned(), event_type: "a b".to_owned(), data: json!({ "a": ["\0"] }) };
    assert_eq!(fields(webhook), ["webhook.event_type", "webhook.data"]);
}

#[test]
fn purpose_and_key_are_checked() {
    let mut message = NewMessage::new(Uuid::from_u128(1), "Alert raised", email()).with_dedupe_key("");
    let told: Vec<String> = message.violations().iter().map(|fault| fault.field.clone()).collect();
    assert_eq!(told, ["purpose", "dedupe_key"]);
    message.purpose = "a".repeat(61);
    message.dedupe_key = Some("a".repeat(201));
    assert_eq!(message.violations().len(), 2);
}

#[test]
fn content_is_read_as_it_was_written() {
    let contents: [Content; 3] = [
        email().into(),
        Slack { destination: "ops".to_owned(), text: "x".to_owned(), blocks: Some(json!([{ "type": "divider" }])) }
            .into(),
        Webhook { destination: "crm".to_owned(), event_type: "a.b".to_owned(), data: json!({ "n": 0.1 }) }.into(),
    ];
    for content in contents {
        let text = serde_json::to_string(&content).expect("JSON");
        assert_eq!(serde_json::from_str::<Content>(&text).expect("content"), content);
    }
}
