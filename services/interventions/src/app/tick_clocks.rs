//! What time does to clocks: warns, breaches, escalates, reminds.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, OwnerRole};
use sqlx::PgConnection;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::notify::{alert_lines, case_lines, once_each};
use super::remind::remind;
use super::session::{About, Of};
use super::{App, InterventionsError, Session, events, move_alert};
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::{Clock, ClockState, ClockStep, ClockSubject, Tick};
use crate::domain::policy::Policy;
use crate::domain::task::{Task, TaskState};
use crate::storage::{clocks, tasks};

/// What became of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ticked {
    /// Its clock is over.
    Over,
    /// Its clock does something again then.
    Again(DateTime<Utc>),
}

/// Whether a clock was breached; a reminder is nothing that can be.
pub(super) fn is_breach(clock: &Clock) -> bool {
    clock.state == ClockState::Breached && clock.step != ClockStep::Reminder
}

/// Has time do what it does to these clocks, each in its span, all in one transaction. Accounts that somebody else holds are left for the
/// next look: whoever holds several and waits for another could lock out one who does the same in another order.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    mut due: HashMap<Uuid, Span>,
) -> Result<HashMap<Uuid, Ticked>, InterventionsError> {
    let ids: Vec<Uuid> = due.keys().copied().collect();
    let mut by_account: BTreeMap<String, (AccountId, Vec<Uuid>)> = BTreeMap::new();
    for (account, clock) in clocks::lookup_all(conn, &ids).await? {
        by_account.entry(account.as_str().to_owned()).or_insert_with(|| (account, Vec::new())).1.push(clock.id);
    }
    let mut ticked: HashMap<Uuid, Ticked> = ids.iter().map(|id| (*id, Ticked::Over)).collect();
    let now = app.core.clock.now();
    let mut free = app.accounts.lock_free(conn, by_account.keys().map(String::as_str)).await?;
    if free.is_empty() {
        // Waiting for one while holding none locks nobody out, and comes further than looking again.
        free.extend(by_account.values().next().map(|(account, _)| account.clone()));
    }
    for (account, clock_ids) in by_account.into_values() {
        if !free.contains(&account) {
            ticked.extend(clock_ids.into_iter().map(|id| (id, Ticked::Again(now))));
            continue;
        }
        let mut session = Session::begin_as_of(app, conn, &account, now).await?;
        // Read again: what was read before the account was held may be old.
        for (_, clock) in clocks::lookup_all(session.conn, &clock_ids).await? {
            let span = due.remove(&clock.id).unwrap_or_else(Span::none);
            let outcome = tick(&mut session, &clock).instrument(span).await?;
            ticked.insert(clock.id, outcome);
        }
    }
    Ok(ticked)
}

async fn tick(session: &mut Session<'_>, clock: &Clock) -> Result<Ticked, InterventionsError> {
    match clock.tick(session.now) {
        Tick::Over => Ok(Ticked::Over),
        Tick::Wait(next) => Ok(Ticked::Again(next)),
        Tick::Warn => {
            warn(session, clock).await?;
            let is_met = clock.step == ClockStep::EscalateToDirector;
            Ok(if is_met { Ticked::Over } else { Ticked::Again(clock.due_at) })
        }
        Tick::Breach if clock.step == ClockStep::Reminder => remind(session, clock).await,
        Tick::Breach => {
            breach(session, clock).await?;
            Ok(Ticked::Over)
        }
    }
}

