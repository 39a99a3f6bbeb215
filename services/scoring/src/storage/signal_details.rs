//! What signals say that have no columns of their own, as JSON: tickets, invoices, disputes,
//! contracts, answers, contacts, judgements, and
//! what happens around the product.

use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;

use super::codes;
use crate::domain::signal::{Payload, Signal, SignalKind};

/// The payload as JSON; none for those that have columns.
fn details_of(payload: &Payload) -> Option<serde_json::Result<Value>> {
    match payload {
        Payload::Ticket(told) => Some(serde_json::to_value(told)),
        Payload::Invoice(told) => Some(serde_json::to_value(told)),
        Payload::Dispute(told) => Some(serde_json::to_value(told)),
        Payload::Lifecycle(told) => Some(serde_json::to_value(told)),
        Payload::SurveyAnswer(told) => Some(serde_json::to_value(told)),
        Payload::Touch(told) => Some(serde_json::to_value(told)),
        Payload::Pulse(told) => Some(serde_json::to_value(told)),
        Payload::Credit(told) => Some(serde_json::to_value(told)),
        Payload::FeatureRequest(told) => Some(serde_json::to_value(told)),
        Payload::FeatureRelease(told) => Some(serde_json::to_value(told)),
        Payload::Incident(told) => Some(serde_json::to_value(told)),
        Payload::CaseOutcome(told) => Some(serde_json::to_value(told)),
        Payload::Usage { .. } | Payload::Gauge { .. } | Payload::Activity { .. } | Payload::FeatureUse { .. } => None,
    }
}

/// The payload of JSON; of those kinds that have none it is corrupt.
pub(super) fn payload_of(kind: SignalKind, details: Option<Value>) -> Result<Payload, StorageError> {
    let details = details.ok_or_else(|| codes::corrupt(format!("signal_details are missing for kind {kind:?}")))?;
    match kind {
        SignalKind::Ticket => serde_json::from_value(details).map(Payload::Ticket),
        SignalKind::Invoice => serde_json::from_value(details).map(Payload::Invoice),
        SignalKind::Dispute => serde_json::from_value(details).map(Payload::Dispute),
        SignalKind::Lifecycle => serde_json::from_value(details).map(Payload::Lifecycle),
        SignalKind::SurveyAnswer => serde_json::from_value(details).map(Payload::SurveyAnswer),
        SignalKind::Touch => serde_json::from_value(details).map(Payload::Touch),
        SignalKind::Pulse => serde_json::from_value(details).map(Payload::Pulse),
        SignalKind::Credit => serde_json::from_value(details).map(Payload::Credit),
        SignalKind::FeatureRequest => serde_json::from_value(details).map(Payload::FeatureRequest),
        SignalKind::FeatureRelease => serde_json::from_value(details).map(Payload::FeatureRelease),
        SignalKind::Incident => serde_json::from_value(details).map(Payload::Incident),
        SignalKind::CaseOutcome => serde_json::from_value(details).map(Payload::CaseOutcome),
        SignalKind::Usage | SignalKind::Gauge | SignalKind::Activity | SignalKind::FeatureUse => {
            return Err(codes::corrupt(format!("signal_details of kind {kind:?}")));
        }
    }
    .map_err(codes::corrupt)
}

/// Inserts what these signals say that has no columns, all of them new and inserted by this transaction.
pub(crate) async fn insert<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<(), StorageError> {
    let (mut accounts, mut sources, mut source_ids, mut details) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for signal in signals {
        if let Some(told) = details_of(&signal.payload) {
            accounts.push(signal.account.as_str());
            sources.push(signal.source.as_str());
            source_ids.push(signal.source_id.as_str());
            details.push(told.map_err(codes::corrupt)?);
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.signal_details (account_id, source, source_id, details)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])",
        &accounts as &[&str],
        &sources as &[&str],
        &source_ids as &[&str],
        &details,
    )
    .execute(conn)
    .await?;
    Ok(())
}
