//! Takes in that somebody was in touch with an account.

use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::{App, ExpansionError};
use crate::domain::Touch;
use crate::storage::touches;

/// Takes it in; the next look at the account counts it.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    touch_id: &str,
    touch: &Touch,
) -> Result<(), ExpansionError> {
    app.accounts.lock_or_insert(conn, account).await?;
    Ok(touches::store(conn, account, touch_id, touch).await?)
}
