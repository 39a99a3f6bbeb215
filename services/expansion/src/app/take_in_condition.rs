//! Takes in that something for which an account is left alone began, changed or ended.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::{App, ExpansionError, assess_account};
use crate::domain::Condition;
use crate::storage::conditions;

/// Takes it in, and looks at the account at once: its opportunities are on hold from now on, or go on.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    condition: &Condition,
) -> Result<(), ExpansionError> {
    app.accounts.lock_or_insert(conn, account).await?;
    conditions::store(conn, account, condition).await?;
    assess_account::execute(app, conn, account, None).await.map(drop)
}

/// Takes in that one ended of which nothing else is told; one that is not known, or ended before, stays as it is.
pub(crate) async fn end(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    reference: &str,
    ended_at: DateTime<Utc>,
) -> Result<(), ExpansionError> {
    app.accounts.lock_or_insert(conn, account).await?;
    if conditions::end(conn, account, reference, ended_at).await? {
        assess_account::execute(app, conn, account, None).await?;
    }
    Ok(())
}
