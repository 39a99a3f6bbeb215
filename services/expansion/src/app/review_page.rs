//! Reviews the next accounts of a review that is under way.

use sqlx::PgConnection;

use super::get_review::lookup;
use super::{App, ExpansionError, assess_account, events};
use crate::domain::Month;
use crate::storage::{reviews, usage};

/// Accounts in one transaction.
const PAGE: i64 = 100;

/// Reviews a page; says whether another may follow. An account that was reviewed when its report came is passed over,
/// so that each is reviewed once.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, month: Month) -> Result<bool, ExpansionError> {
    let Some(after) = reviews::position(conn, month).await? else { return Ok(false) };
    let ids = usage::accounts_to_review(conn, month, &after, PAGE).await?;
    let now = app.core.clock.now();
    let Some(last) = ids.last() else {
        reviews::end(conn, month, now).await?;
        let event = events::review_completed(app, &lookup(conn, month).await?, now);
        app.core.events.append(conn, &[event], now).await?;
        return Ok(false);
    };
    for id in &ids {
        // Locked first: who takes in its report holds the row until the outcome is written.
        app.accounts.lock_or_insert(conn, id).await?;
        if reviews::was_reviewed(conn, id, month).await?.is_none() {
            let outcome = assess_account::execute(app, conn, id, Some(month)).await?;
            reviews::store(conn, id, month, &outcome, now).await?;
        }
    }
    reviews::move_on(conn, month, last).await?;
    Ok(true)
}
