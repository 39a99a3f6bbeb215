//! Records an answer that came by another way than the answer page.

use mainstay_accounts::Account;
use mainstay_domain::Violations;
use mainstay_service::{Mutation, Replayable};
use sqlx::PgConnection;

use super::record_response::{self, Answer};
use super::{App, SurveysError, get_program};
use crate::domain::eligibility::address_key;
use crate::domain::invitation::{Invitation, InvitationState};
use crate::domain::response::{AHEAD_MAX, Category, Response, SubmittedResponse};
use crate::storage::invitations;

/// Stores the answer. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    given: &SubmittedResponse,
    answer: impl Fn(&Response) -> T + Sync,
) -> Result<T, SurveysError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let account = account(app, conn, given).await?;
            let invitation = open_invitation(app, conn, given).await?;
            let program_id = invitation.as_ref().map(|invitation| &invitation.program).or(given.program.as_ref());
            let Some(program_id) = program_id.cloned() else {
                return Err(SurveysError::Invalid(required_program()));
            };
            let program = get_program::get(conn, &program_id).await?;
            let kind = program.definition.kind;
            let mut found = Violations::new();
            let responded_at = given.responded_at.unwrap_or(now);
            found.require(
                responded_at <= now + AHEAD_MAX,
                "response.response_time",
                "must not be more than 5 minutes ahead of the server's clock",
            );
            let category = Category::of(kind, given.score);
            let scores = kind.scores();
            found.require(
                category.is_some(),
                "response.score",
                format!("must be {} to {} for this programme, not {}", scores.start(), scores.end(), given.score),
            );
            check_against_invitation(&mut found, given, invitation.as_ref());
            let Some(category) = category.filter(|_| found.is_empty()) else {
                return Err(SurveysError::Invalid(found));
            };
            let (contact_id, address) = contact(&account, given, invitation.as_ref());
            let made = Answer {
                program: &program.id,
                kind,
                score: given.score,
                category,
                comment: &given.comment,
                contact_id,
                address,
                responded_at,
                channel: &given.channel,
                invitation,
            };
            let response = record_response::execute(app, conn, &account, made, now).await?;
            Ok(answer(&response))
        })
        .await
}

/// The account, locked. Without scoring nobody tells of accounts, and the first answer notes one by its id.
async fn account(app: &App, conn: &mut PgConnection, given: &SubmittedResponse) -> Result<Account, SurveysError> {
    if !app.follows_scoring {
        return Ok(app.accounts.lock_or_insert(conn, &given.account).await?);
    }
    let known = app.accounts.lock(conn, &given.account).await?;
    known.ok_or_else(|| SurveysError::AccountNotFound(given.account.clone()))
}

fn required_program() -> Violations {
    let mut found = Violations::new();
    found.add("response.program", "must be given without an invitation");
    found
}

/// The invitation that is answered, which must be open.
async fn open_invitation(
    app: &App,
    conn: &mut PgConnection,
    given: &SubmittedResponse,
) -> Result<Option<Invitation>, SurveysError> {
    let Some(name) = &given.invitation else { return Ok(None) };
    let invitation = invitations::lookup(conn, name).await?;
    let invitation = invitation.ok_or_else(|| SurveysError::InvitationNotFound(name.clone()))?;
    let invitation = invitation.seen_at(app.core.clock.now());
    if invitation.state != InvitationState::Sent {
        return Err(SurveysError::InvitationNotOpen { name: name.clone(), state: invitation.state });
    }
    Ok(Some(invitation))
}

fn check_against_invitation(found: &mut Violations, given: &SubmittedResponse, invitation: Option<&Invitation>) {
    let Some(invitation) = invitation else { return };
    found.require(
        given.program.as_ref().is_none_or(|program| *program == invitation.program),
        "response.program",
        format!("must be that of the invitation, {}", invitation.program.name()),
    );
    found.require(
        given.contact_id.is_empty() || given.contact_id == invitation.contact_id,
        "response.contact_id",
        format!("must be that of the invitation, `{}`", invitation.contact_id),
    );
}

/// Who answered: id and address.
fn contact(account: &Account, given: &SubmittedResponse, invitation: Option<&Invitation>) -> (String, String) {
    if let Some(invitation) = invitation {
        return (invitation.contact_id.clone(), invitation.address.clone());
    }
    let known = account.contacts.iter().find(|contact| !given.contact_id.is_empty() && contact.id == given.contact_id);
    let address = match known {
        Some(contact) => address_key(&contact.email),
        None if mainstay_domain::is_email(&given.contact_id) => address_key(&given.contact_id),
        None => String::new(),
    };
    (given.contact_id.clone(), address)
}
