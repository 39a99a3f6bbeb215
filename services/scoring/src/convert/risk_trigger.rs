//! Conditions that put accounts at risk.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Points, Violations};
use uuid::Uuid;

use super::health::band_message;
use super::story_signal::priority_message;
use super::why;
use crate::domain::feature_adoption::{PeerFeature, Unadopted};
use crate::domain::json::Amount;
use crate::domain::risk_trigger::{ClearReason, RiskCause, RiskTrigger, RiskTriggerKind};
use crate::domain::usage_decline::{Decline, UseSeries, WeekOfUse};
use mainstay_service::wire::{enum_values, money_message, timestamp};

const COLLECTION: &str = "riskTriggers";

pub(super) const fn kind_message(kind: RiskTriggerKind) -> proto::RiskTriggerKind {
    match kind {
        RiskTriggerKind::HealthCritical => proto::RiskTriggerKind::HealthCritical,
        RiskTriggerKind::HealthAtRisk => proto::RiskTriggerKind::HealthAtRisk,
        RiskTriggerKind::HealthDrop => proto::RiskTriggerKind::HealthDrop,
        RiskTriggerKind::Inactivity => proto::RiskTriggerKind::Inactivity,
        RiskTriggerKind::PaymentFailed => proto::RiskTriggerKind::PaymentFailed,
        RiskTriggerKind::BillingDispute => proto::RiskTriggerKind::BillingDispute,
        RiskTriggerKind::TicketUrgent => proto::RiskTriggerKind::TicketUrgent,
        RiskTriggerKind::TicketFrustrated => proto::RiskTriggerKind::TicketFrustrated,
        RiskTriggerKind::UsageDecline => proto::RiskTriggerKind::UsageDecline,
        RiskTriggerKind::LoginDrop => proto::RiskTriggerKind::LoginDrop,
        RiskTriggerKind::FeatureNotAdopted => proto::RiskTriggerKind::FeatureNotAdopted,
        RiskTriggerKind::ChampionSilent => proto::RiskTriggerKind::ChampionSilent,
        RiskTriggerKind::RenewalAtRisk => proto::RiskTriggerKind::RenewalAtRisk,
        RiskTriggerKind::PaymentSlowing => proto::RiskTriggerKind::PaymentSlowing,
    }
}

fn kind_of(number: i32) -> Option<RiskTriggerKind> {
    match proto::RiskTriggerKind::try_from(number).ok()? {
        proto::RiskTriggerKind::Unspecified => None,
        proto::RiskTriggerKind::HealthCritical => Some(RiskTriggerKind::HealthCritical),
        proto::RiskTriggerKind::HealthAtRisk => Some(RiskTriggerKind::HealthAtRisk),
        proto::RiskTriggerKind::HealthDrop => Some(RiskTriggerKind::HealthDrop),
        proto::RiskTriggerKind::Inactivity => Some(RiskTriggerKind::Inactivity),
        proto::RiskTriggerKind::PaymentFailed => Some(RiskTriggerKind::PaymentFailed),
        proto::RiskTriggerKind::BillingDispute => Some(RiskTriggerKind::BillingDispute),
        proto::RiskTriggerKind::TicketUrgent => Some(RiskTriggerKind::TicketUrgent),
        proto::RiskTriggerKind::TicketFrustrated => Some(RiskTriggerKind::TicketFrustrated),
        proto::RiskTriggerKind::UsageDecline => Some(RiskTriggerKind::UsageDecline),
        proto::RiskTriggerKind::LoginDrop => Some(RiskTriggerKind::LoginDrop),
        proto::RiskTriggerKind::FeatureNotAdopted => Some(RiskTriggerKind::FeatureNotAdopted),
        proto::RiskTriggerKind::ChampionSilent => Some(RiskTriggerKind::ChampionSilent),
        proto::RiskTriggerKind::RenewalAtRisk => Some(RiskTriggerKind::RenewalAtRisk),
        proto::RiskTriggerKind::PaymentSlowing => Some(RiskTriggerKind::PaymentSlowing),
    }
}

/// Kinds of a filter; empty is any.
pub(crate) fn kinds(found: &mut Violations, field: &str, given: &[i32]) -> Vec<RiskTriggerKind> {
    enum_values(found, field, given, "kind of risk trigger", kind_of)
}

/// The name of a condition.
pub(crate) fn name(account: &AccountId, id: Uuid) -> String {
    format!("{}/{COLLECTION}/{id}", account.name())
}

/// The account and id of `accounts/{account}/riskTriggers/{risk_trigger}`.
pub(crate) fn parse_name(found: &mut Violations, field: &str, name: &str) -> Option<(AccountId, Uuid)> {
    let parsed = name.rsplit_once(&format!("/{COLLECTION}/")).and_then(|(account, id)| {
        let account = AccountId::parse_name(account).ok()?;
        Some((account, Uuid::parse_str(id).ok().filter(|parsed| parsed.to_string() == id)?))
    });
    if parsed.is_none() {
        found.add(field, format!("must be `accounts/{{account}}/{COLLECTION}/{{risk_trigger}}`, the latter a UUID"));
    }
    parsed
}

