//! What other services tell in their events.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::AccountId;
use prost_types::Timestamp;

use crate::domain::{Condition, ConditionKind, LimitUse, Month, MonthUse};

/// What an account used in a month.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn usage(message: scoring::PlanUsageReported) -> Result<MonthUse, &'static str> {
    let month = Month::parse(&message.month).map_err(|_| "month")?;
    let limits = message.limits.into_iter().map(|limit| {
        let is_limit = limit.limit.is_finite() && limit.limit > 0.0;
        let is_used = limit.used.is_none_or(f64::is_finite);
        if !is_limit || !is_used {
            return Err("limits");
        }
        Ok(LimitUse { metric: limit.metric, used: limit.used, limit: limit.limit })
    });
    Ok(MonthUse {
        month,
        limits: limits.collect::<Result<_, _>>()?,
        active_users: message.active_users,
        seats: message.seats,
    })
}

/// The account and the condition of a risk trigger; none when accounts are not left alone for its kind.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn risk_trigger(message: &scoring::RiskTrigger) -> Result<Option<(AccountId, Condition)>, &'static str> {
    let kind = match message.kind() {
        scoring::RiskTriggerKind::HealthCritical | scoring::RiskTriggerKind::HealthAtRisk => ConditionKind::AtRisk,
        scoring::RiskTriggerKind::PaymentFailed => ConditionKind::PaymentFailed,
        scoring::RiskTriggerKind::BillingDispute => ConditionKind::BillingDispute,
        scoring::RiskTriggerKind::Unspecified
        | scoring::RiskTriggerKind::HealthDrop
        | scoring::RiskTriggerKind::Inactivity
        | scoring::RiskTriggerKind::TicketUrgent => return Ok(None),
    };
    let account = AccountId::parse_name(&message.account).map_err(|_| "account")?;
    let started_at = time(message.raise_time.as_ref()).ok_or("raise_time")?;
    let ended_at = match &message.clear_time {
        None => None,
        given => Some(time(given.as_ref()).ok_or("clear_time")?),
    };
    Ok(Some((account, Condition { kind, reference: message.name.clone(), started_at, ended_at })))
}

fn time(given: Option<&Timestamp>) -> Option<DateTime<Utc>> {
    let given = given?;
    DateTime::from_timestamp(given.seconds, u32::try_from(given.nanos).ok()? / 1_000 * 1_000)
}
