//! One invitation, or decision not to ask.

use super::{App, SurveysError};
use crate::domain::invitation::{Invitation, InvitationName};
use crate::storage::invitations;

/// Reads it, with the state that time has brought about.
pub(crate) async fn execute(app: &App, name: &InvitationName) -> Result<Invitation, SurveysError> {
    let mut conn = app.core.pool.acquire().await?;
    let found = invitations::lookup(&mut conn, name).await?;
    let invitation = found.ok_or_else(|| SurveysError::InvitationNotFound(name.clone()))?;
    Ok(invitation.seen_at(app.core.clock.now()))
}
