//! The sources that tell of payments.

use std::collections::BTreeSet;

use mainstay_storage::StorageError;
use sqlx::PgConnection;

/// Those of these sources that have told of a paid invoice, of any account.
pub(crate) async fn known(conn: &mut PgConnection, sources: &BTreeSet<&str>) -> Result<BTreeSet<String>, StorageError> {
    if sources.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sources: Vec<&str> = sources.iter().copied().collect();
    let known = sqlx::query_scalar!(
        "SELECT source FROM scoring.payment_sources WHERE source = ANY($1::text[])",
        &sources as &[&str]
    )
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}

/// Notes sources that tell of a payment. Writes nothing when all are known.
pub(crate) async fn note(conn: &mut PgConnection, sources: &BTreeSet<&str>) -> Result<(), StorageError> {
    let known = known(conn, sources).await?;
    let new: Vec<&str> = sources.iter().copied().filter(|source| !known.contains(*source)).collect();
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.payment_sources (source) SELECT source FROM unnest($1::text[]) AS given (source)
         ON CONFLICT DO NOTHING",
        &new as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
