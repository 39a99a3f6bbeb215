//! Takes in that somebody was in touch with an account.

use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::assess_account::looked_back_to;
use super::{App, ExpansionError};
use crate::domain::Touch;
use crate::storage::touches;

/// Takes it in; the next look at the account counts it. One that is older than what a look counts is passed over.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    touch_id: &str,
    touch: &Touch,
) -> Result<(), ExpansionError> {
    app.accounts.lock_or_insert(conn, account).await?;
    let forget_through = looked_back_to(app.core.clock.now());
    if touch.at > forget_through {
        touches::store(conn, account, touch_id, touch, forget_through).await?;
    }
    Ok(())
}
