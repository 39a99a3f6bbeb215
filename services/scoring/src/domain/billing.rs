//! Invoices and disputes: what is told of them, and what it adds up to.

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use serde::{Deserialize, Serialize};

use super::json::Amount;
use super::risk_trigger::{Condition, RiskCause};
use super::signal::check_opaque_id;
use super::story::{Newest, Stamp, Told, count, keep_oldest};
use super::story_series::{DayEntries, StorySeries};
use super::ticket::LINE_LENGTH_MAX;

/// Most characters of an id in a source.
const SOURCE_ID_LENGTH_MAX: usize = 128;

/// What happened to an invoice; the numbers rise with what usually comes later, and stories keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum InvoiceAction {
    /// It was issued.
    Issued = 1,
    /// A payment was tried and failed.
    PaymentFailed = 2,
    /// It passed its due date without a payment.
    Overdue = 3,
    /// It was paid in full.
    Paid = 4,
    /// It was voided or written off.
    Voided = 5,
}

/// Something happened to an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceSignal {
    /// The invoice's id in the source.
    pub invoice_id: String,
    /// What happened.
    pub action: InvoiceAction,
    /// The amount due; none: as before.
    pub amount: Option<Amount>,
    /// When it is due; none: as before.
    pub due_at: Option<DateTime<Utc>>,
    /// Why the payment failed; may be empty.
    pub failure_reason: String,
}

/// What happened to a dispute; the numbers rise with what usually comes later, and stories keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum DisputeAction {
    /// The customer disputes a charge.
    Opened = 1,
    /// It was settled.
    Closed = 2,
}

/// Something happened to a billing dispute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisputeSignal {
    /// The dispute's id in the source.
    pub dispute_id: String,
    /// What happened.
    pub action: DisputeAction,
    /// The invoice that is disputed; empty: as before.
    pub invoice_id: String,
    /// The amount in dispute; none: as before.
    pub amount: Option<Amount>,
    /// The customer's reason; empty: as before.
    pub reason: String,
}

/// How money is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// It was paid back.
    Refund,
    /// It is set off against what is or will be due.
    CreditNote,
}

/// Money was given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreditSignal {
    /// In which way.
    pub kind: CreditKind,
    /// How much.
    pub amount: Amount,
    /// The invoice it belongs to; may be empty.
    pub invoice_id: String,
    /// Why; may be empty.
    pub reason: String,
}

impl CreditSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        found.require(self.amount.0.minor_units > 0, "credit.amount.minor_units", "must be above 0");
        found.check_text("credit.invoice_id", &self.invoice_id, SOURCE_ID_LENGTH_MAX);
        found.check_text("credit.reason", &self.reason, LINE_LENGTH_MAX);
    }

    /// What it enters into its day.
    pub(super) fn enter(&self, at: DateTime<Utc>, entries: &mut DayEntries) {
        let series = match self.kind {
            CreditKind::Refund => StorySeries::Refunds,
            CreditKind::CreditNote => StorySeries::CreditNotes,
        };
        entries.count(series, at);
    }
}

impl InvoiceSignal {
    /// Notes what is wrong with it.
    pub fn check(&self, found: &mut Violations) {
        check_opaque_id(found, "invoice.invoice_id", &self.invoice_id);
        check_amount(found, "invoice.amount.minor_units", self.amount);
        found.check_text("invoice.failure_reason", &self.failure_reason, LINE_LENGTH_MAX);
    }
}

impl DisputeSignal {
    /// Notes what is wrong with it.
    pub fn check(&self, found: &mut Violations) {
        check_opaque_id(found, "dispute.dispute_id", &self.dispute_id);
        found.check_text("dispute.invoice_id", &self.invoice_id, SOURCE_ID_LENGTH_MAX);
        check_amount(found, "dispute.amount.minor_units", self.amount);
        found.check_text("dispute.reason", &self.reason, LINE_LENGTH_MAX);
    }
}

fn check_amount(found: &mut Violations, field: &str, amount: Option<Amount>) {
    found.require(amount.is_none_or(|Amount(money)| money.minor_units >= 0), field, "must not be negative");
}

