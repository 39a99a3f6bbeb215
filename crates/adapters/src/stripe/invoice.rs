//! Invoices.

use chrono::{DateTime, SecondsFormat, Utc};
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{InvoiceAction, InvoiceSignal};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, Reference, amount};
use crate::account::Metadata;
use crate::mapped::Outcome;
use crate::read::{read, seconds, timestamp};
use crate::text::id;

#[derive(Debug, Deserialize)]
struct Invoice {
    id: String,
    customer: Option<Reference>,
    amount_due: i64,
    currency: String,
    status: Option<String>,
    due_date: Option<i64>,
    #[serde(default)]
    attempt_count: i64,
    next_payment_attempt: Option<i64>,
    metadata: Option<Metadata>,
    /// Since `2025-03-31.basil`.
    parent: Option<Parent>,
    /// Before it.
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Deserialize)]
struct Parent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Deserialize)]
struct SubscriptionDetails {
    metadata: Option<Metadata>,
}

/// It was issued. A draft is not: it may still change, and is told of again when it is finalized.
pub(super) fn issued(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let invoice: Invoice = read(OBJECT, object)?;
    if invoice.status.as_deref() == Some("draft") {
        return Ok(Outcome::ignored("the invoice is a draft: it counts when it is finalized"));
    }
    told(event, &invoice, InvoiceAction::Issued, String::new())
}

/// It was paid.
pub(super) fn paid(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    told(event, &read(OBJECT, object)?, InvoiceAction::Paid, String::new())
}

/// A payment failed. Why is not said with the invoice, but how often, and when it is tried again.
pub(super) fn payment_failed(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let invoice: Invoice = read(OBJECT, object)?;
    let next = match invoice.next_payment_attempt {
        None => "no further attempt is planned".to_owned(),
        Some(next) => {
            let next: DateTime<Utc> = seconds(&format!("{OBJECT}.next_payment_attempt"), next)?;
            format!("the next is planned for {}", next.to_rfc3339_opts(SecondsFormat::Secs, true))
        }
    };
    let reason = format!("attempt {} failed; {next}", invoice.attempt_count);
    told(event, &invoice, InvoiceAction::PaymentFailed, reason)
}

/// Its due date passed.
pub(super) fn overdue(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    told(event, &read(OBJECT, object)?, InvoiceAction::Overdue, String::new())
}

/// It was voided or written off.
pub(super) fn voided(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    told(event, &read(OBJECT, object)?, InvoiceAction::Voided, String::new())
}

fn told(
    event: &Event<'_>,
    invoice: &Invoice,
    action: InvoiceAction,
    failure_reason: String,
) -> Result<Outcome, Violations> {
    let of_parent = invoice.parent.as_ref().and_then(|parent| parent.subscription_details.as_ref());
    let metadata = [
        ("metadata", invoice.metadata.as_ref()),
        ("parent.subscription_details.metadata", of_parent.and_then(|details| details.metadata.as_ref())),
        (
            "subscription_details.metadata",
            invoice.subscription_details.as_ref().and_then(|details| details.metadata.as_ref()),
        ),
    ];
    let Some(account) = event.account(&metadata, invoice.customer.as_ref())? else {
        return Ok(Outcome::ignored("the invoice has no customer"));
    };
    let due_time = invoice.due_date.map(|due| seconds(&format!("{OBJECT}.due_date"), due)).transpose()?;
    let payload = Payload::Invoice(InvoiceSignal {
        invoice_id: id(&invoice.id),
        action: action.into(),
        amount: amount(&invoice.currency, "amount_due", invoice.amount_due)?,
        due_time: due_time.map(timestamp),
        failure_reason,
    });
    Ok(Outcome::signals(vec![event.of(&account).signal(payload)]))
}
