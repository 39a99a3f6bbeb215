//! Subscriptions.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Churn, LifecycleSignal, PlanChange, PlanChangeDirection, Renewal};
use mainstay_domain::{AccountId, Violations};
use serde::Deserialize;

use super::invoice::amount;
use super::{Entry, Webhook, as_metadata};
use crate::account::{Candidate, account};
use crate::mapped::Outcome;
use crate::read::{fault, read, times, timestamp};
use crate::text::{LINE_LENGTH_MAX, WORD_LENGTH_MAX, cut, filled};

#[derive(Debug, Deserialize)]
struct Subscription {
    external_customer_id: String,
    plan_code: String,
    plan_amount_cents: Option<i64>,
    plan_amount_currency: Option<String>,
    plan: Option<Plan>,
    #[serde(default)]
    status: String,
    /// Since when the customer has a subscription of this external id, whatever the plan.
    #[serde(rename = "subscription_at")]
    first_started_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    trial_ended_at: Option<DateTime<Utc>>,
    ending_at: Option<DateTime<Utc>>,
    terminated_at: Option<DateTime<Utc>>,
    current_billing_period_ending_at: Option<DateTime<Utc>>,
    next_plan_code: Option<String>,
    cancelation_reason: Option<String>,
    customer: Option<Customer>,
}

#[derive(Debug, Deserialize)]
struct Plan {
    interval: Option<String>,
    /// In days, from the first subscription of the external id on.
    trial_period: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Customer {
    metadata: Option<Vec<Entry>>,
}

fn account_of(webhook: &Webhook<'_>, subscription: &mut Subscription) -> Result<Option<AccountId>, Violations> {
    let metadata = subscription.customer.take().and_then(|customer| customer.metadata).map(as_metadata);
    account([
        Candidate::of_metadata(&webhook.field("customer.metadata"), metadata.as_ref(), webhook.account_key),
        Candidate::new(webhook.field("external_customer_id"), Some(subscription.external_customer_id.as_str())),
    ])
}

fn change(change: Change) -> Payload {
    Payload::Lifecycle(LifecycleSignal { change: Some(change) })
}

/// It started: which plan, what that brings in a year, and until when it runs.
pub(super) fn started(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    running(webhook, |subscription| subscription.started_at, true)
}

/// The trial ended: from now on it brings something. Lago tells it of each plan that the subscription changes to after its trial, too, with
/// the time of then.
pub(super) fn trial_ended(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    running(webhook, |subscription| Some(subscription.trial_ended_at?.max(subscription.started_at?)), false)
}

fn running(
    webhook: &Webhook<'_>,
    since: impl FnOnce(&Subscription) -> Option<DateTime<Utc>>,
    is_renewed: bool,
) -> Result<Outcome, Violations> {
    let mut subscription: Subscription = read(webhook.path, webhook.object)?;
    if subscription.status != "active" {
        return Ok(Outcome::ignored(format!("the subscription is `{}`: it does not run", subscription.status)));
    }
    let Some(account) = account_of(webhook, &mut subscription)? else {
        return Ok(Outcome::ignored("the subscription does not say whose it is"));
    };
    let Some(at) = since(&subscription) else { return Ok(Outcome::undated()) };
    let told = webhook.of(&account, at);
    let plan_change = PlanChange {
        plan: cut(&subscription.plan_code, WORD_LENGTH_MAX),
        arr: arr(webhook, &subscription, at)?,
        // Of the plan before only the code is told.
        direction: PlanChangeDirection::Unspecified.into(),
    };
    let mut signals = vec![told.part("plan", change(Change::PlanChange(plan_change)))];
    let end = subscription.ending_at.or(subscription.current_billing_period_ending_at);
    if let Some(end) = end.filter(|end| is_renewed && *end > at) {
        let renewal = Renewal { renewal_time: Some(timestamp(end)) };
        signals.push(told.signal(change(Change::Renewal(renewal))));
    }
    Ok(Outcome::signals(signals))
}

/// What the plan brings in a year, as Lago compares plans. None during a trial, and where the interval is not told: the period that a
/// subscription has is that of its charges, which may be a month of a plan that is paid by the year.
fn arr(webhook: &Webhook<'_>, subscription: &Subscription, at: DateTime<Utc>) -> Result<Option<Money>, Violations> {
    let periods_in_year = match subscription.plan.as_ref().and_then(|plan| plan.interval.as_deref()) {
        Some("weekly") => 52,
        Some("monthly") => 12,
        Some("quarterly") => 4,
        Some("semiannual") => 2,
        Some("yearly") => 1,
        _ => return Ok(None),
    };
    let (Some(cents), Some(code)) = (subscription.plan_amount_cents, &subscription.plan_amount_currency) else {
        return Ok(None);
    };
    if trial_end(subscription).is_some_and(|end| at < end) {
        return Ok(None);
    }
    let counted = ("plan_amount_cents", cents);
    let Some(amount) = amount(webhook, "", ("plan_amount_currency", code), counted)? else { return Ok(None) };
    let yearly = times(amount.minor_units, periods_in_year);
    let minor_units = yearly.map_err(|reason| fault(webhook.field("plan_amount_cents"), reason))?;
    Ok(Some(Money { minor_units, ..amount }))
}

/// When the trial ends or ended; none when there is none.
fn trial_end(subscription: &Subscription) -> Option<DateTime<Utc>> {
    if subscription.trial_ended_at.is_some() {
        return subscription.trial_ended_at;
    }
    let days = subscription.plan.as_ref()?.trial_period.filter(|days| *days > 0.0)?;
    let trial = TimeDelta::from_std(Duration::try_from_secs_f64(days * 86_400.0).ok()?).ok()?;
    // One that was made ahead of time starts at the beginning of its day.
    let started_at = [subscription.first_started_at, subscription.started_at].into_iter().flatten().min();
    started_at?.checked_add_signed(trial)
}

/// It ended. A change of plan ends the subscription of the old one, and is no churn.
pub(super) fn terminated(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let mut subscription: Subscription = read(webhook.path, webhook.object)?;
    if let Some(next) = filled(subscription.next_plan_code.as_deref()) {
        return Ok(Outcome::ignored(format!("the plan `{next}` follows: the customer stays")));
    }
    let Some(account) = account_of(webhook, &mut subscription)? else {
        return Ok(Outcome::ignored("the subscription does not say whose it is"));
    };
    let Some(at) = subscription.terminated_at else { return Ok(Outcome::undated()) };
    let reason = filled(subscription.cancelation_reason.as_deref()).unwrap_or("the subscription was terminated");
    let churn = Churn { reason: cut(reason, LINE_LENGTH_MAX) };
    Ok(Outcome::signals(vec![webhook.of(&account, at).signal(change(Change::Churn(churn)))]))
}
