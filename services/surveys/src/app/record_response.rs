//! What every answer brings with it, however it came: the row, the event, the invitation's end or, without one, that the
//! contact counts as asked.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_domain::ProgramId;
use sqlx::PgConnection;

use super::{App, SurveysError, events};
use crate::domain::invitation::{Invitation, InvitationState, ResponseName};
use crate::domain::program::SurveyKind;
use crate::domain::response::{Category, Response};
use crate::storage::{invitations, recipients, responses};

/// An answer whose score was checked.
pub(super) struct Answer<'a> {
    pub program: &'a ProgramId,
    pub kind: SurveyKind,
    pub score: i32,
    pub category: Category,
    pub comment: &'a str,
    pub contact_id: String,
    pub address: String,
    pub responded_at: DateTime<Utc>,
    pub channel: &'a str,
    /// Open, and read after the account was locked.
    pub invitation: Option<Invitation>,
}

/// Stores the answer to the account, which is locked, and tells of it.
pub(super) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &Account,
    answer: Answer<'_>,
    now: DateTime<Utc>,
) -> Result<Response, SurveysError> {
    let resurvey_of = answer.invitation.as_ref().and_then(|invitation| invitation.resurvey_of);
    let previous_score = match resurvey_of {
        Some(id) => {
            let earlier = ResponseName { account: account.id.clone(), id };
            let found = responses::lookup(conn, &earlier).await?;
            Some(found.ok_or(SurveysError::ResponseNotFound(earlier))?.score)
        }
        None => None,
    };
    let response = Response {
        name: ResponseName { account: account.id.clone(), id: app.core.ids.new_id() },
        program: answer.program.clone(),
        kind: answer.kind,
        contact_id: answer.contact_id,
        address: answer.address,
        score: answer.score,
        category: answer.category,
        comment: answer.comment.to_owned(),
        invitation_id: answer.invitation.as_ref().map(|invitation| invitation.name.id),
        responded_at: answer.responded_at,
        resurvey_of,
        previous_score,
        channel: answer.channel.to_owned(),
        segment: account.segment,
        created_at: now,
    };
    responses::insert(conn, &response).await?;
    match answer.invitation {
        Some(invitation) => {
            let answered =
                Invitation { state: InvitationState::Answered, response_id: Some(response.name.id), ..invitation };
            invitations::update(conn, &answered).await?;
        }
        None => note_asked_elsewhere(conn, &response).await?,
    }
    app.core.events.append(conn, &[events::response_received(app, &response, now)], now).await?;
    Ok(response)
}

/// Who answered without an invitation was asked by another channel, and is as tired of questions as by a mail.
async fn note_asked_elsewhere(conn: &mut PgConnection, response: &Response) -> Result<(), SurveysError> {
    let address = response.address.as_str();
    if address.is_empty() {
        return Ok(());
    }
    let known = recipients::lock(conn, &[address]).await?.remove(address).unwrap_or_default();
    let asked_at = known.last_asked_with_answer(response.responded_at);
    Ok(recipients::note_asked(conn, &[address], asked_at).await?)
}
