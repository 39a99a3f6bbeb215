//! Subscriptions.

use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Churn, LifecycleSignal, Renewal, SeatChange};
use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, Reference};
use crate::account::Metadata;
use crate::mapped::{Mapped, Outcome};
use crate::news::{AccountField, News};
use crate::read::{fault, read, seconds, timestamp};
use crate::text::{LINE_LENGTH_MAX, WORD_LENGTH_MAX, cut, filled};

/// The states in which the customer has what was bought, paid for or not.
const RUNNING: [&str; 4] = ["active", "trialing", "past_due", "unpaid"];
/// The states in which the period that runs was bought.
const IN_GOOD_STANDING: [&str; 2] = ["active", "trialing"];

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
struct Items {
    data: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    /// Absent where use is metered.
    quantity: Option<i64>,
    current_period_end: Option<i64>,
    price: Option<Price>,
}

#[derive(Debug, Deserialize)]
struct Price {
    id: String,
    lookup_key: Option<String>,
    nickname: Option<String>,
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

/// It began or changed: how many seats, which plan, and until when it runs. A subscription that is cancelled at the end of its
/// period is not renewed by it.
pub(super) fn told(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let subscription: Subscription = read(OBJECT, object)?;
    if !RUNNING.contains(&subscription.status.as_str()) {
        return Ok(Outcome::ignored(format!("the subscription is `{}`: it does not run", subscription.status)));
    }
    let Some(account) = event.account(&[("metadata", subscription.metadata.as_ref())], Some(&subscription.customer))?
    else {
        return Ok(Outcome::ignored("the subscription has no customer"));
    };
    let told = event.of(&account);
    let mut mapped = Mapped::default();
    if let Some(seats) = seats(&subscription.items)? {
        mapped.signals.push(told.part("seats", change(Change::SeatChange(SeatChange { seats }))));
    }
    let is_renewed = IN_GOOD_STANDING.contains(&subscription.status.as_str()) && !subscription.cancel_at_period_end;
    if let Some((path, end)) = period_end(&subscription)
        && is_renewed
    {
        let end = seconds(&path, end)?;
        if end > event.at {
            let renewal = Renewal { renewal_time: Some(timestamp(end)) };
            mapped.signals.push(told.part("renewal", change(Change::Renewal(renewal))));
        }
    }
    if let Some(plan) = subscription.items.data.iter().find_map(|item| item.price.as_ref()).map(plan) {
        mapped.accounts.push(told.news("plan", News::Field(AccountField::Plan, plan)));
    }
    let is_empty = mapped.accounts.is_empty() && mapped.signals.is_empty();
    Ok(if is_empty { Outcome::ignored("the subscription has no items") } else { Outcome::Mapped(mapped) })
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

/// What a price is called: by the caller's key, else by its nickname, else by its id.
fn plan(price: &Price) -> String {
    let named = [price.lookup_key.as_deref(), price.nickname.as_deref()].into_iter().find_map(filled);
    cut(named.unwrap_or(&price.id), WORD_LENGTH_MAX)
}
