//! The sources that tell of payments, and when they were heard from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use crate::domain::payment_source::{HEARD_WITHIN, PaymentSource, SILENCE};

/// Those of these sources that have told of a paid invoice.
pub(crate) async fn known(
    conn: &mut PgConnection,
    sources: &BTreeSet<&str>,
) -> Result<BTreeMap<String, PaymentSource>, StorageError> {
    if sources.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sources: Vec<&str> = sources.iter().copied().collect();
    let known = sqlx::query!(
        "SELECT source, heard_at, back_at FROM scoring.payment_sources WHERE source = ANY($1::text[])",
        &sources as &[&str]
    )
    .fetch_all(conn)
    .await?;
    let source = |heard_at, back_at| PaymentSource { heard_at, back_at };
    Ok(known.into_iter().map(|row| (row.source, source(row.heard_at, row.back_at))).collect())
}

/// Notes sources that tell of invoices now; `paying` of them tell of a payment. Of others nothing is kept. Writes nothing when all is
/// known.
pub(crate) async fn note(
    conn: &mut PgConnection,
    sources: &BTreeSet<&str>,
    paying: &BTreeSet<&str>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let known = known(conn, sources).await?;
    let is_news = |source: &str| match known.get(source) {
        None => paying.contains(source),
        Some(known) => known.heard_at + HEARD_WITHIN <= now,
    };
    let news: Vec<&str> = sources.iter().copied().filter(|source| is_news(source)).collect();
    if news.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.payment_sources AS stored (source, heard_at)
         SELECT source, $2 FROM unnest($1::text[]) AS given (source)
         ON CONFLICT (source) DO UPDATE SET
             heard_at = GREATEST(stored.heard_at, excluded.heard_at),
             back_at = CASE WHEN stored.heard_at <= $3 THEN excluded.heard_at ELSE stored.back_at END",
        &news as &[&str],
        now,
        now - SILENCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}
