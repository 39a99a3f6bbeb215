//! Signals.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Violations};

use super::{product, story_signal, voice};
use crate::domain::signal::{Payload, Signal, SignalKind, StoredSignal, check_event_time, check_source};
use crate::domain::voice::TouchSignal;
use crate::domain::withdrawal::WithdrawnIds;
use mainstay_service::wire::{enum_values, time, timestamp};

/// A signal of a message, or all that is wrong with it at the time `now`.
pub(crate) fn signal(given: proto::Signal, now: DateTime<Utc>) -> Result<Signal, Violations> {
    let mut found = Violations::new();
    let account = found.take("account", AccountId::parse_name(&given.account));
    if given.event_time.is_none() {
        found.add("event_time", "is required");
    }
    let event_at = time(&mut found, "event_time", given.event_time.as_ref());
    if given.payload.is_none() {
        found.add(
            "payload",
            "is required: one of usage, gauge, activity, feature_use, ticket, invoice, dispute, lifecycle, survey_answer, \
             touch, pulse, credit, feature_request, feature_release, incident, case_outcome",
        );
    }
    let payload = given.payload.and_then(|given| payload(&mut found, given));
    check_source(&mut found, &given.source, &given.source_id);
    if let Some(event_at) = event_at {
        check_event_time(&mut found, event_at, now);
    }
    if let Some(payload) = &payload {
        payload.check(&mut found, event_at);
    }
    match (account, event_at, payload) {
        (Some(account), Some(event_at), Some(payload)) => {
            let signal = Signal { account, source: given.source, source_id: given.source_id, event_at, payload };
            found.into_result(signal)
        }
        _ => Err(found),
    }
}

/// The payload; none, or one that stands in, when it is not one, which is noted.
fn payload(found: &mut Violations, given: proto::signal::Payload) -> Option<Payload> {
    Some(match given {
        proto::signal::Payload::Usage(usage) => Payload::Usage { metric: usage.metric, quantity: usage.quantity },
        proto::signal::Payload::Gauge(gauge) => Payload::Gauge { metric: gauge.metric, level: gauge.level },
        proto::signal::Payload::Activity(activity) => {
            Payload::Activity { user_id: activity.user_id, action: activity.action }
        }
        proto::signal::Payload::FeatureUse(feature) => Payload::FeatureUse {
            feature: feature.feature,
            user_id: feature.user_id,
            count: if feature.count == 0 { 1 } else { feature.count },
        },
        proto::signal::Payload::Ticket(ticket) => story_signal::ticket(found, ticket),
        proto::signal::Payload::Invoice(invoice) => story_signal::invoice(found, invoice),
        proto::signal::Payload::Dispute(dispute) => story_signal::dispute(found, dispute),
        proto::signal::Payload::Lifecycle(lifecycle) => return story_signal::lifecycle(found, lifecycle),
        proto::signal::Payload::SurveyAnswer(answer) => return voice::answer(found, answer),
        proto::signal::Payload::Touch(touch) => {
            Payload::Touch(TouchSignal { inbound: touch.inbound, answered: touch.answered })
        }
        proto::signal::Payload::Pulse(pulse) => voice::pulse(pulse),
        proto::signal::Payload::Credit(credit) => return product::credit(found, credit),
        proto::signal::Payload::FeatureRequest(request) => product::feature_request(request),
        proto::signal::Payload::FeatureRelease(release) => product::feature_release(release),
        proto::signal::Payload::Incident(incident) => product::incident(found, incident),
        proto::signal::Payload::CaseOutcome(outcome) => product::case_outcome(found, outcome),
    })
}

