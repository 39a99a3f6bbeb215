//! What a message says, and the check that it can be said.

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use mainstay_domain::{AccountId, Violations};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::lane::{Channel, DESTINATION_LENGTH_MAX, Destination, is_destination_name};

const DEDUPE_KEY_LENGTH_MAX: usize = 200;
const PURPOSE_LENGTH_MAX: usize = 60;
const SUBJECT_LENGTH_MAX: usize = 250;
const NAME_LENGTH_MAX: usize = 100;
const BODY_BYTES_MAX: usize = 256 * 1024;
const HEADERS_MAX: usize = 20;
/// RFC 5322 allows 998 characters a line.
const HEADER_LENGTH_MAX: usize = 900;
const SLACK_TEXT_LENGTH_MAX: usize = 40_000;
const SLACK_BLOCKS_MAX: usize = 50;
const EVENT_TYPE_LENGTH_MAX: usize = 100;

/// Headers that the crate sets itself, beside all that begin with `Content-`.
const OWN_HEADERS: [&str; 13] = [
    "bcc",
    "cc",
    "date",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Its id, a `UUIDv7` of [`IdSource`](mainstay_domain::IdSource): the name under which it is listed, and the mark by
    /// which receivers know it. Enqueuing the same id again changes nothing.
    pub id: Uuid,
    /// What makes it the same message to the caller, for instance `alert/{alert}/raised/{person}`: of several with one key
    /// the first counts. 1 to 200 characters; unique in the service, as long as the message is kept.
    pub dedupe_key: Option<String>,
    /// The account that it is about.
    pub account: Option<AccountId>,
    /// What it is for, for lists and filters: `[a-z][a-z0-9_]{0,59}`, for example `alert_raised`.
    pub purpose: String,
    /// The time from which it may be sent; `None` means at once.
    pub send_at: Option<DateTime<Utc>>,
    /// What it says, and where it goes.
    pub content: Content,
}

impl NewMessage {
    /// A message about no account, to be sent at once, without a key.
    pub fn new(id: Uuid, purpose: impl Into<String>, content: impl Into<Content>) -> Self {
        let (purpose, content) = (purpose.into(), content.into());
        Self { id, dedupe_key: None, account: None, purpose, send_at: None, content }
    }

    /// With the account that it is about.
    #[must_use]
    pub fn about(mut self, account: &AccountId) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// With what makes it the same message to the caller.
    #[must_use]
    pub fn with_dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// With the time from which it may be sent.
    #[must_use]
    pub fn with_send_at(mut self, send_at: DateTime<Utc>) -> Self {
        self.send_at = Some(send_at);
        self
    }

    /// All that keeps it from being sent, by field. [`Delivery::enqueue`](crate::Delivery::enqueue) checks too; a use case
    /// whose texts come from a caller checks before, and reports the faults under its own names.
    pub fn violations(&self) -> Violations {
        let mut found = Violations::new();
        found.require(
            is_purpose(&self.purpose),
            "purpose",
            format!("must be lower case letters, digits and `_`, at most {PURPOSE_LENGTH_MAX}, a letter first"),
        );
        if let Some(key) = &self.dedupe_key {
            check_line(&mut found, "dedupe_key", key, DEDUPE_KEY_LENGTH_MAX);
            found.require(!key.is_empty(), "dedupe_key", "must not be empty");
        }
        match &self.content {
            Content::Email(email) => email.check(&mut found),
            Content::Slack(slack) => slack.check(&mut found),
            Content::Webhook(webhook) => webhook.check(&mut found),
        }
        found
    }
}

/// What a message says, and where it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum Content {
    /// An email.
    Email(Email),
    /// A message in Slack.
    Slack(Slack),
    /// An event for a webhook.
    Webhook(Webhook),
}

impl Content {
    /// How it leaves.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Slack(_) => Channel::Slack,
            Self::Webhook(_) => Channel::Webhook,
        }
    }

    /// Where it goes; `None` when the name is no destination's name.
    pub(crate) fn destination(&self) -> Option<Destination> {
        match self {
            Self::Email(_) => Some(Destination::email()),
            Self::Slack(slack) => Destination::named(Channel::Slack, &slack.destination),
            Self::Webhook(webhook) => Destination::named(Channel::Webhook, &webhook.destination),
        }
    }
}

/// An email to one person, through the relay of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// To whom: `ann@example.com` or `Ann Example <ann@example.com>`.
    pub to: String,
    /// The sender's name instead of that of the settings, at most 100 characters; the address stays.
    pub from_name: Option<String>,
    /// Where answers go, written as `to`.
    pub reply_to: Option<String>,
    /// The subject, one line of 1 to 250 characters.
    pub subject: String,
    /// The text, at most 256 KiB; required, for readers without HTML.
    pub text: String,
    /// The same as HTML, at most 256 KiB.
    pub html: Option<String>,
    /// Further headers, at most 20, such as `List-Unsubscribe`.
    pub headers: Vec<EmailHeader>,
}

/// A header of an email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailHeader {
    /// Its name; not one that the crate sets itself (`From`, `Subject`, `Message-ID`, `Content-…`).
    pub name: String,
    /// Its value: printable ASCII, at most 900 characters with the name, sent as it is.
    pub value: String,
}

