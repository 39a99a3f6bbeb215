//! Decides, once, whom of an account to ask on an occasion: invitations for some, reasons for the others.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_delivery::Mailbox;
use mainstay_domain::{day_of, start_of_day};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::mails::{self, MailPurpose, NewMail};
use super::queues::{FOLLOW_UPS_QUEUE, follow_up_key};
use super::{App, SurveysError, events};
use crate::domain::eligibility::{Candidate, RecipientState, Verdict, account_refusal, candidates, choose};
use crate::domain::invitation::{Invitation, InvitationName, InvitationState, NotAskedReason};
use crate::domain::occasion::Occasion;
use crate::domain::program::Program;
use crate::domain::response::Response;
use crate::storage::{invitations, programs, recipients};

/// On what to decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub program: &'a Program,
    /// Locked.
    pub account: &'a Account,
    pub occasion: &'a Occasion,
    /// The mail address of the person it is about.
    pub about: Option<&'a str>,
    /// The earlier answer, when its contact is asked again.
    pub resurvey: Option<&'a Response>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    /// It was decided, now or before.
    Done,
    /// Nobody may be asked yet, and the occasion can wait: look again then.
    Later(DateTime<Utc>),
}

/// Decides within the caller's transaction, which has locked the account: so an occasion is decided on once, whoever asks
/// and however often.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, asking: &Asking<'_>) -> Result<Decided, SurveysError> {
    let Asking { program, account, occasion, .. } = *asking;
    let now = app.core.clock.now();
    if invitations::is_decided(conn, &account.id, &program.id, &occasion.key).await? {
        return Ok(Decided::Done);
    }
    let unpublished = (!program.is_published()).then_some(NotAskedReason::ProgramNotPublished);
    if let Some(reason) = account_refusal(&program.definition, account).or(occasion.refusal).or(unpublished) {
        return decline_account(app, conn, asking, reason, now).await;
    }
    let people = people(asking);
    if people.is_empty() {
        return decline_account(app, conn, asking, NotAskedReason::NoAddress, now).await;
    }
    let today = day_of(now);
    let room = match program.definition.daily_cap {
        Some(cap) => cap.saturating_sub(programs::lock_asked_on(conn, &program.id, today).await?),
        None => u32::MAX,
    };
    if room == 0 {
        let tomorrow =
            start_of_day(today) + TimeDelta::days(1) + TimeDelta::hours(i64::from(program.definition.send_hour));
        if tomorrow <= occasion.last_at {
            return Ok(Decided::Later(tomorrow));
        }
        return decline_account(app, conn, asking, NotAskedReason::Cap, now).await;
    }
    let chosen = choose_locked(conn, people, program.definition.contacts_max.min(room), now).await?;
    if let Some(free_at) = waiting_until(&chosen, occasion) {
        return Ok(Decided::Later(free_at));
    }
    store(app, conn, asking, &chosen, now).await?;
    Ok(Decided::Done)
}

/// Who comes into question, in the order in which they are asked.
fn people(asking: &Asking<'_>) -> Vec<Candidate> {
    let mut people = candidates(asking.account, asking.about);
    if let Some(earlier) = asking.resurvey {
        people.retain(|candidate| candidate.contact_id == earlier.contact_id);
    }
    // What no mail can be sent to is no address.
    people.retain(|candidate| candidate.address.parse::<Mailbox>().is_ok());
    people
}

/// Chooses among people whose rows are held, so that nobody asks the same person at the same time.
async fn choose_locked(
    conn: &mut PgConnection,
    people: Vec<Candidate>,
    most: u32,
    now: DateTime<Utc>,
) -> Result<Vec<(Candidate, Verdict)>, SurveysError> {
    let addresses: Vec<&str> = people.iter().map(|candidate| candidate.address.as_str()).collect();
    let mut states = recipients::states(conn, &addresses).await?;
    let mut locked: HashMap<String, RecipientState> = HashMap::new();
    loop {
        let chosen = choose(people.clone(), &states, most, now);
        let asked = chosen.iter().filter(|(_, verdict)| *verdict == Verdict::Ask);
        let not_locked: Vec<&str> =
            asked.map(|(candidate, _)| candidate.address.as_str()).filter(|&key| !locked.contains_key(key)).collect();
        if not_locked.is_empty() {
            return Ok(chosen);
        }
        let held = recipients::lock(conn, &not_locked).await?;
        states.extend(held.clone());
        locked.extend(held);
    }
}

