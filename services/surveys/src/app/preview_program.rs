//! Who would be asked by a programme now, and who not. Writes nothing.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_delivery::Mailbox;
use mainstay_domain::{ProgramId, day_of};
use mainstay_storage::begin;
use sqlx::PgConnection;

use super::{App, SurveysError, get_program};
use crate::domain::eligibility::{Candidate, Verdict, account_refusal, candidates, choose};
use crate::domain::invitation::NotAskedReason;
use crate::domain::occasion::calendar_occasion;
use crate::domain::program::Program;
use crate::storage::{invitations, programs, recipients};

/// What a programme would do with an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccountPreview {
    pub account: Account,
    /// Why nobody would be asked.
    pub refusal: Option<NotAskedReason>,
    /// The occasion of the calendar that is open, or comes next.
    pub due_at: Option<DateTime<Utc>>,
    pub contacts: Vec<(Candidate, Verdict)>,
}

/// Looks at `limit` accounts after the id `after`.
pub(crate) async fn execute(
    app: &App,
    id: &ProgramId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AccountPreview>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    let program = get_program::get(&mut conn, id).await?;
    let now = app.core.clock.now();
    let mut room = match program.definition.daily_cap {
        Some(cap) => cap.saturating_sub(programs::asked_on(&mut conn, id, day_of(now)).await?),
        None => u32::MAX,
    };
    let mut previews = Vec::new();
    for account in app.accounts.list(&mut conn, after, limit).await? {
        let preview = preview(&mut conn, &program, account, room, now).await?;
        if preview.refusal.is_none() {
            let asked = preview.contacts.iter().filter(|(_, verdict)| *verdict == Verdict::Ask).count();
            room = room.saturating_sub(u32::try_from(asked).unwrap_or(u32::MAX));
        }
        previews.push(preview);
    }
    Ok(previews)
}

async fn preview(
    conn: &mut PgConnection,
    program: &Program,
    account: Account,
    room: u32,
    now: DateTime<Utc>,
) -> Result<AccountPreview, SurveysError> {
    let definition = &program.definition;
    // One on which nobody is asked is none that somebody waits for.
    let occasion = calendar_occasion(definition, &account, now).filter(|occasion| occasion.refusal.is_none());
    let due_at = occasion.as_ref().map(|occasion| occasion.due_at);
    let mut refusal = account_refusal(definition, &account);
    if refusal.is_none() && definition.trigger.goes_by_calendar() {
        refusal = match &occasion {
            None => Some(NotAskedReason::NotEligible),
            Some(occasion) if occasion.due_at > now => Some(NotAskedReason::NotDue),
            Some(occasion) => invitations::is_decided(conn, &account.id, &program.id, &occasion.key)
                .await?
                .then_some(NotAskedReason::AlreadyDecided),
        };
    }
    let mut people = candidates(&account, None);
    people.retain(|candidate| candidate.address.parse::<Mailbox>().is_ok());
    if refusal.is_none() {
        refusal = match room {
            _ if people.is_empty() => Some(NotAskedReason::NoAddress),
            0 => Some(NotAskedReason::Cap),
            _ => None,
        };
    }
    let addresses: Vec<&str> = people.iter().map(|candidate| candidate.address.as_str()).collect();
    let states = recipients::states(conn, &addresses).await?;
    let contacts = choose(people, &states, definition.contacts_max.min(room.max(1)), now);
    Ok(AccountPreview { account, refusal, due_at, contacts })
}
