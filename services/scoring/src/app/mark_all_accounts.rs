//! Has every account scored again.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::storage::accounts;

/// Accounts that one statement marks.
const PAGE: i64 = 5_000;

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
        let keys: Vec<&str> = ids.iter().map(String::as_str).collect();
        app.jobs.schedule_marks(conn, queue, &keys, &vec![low_mark; keys.len()], now, now).await?;
        let page_count = i64::try_from(ids.len()).unwrap_or(PAGE);
        count += page_count;
        if page_count < PAGE {
            return Ok(count);
        }
        last = ids.into_iter().next_back();
    }
}
