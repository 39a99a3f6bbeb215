//! Keeps who does not want to be asked any more.

use mainstay_domain::AccountId;
use mainstay_service::{Mutation, Replayable};
use mainstay_storage::transact;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{App, SurveysError, events};
use crate::domain::eligibility::RecipientState;
use crate::storage::{invitations, recipients};

/// Notes that the contact of an invitation does not want to be asked any more; false when there is no such invitation.
pub(crate) async fn by_invitation(app: &App, invitation: Uuid) -> Result<bool, SurveysError> {
    let done = transact(&app.core.pool, async |conn: &mut PgConnection| -> Result<bool, SurveysError> {
        let Some(found) = invitations::lookup_by_id(conn, invitation).await? else { return Ok(false) };
        app.accounts.lock_or_insert(conn, &found.name.account).await?;
        opt_out(app, conn, Some((&found.name.account, &found.contact_id)), &found.address).await?;
        Ok(true)
    })
    .await?;
    app.core.work_arrived.notify_one();
    Ok(done)
}

/// Notes that the person behind an address does not want to be asked any more, or does again. `answer` makes of it what
/// the caller is told, and told again.
pub(crate) async fn by_address<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    address: &str,
    wants_to_be_asked: bool,
    answer: impl Fn(RecipientState) -> T + Sync,
) -> Result<T, SurveysError> {
    app.core
        .mutate(mutation, async |conn| {
            if !wants_to_be_asked {
                return Ok(answer(opt_out(app, conn, None, address).await?));
            }
            let state = lock(conn, address).await?;
            if state.opted_out_at.is_some() {
                recipients::set_opt_out(conn, address, None).await?;
            }
            Ok(answer(RecipientState { opted_out_at: None, ..state }))
        })
        .await
}

/// Who has said so before stays as noted then.
async fn opt_out(
    app: &App,
    conn: &mut PgConnection,
    contact: Option<(&AccountId, &str)>,
    address: &str,
) -> Result<RecipientState, SurveysError> {
    let state = lock(conn, address).await?;
    if state.opted_out_at.is_some() {
        return Ok(state);
    }
    let now = app.core.clock.now();
    recipients::set_opt_out(conn, address, Some(now)).await?;
    app.core.events.append(conn, &[events::unsubscribed(app, contact, address, now)], now).await?;
    Ok(RecipientState { opted_out_at: Some(now), ..state })
}

async fn lock(conn: &mut PgConnection, address: &str) -> Result<RecipientState, SurveysError> {
    Ok(recipients::lock(conn, &[address]).await?.remove(address).unwrap_or_default())
}
