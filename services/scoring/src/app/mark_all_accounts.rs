//! Has every account scored again.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::queues::{MARK_ALL_QUEUE, RESCORE_QUEUE};
use super::{App, ScoringError};
use crate::domain::day_number;
use crate::storage::accounts;

/// Accounts that one statement marks.
const PAGE: i64 = 5_000;

/// The one job of [`MARK_ALL_QUEUE`].
const ALL_ACCOUNTS: &str = "accounts";

/// Has every account scored again from a day on, once the caller's transaction has committed. A marking under way begins
/// anew, from the earlier of both days.
///
/// Not in the caller's transaction: it would hold the due work of the whole portfolio, for which recorded signals wait, and would
/// miss accounts whose creation is not committed while it looks.
pub(super) async fn mark_all_soon(
    app: &App,
    conn: &mut PgConnection,
    from_day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let job = NewJob::due(ALL_ACCOUNTS, now).with_low_mark(i64::from(day_number(from_day)));
    Ok(app.core.jobs.schedule(conn, MARK_ALL_QUEUE, &[job], now).await?)
}

/// Marks the page of accounts after `last`; answers the last of the page, or none when no more follow.
pub(crate) async fn mark_page(
    app: &App,
    conn: &mut PgConnection,
    last: Option<&str>,
    low_mark: i64,
) -> Result<Option<String>, ScoringError> {
    let ids = accounts::unarchived_ids(conn, last, PAGE).await?;
    mark(app, conn, RESCORE_QUEUE, &ids, low_mark, app.core.clock.now()).await?;
    Ok(is_full(&ids).then(|| ids.into_iter().next_back()).flatten())
}

/// Schedules each account that is not archived in a queue of accounts, due
/// now, from the day `low_mark` on; answers how many. Goes through the
/// accounts in the order of their ids, the order in which all lock due work.
pub(super) async fn mark_all_accounts(
    app: &App,
    conn: &mut PgConnection,
    queue: &str,
    low_mark: i64,
    now: DateTime<Utc>,
) -> Result<i64, ScoringError> {
    let mut count = 0;
    let mut last: Option<String> = None;
    loop {
        let ids = accounts::unarchived_ids(conn, last.as_deref(), PAGE).await?;
        mark(app, conn, queue, &ids, low_mark, now).await?;
        count += i64::try_from(ids.len()).unwrap_or(PAGE);
        if !is_full(&ids) {
            return Ok(count);
        }
        last = ids.into_iter().next_back();
    }
}

fn is_full(page: &[String]) -> bool {
    i64::try_from(page.len()).is_ok_and(|count| count == PAGE)
}

async fn mark(
    app: &App,
    conn: &mut PgConnection,
    queue: &str,
    ids: &[String],
    low_mark: i64,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let keys: Vec<&str> = ids.iter().map(String::as_str).collect();
    Ok(app.core.jobs.schedule_marks(conn, queue, &keys, &vec![low_mark; keys.len()], now, now).await?)
}