async fn warn(session: &mut Session<'_>, clock: &Clock) -> Result<(), InterventionsError> {
    let now = session.now;
    let is_escalation = clock.step == ClockStep::EscalateToDirector;
    let change = |clock: Clock| if is_escalation { clock.met(now) } else { clock.warned(now) };
    match clock.subject {
        ClockSubject::Alert(id) => {
            let (alert, mut all) = session.alert(id).await?;
            session.change_clocks(&mut all, only(clock.id, change), Of::Alert(&alert)).await?;
            if is_escalation {
                return involve_director(session, alert, all, clock).await.map(drop);
            }
            let lines = alert_lines(&alert, &session.account);
            warn_person(session, clock, &alert.owner_email, &named("Alert", id), lines, About::alert(&alert)).await
        }
        ClockSubject::Case(id) => {
            let (case, mut all) = session.case(id).await?;
            session.change_clocks(&mut all, only(clock.id, change), Of::Case(&case)).await?;
            let lines = case_lines(&case, &session.account);
            warn_person(session, clock, &case.owner_email, &named("Case", id), lines, About::case(id)).await
        }
        ClockSubject::Task(id) => {
            let Some((task, mut all)) = task(session, id).await? else { return Ok(()) };
            session.change_clocks(&mut all, only(clock.id, change), of_task(&task)).await?;
            let lines = vec![format!("Task: {}", task.title)];
            warn_person(session, clock, &task.owner_email, &named("Task", id), lines, About::case(task.case)).await
        }
    }
}

async fn warn_person(
    session: &mut Session<'_>,
    clock: &Clock,
    person: &str,
    of: &str,
    lines: Vec<String>,
    about: About,
) -> Result<(), InterventionsError> {
    let body = format!("{person} was warned: {} by {}", clock.step.words(), clock.due_at.format("%F %H:%M UTC"));
    session.note("clock_warned", body, about).await?;
    let notice = session.clock_notice("clock_warned", clock, of, lines, None);
    session.notify(&[person.to_owned()], &notice, about).await
}

/// The score is below 50: the director hears of it before the time for that is over, or when a person ends the alert before.
pub(super) async fn involve_director(
    session: &mut Session<'_>,
    alert: Alert,
    mut all: Vec<Clock>,
    clock: &Clock,
) -> Result<Alert, InterventionsError> {
    let people = session.people(&[OwnerRole::CsmDirector]);
    let about = About::alert(&alert);
    let alert = Alert { escalation_count: alert.escalation_count + 1, ..alert };
    let alert = move_alert::keep_due(session, alert, &mut all).await?;
    let alert = session.change_alert(alert, &all).await?;
    session.note("alert_escalated", format!("{} was involved", people.join(", ")), about).await?;
    let mut notice = session.alert_raised_notice(&alert, &all, None);
    notice.purpose = "alert_escalated";
    notice.key = format!("clock/{}/escalated", clock.id);
    notice.slack = false;
    session.notify(&people, &notice, about).await?;
    Ok(alert)
}

async fn breach(session: &mut Session<'_>, clock: &Clock) -> Result<(), InterventionsError> {
    match clock.subject {
        ClockSubject::Alert(id) => breach_of_alert(session, clock, id).await,
        ClockSubject::Case(id) => breach_of_case(session, clock, id).await,
        ClockSubject::Task(id) => breach_of_task(session, clock, id).await,
    }
}

