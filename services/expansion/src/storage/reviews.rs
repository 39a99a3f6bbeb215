//! Rows of reviews, and of what came of each account in them.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;

use super::codes;
use crate::domain::{AccountReview, Month, Review};

struct ReviewRow {
    month: NaiveDate,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    accounts: i64,
    unreported: i64,
    identified: i64,
    qualified: i64,
    suppressed: i64,
    opened: i64,
}

impl From<ReviewRow> for Review {
    fn from(row: ReviewRow) -> Self {
        Self {
            month: codes::month(row.month),
            started_at: row.started_at,
            ended_at: row.ended_at,
            accounts: row.accounts,
            unreported: row.unreported,
            identified: row.identified,
            qualified: row.qualified,
            suppressed: row.suppressed,
            opened: row.opened,
        }
    }
}

/// `query_as!` for whole reviews, so that the columns stand here once.
macro_rules! select_reviews {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ReviewRow,
            r#"SELECT month, started_at, ended_at, count.accounts AS "accounts!", count.unreported AS "unreported!",
                      count.identified AS "identified!", count.qualified AS "qualified!",
                      count.suppressed AS "suppressed!", count.opened AS "opened!"
                 FROM expansion.reviews
                CROSS JOIN LATERAL (
                      SELECT count(*) AS accounts, count(*) FILTER (WHERE NOT reported) AS unreported,
                             coalesce(sum(identified_count), 0) AS identified,
                             coalesce(sum(qualified_count), 0) AS qualified,
                             coalesce(sum(suppressed_count), 0) AS suppressed,
                             coalesce(sum(opened_count), 0) AS opened
                        FROM expansion.account_reviews AS account
                       WHERE account.month = reviews.month) AS count "# + $tail
            $(, $argument)*
        )
    };
}

/// The review of a month, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, month: Month) -> Result<Option<Review>, StorageError> {
    let row = select_reviews!("WHERE month = $1", month.first_day()).fetch_optional(conn).await?;
    Ok(row.map(Review::from))
}

/// A page of reviews, the newest month first, before one.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<Month>,
    limit: i64,
) -> Result<Vec<Review>, StorageError> {
    let rows = select_reviews!(
        "WHERE $1::date IS NULL OR month < $1 ORDER BY month DESC LIMIT $2",
        before.map(Month::first_day),
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Review::from).collect())
}

/// Begins the review of a month; false when there is one. Waits for reports of usage that are being taken in, so that
/// each of them sees the review, or is seen by it ([`is_begun`]).
pub(crate) async fn begin(conn: &mut PgConnection, month: Month, now: DateTime<Utc>) -> Result<bool, StorageError> {
    sqlx::query!("LOCK TABLE expansion.reviews IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let begun = sqlx::query!(
        "INSERT INTO expansion.reviews (month, started_at, last_account_id) VALUES ($1, $2, '') ON CONFLICT DO NOTHING",
        month.first_day(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Whether the review of a month has begun. If not, none begins until the transaction ends, in which the caller stores
/// what that review is to see.
pub(crate) async fn is_begun(conn: &mut PgConnection, month: Month) -> Result<bool, StorageError> {
    sqlx::query!("LOCK TABLE expansion.reviews IN ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let begun = sqlx::query_scalar!("SELECT true FROM expansion.reviews WHERE month = $1", month.first_day())
        .fetch_optional(conn);
    Ok(begun.await?.is_some())
}

/// The last account that the review of a month has looked at; none when it is through or was never begun.
pub(crate) async fn position(conn: &mut PgConnection, month: Month) -> Result<Option<String>, StorageError> {
    let last = sqlx::query_scalar!(
        "SELECT last_account_id FROM expansion.reviews WHERE month = $1 AND ended_at IS NULL",
        month.first_day(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(last)
}

/// Notes how far the review is.
pub(crate) async fn move_on(conn: &mut PgConnection, month: Month, last: &AccountId) -> Result<(), StorageError> {
    let moved = sqlx::query!(
        "UPDATE expansion.reviews SET last_account_id = $2 WHERE month = $1",
        month.first_day(),
        last.as_str(),
    )
    .execute(conn)
    .await?;
    exactly_one(&moved)
}

/// Notes that the review is through. Reviews end one after the other, as their events do.
pub(crate) async fn end(conn: &mut PgConnection, month: Month, now: DateTime<Utc>) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE expansion.reviews IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let ended = sqlx::query!("UPDATE expansion.reviews SET ended_at = $2 WHERE month = $1", month.first_day(), now)
        .execute(conn)
        .await?;
    exactly_one(&ended)
}

/// Whether an account was reviewed for a month and, if so, with its report.
pub(crate) async fn was_reviewed(
    conn: &mut PgConnection,
    account: &AccountId,
    month: Month,
) -> Result<Option<bool>, StorageError> {
    let reported = sqlx::query_scalar!(
        "SELECT reported FROM expansion.account_reviews WHERE account_id = $1 AND month = $2",
        account.as_str(),
        month.first_day(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(reported)
}

/// Notes what came of an account, in place of what came of it without its report; opened ones add up.
pub(crate) async fn store(
    conn: &mut PgConnection,
    account: &AccountId,
    month: Month,
    outcome: &AccountReview,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    sqlx::query!(
        "INSERT INTO expansion.account_reviews AS known (account_id, month, reported, identified_count,
             qualified_count, suppressed_count, opened_count, reviewed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, month) DO UPDATE SET
             reported = excluded.reported, identified_count = excluded.identified_count,
             qualified_count = excluded.qualified_count, suppressed_count = excluded.suppressed_count,
             opened_count = known.opened_count + excluded.opened_count, reviewed_at = excluded.reviewed_at",
        account.as_str(),
        month.first_day(),
        outcome.reported,
        outcome.identified,
        outcome.qualified,
        outcome.suppressed,
        outcome.opened,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
