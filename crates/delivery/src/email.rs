//! An email as it goes over the wire.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use mainstay_domain::with_causes;
use uuid::Uuid;

use crate::Email;

/// An email with its envelope.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) from: Address,
    pub(crate) to: Address,
    /// The message as it is transferred: dots at the beginning of a line doubled, the line with the single dot at its end.
    pub(crate) transfer: String,
}

/// Puts an email together. Sent again, it is the same byte for byte: its `Message-ID` comes from the message's id, its
/// date is that of its being enqueued.
///
/// # Errors
/// What keeps it from being an email.
pub(crate) fn compose(email: &Email, from: &Mailbox, id: Uuid, created_at: DateTime<Utc>) -> Result<Composed, String> {
    let to: Mailbox = email.to.parse().map_err(|error| format!("`to` is no address: {error}"))?;
    let name = email.from_name.clone().or_else(|| from.name.clone());
    let mut builder = Message::builder()
        .from(Mailbox::new(name, from.email.clone()))
        .to(to.clone())
        .subject(&email.subject)
        .date(SystemTime::from(created_at))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())));
    if let Some(reply_to) = &email.reply_to {
        builder = builder.reply_to(reply_to.parse().map_err(|error| format!("`reply_to` is no address: {error}"))?);
    }
    for header in &email.headers {
        let name = HeaderName::new_from_ascii(header.name.clone()).map_err(|error| with_causes(&error))?;
        // Checked to be printable ASCII of one line's length: nothing is folded, which some readers of addresses in
        // `List-Unsubscribe` do not bear.
        builder = builder.raw_header(HeaderValue::dangerous_new_pre_encoded(
            name,
            header.value.clone(),
            header.value.clone(),
        ));
    }
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(email.text.clone());
    let message = match &email.html {
        None => builder.singlepart(text),
        Some(html) => {
            let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html.clone());
            let parts = MultiPart::alternative().boundary(format!("mainstay-{}", id.simple()));
            builder.multipart(parts.singlepart(text).singlepart(html))
        }
    };
    let message = message.map_err(|error| with_causes(&error))?;
    let text = String::from_utf8(message.formatted()).map_err(|_| "its parts are not encoded as ASCII".to_owned())?;
    Ok(Composed { from: from.email.clone(), to: to.email, transfer: transfer(&text) })
}

/// RFC 5321, 4.5.2.
fn transfer(message: &str) -> String {
    let stuffed = message.replace("\r\n.", "\r\n..");
    let first_dot = if stuffed.starts_with('.') { "." } else { "" };
    let line_end = if stuffed.ends_with("\r\n") { "" } else { "\r\n" };
    format!("{first_dot}{stuffed}{line_end}.\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EmailHeader;

    fn composed(email: &Email) -> String {
        let from = "Mainstay <care@example.com>".parse().expect("a mailbox");
        compose(email, &from, Uuid::from_u128(7), DateTime::UNIX_EPOCH).expect("an email").transfer
    }

    fn plain() -> Email {
        Email {
            to: "Ann <ann@example.org>".to_owned(),
            subject: "An alert".to_owned(),
            text: "Look.\n".to_owned(),
            ..Email::default()
        }
    }

    #[test]
    fn the_same_message_is_the_same_bytes_with_the_same_message_id() {
        let email = Email { html: Some("<p>Look.</p>".to_owned()), ..plain() };
        assert_eq!(composed(&email), composed(&email));
        assert!(
            composed(&email).contains("Message-ID: <00000000-0000-0000-0000-000000000007@example.com>\r\n"),
            "{}",
            composed(&email)
        );
    }

    #[test]
    fn lines_that_begin_with_dots_are_told_from_the_end() {
        assert_eq!(transfer("a\r\n.\r\n..b\r\nc."), "a\r\n..\r\n...b\r\nc.\r\n.\r\n");
        assert_eq!(transfer(".a\r\n"), "..a\r\n.\r\n");
    }

    #[test]
    fn a_long_address_to_unsubscribe_stays_on_one_line() {
        let value = format!("<https://surveys.example.com/u/{}>", "x".repeat(300));
        let headers = vec![
            EmailHeader::new("List-Unsubscribe", &value),
            EmailHeader::new("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ];
        let text = composed(&Email { headers, ..plain() });
        assert!(text.contains(&format!("List-Unsubscribe: {value}\r\n")), "{text}");
        assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
    }
}