/// When the first of those who are not free yet is, if none is and the occasion can wait so long.
fn waiting_until(chosen: &[(Candidate, Verdict)], occasion: &Occasion) -> Option<DateTime<Utc>> {
    if chosen.iter().any(|(_, verdict)| *verdict == Verdict::Ask) {
        return None;
    }
    let free_times = chosen.iter().filter_map(|(_, verdict)| match verdict {
        Verdict::Fatigued { free_at } => Some(*free_at),
        Verdict::Ask | Verdict::OptedOut => None,
    });
    free_times.min().filter(|free_at| *free_at <= occasion.last_at)
}

/// Keeps the decision that nobody of the account is asked.
async fn decline_account(
    app: &App,
    conn: &mut PgConnection,
    asking: &Asking<'_>,
    reason: NotAskedReason,
    now: DateTime<Utc>,
) -> Result<Decided, SurveysError> {
    let contact_id = asking.resurvey.map(|earlier| earlier.contact_id.clone()).unwrap_or_default();
    let decision = invitation(app, asking, contact_id, String::new(), InvitationState::NotAsked(reason), now);
    invitations::insert(conn, &decision, asking.account.segment).await?;
    app.core.events.append(conn, &[events::decided(app, &decision, now)], now).await?;
    Ok(Decided::Done)
}

/// Keeps the decision on each of the chosen, and has those who are to be asked written to.
async fn store(
    app: &App,
    conn: &mut PgConnection,
    asking: &Asking<'_>,
    chosen: &[(Candidate, Verdict)],
    now: DateTime<Utc>,
) -> Result<(), SurveysError> {
    let program = asking.program;
    let (mut told, mut follow_ups, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for (candidate, verdict) in chosen {
        let state = verdict.reason().map_or(InvitationState::Sent, InvitationState::NotAsked);
        let made = invitation(app, asking, candidate.contact_id.clone(), candidate.address.clone(), state, now);
        invitations::insert(conn, &made, asking.account.segment).await?;
        told.push(events::decided(app, &made, now));
        if state == InvitationState::Sent {
            let mail = NewMail {
                purpose: MailPurpose::Invitation,
                program,
                account: asking.account,
                contact_name: &candidate.display_name,
                invitation: &made,
            };
            mails::enqueue(app, conn, &mail, now).await?;
            asked.push(candidate.address.as_str());
            follow_ups.extend(follow_up(program, &made));
        }
    }
    if asked.is_empty() {
        return Ok(app.core.events.append(conn, &told, now).await?);
    }
    recipients::note_asked(conn, &asked, now).await?;
    if program.definition.daily_cap.is_some() {
        let more = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        programs::count_asked_on(conn, &program.id, day_of(now), more).await?;
    }
    app.core.jobs.schedule(conn, FOLLOW_UPS_QUEUE, &follow_ups, now).await?;
    app.core.events.append(conn, &told, now).await?;
    Ok(())
}

fn invitation(
    app: &App,
    asking: &Asking<'_>,
    contact_id: String,
    address: String,
    state: InvitationState,
    now: DateTime<Utc>,
) -> Invitation {
    let definition = &asking.program.definition;
    let expires_at = now + TimeDelta::days(i64::from(definition.expiry_days));
    Invitation {
        name: InvitationName { account: asking.account.id.clone(), id: app.core.ids.new_id() },
        program: asking.program.id.clone(),
        kind: definition.kind,
        contact_id,
        address,
        occasion: asking.occasion.key.clone(),
        state,
        created_at: now,
        reminded_at: None,
        expires_at: (state == InvitationState::Sent).then_some(expires_at),
        response_id: None,
        resurvey_of: asking.resurvey.map(|earlier| earlier.name.id),
    }
}

/// When an invitation is looked at next: for its reminder, or for its end.
fn follow_up(program: &Program, invitation: &Invitation) -> Option<NewJob> {
    let expires_at = invitation.expires_at?;
    let reminder_at =
        program.definition.reminder_days.map(|days| invitation.created_at + TimeDelta::days(i64::from(days)));
    let due_at = reminder_at.map_or(expires_at, |reminder_at| reminder_at.min(expires_at));
    Some(NewJob::due(follow_up_key(&invitation.name), due_at))
}