/// A condition as messages have it.
pub(crate) fn message(trigger: &RiskTrigger) -> proto::RiskTrigger {
    let clear_reason = match trigger.cleared.map(|(_, reason)| reason) {
        None => proto::RiskTriggerClearReason::Unspecified,
        Some(ClearReason::Ended) => proto::RiskTriggerClearReason::Ended,
        Some(ClearReason::AccountGone) => proto::RiskTriggerClearReason::AccountGone,
    };
    proto::RiskTrigger {
        name: name(&trigger.account, trigger.id),
        account: trigger.account.name(),
        kind: kind_message(trigger.kind).into(),
        subject: trigger.subject.clone(),
        raise_time: Some(timestamp(trigger.raised_at)),
        change_time: Some(timestamp(trigger.changed_at)),
        clear_time: trigger.cleared.map(|(cleared_at, _)| timestamp(cleared_at)),
        clear_reason: clear_reason.into(),
        occurrence_count: trigger.condition.occurrence_count,
        score: trigger.score.map(Points::as_f64),
        cause: Some(cause_message(&trigger.condition.cause, &trigger.subject)),
        recommended_steps: if trigger.cleared.is_none() { why::steps_against(trigger.kind) } else { Vec::new() },
    }
}

fn cause_message(cause: &RiskCause, subject: &str) -> proto::risk_trigger::Cause {
    use proto::risk_trigger::Cause;
    let money = |amount: &Option<Amount>| amount.map(|Amount(money)| money_message(money));
    match cause {
        RiskCause::Health { day, score, previous_score, threshold, band } => Cause::Health(proto::HealthCause {
            day: day.to_string(),
            score: score.0.as_f64(),
            band: band_message(Some(band.0)).into(),
            previous_score: previous_score.map(|score| score.0.as_f64()),
            threshold: threshold.0.as_f64(),
        }),
        RiskCause::Inactivity { last_activity_day, inactive_days } => Cause::Inactivity(proto::InactivityCause {
            last_activity_day: last_activity_day.to_string(),
            inactive_days: *inactive_days,
        }),
        RiskCause::Payment { amount, failed_attempt_count, failure_reason, overdue } => {
            Cause::Payment(proto::PaymentCause {
                invoice_id: subject.to_owned(),
                amount: money(amount),
                failed_attempt_count: *failed_attempt_count,
                failure_reason: failure_reason.clone(),
                overdue: *overdue,
            })
        }
        RiskCause::Dispute { invoice_id, amount, reason } => Cause::Dispute(proto::DisputeCause {
            dispute_id: subject.to_owned(),
            invoice_id: invoice_id.clone(),
            amount: money(amount),
            reason: reason.clone(),
        }),
        RiskCause::Ticket { priority, subject: line, escalation_count, reopen_count } => {
            Cause::Ticket(proto::TicketCause {
                ticket_id: subject.to_owned(),
                priority: priority_message(*priority).into(),
                subject: line.clone(),
                escalation_count: *escalation_count,
                reopen_count: *reopen_count,
            })
        }
        RiskCause::TicketFrustrated(frustration) => Cause::TicketFrustrated(proto::TicketFrustratedCause {
            ticket_id: subject.to_owned(),
            sentiment: frustration.sentiment,
            message_count: frustration.message_count,
            priority: priority_message(frustration.priority).into(),
            subject: frustration.subject.clone(),
        }),
        RiskCause::UsageDecline(decline) => Cause::UsageDecline(decline_message(decline)),
        RiskCause::LoginDrop(days) => Cause::LoginDrop(proto::LoginDropCause {
            active_days: days.active_days,
            earlier_active_days: days.earlier_active_days,
            last_day: days.last_day.to_string(),
        }),
        RiskCause::PaymentSlowing(delay) => Cause::PaymentSlowing(proto::PaymentSlowingCause {
            newest_payment_day: delay.newest_day.to_string(),
            invoice_count: delay.invoice_count,
            days_late: delay.days_late,
            earlier_invoice_count: delay.earlier_invoice_count,
            earlier_days_late: delay.earlier_days_late,
        }),
        RiskCause::FeatureNotAdopted(unadopted) => Cause::FeatureNotAdopted(unadopted_message(unadopted)),
        RiskCause::ChampionSilent(silence) => Cause::ChampionSilent(proto::ChampionSilentCause {
            contact_id: subject.to_owned(),
            display_name: silence.display_name.clone(),
            last_activity_day: silence.last_activity_day.to_string(),
            silent_days: silence.silent_days,
            other_active_users: silence.other_users,
        }),
        RiskCause::RenewalAtRisk(renewal) => Cause::RenewalAtRisk(proto::RenewalAtRiskCause {
            renewal_day: renewal.renewal_day.to_string(),
            days_left: renewal.days_left,
            score: renewal.score.0.as_f64(),
            threshold: renewal.threshold.0.as_f64(),
            arr_at_risk: money(&renewal.arr),
        }),
    }
}

fn decline_message(decline: &Decline) -> proto::UsageDeclineCause {
    let series = match &decline.series {
        UseSeries::Metric(metric) => proto::input::Series::Metric(metric.clone()),
        UseSeries::AnyFeature => proto::input::Series::AnyFeature(true),
        UseSeries::AnyUser => proto::input::Series::AnyUser(true),
    };
    let week = |week: &WeekOfUse| proto::WeekOfUse { week: week.monday.to_string(), total: week.total };
    proto::UsageDeclineCause {
        input: Some(proto::Input { series: Some(series) }),
        base: decline.base,
        base_week: decline.base_monday.to_string(),
        weeks: decline.weeks.iter().map(week).collect(),
    }
}

fn unadopted_message(unadopted: &Unadopted) -> proto::FeatureNotAdoptedCause {
    let feature =
        |known: &PeerFeature| proto::PeerFeature { feature: known.feature.clone(), user_count: known.user_count };
    proto::FeatureNotAdoptedCause {
        activation_day: unadopted.activation_day.to_string(),
        features: unadopted.features.iter().map(feature).collect(),
        peer_count: unadopted.peer_count,
    }
}
