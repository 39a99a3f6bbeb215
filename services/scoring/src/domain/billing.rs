//! Invoices and disputes: what is told of them, and what it adds up to.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use mainstay_domain::{Money, Violations, day_of};
use serde::{Deserialize, Serialize};

use super::json::Amount;
use super::risk_trigger::{Condition, RiskCause};
use super::signal::check_opaque_id;
use super::story::{Newest, Stamp, Told, count, keep_oldest};
use super::story_series::{DayEntries, StorySeries};
use super::ticket::LINE_LENGTH_MAX;

/// Most characters of an id in a source.
const SOURCE_ID_LENGTH_MAX: usize = 128;

/// How long after its due time an invoice that is not settled becomes overdue: payments of the last day are told late.
pub(crate) const OVERDUE_GRACE: TimeDelta = TimeDelta::hours(24);
/// The same for one that is due at midnight in UTC: a day is told so, and it may be paid until its end.
pub(crate) const OVERDUE_GRACE_OF_DAY: TimeDelta = TimeDelta::hours(48);

/// What happened to an invoice; the numbers rise with what usually comes later, and stories keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum InvoiceAction {
    /// It was issued.
    Issued = 1,
    /// A payment was tried and failed.
    PaymentFailed = 2,
    /// It passed its due date without a payment, as the source says.
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
    /// When it is due; none: as before. One that is not after the beginning of 1970 never passes.
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
    /// Whether it says that the invoice was paid.
    pub(crate) fn tells_payment(&self) -> bool {
        self.action == InvoiceAction::Paid
    }

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
    /// The first that told it overdue.
    overdue: Option<Stamp>,
    amount: Newest<Amount>,
    due_at: Newest<DateTime<Utc>>,
    /// The due time of which it was noted that it passed without a payment. Forgotten when it turns out that it did not, or another is in
    /// force.
    #[serde(default)]
    lapsed: Option<DateTime<Utc>>,
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
        self.forget_void_lapse();
    }

    /// Whether nothing is due any more.
    pub fn is_settled(&self) -> bool {
        self.settled.is_some()
    }

    /// What is to be noted when its time comes: that the due time in force passed. None once it is noted, when nothing or at no time is
    /// due, and when it was settled in time. One that was settled late has one: that it was overdue is true of the time before.
    pub(crate) fn deadline(&self) -> Option<Deadline<'_>> {
        let at = self.lapses_at().filter(|_| self.lapsed_at().is_none())?;
        Some(Deadline { at, source: &self.due_at.stamp()?.source })
    }

    /// Notes that the due time in force passed: that the [deadline](Self::deadline) came.
    pub(crate) fn lapse(&mut self) {
        self.lapsed = self.due_at.get().copied();
    }

    /// Notes the same where it was noted before, of the due time that is in force now.
    pub(super) fn keep_lapse(&mut self, before: &Self) {
        self.lapsed = before.lapsed;
        self.forget_void_lapse();
    }

    fn forget_void_lapse(&mut self) {
        if self.lapsed_at().is_none() {
            self.lapsed = None;
        }
    }

    pub(super) fn condition(&self) -> Option<Condition> {
        let failed_attempt_count = count(self.failures.all());
        let is_overdue = self.overdue.is_some() || self.lapsed_at().is_some();
        let is_unpaid = !self.is_settled() && (is_overdue || failed_attempt_count > 0);
        is_unpaid.then(|| Condition {
            cause: RiskCause::Payment {
                amount: self.amount.get().copied(),
                failed_attempt_count,
                failure_reason: self.failures.last().cloned().unwrap_or_default(),
                overdue: is_overdue,
            },
            occurrence_count: failed_attempt_count.max(1),
        })
    }

    pub(super) fn enter(&self, entries: &mut DayEntries) {
        for (stamp, _) in self.failures.all() {
            entries.count(StorySeries::PaymentsFailed, stamp.at);
        }
        if let Some(since) = self.unpaid_since() {
            entries.span(StorySeries::InvoicesUnpaid, since, self.settled_at());
        }
        if let Some((paid_at, days_late)) = self.paid_late_by() {
            entries.value(StorySeries::PaymentDaysLate, paid_at, days_late);
        }
    }

    fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.settled.as_ref().map(|stamp| stamp.at)
    }

    /// When it was paid, and how many days after the one on which it was due; none when it is not known when that was.
    fn paid_late_by(&self) -> Option<(DateTime<Utc>, f64)> {
        let paid = self.settled.as_ref().filter(|stamp| stamp.rank == InvoiceAction::Paid as u8)?;
        if self.is_over_nothing() {
            return None;
        }
        let days_late = (day_of(paid.at) - day_of(self.known_due_at()?)).num_days().max(0);
        Some((paid.at, days_late as f64))
    }

    fn is_over_nothing(&self) -> bool {
        self.amount.get().is_some_and(|Amount(money)| money.minor_units == 0)
    }

    /// A time before it was settled. What failed after it was paid leaves nothing unpaid.
    fn while_due(&self, at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        at.filter(|at| self.settled_at().is_none_or(|settled_at| *at < settled_at))
    }

    fn first_failed_at(&self) -> Option<DateTime<Utc>> {
        self.while_due(self.failures.all().next().map(|(stamp, _)| stamp.at))
    }

    /// When it is overdue by its due time in force, if it is not settled by then, and not over nothing.
    fn lapses_at(&self) -> Option<DateTime<Utc>> {
        if self.is_over_nothing() {
            return None;
        }
        let due_at = self.known_due_at()?;
        let is_day = due_at.time() == NaiveTime::MIN;
        self.while_due(Some(due_at + if is_day { OVERDUE_GRACE_OF_DAY } else { OVERDUE_GRACE }))
    }

    /// The due time in force. Some systems write one that they do not know as a time of the year 1, or as 0.
    fn known_due_at(&self) -> Option<DateTime<Utc>> {
        self.due_at.get().copied().filter(|due_at| *due_at > DateTime::UNIX_EPOCH)
    }

    /// The same, once it was noted.
    fn lapsed_at(&self) -> Option<DateTime<Utc>> {
        self.lapses_at().filter(|_| self.lapsed.as_ref() == self.due_at.get())
    }

    fn overdue_at(&self) -> Option<DateTime<Utc>> {
        let told_at = self.while_due(self.overdue.as_ref().map(|stamp| stamp.at));
        [told_at, self.lapsed_at()].into_iter().flatten().min()
    }

    fn unpaid_since(&self) -> Option<DateTime<Utc>> {
        [self.first_failed_at(), self.overdue_at()].into_iter().flatten().min()
    }

    /// What reports count of it; none of an invoice that is or was neither unpaid nor voided.
    pub(crate) fn record(&self) -> Option<InvoiceRecord> {
        let settlement = self.settled.as_ref().map(|stamp| {
            let is_paid = stamp.rank == InvoiceAction::Paid as u8;
            (stamp.at, if is_paid { Settlement::Paid } else { Settlement::Voided })
        });
        let unpaid_since = self.unpaid_since();
        if unpaid_since.is_none() && !matches!(settlement, Some((_, Settlement::Voided))) {
            return None;
        }
        Some(InvoiceRecord {
            first_failed_at: self.first_failed_at(),
            overdue_at: self.overdue_at(),
            unpaid_since,
            aged_since: unpaid_since.map(|since| self.known_due_at().map_or(since, |due_at| since.min(due_at))),
            failed_attempt_count: count(self.failures.all()),
            settlement,
            amount: self.amount.get().map(|Amount(money)| *money),
        })
    }
}

