//! What Zendesk calls things.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::TicketPriority;
use mainstay_domain::Violations;

use crate::read::fault;
use crate::text::filled;
use crate::ticket_words::ticket_priority;

/// Whether nobody works on a ticket of this status any more.
pub(super) fn is_done(status: &str) -> bool {
    ["solved", "closed"].contains(&status.to_lowercase().as_str())
}

/// Whether somebody works on a ticket of this status, or waits for somebody.
pub(super) fn is_open(status: &str) -> bool {
    ["open", "pending", "hold", "on-hold", "on hold"].contains(&status.to_lowercase().as_str())
}

/// A priority; unspecified when the ticket has none.
pub(super) fn priority(path: &str, word: Option<&str>) -> Result<TicketPriority, Violations> {
    match filled(word) {
        None | Some("-") => Ok(TicketPriority::Unspecified),
        Some(word) => ticket_priority(word).map_err(|reason| fault(path, reason)),
    }
}

/// A rating, 1 to 5: a number as it is, good as 5, bad as 1. None while the customer has not rated.
pub(super) fn satisfaction(path: &str, text: Option<&str>) -> Result<Option<i32>, Violations> {
    let text = text.unwrap_or_default().trim().to_lowercase();
    match text.as_str() {
        "" | "-" | "offered" | "unoffered" => Ok(None),
        good if good.starts_with("good") => Ok(Some(5)),
        bad if bad.starts_with("bad") => Ok(Some(1)),
        number => match number.parse() {
            Ok(rating) if (1..=5).contains(&rating) => Ok(Some(rating)),
            _ => Err(fault(path, format!("`{number}` is no rating: good, bad, or 1 to 5"))),
        },
    }
}

/// A time as RFC 3339 has it, or without seconds, as Zendesk's placeholders have it: `2013-12-12T05:35Z`.
///
/// <https://support.zendesk.com/hc/en-us/articles/4408886858138>
pub(super) fn time(path: &str, text: &str) -> Result<DateTime<Utc>, Violations> {
    let text = text.trim();
    let with_seconds = DateTime::parse_from_rfc3339(text);
    let time = with_seconds.or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z"));
    time.map(|time| time.to_utc())
        .map_err(|_| fault(path, format!("`{text}` is not a time such as 2013-12-12T05:35Z or 2013-12-12T05:35:59Z")))
}
