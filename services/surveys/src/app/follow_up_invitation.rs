//! Reminds of an invitation that was not answered, and ends one whose time is over.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use sqlx::PgConnection;

use super::mails::{self, MailPurpose, NewMail};
use super::{App, SurveysError};
use crate::domain::eligibility::{account_refusal, address_key};
use crate::domain::invitation::{Invitation, InvitationName, InvitationState};
use crate::domain::program::Program;
use crate::storage::{invitations, programs, recipients};

/// Does what is due; says when to look again, or nothing when the invitation has come to its end.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    name: &InvitationName,
) -> Result<Option<DateTime<Utc>>, SurveysError> {
    let now = app.core.clock.now();
    let Some(account) = app.accounts.lock(conn, &name.account).await? else { return Ok(None) };
    let Some(invitation) = invitations::lookup(conn, name).await? else { return Ok(None) };
    if invitation.state != InvitationState::Sent {
        return Ok(None);
    }
    let Some(expires_at) = invitation.expires_at else { return Ok(None) };
    if now >= expires_at {
        let ended = Invitation { state: InvitationState::Expired, ..invitation };
        invitations::update(conn, &ended).await?;
        return Ok(None);
    }
    let program = programs::lookup(conn, &invitation.program).await?;
    if let Some(program) = program.filter(|program| wants_reminder(program, &account, &invitation, now))
        && !has_opted_out(conn, &invitation.address).await?
    {
        let contact = account.contacts.iter().find(|contact| address_key(&contact.email) == invitation.address);
        let contact_name = contact.map(|contact| contact.display_name.as_str()).unwrap_or_default();
        let mail = NewMail {
            purpose: MailPurpose::Reminder,
            program: &program,
            account: &account,
            contact_name,
            invitation: &invitation,
        };
        mails::enqueue(app, conn, &mail, now).await?;
        let reminded = Invitation { reminded_at: Some(now), ..invitation };
        invitations::update(conn, &reminded).await?;
    }
    Ok(Some(expires_at))
}

fn wants_reminder(program: &Program, account: &Account, invitation: &Invitation, now: DateTime<Utc>) -> bool {
    let is_due = program
        .definition
        .reminder_days
        .is_some_and(|days| invitation.created_at + TimeDelta::days(i64::from(days)) <= now);
    is_due
        && invitation.reminded_at.is_none()
        && program.is_published()
        && account_refusal(&program.definition, account).is_none()
}

async fn has_opted_out(conn: &mut PgConnection, address: &str) -> Result<bool, SurveysError> {
    let states = recipients::states(conn, &[address]).await?;
    Ok(states.get(address).is_some_and(|state| state.opted_out_at.is_some()))
}
