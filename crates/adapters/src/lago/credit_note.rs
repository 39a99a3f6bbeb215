//! Credit notes: what they set off against what is due, and what they pay back.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{CreditKind, CreditSignal};
use mainstay_domain::Violations;
use serde::Deserialize;

use super::invoice::{Customer, amount};
use super::{Webhook, as_metadata};
use crate::account::{Candidate, account};
use crate::mapped::Outcome;
use crate::read::read;
use crate::text::{LINE_LENGTH_MAX, cut, filled, id};

#[derive(Debug, Deserialize)]
struct CreditNote {
    lago_invoice_id: Option<String>,
    reason: Option<String>,
    description: Option<String>,
    currency: String,
    #[serde(default)]
    credit_amount_cents: i64,
    #[serde(default)]
    refund_amount_cents: i64,
    created_at: Option<DateTime<Utc>>,
    customer: Option<Customer>,
}

/// It was issued: one signal for what it sets off, and one for what it pays back.
pub(super) fn issued(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let note: CreditNote = read(webhook.path, webhook.object)?;
    let Some(at) = note.created_at.or(webhook.received_at) else { return Ok(Outcome::timeless()) };
    let (external_id, metadata) =
        note.customer.map(|customer| (customer.external_id, customer.metadata.map(as_metadata))).unzip();
    let found = account([
        Candidate::of_metadata(&webhook.field("customer.metadata"), metadata.flatten().as_ref(), webhook.account_key),
        Candidate::new(webhook.field("customer.external_id"), external_id.as_deref()),
    ])?;
    let Some(found) = found else { return Ok(Outcome::ignored("the credit note does not say whose it is")) };
    let reason = filled(note.description.as_deref()).or(filled(note.reason.as_deref())).unwrap_or_default();
    let told = webhook.of(&found, at);
    let mut signals = Vec::new();
    for (word, kind, field, cents) in [
        ("credit", CreditKind::CreditNote, "credit_amount_cents", note.credit_amount_cents),
        ("refund", CreditKind::Refund, "refund_amount_cents", note.refund_amount_cents),
    ] {
        if cents <= 0 {
            continue;
        }
        let payload = Payload::Credit(CreditSignal {
            kind: kind.into(),
            amount: amount(webhook, "", ("currency", &note.currency), (field, cents))?,
            invoice_id: note.lago_invoice_id.as_deref().map(id).unwrap_or_default(),
            reason: cut(reason, LINE_LENGTH_MAX),
        });
        signals.push(told.part(word, payload));
    }
    if signals.is_empty() {
        return Ok(Outcome::ignored("the credit note gives nothing back: it is set off against its own invoice"));
    }
    Ok(Outcome::signals(signals))
}