/// A stored signal as messages have it.
pub(crate) fn message(stored: StoredSignal) -> proto::Signal {
    let signal = stored.signal;
    let payload = match signal.payload {
        Payload::Usage { metric, quantity } => proto::signal::Payload::Usage(proto::UsageCount { metric, quantity }),
        Payload::Gauge { metric, level } => proto::signal::Payload::Gauge(proto::Gauge { metric, level }),
        Payload::Activity { user_id, action } => {
            proto::signal::Payload::Activity(proto::UserActivity { user_id, action })
        }
        Payload::FeatureUse { feature, user_id, count } => {
            proto::signal::Payload::FeatureUse(proto::FeatureUse { feature, user_id, count })
        }
        Payload::Ticket(told) => proto::signal::Payload::Ticket(story_signal::ticket_message(told)),
        Payload::Invoice(told) => proto::signal::Payload::Invoice(story_signal::invoice_message(told)),
        Payload::Dispute(told) => proto::signal::Payload::Dispute(story_signal::dispute_message(told)),
        Payload::Lifecycle(told) => proto::signal::Payload::Lifecycle(story_signal::lifecycle_message(&told)),
        Payload::SurveyAnswer(told) => proto::signal::Payload::SurveyAnswer(voice::answer_message(told)),
        Payload::Touch(TouchSignal { inbound, answered }) => {
            proto::signal::Payload::Touch(proto::TouchSignal { inbound, answered })
        }
        Payload::Pulse(told) => proto::signal::Payload::Pulse(voice::pulse_message(told)),
        Payload::Credit(told) => proto::signal::Payload::Credit(product::credit_message(told)),
        Payload::FeatureRequest(told) => proto::signal::Payload::FeatureRequest(product::feature_request_message(told)),
        Payload::FeatureRelease(told) => proto::signal::Payload::FeatureRelease(product::feature_release_message(told)),
        Payload::Incident(told) => proto::signal::Payload::Incident(product::incident_message(told)),
        Payload::CaseOutcome(told) => proto::signal::Payload::CaseOutcome(product::case_outcome_message(told)),
    };
    proto::Signal {
        account: signal.account.name(),
        source: signal.source,
        source_id: signal.source_id,
        event_time: Some(timestamp(signal.event_at)),
        payload: Some(payload),
        record_time: Some(timestamp(stored.recorded_at)),
        withdrawal: stored.withdrawal.map(|withdrawal| proto::SignalWithdrawal {
            withdrawn_by: withdrawal.withdrawn_by,
            reason: withdrawal.reason,
            withdraw_time: Some(timestamp(withdrawal.withdrawn_at)),
        }),
    }
}

/// Which signals a message asks to withdraw, or all that is wrong with it.
pub(crate) fn withdrawn_ids(given: &proto::WithdrawSignalsRequest) -> Result<WithdrawnIds, Violations> {
    let mut found = Violations::new();
    let account = found.take("account", AccountId::parse_name(&given.account));
    WithdrawnIds::check(&mut found, &given.source, &given.source_ids, &given.reason);
    match account {
        Some(account) => found.into_result(WithdrawnIds {
            account,
            source: given.source.clone(),
            source_ids: given.source_ids.clone(),
            reason: given.reason.clone(),
        }),
        None => Err(found),
    }
}

/// Kinds of a filter; empty is any.
pub(crate) fn kinds(found: &mut Violations, field: &str, given: &[i32]) -> Vec<SignalKind> {
    enum_values(found, field, given, "kind of signal", kind_of)
}

fn kind_of(number: i32) -> Option<SignalKind> {
    match proto::SignalKind::try_from(number).ok()? {
        proto::SignalKind::Unspecified => None,
        proto::SignalKind::Usage => Some(SignalKind::Usage),
        proto::SignalKind::Gauge => Some(SignalKind::Gauge),
        proto::SignalKind::Activity => Some(SignalKind::Activity),
        proto::SignalKind::FeatureUse => Some(SignalKind::FeatureUse),
        proto::SignalKind::Ticket => Some(SignalKind::Ticket),
        proto::SignalKind::Invoice => Some(SignalKind::Invoice),
        proto::SignalKind::Dispute => Some(SignalKind::Dispute),
        proto::SignalKind::Lifecycle => Some(SignalKind::Lifecycle),
        proto::SignalKind::SurveyAnswer => Some(SignalKind::SurveyAnswer),
        proto::SignalKind::Touch => Some(SignalKind::Touch),
        proto::SignalKind::Pulse => Some(SignalKind::Pulse),
        proto::SignalKind::Credit => Some(SignalKind::Credit),
        proto::SignalKind::FeatureRequest => Some(SignalKind::FeatureRequest),
        proto::SignalKind::FeatureRelease => Some(SignalKind::FeatureRelease),
        proto::SignalKind::Incident => Some(SignalKind::Incident),
        proto::SignalKind::CaseOutcome => Some(SignalKind::CaseOutcome),
    }
}
