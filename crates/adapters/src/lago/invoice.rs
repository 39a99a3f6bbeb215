//! Invoices, and what becomes of their payments.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{DisputeAction, DisputeSignal, InvoiceAction, InvoiceSignal};
use mainstay_domain::{AccountId, Violations, start_of_day};
use serde::Deserialize;
use serde_json::Value;

use super::{Entry, Webhook, as_metadata};
use crate::account::{Candidate, account};
use crate::mapped::Outcome;
use crate::read::{Amount, read, times, timestamp};
use crate::text::{LINE_LENGTH_MAX, cut, filled, id};

#[derive(Debug, Deserialize)]
struct Invoice {
    lago_id: String,
    #[serde(default)]
    payment_status: String,
    currency: String,
    total_amount_cents: i64,
    payment_due_date: Option<NaiveDate>,
    payment_dispute_lost_at: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    customer: Option<Customer>,
    metadata: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) external_id: String,
    pub(super) metadata: Option<Vec<Entry>>,
}

/// It was issued.
pub(super) fn issued(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    told(webhook, read(webhook.path, webhook.object)?, InvoiceAction::Issued)
}

/// It was paid, or not. That it was not is told by another webhook, with the reason.
pub(super) fn payment_status(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let invoice: Invoice = read(webhook.path, webhook.object)?;
    match invoice.payment_status.as_str() {
        "succeeded" => told(webhook, invoice, InvoiceAction::Paid),
        "failed" => Ok(Outcome::ignored("invoice.payment_failure tells of failed payments, with the reason")),
        other => Ok(Outcome::ignored(format!("the payment is `{other}`: nothing is decided"))),
    }
}

/// Its due date passed.
pub(super) fn overdue(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    told(webhook, read(webhook.path, webhook.object)?, InvoiceAction::Overdue)
}

/// It was voided.
pub(super) fn voided(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    told(webhook, read(webhook.path, webhook.object)?, InvoiceAction::Voided)
}

fn told(webhook: &Webhook<'_>, invoice: Invoice, action: InvoiceAction) -> Result<Outcome, Violations> {
    let Some(at) = invoice.updated_at.or(invoice.created_at).or(webhook.received_at) else {
        return Ok(Outcome::timeless());
    };
    let payload = Payload::Invoice(InvoiceSignal {
        invoice_id: id(&invoice.lago_id),
        action: action.into(),
        amount: total(webhook, "", &invoice)?,
        due_time: invoice.payment_due_date.map(|day| timestamp(start_of_day(day))),
        failure_reason: String::new(),
    });
    let Some(account) = account_of(webhook, "", invoice)? else {
        return Ok(Outcome::ignored("the invoice does not say whose it is"));
    };
    Ok(Outcome::signals(vec![webhook.of(&account, at).signal(payload)]))
}

/// The amount of an invoice that lies at `within` of the webhook's object.
fn total(webhook: &Webhook<'_>, within: &str, invoice: &Invoice) -> Result<Option<Money>, Violations> {
    let currency = ("currency", invoice.currency.as_str());
    amount(webhook, within, currency, ("total_amount_cents", invoice.total_amount_cents))
}

/// An amount of something that lies at `within` of the webhook's object. Lago counts as the library `money` of Ruby does, of which a few
/// currencies have other units than in ISO 4217.
///
/// <https://github.com/RubyMoney/money/tree/main/config>
pub(super) fn amount(
    webhook: &Webhook<'_>,
    within: &str,
    currency: (&str, &str),
    counted: (&str, i64),
) -> Result<Option<Money>, Violations> {
    let amount = Amount { within: &webhook.field(within), currency, counted };
    amount.money(|currency, given| match currency.as_str() {
        // Whole, where ISO 4217 has hundredths.
        "HUF" => times(given, 100),
        // In fifths, where ISO 4217 has hundredths.
        "MGA" | "MRO" | "MRU" => times(given, 20),
        _ => Ok(given),
    })
}

/// The account of an invoice that lies at `within` of the webhook's object.
fn account_of(webhook: &Webhook<'_>, within: &str, invoice: Invoice) -> Result<Option<AccountId>, Violations> {
    let of_invoice = invoice.metadata.map(as_metadata);
    let (external_id, of_customer) =
        invoice.customer.map(|customer| (customer.external_id, customer.metadata.map(as_metadata))).unzip();
    let path = |name: &str| webhook.field(&format!("{within}{name}"));
    account([
        Candidate::of_metadata(&path("metadata"), of_invoice.as_ref(), webhook.account_key),
        Candidate::of_metadata(&path("customer.metadata"), of_customer.flatten().as_ref(), webhook.account_key),
        Candidate::new(path("customer.external_id"), external_id.as_deref()),
    ])
}

#[derive(Debug, Deserialize)]
struct PaymentError {
    lago_invoice_id: String,
    external_customer_id: Option<String>,
    /// A text, or an object with a message and a code, as the provider has it.
    provider_error: Option<Value>,
}

/// A payment failed. The webhook has no more of the invoice than its id, and no time.
pub(super) fn payment_failed(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let error: PaymentError = read(webhook.path, webhook.object)?;
    let Some(at) = webhook.received_at else { return Ok(Outcome::timeless()) };
    let customer = Candidate::new(webhook.field("external_customer_id"), error.external_customer_id.as_deref());
    let Some(account) = account([customer])? else {
        return Ok(Outcome::ignored("the payment does not say whose it is"));
    };
    let payload = Payload::Invoice(InvoiceSignal {
        invoice_id: id(&error.lago_invoice_id),
        action: InvoiceAction::PaymentFailed.into(),
        amount: None,
        due_time: None,
        failure_reason: error.provider_error.as_ref().map(reason).unwrap_or_default(),
    });
    Ok(Outcome::signals(vec![webhook.of(&account, at).signal(payload)]))
}

/// What the provider says, for people.
fn reason(error: &Value) -> String {
    let text = |name: &str| error.get(name).and_then(Value::as_str).and_then(|text| filled(Some(text)));
    let said = match error {
        Value::String(text) => text.clone(),
        _ => match (text("message").or(text("error_message")), text("code").or(text("error_code"))) {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            (Some(said), None) | (None, Some(said)) => said.to_owned(),
            (None, None) => error.to_string(),
        },
    };
    cut(&said, LINE_LENGTH_MAX)
}

#[derive(Debug, Deserialize)]
struct DisputeLost {
    invoice: Invoice,
    provider_error: Option<Value>,
}

/// A dispute ended, and the money is gone.
pub(super) fn dispute_lost(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let DisputeLost { invoice, provider_error } = read(webhook.path, webhook.object)?;
    let Some(at) = invoice.payment_dispute_lost_at.or(invoice.updated_at).or(webhook.received_at) else {
        return Ok(Outcome::timeless());
    };
    let invoice_id = id(&invoice.lago_id);
    let amount = total(webhook, "invoice.", &invoice)?;
    let Some(account) = account_of(webhook, "invoice.", invoice)? else {
        return Ok(Outcome::ignored("the dispute does not say whose it is"));
    };
    let payload = Payload::Dispute(DisputeSignal {
        // Lago has no id of disputes; an invoice has one at most.
        dispute_id: invoice_id.clone(),
        action: DisputeAction::Closed.into(),
        invoice_id,
        amount,
        reason: provider_error.as_ref().map(reason).unwrap_or_default(),
    });
    Ok(Outcome::signals(vec![webhook.of(&account, at).signal(payload)]))
}