/// What the signals of an invoice add up to. One that was paid or voided stays so, whatever is told of it later.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InvoiceStory {
    /// The first that it was paid or voided.
    settled: Option<Stamp>,
    /// Attempts to pay that failed, with the reason.
    failures: Told<String>,
    /// The first that it was overdue.
    overdue: Option<Stamp>,
    amount: Newest<Amount>,
    due_at: Newest<DateTime<Utc>>,
}

impl InvoiceStory {
    pub(super) fn absorb(&mut self, stamp: &Stamp, told: &InvoiceSignal) {
        match told.action {
            InvoiceAction::Issued => {}
            InvoiceAction::Paid | InvoiceAction::Voided => {
                keep_oldest(&mut self.settled, stamp);
            }
            InvoiceAction::PaymentFailed => self.failures.note(stamp, told.failure_reason.clone()),
            InvoiceAction::Overdue => keep_oldest(&mut self.overdue, stamp),
        }
        if let Some(amount) = told.amount {
            self.amount.offer(stamp, amount);
        }
        if let Some(due_at) = told.due_at {
            self.due_at.offer(stamp, due_at);
        }
    }

    /// Whether nothing is due any more.
    pub fn is_settled(&self) -> bool {
        self.settled.is_some()
    }

    pub(super) fn condition(&self) -> Option<Condition> {
        let failed_attempt_count = count(self.failures.all());
        let is_unpaid = !self.is_settled() && (self.overdue.is_some() || failed_attempt_count > 0);
        is_unpaid.then(|| Condition {
            cause: RiskCause::Payment {
                amount: self.amount.get().copied(),
                failed_attempt_count,
                failure_reason: self.failures.last().cloned().unwrap_or_default(),
                overdue: self.overdue.is_some(),
            },
            occurrence_count: failed_attempt_count.max(1),
        })
    }

    pub(super) fn enter(&self, entries: &mut DayEntries) {
        for (stamp, _) in self.failures.all() {
            entries.count(StorySeries::PaymentsFailed, stamp.at);
        }
        let first_failure = self.failures.all().next().map(|(stamp, _)| stamp.at);
        let unpaid_since = [first_failure, self.overdue.as_ref().map(|stamp| stamp.at)].into_iter().flatten().min();
        let settled_at = self.settled.as_ref().map(|stamp| stamp.at);
        // What failed after it was paid leaves nothing unpaid.
        if let Some(since) = unpaid_since.filter(|since| settled_at.is_none_or(|settled_at| *since < settled_at)) {
            entries.span(StorySeries::InvoicesUnpaid, since, settled_at);
        }
    }
}

/// What the signals of a dispute add up to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DisputeStory {
    actions: Told<DisputeAction>,
    invoice_id: Newest<String>,
    amount: Newest<Amount>,
    reason: Newest<String>,
}

impl DisputeStory {
    pub(super) fn absorb(&mut self, stamp: &Stamp, told: &DisputeSignal) {
        self.actions.note(stamp, told.action);
        for (kept, given) in [(&mut self.invoice_id, &told.invoice_id), (&mut self.reason, &told.reason)] {
            if !given.is_empty() {
                kept.offer(stamp, given.clone());
            }
        }
        if let Some(amount) = told.amount {
            self.amount.offer(stamp, amount);
        }
    }

    /// Whether it is not settled.
    pub fn is_open(&self) -> bool {
        self.actions.last() == Some(&DisputeAction::Opened)
    }

    pub(super) fn condition(&self) -> Option<Condition> {
        self.is_open().then(|| Condition {
            cause: RiskCause::Dispute {
                invoice_id: self.invoice_id.get().cloned().unwrap_or_default(),
                amount: self.amount.get().copied(),
                reason: self.reason.get().cloned().unwrap_or_default(),
            },
            occurrence_count: 1,
        })
    }

    pub(super) fn enter(&self, entries: &mut DayEntries) {
        let mut open_since = None;
        for (stamp, action) in self.actions.all() {
            match (open_since, action) {
                (None, DisputeAction::Opened) => open_since = Some(stamp.at),
                (Some(since), DisputeAction::Closed) => {
                    entries.span(StorySeries::DisputesOpen, since, Some(stamp.at));
                    open_since = None;
                }
                (None, DisputeAction::Closed) | (Some(_), DisputeAction::Opened) => {}
            }
        }
        if let Some(since) = open_since {
            entries.span(StorySeries::DisputesOpen, since, None);
        }
    }
}
