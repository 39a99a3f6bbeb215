//! Segment: the calls of its Spec.
//!
//! | call | what it becomes |
//! |---|---|
//! | `track` with `properties.quantity`, or a whole `properties.value` without a currency | that much use of the metric that the event names; and the user's activity |
//! | `track` with `properties.feature`, or of an event `… Used` | use of that feature |
//! | `track`, else, of a user who is known | the user's activity, named by the event |
//! | `page`, `screen` of a user who is known | the user's activity, `page` or `screen` |
//! | `identify` | a contact |
//! | `group` | the account: its name, industry and plan, as far as the traits have them |
//!
//! The account is what the configured key of properties, traits or context names, else the group: `groupId` of a group call,
//! `context.groupId` of the others. A call without a time has that of its receipt; of users and groups it must say its own. Names become metrics, features and actions as `Report Exported` becomes `report_exported`.

mod call;
mod people;
pub(crate) mod signature;
mod use_of_product;

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use serde_json::Value;

use crate::mapped::Outcome;
use crate::read::read;
use call::{Call, Sent};

/// Maps a call. `account_key` is the key of properties, traits or context that names the account.
pub(crate) fn map(
    payload: &Value,
    received_at: Option<DateTime<Utc>>,
    account_key: &str,
) -> Result<Outcome, Violations> {
    let sent: Sent = read("", payload)?;
    if !["track", "page", "screen", "identify", "group"].contains(&sent.kind.as_str()) {
        return Ok(Outcome::ignored(format!("the call `{}` says nothing that scoring takes", sent.kind)));
    }
    let Some(account) = sent.account(account_key)? else {
        return Ok(Outcome::ignored("the call does not say of which group it is"));
    };
    let is_news = ["identify", "group"].contains(&sent.kind.as_str());
    let own_time = sent.timestamp.or(sent.received_at);
    let at = match own_time.or(received_at) {
        None => return Ok(Outcome::timeless()),
        Some(_) if is_news && own_time.is_none() => return Ok(Outcome::undated()),
        Some(at) => at,
    };
    let call = Call::new(sent, account, payload, at);
    match call.sent.kind.as_str() {
        "track" => use_of_product::tracked(&call),
        "identify" => Ok(people::identified(&call)),
        "group" => Ok(people::grouped(&call)),
        _ => Ok(use_of_product::viewed(&call)),
    }
}
