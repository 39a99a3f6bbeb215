//! Subscriptions.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Churn, LifecycleSignal, PlanChange, Renewal, SeatChange};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, Reference};
use super::plan::{Items, direction};
use crate::account::Metadata;
use crate::mapped::{Outcome, Told};
use crate::read::{fault, read, seconds, timestamp};
use crate::text::{LINE_LENGTH_MAX, cut, filled};

/// The states in which the customer has what was bought, paid for or not.
const RUNNING: [&str; 4] = ["active", "trialing", "past_due", "unpaid"];
/// The states in which the period that runs was bought.
const IN_GOOD_STANDING: [&str; 2] = ["active", "trialing"];
/// The states in which Stripe, too, counts what recurs as revenue. In a trial nothing is paid yet, and of what is unpaid it is not known
/// whether it ever is.
///
/// <https://docs.stripe.com/billing/subscriptions/analytics/glossary>
const EARNING: [&str; 2] = ["active", "past_due"];

#[derive(Debug, Deserialize)]
struct Subscription {
    customer: Reference,
    status: String,
    items: Items,
    #[serde(default)]
    cancel_at_period_end: bool,
    /// Before `2025-03-31.basil`; the items have it since.
    current_period_end: Option<i64>,
    cancellation_details: Option<CancellationDetails>,
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct CancellationDetails {
    reason: Option<String>,
    feedback: Option<String>,
    comment: Option<String>,
}

fn change(change: Change) -> Payload {
    Payload::Lifecycle(LifecycleSignal { change: Some(change) })
}

/// It began or changed: how many seats, which plan, what it brings in a year, and until when it runs. A subscription that is cancelled at
/// the end of its period is not renewed by it.
///
/// All of it is told each time, changed or not: the newest counts, so that an event that was lost, or came before anybody listened, is made
/// good by the next one.
pub(super) fn told(
    event: &Event<'_>,
    object: &Value,
    previous_attributes: Option<&Value>,
) -> Result<Outcome, Violations> {
    let subscription: Subscription = read(OBJECT, object)?;
    if !RUNNING.contains(&subscription.status.as_str()) {
        return Ok(Outcome::ignored(format!("the subscription is `{}`: it does not run", subscription.status)));
    }
    let Some(account) = event.account(&[("metadata", subscription.metadata.as_ref())], Some(&subscription.customer))?
    else {
        return Ok(Outcome::ignored("the subscription has no customer"));
    };
    // Stripe tells times in seconds, and signals have no rank of events: of one second the beginning is older than a change.
    let is_beginning = event.rank == 0;
    let told = Told { at: event.at - TimeDelta::microseconds(is_beginning.into()), ..event.of(&account) };
    let mut signals = Vec::new();
    if let Some(seats) = seats(&subscription.items)? {
        signals.push(told.part("seats", change(Change::SeatChange(SeatChange { seats }))));
    }
    let is_renewed = IN_GOOD_STANDING.contains(&subscription.status.as_str()) && !subscription.cancel_at_period_end;
    if let Some((path, end)) = period_end(&subscription)
        && is_renewed
    {
        let end = seconds(&path, end)?;
        if end > told.at {
            let renewal = Renewal { renewal_time: Some(timestamp(end)) };
            signals.push(told.part("renewal", change(Change::Renewal(renewal))));
        }
    }
    let plan_change = plan_change(&subscription, previous_attributes)?;
    if plan_change != PlanChange::default() {
        signals.push(told.part("plan", change(Change::PlanChange(plan_change))));
    }
    Ok(if signals.is_empty() { Outcome::ignored("the subscription has no items") } else { Outcome::signals(signals) })
}

fn plan_change(subscription: &Subscription, previous_attributes: Option<&Value>) -> Result<PlanChange, Violations> {
    let items = &subscription.items;
    let is_earning = EARNING.contains(&subscription.status.as_str());
    Ok(PlanChange {
        plan: items.plan(),
        arr: if is_earning { items.arr()? } else { None },
        direction: direction(items, previous_attributes).into(),
    })
}

/// It ended: the customer left, as far as this subscription says.
pub(super) fn deleted(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let subscription: Subscription = read(OBJECT, object)?;
    let Some(account) = event.account(&[("metadata", subscription.metadata.as_ref())], Some(&subscription.customer))?
    else {
        return Ok(Outcome::ignored("the subscription has no customer"));
    };
    let details = subscription.cancellation_details.as_ref();
    let said = details.map(|details| [&details.reason, &details.feedback, &details.comment]);
    let said: Vec<&str> = said.into_iter().flatten().filter_map(|text| filled(text.as_deref())).collect();
    let churn = Churn { reason: cut(&said.join("; "), LINE_LENGTH_MAX) };
    Ok(Outcome::signals(vec![event.of(&account).signal(change(Change::Churn(churn)))]))
}

/// The end of the period that ends last, and where that stands.
fn period_end(subscription: &Subscription) -> Option<(String, i64)> {
    let items = subscription.items.data.iter().enumerate();
    let of_items = items.filter_map(|(index, item)| Some((item.current_period_end?, index))).max();
    match of_items {
        Some((end, index)) => Some((format!("{OBJECT}.items.data[{index}].current_period_end"), end)),
        None => subscription.current_period_end.map(|end| (format!("{OBJECT}.current_period_end"), end)),
    }
}

/// Seats of all items together; none when all are metered.
fn seats(items: &Items) -> Result<Option<i64>, Violations> {
    let mut quantities = items.data.iter().filter_map(|item| item.quantity).peekable();
    if quantities.peek().is_none() {
        return Ok(None);
    }
    let sum = quantities.try_fold(0_i64, i64::checked_add);
    sum.map(Some).ok_or_else(|| fault(format!("{OBJECT}.items.data"), "the sum of the quantities is out of range"))
}
