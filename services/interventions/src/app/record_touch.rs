//! Records a contact with a customer.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations};
use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::session::{About, Of};
use super::{App, InterventionsError, Session, events, tick_clocks};
use crate::domain::case::Case;
use crate::domain::clock::{Clock, ClockStep};
use crate::domain::touch::{Touch, TouchChannel};
use crate::storage::{cases, touches};

/// A contact to record.
#[derive(Debug, Clone)]
pub(crate) struct NewTouch {
    /// Whose; none: that of the case.
    pub account: Option<AccountId>,
    /// In which case.
    pub case: Option<Uuid>,
    /// How.
    pub channel: TouchChannel,
    /// Whether we began it.
    pub is_outbound: bool,
    /// Whether the other side answered.
    pub is_answered: bool,
    /// The id of the person at the customer; empty when not said.
    pub contact_id: String,
    /// What was said.
    pub summary: String,
    /// What the customer struggles with; empty when not said.
    pub challenges: String,
    /// What the customer needs now and did not before; empty when not said.
    pub changed_needs: String,
    /// When; none: now.
    pub touched_at: Option<DateTime<Utc>>,
}

/// Records a contact that a person tells of.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    new: &NewTouch,
    actor: &str,
    answer: impl Fn(&Touch) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let case = match new.case {
                Some(id) => Some(cases::lookup(conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?),
                None => None,
            };
            let account = account_of(new, case.as_ref())?;
            let mut session = Session::begin(app, conn, &account, actor).await?;
            if new.touched_at.is_some_and(|touched_at| touched_at > session.now) {
                let mut found = Violations::new();
                found.add("touch_time", "must not be after now");
                return Err(InterventionsError::Invalid(found));
            }
            if let Some(case) = &case {
                // Read again: what was read before the account was held may be old.
                let (case, _) = session.case(case.id).await?;
                if case.is_closed() {
                    return Err(InterventionsError::CaseClosed(case.id));
                }
            }
            let touch = Touch {
                id: app.core.ids.new_id(),
                account,
                case: new.case,
                channel: new.channel,
                is_outbound: new.is_outbound,
                is_answered: new.is_answered,
                contact_id: new.contact_id.clone(),
                summary: new.summary.clone(),
                challenges: new.challenges.clone(),
                changed_needs: new.changed_needs.clone(),
                touched_at: new.touched_at.unwrap_or(session.now),
                actor: actor.to_owned(),
            };
            in_session(&mut session, &touch).await?;
            Ok(answer(&touch))
        })
        .await
}

/// Whose contact it is; the case's account where both are given must be the same.
fn account_of(new: &NewTouch, case: Option<&Case>) -> Result<AccountId, InterventionsError> {
    let mut found = Violations::new();
    match (&new.account, case) {
        (Some(account), Some(case)) if *account != case.account => {
            found.add("account", format!("is not the case's, which is {}", case.account.name()));
        }
        (Some(account), _) => return Ok(account.clone()),
        (None, Some(case)) => return Ok(case.account.clone()),
        (None, None) => found.add("account", "is required without a case"),
    }
    Err(InterventionsError::Invalid(found))
}

/// A contact that we began, in the course of something else.
pub(super) fn outbound(
    session: &Session<'_>,
    case: Option<Uuid>,
    channel: TouchChannel,
    is_answered: bool,
    summary: &str,
) -> Touch {
    Touch {
        id: session.app.core.ids.new_id(),
        account: session.account.id.clone(),
        case,
        channel,
        is_outbound: true,
        is_answered,
        contact_id: String::new(),
        summary: summary.to_owned(),
        challenges: String::new(),
        changed_needs: String::new(),
        touched_at: session.now,
        actor: session.actor.clone(),
    }
}

/// Records a contact within a transaction that holds the account.
pub(super) async fn in_session(session: &mut Session<'_>, touch: &Touch) -> Result<(), InterventionsError> {
    touches::insert(session.conn, touch).await?;
    if let Some(id) = touch.case.filter(|_| touch.is_outbound) {
        let (case, mut clocks) = session.case(id).await?;
        if touch.touched_at >= case.opened_at && !case.is_closed() {
            // The customer was contacted when it was, not when somebody writes it down.
            let at = touch.touched_at;
            let is_met = |step| step == ClockStep::Contact || (step == ClockStep::Call && touch.channel.is_spoken());
            let meet = |clock: Clock| if is_met(clock.step) { clock.met(at) } else { clock };
            session.change_clocks(&mut clocks, meet, Of::Case(&case)).await?;
            let case = tick_clocks::keep_due(session, Case { has_outbound_touch: true, ..case }, &mut clocks).await?;
            session.change_case(case, &clocks).await?;
        }
    }
    let way = if touch.is_outbound { "to" } else { "from" };
    let answered = if touch.is_answered { "answered" } else { "not answered" };
    let mut parts = vec![format!("{} {way} the customer, {answered}: {}", touch.channel.words(), touch.summary)];
    for (what, text) in [("challenges", &touch.challenges), ("changed needs", &touch.changed_needs)] {
        if !text.is_empty() {
            parts.push(format!("{what}: {text}"));
        }
    }
    let body = parts.join("; ");
    session.note("touch", body, About { alert: None, case: touch.case }).await?;
    session.tell(&events::touch_recorded(touch)).await?;
    Ok(())
}