async fn breach_of_alert(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<(), InterventionsError> {
    let (alert, mut all) = session.alert(id).await?;
    let policy = session.policy_version(alert.policy, alert.policy_version).await?;
    let escalation_count = alert.escalation_count + 1;
    let escalated = if clock.step == ClockStep::EscalateToDirector {
        session.people(&[OwnerRole::CsmDirector])
    } else {
        escalated_to(session, &policy, escalation_count)
    };
    session.breach_clock(&mut all, clock, Of::Alert(&alert), &escalated).await?;
    let alert = Alert { escalation_count, ..alert };
    let alert = move_alert::keep_due(session, alert, &mut all).await?;
    let alert = session.change_alert(alert, &all).await?;
    let lines = alert_lines(&alert, &session.account);
    let payload = Some(session.alert_payload(&alert, &all));
    let people = [vec![alert.owner_email.clone()], escalated].concat();
    tell_breach(session, clock, &people, &named("Alert", id), lines, payload, About::alert(&alert)).await
}

async fn breach_of_case(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<(), InterventionsError> {
    let (case, mut all) = session.case(id).await?;
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let escalation_count = case.escalation_count + 1;
    let escalated = escalated_to(session, &policy, escalation_count);
    session.breach_clock(&mut all, clock, Of::Case(&case), &escalated).await?;
    let case = Case { escalation_count, ..case };
    let case = keep_due(session, case, &mut all).await?;
    let case = session.change_case(case, &all).await?;
    let lines = case_lines(&case, &session.account);
    let people = [vec![case.owner_email.clone()], escalated].concat();
    let payload = Some(session.case_payload(&case));
    tell_breach(session, clock, &people, &named("Case", id), lines, payload, About::case(id)).await
}

async fn breach_of_task(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<(), InterventionsError> {
    let Some((task, mut all)) = task(session, id).await? else { return Ok(()) };
    let (case, _) = session.case(task.case).await?;
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let leader = vec![case.owner_email.clone()];
    session.breach_clock(&mut all, clock, of_task(&task), &leader).await?;
    tasks::update(session.conn, &Task { is_overdue: true, ..task.clone() }).await?;
    session.next_due(ClockSubject::Task(id), &mut all, policy.definition.reminder_after_seconds).await?;
    let lines = vec![format!("Task: {}", task.title)];
    let people = [vec![task.owner_email.clone()], leader].concat();
    tell_breach(session, clock, &people, &named("Task", id), lines, None, About::case(task.case)).await
}

impl Session<'_> {
    /// Breaches one clock, and tells who heard of it.
    async fn breach_clock(
        &mut self,
        all: &mut [Clock],
        clock: &Clock,
        of: Of<'_>,
        escalated: &[String],
    ) -> Result<(), InterventionsError> {
        let Some(place) = all.iter().position(|other| other.id == clock.id) else { return Ok(()) };
        let breached = clock.clone().breached();
        clocks::update(self.conn, std::slice::from_ref(&breached)).await?;
        for notice in events::clock_notices(clock, &breached, of) {
            let event =
                notice.escalated_to(escalated).into_event(self.app.core.ids.new_id(), &self.account.id, self.now);
            self.app.core.events.append(self.conn, &[event], self.now).await?;
        }
        all[place] = breached;
        Ok(())
    }
}

async fn tell_breach(
    session: &mut Session<'_>,
    clock: &Clock,
    people: &[String],
    of: &str,
    lines: Vec<String>,
    payload: Option<serde_json::Value>,
    about: About,
) -> Result<(), InterventionsError> {
    let (what, due) = (clock.step.words(), clock.due_at.format("%F %H:%M UTC"));
    let body = format!("Overdue: {what} by {due}; now with {}", once_each(people).join(", "));
    session.note("clock_breached", body, about).await?;
    let notice = session.clock_notice("clock_breached", clock, of, lines, payload);
    session.notify(people, &notice, about).await
}

/// The case with its next due moment, which an open case always has.
pub(super) async fn keep_due(
    session: &mut Session<'_>,
    case: Case,
    all: &mut Vec<Clock>,
) -> Result<Case, InterventionsError> {
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let subject = ClockSubject::Case(case.id);
    let next_due_at = session.next_due(subject, all, policy.definition.reminder_after_seconds).await?;
    let has_breach = case.has_breach || all.iter().any(is_breach);
    Ok(Case { next_due_at: Some(next_due_at), has_breach, ..case })
}

/// Who hears of breach number `count`; nobody before the first.
pub(super) fn escalated_to(session: &Session<'_>, policy: &Policy, count: i32) -> Vec<String> {
    policy.escalation(count).filter(|_| count > 0).map(|role| session.people(&[role])).unwrap_or_default()
}

/// The task and its clocks; nothing when it ended.
pub(super) async fn task(
    session: &mut Session<'_>,
    id: Uuid,
) -> Result<Option<(Task, Vec<Clock>)>, InterventionsError> {
    let task = tasks::lookup(session.conn, id).await?.filter(|task| task.state == TaskState::Open);
    let Some(task) = task else { return Ok(None) };
    let all = clocks::of_subject(session.conn, ClockSubject::Task(id)).await?;
    Ok(Some((task, all)))
}

pub(super) fn of_task(task: &Task) -> Of<'_> {
    Of::Task { id: task.id, case: task.case, owner_email: &task.owner_email }
}

fn only(id: Uuid, change: impl Fn(Clock) -> Clock) -> impl Fn(Clock) -> Clock {
    move |clock| if clock.id == id { change(clock) } else { clock }
}

pub(super) fn named(what: &str, id: Uuid) -> String {
    format!("{what}: {id}")
}
