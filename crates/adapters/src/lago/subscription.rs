//! Subscriptions.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::lifecycle_signal::Change;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::scoring::v1::{Churn, LifecycleSignal, Renewal};
use mainstay_domain::{AccountId, Violations};
use serde::Deserialize;

use super::{Entry, Webhook, as_metadata};
use crate::account::{Candidate, account};
use crate::mapped::{Mapped, Outcome};
use crate::news::{AccountField, News};
use crate::read::{read, timestamp};
use crate::text::{LINE_LENGTH_MAX, WORD_LENGTH_MAX, cut, filled};

#[derive(Debug, Deserialize)]
struct Subscription {
    external_customer_id: String,
    plan_code: String,
    #[serde(default)]
    status: String,
    started_at: Option<DateTime<Utc>>,
    ending_at: Option<DateTime<Utc>>,
    terminated_at: Option<DateTime<Utc>>,
    current_billing_period_ending_at: Option<DateTime<Utc>>,
    next_plan_code: Option<String>,
    cancelation_reason: Option<String>,
    customer: Option<Customer>,
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

/// It started: which plan, and until when it runs.
pub(super) fn started(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let mut subscription: Subscription = read(webhook.path, webhook.object)?;
    if subscription.status != "active" {
        return Ok(Outcome::ignored(format!("the subscription is `{}`: it does not run", subscription.status)));
    }
    let Some(account) = account_of(webhook, &mut subscription)? else {
        return Ok(Outcome::ignored("the subscription does not say whose it is"));
    };
    let Some(at) = subscription.started_at else { return Ok(Outcome::undated()) };
    let told = webhook.of(&account, at);
    let plan = News::Field(AccountField::Plan, cut(&subscription.plan_code, WORD_LENGTH_MAX));
    let mut mapped = Mapped { accounts: vec![told.news("plan", plan)], signals: Vec::new() };
    let end = subscription.ending_at.or(subscription.current_billing_period_ending_at);
    if let Some(end) = end.filter(|end| *end > at) {
        let renewal = Renewal { renewal_time: Some(timestamp(end)) };
        mapped.signals.push(told.signal(change(Change::Renewal(renewal))));
    }
    Ok(Outcome::Mapped(mapped))
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