impl EmailHeader {
    /// A header.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Email {
    fn check(&self, found: &mut Violations) {
        check_mailbox(found, "email.to", &self.to);
        if let Some(reply_to) = &self.reply_to {
            check_mailbox(found, "email.reply_to", reply_to);
        }
        if let Some(name) = &self.from_name {
            check_line(found, "email.from_name", name, NAME_LENGTH_MAX);
        }
        check_line(found, "email.subject", &self.subject, SUBJECT_LENGTH_MAX);
        found.require(!self.subject.trim().is_empty(), "email.subject", "must not be empty");
        found.require(!self.text.trim().is_empty(), "email.text", "must not be empty");
        check_body(found, "email.text", &self.text);
        check_body(found, "email.html", self.html.as_deref().unwrap_or_default());
        found.require(self.headers.len() <= HEADERS_MAX, "email.headers", format!("must be at most {HEADERS_MAX}"));
        for (index, header) in self.headers.iter().enumerate() {
            header.check(found, index);
        }
    }
}

impl EmailHeader {
    fn check(&self, found: &mut Violations, index: usize) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name = self.name.to_ascii_lowercase();
        let is_name = !name.is_empty() && name.bytes().all(is_part);
        let name_field = || format!("email.headers[{index}].name");
        found.require(is_name, name_field(), "must be letters, digits and `-`");
        let is_own = OWN_HEADERS.contains(&name.as_str()) || name.starts_with("content-");
        found.require(!is_own, name_field(), format!("`{}` is set by the sender itself", self.name));
        let is_value = !self.value.is_empty() && self.value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let is_short = self.name.len() + self.value.len() <= HEADER_LENGTH_MAX;
        found.require(
            is_value && is_short,
            format!("email.headers[{index}].value"),
            format!("must be printable ASCII, at most {HEADER_LENGTH_MAX} characters with the name"),
        );
    }
}

/// A message in the channel of a Slack incoming webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slack {
    /// The name of the Slack address in the settings.
    pub destination: String,
    /// The text in Slack's mrkdwn, 1 to 40 000 characters; also what notifications show when there are blocks.
    pub text: String,
    /// Block Kit blocks, an array of at most 50 objects.
    pub blocks: Option<Value>,
}

impl Slack {
    fn check(&self, found: &mut Violations) {
        check_destination(found, "slack.destination", &self.destination);
        let length = self.text.chars().count();
        found.require(
            (1..=SLACK_TEXT_LENGTH_MAX).contains(&length) && !self.text.contains('\0'),
            "slack.text",
            format!("must be 1 to {SLACK_TEXT_LENGTH_MAX} characters, not {length}"),
        );
        if let Some(blocks) = &self.blocks {
            let is_sound = blocks
                .as_array()
                .is_some_and(|blocks| blocks.len() <= SLACK_BLOCKS_MAX && blocks.iter().all(Value::is_object));
            found.require(is_sound, "slack.blocks", format!("must be an array of at most {SLACK_BLOCKS_MAX} objects"));
            check_json(found, "slack.blocks", blocks);
        }
    }
}

/// An event for a receiver of Standard Webhooks. The body is `{"type": …, "timestamp": …, "data": …}` with the time at
/// which the message was enqueued, the same bytes at each attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// The name of the webhook in the settings.
    pub destination: String,
    /// What happened: letters, digits, `_` and `.`, at most 100, for example `alert.raised`.
    pub event_type: String,
    /// The particulars, at most 256 KiB as JSON.
    pub data: Value,
}

impl Webhook {
    fn check(&self, found: &mut Violations) {
        check_destination(found, "webhook.destination", &self.destination);
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        let event_type = &self.event_type;
        found.require(
            (1..=EVENT_TYPE_LENGTH_MAX).contains(&event_type.len()) && event_type.bytes().all(is_part),
            "webhook.event_type",
            format!("must be letters, digits, `_` and `.`, at most {EVENT_TYPE_LENGTH_MAX}"),
        );
        check_json(found, "webhook.data", &self.data);
    }
}

impl From<Email> for Content {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

impl From<Slack> for Content {
    fn from(slack: Slack) -> Self {
        Self::Slack(slack)
    }
}

impl From<Webhook> for Content {
    fn from(webhook: Webhook) -> Self {
        Self::Webhook(webhook)
    }
}

/// Whether a text is `[a-z][a-z0-9_]{0,59}`.
pub(crate) fn is_purpose(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= PURPOSE_LENGTH_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(is_part)
}

fn check_mailbox(found: &mut Violations, field: &str, text: &str) {
    check_line(found, field, text, 2 * NAME_LENGTH_MAX + 256);
    let is_mailbox = text.parse::<Mailbox>().is_ok();
    found.require(is_mailbox, field, "must be an address such as `ann@example.com` or `Ann <ann@example.com>`");
}

fn check_destination(found: &mut Violations, field: &str, name: &str) {
    found.require(
        is_destination_name(name),
        field,
        format!("must be lower case letters, digits, `_` and `-`, at most {DESTINATION_LENGTH_MAX}, a letter first"),
    );
}

/// Line breaks in what becomes a header would let a text add headers of its own.
fn check_line(found: &mut Violations, field: &str, text: &str, length_max: usize) {
    let length = text.chars().count();
    found.require(length <= length_max, field, format!("must be at most {length_max} characters, not {length}"));
    found.require(!text.chars().any(char::is_control), field, "must have no line breaks or other control characters");
}

fn check_body(found: &mut Violations, field: &str, text: &str) {
    found.require(text.len() <= BODY_BYTES_MAX, field, format!("must be at most {BODY_BYTES_MAX} bytes"));
    found.require(!text.contains('\0'), field, "must not hold the character 0");
}

/// Also the character 0, which `jsonb` cannot hold.
fn check_json(found: &mut Violations, field: &str, value: &Value) {
    let text = value.to_string();
    found.require(text.len() <= BODY_BYTES_MAX, field, format!("must be at most {BODY_BYTES_MAX} bytes"));
    found.require(!holds_nul(value), field, "must not hold the character 0");
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;
