//! Reminds of what is open and has no other deadline left.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::notify::{alert_lines, case_lines, once_each};
use super::session::About;
use super::tick_clocks::{self, Ticked, escalated_to, named};
use super::{InterventionsError, Session, prioritise};
use crate::domain::alert::Alert;
use crate::domain::clock::{Clock, ClockSubject};
use crate::domain::policy::Policy;
use crate::storage::clocks;

/// Reminds the people of something that is open, and moves the reminder on. It is no deadline that could be missed, and
/// nobody but them hears of it.
pub(super) async fn remind(session: &mut Session<'_>, clock: &Clock) -> Result<Ticked, InterventionsError> {
    match clock.subject {
        ClockSubject::Alert(id) => of_alert(session, clock, id).await,
        ClockSubject::Case(id) => of_case(session, clock, id).await,
        ClockSubject::Task(id) => of_task(session, clock, id).await,
    }
}

async fn of_alert(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<Ticked, InterventionsError> {
    let (alert, mut all) = session.alert(id).await?;
    let policy = session.policy_version(alert.policy, alert.policy_version).await?;
    let escalated = escalated_to(session, &policy, alert.escalation_count);
    let people = [vec![alert.owner_email.clone()], escalated].concat();
    let lines = alert_lines(&alert, &session.account);
    let due_at = session.move_reminder(clock, &policy).await?;
    session.tell_reminder(clock, &people, &named("Alert", id), lines, About::alert(&alert)).await?;
    set_due(&mut all, clock.id, due_at);
    session.change_alert(Alert { next_due_at: Some(due_at), ..alert }, &all).await?;
    Ok(Ticked::Again(due_at))
}

async fn of_case(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<Ticked, InterventionsError> {
    // How cases of other accounts ended is told by no event of this one.
    prioritise::open_cases(session).await?;
    let (case, mut all) = session.case(id).await?;
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let lines = case_lines(&case, &session.account);
    let due_at = session.move_reminder(clock, &policy).await?;
    let people = vec![case.owner_email.clone()];
    session.tell_reminder(clock, &people, &named("Case", id), lines, About::case(id)).await?;
    set_due(&mut all, clock.id, due_at);
    let case = tick_clocks::keep_due(session, case, &mut all).await?;
    session.change_case(case, &all).await?;
    Ok(Ticked::Again(due_at))
}

async fn of_task(session: &mut Session<'_>, clock: &Clock, id: Uuid) -> Result<Ticked, InterventionsError> {
    let Some((task, _)) = tick_clocks::task(session, id).await? else { return Ok(Ticked::Over) };
    let (case, _) = session.case(task.case).await?;
    let policy = session.policy_version(case.policy, case.policy_version).await?;
    let due_at = session.move_reminder(clock, &policy).await?;
    let people = vec![task.owner_email.clone(), case.owner_email];
    let lines = vec![format!("Task: {}", task.title)];
    session.tell_reminder(clock, &people, &named("Task", id), lines, About::case(task.case)).await?;
    Ok(Ticked::Again(due_at))
}

fn set_due(clocks: &mut [Clock], id: Uuid, due_at: DateTime<Utc>) {
    for clock in clocks.iter_mut().filter(|clock| clock.id == id) {
        clock.due_at = due_at;
    }
}

impl Session<'_> {
    /// Moves a reminder on by the time of its policy, from now on; gives its next moment.
    async fn move_reminder(&mut self, clock: &Clock, policy: &Policy) -> Result<DateTime<Utc>, InterventionsError> {
        let due_at = self.now + TimeDelta::seconds(policy.definition.reminder_after_seconds);
        clocks::move_on(self.conn, clock.id, due_at).await?;
        Ok(due_at)
    }

    async fn tell_reminder(
        &mut self,
        clock: &Clock,
        people: &[String],
        of: &str,
        lines: Vec<String>,
        about: About,
    ) -> Result<(), InterventionsError> {
        self.note("reminder", format!("Still open; a reminder to {}", once_each(people).join(", ")), about).await?;
        let mut notice = self.clock_notice("reminder", clock, of, lines, None);
        // The same clock reminds again and again, each time of another moment.
        notice.key = format!("{}/{}", notice.key, clock.due_at.timestamp());
        self.notify(people, &notice, about).await
    }
}
