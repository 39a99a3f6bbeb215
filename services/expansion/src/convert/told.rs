//! What other services tell in their events.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::AccountId;
use prost_types::Timestamp;

use crate::domain::{Condition, ConditionKind, LimitUse, Month, MonthUse, Touch};

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
        | scoring::RiskTriggerKind::TicketUrgent
        | scoring::RiskTriggerKind::TicketFrustrated
        | scoring::RiskTriggerKind::UsageDecline
        | scoring::RiskTriggerKind::LoginDrop
        | scoring::RiskTriggerKind::FeatureNotAdopted
        | scoring::RiskTriggerKind::ChampionSilent
        | scoring::RiskTriggerKind::RenewalAtRisk
        | scoring::RiskTriggerKind::PaymentSlowing => return Ok(None),
    };
    let account = AccountId::parse_name(&message.account).map_err(|_| "account")?;
    let started_at = time(message.raise_time.as_ref()).ok_or("raise_time")?;
    let ended_at = match &message.clear_time {
        None => None,
        given => Some(time(given.as_ref()).ok_or("clear_time")?),
    };
    Ok(Some((account, Condition { kind, reference: message.name.clone(), started_at, ended_at })))
}

/// The account and the condition of a detractor's case; none for a case of another kind. What was complained of being
/// resolved ends it: the question whether it helped, a month later, is none for which an account is left alone.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn case(message: &interventions::Case) -> Result<Option<(AccountId, Condition)>, &'static str> {
    if message.kind() != interventions::CaseKind::Detractor {
        return Ok(None);
    }
    let account = AccountId::parse_name(&message.account).map_err(|_| "account")?;
    let started_at = time(message.open_time.as_ref()).ok_or("open_time")?;
    let ended_at = match message.state() {
        interventions::CaseState::Resolved | interventions::CaseState::Closed => {
            Some(time(message.state_time.as_ref()).ok_or("state_time")?)
        }
        _ => None,
    };
    let kind = ConditionKind::DetractorCase;
    Ok(Some((account, Condition { kind, reference: message.name.clone(), started_at, ended_at })))
}

/// A detractor's case that was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedCase {
    pub account: AccountId,
    /// Its name.
    pub reference: String,
    pub at: DateTime<Utc>,
}

/// The detractor's case that was resolved; none for a case of another kind.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn resolved_case(message: interventions::CaseResolved) -> Result<Option<ResolvedCase>, &'static str> {
    if message.kind() != interventions::CaseKind::Detractor {
        return Ok(None);
    }
    let account = AccountId::parse_name(&message.account).map_err(|_| "account")?;
    let at = time(message.resolve_time.as_ref()).ok_or("resolve_time")?;
    Ok(Some(ResolvedCase { account, reference: message.case, at }))
}

/// The account, the name and the particulars of a contact.
///
/// # Errors
/// The field that cannot be read.
pub(crate) fn touch(message: interventions::Touch) -> Result<(AccountId, String, Touch), &'static str> {
    let account = AccountId::parse_name(&message.account).map_err(|_| "account")?;
    let at = time(message.touch_time.as_ref()).ok_or("touch_time")?;
    let inbound = message.direction() == interventions::TouchDirection::Inbound;
    let touch = Touch { at, inbound, answered: message.answered };
    Ok((account, message.name, touch))
}

fn time(given: Option<&Timestamp>) -> Option<DateTime<Utc>> {
    let given = given?;
    DateTime::from_timestamp(given.seconds, u32::try_from(given.nanos).ok()? / 1_000 * 1_000)
}
