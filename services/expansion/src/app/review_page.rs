//! Reviews the next accounts of a review that is under way.

use mainstay_domain::AccountId;
use mainstay_telemetry::propagation::set_parent_from_traceparent;
use sqlx::PgConnection;
use tracing::Instrument;

use super::get_review::lookup;
use super::{App, ExpansionError, assess_account, events};
use crate::domain::Month;
use crate::storage::reviews;
use crate::storage::usage::{self, ToReview};

/// Accounts in one transaction.
const PAGE: i64 = 100;

/// Reviews a page; says whether another may follow. An account that was reviewed when its report came is passed over,
/// so that each is reviewed once.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, month: Month) -> Result<bool, ExpansionError> {
    let Some(after) = reviews::position(conn, month).await? else { return Ok(false) };
    let page = usage::accounts_to_review(conn, month, &after, PAGE).await?;
    let now = app.core.clock.now();
    let Some(last) = page.last() else {
        reviews::end(conn, month, now).await?;
        let event = events::review_completed(app, &lookup(conn, month).await?, now);
        app.core.events.append(conn, &[event], now).await?;
        return Ok(false);
    };
    for ToReview { account, traceparent } in &page {
        // What is found goes on in the trace of the use it was found in.
        let span = tracing::info_span!("review_account", account = account.as_str());
        if let Some(traceparent) = traceparent {
            set_parent_from_traceparent(&span, traceparent);
        }
        review(app, conn, account, month).instrument(span).await?;
    }
    reviews::move_on(conn, month, &last.account).await?;
    Ok(true)
}

async fn review(app: &App, conn: &mut PgConnection, account: &AccountId, month: Month) -> Result<(), ExpansionError> {
    // Locked first: who takes in its report holds the row until the outcome is written.
    app.accounts.lock_or_insert(conn, account).await?;
    if reviews::was_reviewed(conn, account, month).await?.is_none() {
        let outcome = assess_account::execute(app, conn, account, Some(month)).await?;
        reviews::store(conn, account, month, &outcome, app.core.clock.now()).await?;
    }
    Ok(())
}
