//! The answer page's side: what a link shows, and the answer that is posted.

use mainstay_storage::{begin, transact};
use uuid::Uuid;

use super::record_response::{self, Answer};
use super::{App, SurveysError};
use crate::domain::invitation::{Invitation, InvitationState};
use crate::domain::program::Program;
use crate::domain::response::{Category, PAGE_CHANNEL};
use crate::storage::{invitations, programs};

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerForm {
    pub invitation: Invitation,
    pub program: Program,
}

/// What came of a posted answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It was recorded, now or by an earlier post.
    Recorded(Box<Program>),
    /// The link has ended.
    Expired,
    /// The score is none of the question's.
    NoScore(Box<AnswerForm>),
    /// There is no such invitation.
    Unknown,
}

/// Reads what a link leads to, with the state that time has brought about. Writes nothing.
pub(crate) async fn look(app: &App, invitation: Uuid) -> Result<Option<AnswerForm>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    let Some(invitation) = invitations::lookup_by_id(&mut conn, invitation).await? else { return Ok(None) };
    let Some(program) = programs::lookup(&mut conn, &invitation.program).await? else { return Ok(None) };
    Ok(Some(AnswerForm { invitation: invitation.seen_at(app.core.clock.now()), program }))
}

/// Records the answer, once: a second post, by a double click or by whoever has the link too, changes nothing.
pub(crate) async fn post(
    app: &App,
    invitation: Uuid,
    score: Option<i32>,
    comment: &str,
) -> Result<Posted, SurveysError> {
    let posted = transact(&app.core.pool, async |conn: &mut sqlx::PgConnection| -> Result<Posted, SurveysError> {
        let now = app.core.clock.now();
        let Some(found) = invitations::lookup_by_id(conn, invitation).await? else { return Ok(Posted::Unknown) };
        let account = app.accounts.lock_or_insert(conn, &found.name.account).await?;
        // Read again: another post may have been before us.
        let Some(invitation) = invitations::lookup(conn, &found.name).await? else { return Ok(Posted::Unknown) };
        let Some(program) = programs::lookup(conn, &invitation.program).await? else { return Ok(Posted::Unknown) };
        let invitation = invitation.seen_at(now);
        match invitation.state {
            InvitationState::Sent => {}
            InvitationState::Answered => return Ok(Posted::Recorded(Box::new(program))),
            InvitationState::Expired => return Ok(Posted::Expired),
            InvitationState::NotAsked(_) => return Ok(Posted::Unknown),
        }
        let scored = score.and_then(|score| Some((score, Category::of(invitation.kind, score)?)));
        let Some((score, category)) = scored else {
            return Ok(Posted::NoScore(Box::new(AnswerForm { invitation, program })));
        };
        let answer = Answer {
            program: &program.id,
            kind: invitation.kind,
            score,
            category,
            comment,
            contact_id: invitation.contact_id.clone(),
            address: invitation.address.clone(),
            responded_at: now,
            channel: PAGE_CHANNEL,
            invitation: Some(invitation),
        };
        record_response::execute(app, conn, &account, answer, now).await?;
        Ok(Posted::Recorded(Box::new(program)))
    })
    .await?;
    app.core.work_arrived.notify_one();
    Ok(posted)
}
