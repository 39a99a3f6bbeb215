//! Features that were asked for and given, in columns.

use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::signals::SignalKeys;
use crate::domain::signal::{Payload, Signal};

/// Inserts the requests and releases of features among these signals, all of them new and inserted by this transaction.
pub(crate) async fn insert<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<(), StorageError> {
    let told: Vec<(&Signal, &str)> = signals
        .filter_map(|signal| match &signal.payload {
            Payload::FeatureRequest(request) => Some((signal, request.feature.as_str())),
            Payload::FeatureRelease(release) => Some((signal, release.feature.as_str())),
            _ => None,
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.feature_signals (account_id, source, source_id, kind, feature, event_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::timestamptz[])",
        &told.iter().map(|(signal, _)| signal.account.as_str()).collect::<Vec<_>>() as &[&str],
        &told.iter().map(|(signal, _)| signal.source.as_str()).collect::<Vec<_>>() as &[&str],
        &told.iter().map(|(signal, _)| signal.source_id.as_str()).collect::<Vec<_>>() as &[&str],
        &told.iter().map(|(signal, _)| signal.payload.kind().number()).collect::<Vec<_>>(),
        &told.iter().map(|(_, feature)| *feature).collect::<Vec<_>>() as &[&str],
        &told.iter().map(|(signal, _)| signal.event_at).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the requests and releases of features among signals that were withdrawn.
pub(crate) async fn delete(conn: &mut PgConnection, gone: &SignalKeys<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.feature_signals AS stored
          USING unnest($1::text[], $2::text[], $3::text[]) AS gone (account_id, source, source_id)
          WHERE stored.account_id = gone.account_id AND stored.source = gone.source
            AND stored.source_id = gone.source_id",
        &gone.accounts as &[&str],
        &gone.sources as &[&str],
        &gone.source_ids as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
