//! What other accounts did, of which a few are enough to compare with.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes::{self, series_kind, series_kind_number};
use super::series::CountMonth;
use crate::domain::SeriesKind;
use crate::domain::account::LifecycleStage;
use crate::domain::feature_adoption::{PEERS_MAX, PeerGroup, PeerUse};

/// Accounts that are not archived, up to `each_max` before and after one in the order of their ids: found without going through
/// all.
pub(crate) async fn neighbours(
    conn: &mut PgConnection,
    account: &str,
    each_max: i64,
) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar!(
        r#"(SELECT account_id AS "account_id!" FROM scoring.accounts
             WHERE archived_at IS NULL AND account_id > $1 ORDER BY account_id LIMIT $2)
           UNION ALL
           (SELECT account_id FROM scoring.accounts
             WHERE archived_at IS NULL AND account_id < $1 ORDER BY account_id DESC LIMIT $2)"#,
        account,
        each_max,
    )
    .fetch_all(conn)
    .await?)
}

/// The months of the counts of some accounts from the month that begins on `since` on, an account's together.
pub(crate) async fn count_months_since(
    conn: &mut PgConnection,
    accounts: &[&str],
    since: NaiveDate,
) -> Result<Vec<CountMonth>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT account_id, kind, name, month, array_lower(day_sums, 1) AS first_place,
                  day_sums[:] AS "day_sums!: Vec<Option<i64>>"
             FROM scoring.count_months
            WHERE account_id = ANY($1::text[]) AND month >= $2 ORDER BY account_id, kind, name, month"#,
        accounts as &[&str],
        since,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CountMonth {
                account_id: row.account_id,
                kind: series_kind(row.kind)?,
                name: row.name,
                month: row.month,
                first_place: row.first_place,
                day_sums: row.day_sums,
            })
        })
        .collect()
}

/// What the peers of each group use: customers that were activated before `activated_before`, up to [`PEERS_MAX`] of a group in the
/// order of their ids, and the features that they used in a month that begins on `since` or later. A group without a plan has peers
/// only where no customer of its segment has one.
pub(crate) async fn feature_use(
    conn: &mut PgConnection,
    groups: &[&PeerGroup],
    activated_before: DateTime<Utc>,
    since: NaiveDate,
) -> Result<Vec<PeerUse>, StorageError> {
    let segments: Vec<i16> = groups.iter().map(|group| codes::segment_number(group.segment)).collect();
    let plans: Vec<&str> = groups.iter().map(|group| group.plan.as_str()).collect();
    let rows = sqlx::query!(
        r#"WITH groups AS (
               SELECT segment, plan, place
                 FROM unnest($1::smallint[], $2::text[]) WITH ORDINALITY AS given (segment, plan, place)
                WHERE plan <> '' OR segment NOT IN (SELECT planned.segment FROM scoring.accounts AS planned
                                                     WHERE planned.plan <> '' AND planned.archived_at IS NULL)),
           peers AS (
               SELECT groups.place, peer.account_id
                 FROM groups,
                      LATERAL (SELECT account_id FROM scoring.accounts
                                WHERE accounts.segment = groups.segment AND accounts.plan = groups.plan
                                  AND archived_at IS NULL AND lifecycle_stage <> $3 AND activated_at < $4
                                ORDER BY account_id LIMIT $5) AS peer)
           SELECT peers.place AS "place!", used.name,
                  count(*) AS "user_count!",
                  (SELECT count(*) FROM peers AS counted WHERE counted.place = peers.place) AS "peer_count!"
             FROM peers, LATERAL (SELECT DISTINCT name FROM scoring.count_months
                                   WHERE count_months.account_id = peers.account_id AND kind = $6 AND month >= $7) AS used
            GROUP BY peers.place, used.name
            ORDER BY peers.place, used.name"#,
        &segments,
        &plans as &[&str],
        codes::lifecycle_stage_number(LifecycleStage::Churned),
        activated_before,
        PEERS_MAX,
        series_kind_number(SeriesKind::Feature),
        since,
    )
    .fetch_all(conn)
    .await?;
    let mut known = vec![PeerUse::default(); groups.len()];
    for row in rows {
        let place = usize::try_from(row.place - 1).map_err(codes::corrupt)?;
        if let Some(peers) = known.get_mut(place) {
            peers.peer_count = i32::try_from(row.peer_count).map_err(codes::corrupt)?;
            peers.users_by_feature.push((row.name, i32::try_from(row.user_count).map_err(codes::corrupt)?));
        }
    }
    Ok(known)
}
