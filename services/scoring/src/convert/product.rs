//! Signals of what happens around the product, of money given back, and of how cases ended.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;
use mainstay_service::wire::{money, money_message, time, timestamp};

use super::story_signal::value_or;
use crate::domain::billing::{CreditKind, CreditSignal};
use crate::domain::json::Amount;
use crate::domain::product::{
    CaseOutcome, CaseOutcomeSignal, FeatureReleaseSignal, FeatureRequestSignal, IncidentSeverity, IncidentSignal,
};
use crate::domain::signal::Payload;

/// Money given back, of a message; none when it says no amount, which is noted.
pub(super) fn credit(found: &mut Violations, given: proto::CreditSignal) -> Option<Payload> {
    let kind = match proto::CreditKind::try_from(given.kind) {
        Ok(proto::CreditKind::Refund) => Some(CreditKind::Refund),
        Ok(proto::CreditKind::CreditNote) => Some(CreditKind::CreditNote),
        Ok(proto::CreditKind::Unspecified) | Err(_) => None,
    };
    let kind = value_or(found, "credit.kind", given.kind, kind, CreditKind::Refund);
    found.require(given.amount.is_some(), "credit.amount", "is required");
    let amount = money(found, "credit.amount", given.amount.as_ref()).map(Amount)?;
    Some(Payload::Credit(CreditSignal { kind, amount, invoice_id: given.invoice_id, reason: given.reason }))
}

/// Money given back, as messages have it.
pub(super) fn credit_message(told: CreditSignal) -> proto::CreditSignal {
    let kind = match told.kind {
        CreditKind::Refund => proto::CreditKind::Refund,
        CreditKind::CreditNote => proto::CreditKind::CreditNote,
    };
    proto::CreditSignal {
        kind: kind.into(),
        amount: Some(money_message(told.amount.0)),
        invoice_id: told.invoice_id,
        reason: told.reason,
    }
}

/// A feature asked for, of a message.
pub(super) fn feature_request(given: proto::FeatureRequestSignal) -> Payload {
    Payload::FeatureRequest(FeatureRequestSignal { feature: given.feature, title: given.title })
}

/// A feature asked for, as messages have it.
pub(super) fn feature_request_message(told: FeatureRequestSignal) -> proto::FeatureRequestSignal {
    proto::FeatureRequestSignal { feature: told.feature, title: told.title }
}

/// A feature given, of a message.
pub(super) fn feature_release(given: proto::FeatureReleaseSignal) -> Payload {
    Payload::FeatureRelease(FeatureReleaseSignal { feature: given.feature })
}

/// A feature given, as messages have it.
pub(super) fn feature_release_message(told: FeatureReleaseSignal) -> proto::FeatureReleaseSignal {
    proto::FeatureReleaseSignal { feature: told.feature }
}

/// An incident of a message.
pub(super) fn incident(found: &mut Violations, given: proto::IncidentSignal) -> Payload {
    let severity = match proto::IncidentSeverity::try_from(given.severity) {
        Ok(proto::IncidentSeverity::Minor) => Some(IncidentSeverity::Minor),
        Ok(proto::IncidentSeverity::Major) => Some(IncidentSeverity::Major),
        Ok(proto::IncidentSeverity::Critical) => Some(IncidentSeverity::Critical),
        Ok(proto::IncidentSeverity::Unspecified) | Err(_) => None,
    };
    Payload::Incident(IncidentSignal {
        incident_id: given.incident_id,
        severity: value_or(found, "incident.severity", given.severity, severity, IncidentSeverity::Minor),
        minutes: given.minutes,
    })
}

/// An incident as messages have it.
pub(super) fn incident_message(told: IncidentSignal) -> proto::IncidentSignal {
    let severity = match told.severity {
        IncidentSeverity::Minor => proto::IncidentSeverity::Minor,
        IncidentSeverity::Major => proto::IncidentSeverity::Major,
        IncidentSeverity::Critical => proto::IncidentSeverity::Critical,
    };
    proto::IncidentSignal { incident_id: told.incident_id, severity: severity.into(), minutes: told.minutes }
}

/// How a case ended, of its number.
pub(super) fn case_outcome_of(number: i32) -> Option<CaseOutcome> {
    match proto::CaseOutcome::try_from(number) {
        Ok(proto::CaseOutcome::Saved) => Some(CaseOutcome::Saved),
        Ok(proto::CaseOutcome::Churned) => Some(CaseOutcome::Churned),
        Ok(proto::CaseOutcome::NoAction) => Some(CaseOutcome::NoAction),
        Ok(proto::CaseOutcome::Recovered) => Some(CaseOutcome::Recovered),
        Ok(proto::CaseOutcome::NotRecovered) => Some(CaseOutcome::NotRecovered),
        Ok(proto::CaseOutcome::Unspecified) | Err(_) => None,
    }
}

/// How a case ended, of a message.
pub(super) fn case_outcome(found: &mut Violations, given: proto::CaseOutcomeSignal) -> Payload {
    let outcome = case_outcome_of(given.outcome);
    Payload::CaseOutcome(CaseOutcomeSignal {
        case_id: given.case_id,
        outcome: value_or(found, "case_outcome.outcome", given.outcome, outcome, CaseOutcome::NoAction),
        opened_at: time(found, "case_outcome.open_time", given.open_time.as_ref()),
        score_at_open: given.score_at_open,
    })
}

/// How a case ended, as messages have it.
pub(super) fn case_outcome_message(told: CaseOutcomeSignal) -> proto::CaseOutcomeSignal {
    let outcome = match told.outcome {
        CaseOutcome::Saved => proto::CaseOutcome::Saved,
        CaseOutcome::Churned => proto::CaseOutcome::Churned,
        CaseOutcome::NoAction => proto::CaseOutcome::NoAction,
        CaseOutcome::Recovered => proto::CaseOutcome::Recovered,
        CaseOutcome::NotRecovered => proto::CaseOutcome::NotRecovered,
    };
    proto::CaseOutcomeSignal {
        case_id: told.case_id,
        outcome: outcome.into(),
        open_time: told.opened_at.map(timestamp),
        score_at_open: told.score_at_open,
    }
}
