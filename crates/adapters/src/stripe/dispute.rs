//! Disputes of charges.

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{DisputeAction, DisputeSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, amount};
use crate::account::Metadata;
use crate::mapped::Outcome;
use crate::read::read;
use crate::text::{LINE_LENGTH_MAX, cut, id};

/// The states in which nothing is in dispute any more.
const CLOSED: [&str; 4] = ["won", "lost", "warning_closed", "prevented"];

#[derive(Debug, Deserialize)]
struct Dispute {
    id: String,
    amount: i64,
    currency: String,
    #[serde(default)]
    reason: String,
    status: String,
    metadata: Option<Metadata>,
}

/// It was opened or closed, as its status says, whichever event tells it.
pub(super) fn told(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let dispute: Dispute = read(OBJECT, object)?;
    let Some(account) = event.account(&[("metadata", dispute.metadata.as_ref())], None)? else {
        return Ok(Outcome::ignored(format!(
            "Stripe does not say whose dispute it is: set `{}` in its metadata, and charge.dispute.updated tells of it",
            event.account_key
        )));
    };
    let is_closed = CLOSED.contains(&dispute.status.as_str());
    let payload = Payload::Dispute(DisputeSignal {
        dispute_id: id(&dispute.id),
        action: if is_closed { DisputeAction::Closed } else { DisputeAction::Opened }.into(),
        invoice_id: String::new(),
        amount: amount(&dispute.currency, "amount", dispute.amount)?,
        reason: cut(&dispute.reason, LINE_LENGTH_MAX),
    });
    Ok(Outcome::signals(vec![event.of(&account).signal(payload)]))
}