/// Until when an invoice must be settled not to be overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline<'a> {
    /// [`OVERDUE_GRACE`] after the due time, or [`OVERDUE_GRACE_OF_DAY`].
    pub at: DateTime<Utc>,
    /// Who told the due time.
    pub source: &'a str,
}

/// How an invoice was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Paid,
    Voided,
}

/// What reports count of an invoice that is or was unpaid, or was voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvoiceRecord {
    /// Before it was settled.
    pub first_failed_at: Option<DateTime<Utc>>,
    /// From when it was overdue, before it was settled: as it was told, or by its due time, whichever is earlier.
    pub overdue_at: Option<DateTime<Utc>>,
    /// The earlier of these.
    pub unpaid_since: Option<DateTime<Utc>>,
    /// From when its age counts: that, or when it was due, if that is earlier.
    pub aged_since: Option<DateTime<Utc>>,
    pub failed_attempt_count: i32,
    pub settlement: Option<(DateTime<Utc>, Settlement)>,
    pub amount: Option<Money>,
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
        for span in self.spans() {
            entries.span(StorySeries::DisputesOpen, span.opened_at, span.closed_at);
        }
    }

    /// From when to when it was open, the first time first. Opened while it is open, and closed while it is not, it stays as it is.
    pub(crate) fn spans(&self) -> Vec<DisputeSpan> {
        let mut spans: Vec<DisputeSpan> = Vec::new();
        for (stamp, action) in self.actions.all() {
            let open = spans.last_mut().filter(|span| span.closed_at.is_none());
            match (open, action) {
                (None, DisputeAction::Opened) => spans.push(DisputeSpan { opened_at: stamp.at, closed_at: None }),
                (Some(open), DisputeAction::Closed) => open.closed_at = Some(stamp.at),
                (None, DisputeAction::Closed) | (Some(_), DisputeAction::Opened) => {}
            }
        }
        spans
    }

    /// The amount in dispute, as it was told last.
    pub(crate) fn amount(&self) -> Option<Money> {
        self.amount.get().map(|Amount(money)| *money)
    }
}

/// From when to when a dispute was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DisputeSpan {
    pub opened_at: DateTime<Utc>,
    /// None: it is open.
    pub closed_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests;
