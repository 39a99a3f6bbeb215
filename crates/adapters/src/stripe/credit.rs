//! Money given back: refunds of charges, and credit notes.

use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{CreditKind, CreditSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, Reference, amount};
use crate::account::Metadata;
use crate::mapped::Outcome;
use crate::read::{fault, read};
use crate::text::{LINE_LENGTH_MAX, cut, filled, id};

#[derive(Debug, Deserialize)]
struct Charge {
    customer: Option<Reference>,
    amount_refunded: i64,
    currency: String,
    metadata: Option<Metadata>,
    /// Until `2025-03-31.basil`.
    invoice: Option<Reference>,
}

/// What the charge was before the event.
#[derive(Debug, Deserialize)]
struct ChargeBefore {
    #[serde(default)]
    amount_refunded: i64,
}

/// A charge was refunded, in part or as a whole. It says how much was refunded in all, and what that was before.
pub(super) fn refunded(event: &Event<'_>, object: &Value, before: Option<&Value>) -> Result<Outcome, Violations> {
    let charge: Charge = read(OBJECT, object)?;
    let before: Option<ChargeBefore> = before.map(|before| read("data.previous_attributes", before)).transpose()?;
    let refunded_before = before.map_or(0, |before| before.amount_refunded);
    let Some(account) = event.account(&[("metadata", charge.metadata.as_ref())], charge.customer.as_ref())? else {
        return Ok(Outcome::ignored("the charge has no customer"));
    };
    let refunded = charge.amount_refunded.checked_sub(refunded_before).filter(|refunded| *refunded > 0);
    let refunded = refunded.ok_or_else(|| {
        fault(format!("{OBJECT}.amount_refunded"), format!("must be more than the {refunded_before} of before"))
    })?;
    let payload = Payload::Credit(CreditSignal {
        kind: CreditKind::Refund.into(),
        amount: amount(&charge.currency, "amount_refunded", refunded)?,
        invoice_id: charge.invoice.as_ref().map(|invoice| id(invoice.id())).unwrap_or_default(),
        reason: String::new(),
    });
    Ok(Outcome::signals(vec![event.of(&account).signal(payload)]))
}

#[derive(Debug, Deserialize)]
struct CreditNote {
    customer: Option<Reference>,
    amount: i64,
    currency: String,
    invoice: Option<Reference>,
    memo: Option<String>,
    reason: Option<String>,
    metadata: Option<Metadata>,
}

/// A credit note was given.
pub(super) fn noted(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let note: CreditNote = read(OBJECT, object)?;
    let Some(account) = event.account(&[("metadata", note.metadata.as_ref())], note.customer.as_ref())? else {
        return Ok(Outcome::ignored("the credit note has no customer"));
    };
    if note.amount == 0 {
        return Ok(Outcome::ignored("the credit note is of nothing"));
    }
    let reason = filled(note.memo.as_deref()).or(filled(note.reason.as_deref())).unwrap_or_default();
    let payload = Payload::Credit(CreditSignal {
        kind: CreditKind::CreditNote.into(),
        amount: amount(&note.currency, "amount", note.amount)?,
        invoice_id: note.invoice.as_ref().map(|invoice| id(invoice.id())).unwrap_or_default(),
        reason: cut(reason, LINE_LENGTH_MAX),
    });
    Ok(Outcome::signals(vec![event.of(&account).signal(payload)]))
}
