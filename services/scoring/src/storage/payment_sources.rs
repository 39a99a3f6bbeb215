//! The sources that tell of payments, and when they were heard from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

/// How exactly it is kept when a source was heard from: each signal would else wait for the one before.
pub(crate) const HEARD_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Those of these sources that have told of a paid invoice, of any account, with when they told of an invoice last: then, or up to
/// [`HEARD_WITHIN`] later.
pub(crate) async fn known(
    conn: &mut PgConnection,
    sources: &BTreeSet<&str>,
) -> Result<BTreeMap<String, DateTime<Utc>>, StorageError> {
    if sources.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sources: Vec<&str> = sources.iter().copied().collect();
    let known = sqlx::query!(
        "SELECT source, heard_at FROM scoring.payment_sources WHERE source = ANY($1::text[])",
        &sources as &[&str]
    )
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().map(|row| (row.source, row.heard_at)).collect())
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
        Some(heard_at) => *heard_at + HEARD_WITHIN <= now,
    };
    let news: Vec<&str> = sources.iter().copied().filter(|source| is_news(source)).collect();
    if news.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.payment_sources AS stored (source, heard_at)
         SELECT source, $2 FROM unnest($1::text[]) AS given (source)
         ON CONFLICT (source) DO UPDATE SET heard_at = GREATEST(stored.heard_at, excluded.heard_at)",
        &news as &[&str],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
