//! Takes in what an account used in a month.

use mainstay_domain::AccountId;
use mainstay_telemetry::propagation::current_traceparent;
use sqlx::PgConnection;

use super::{App, ExpansionError, assess_account};
use crate::domain::MonthUse;
use crate::storage::{reviews, usage};

/// Takes it in. When the review of the month has begun, the account is reviewed now: the review may have passed it.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    month_use: &MonthUse,
) -> Result<(), ExpansionError> {
    app.accounts.lock_or_insert(conn, account).await?;
    usage::store(conn, account, month_use, current_traceparent().as_deref()).await?;
    let month = month_use.month;
    if reviews::is_begun(conn, month).await? {
        let outcome = assess_account::execute(app, conn, account, Some(month)).await?;
        reviews::store(conn, account, month, &outcome, app.core.clock.now()).await?;
    }
    Ok(())
}
