//! Adds tasks to cases, and ends them.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::Violations;
use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::notify::Notice;
use super::session::About;
use super::{App, InterventionsError, Session, tick_clocks};
use crate::domain::case::Case;
use crate::domain::clock::{ClockStep, ClockSubject};
use crate::domain::policy::ClockRule;
use crate::domain::task::{Task, TaskResource, TaskState};
use crate::storage::{cases, clocks, tasks};

/// A task to add.
#[derive(Debug, Clone)]
pub(crate) struct NewTask {
    /// In which case.
    pub case: Uuid,
    /// What to do.
    pub title: String,
    /// Who does it; none: who leads the case.
    pub owner_email: Option<String>,
    /// What kind of help it takes.
    pub resource: TaskResource,
    /// By when.
    pub due_at: DateTime<Utc>,
}

/// Adds a task; whoever has to do it is told.
pub(crate) async fn create<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    new: &NewTask,
    actor: &str,
    answer: impl Fn(&Task) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = cases::lookup(conn, new.case).await?.ok_or(InterventionsError::CaseNotFound(new.case))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (case, _) = session.case(new.case).await?;
            if case.is_closed() {
                return Err(InterventionsError::CaseClosed(new.case));
            }
            if new.due_at <= session.now {
                let mut found = Violations::new();
                found.add("due_time", "must be after now");
                return Err(InterventionsError::Invalid(found));
            }
            let owner_email = new.owner_email.as_ref().unwrap_or(&case.owner_email);
            let task = in_session(&mut session, &case, &new.title, owner_email, new.resource, new.due_at).await?;
            let notice = Notice {
                purpose: "task_created",
                key: format!("task/{}/created", task.id),
                subject: format!("{}: a task for you: {}", session.account.display_name, task.title),
                lines: vec![task.title.clone(), format!("By {}", task.due_at.format("%F %H:%M UTC"))],
                slack: false,
                webhook: None,
            };
            session.notify(std::slice::from_ref(&task.owner_email), &notice, About::case(new.case)).await?;
            Ok(answer(&task))
        })
        .await
}

/// Adds a task within a transaction that holds the account.
pub(super) async fn in_session(
    session: &mut Session<'_>,
    case: &Case,
    title: &str,
    owner_email: &str,
    resource: TaskResource,
    due_at: DateTime<Utc>,
) -> Result<Task, InterventionsError> {
    let task = Task {
        id: session.app.core.ids.new_id(),
        account: session.account.id.clone(),
        case: case.id,
        title: title.to_owned(),
        owner_email: owner_email.to_owned(),
        resource,
        due_at,
        state: TaskState::Open,
        is_overdue: false,
        created_at: session.now,
        ended_at: None,
    };
    tasks::insert(session.conn, &task).await?;
    start_clock(session, &task).await?;
    let body = format!("Task for {owner_email} by {}: {title}", due_at.format("%F %H:%M UTC"));
    session.note("task_created", body, About::case(case.id)).await?;
    Ok(task)
}

/// The task's clock warns when three quarters of the time are gone.
async fn start_clock(session: &mut Session<'_>, task: &Task) -> Result<(), InterventionsError> {
    let seconds = (task.due_at - task.created_at).num_seconds().max(1);
    let rule =
        ClockRule { step: ClockStep::Task, due_after_seconds: seconds, warn_after_seconds: Some(seconds / 4 * 3) };
    let from = task.due_at - TimeDelta::seconds(seconds);
    session.start_clocks(ClockSubject::Task(task.id), &[rule], from).await?;
    Ok(())
}

/// Ends a task; one that has ended is answered as it is.
pub(crate) async fn end<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    state: TaskState,
    actor: &str,
    answer: impl Fn(&Task) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = tasks::lookup(conn, id).await?.ok_or(InterventionsError::TaskNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let task = tasks::lookup(session.conn, id).await?.ok_or(InterventionsError::TaskNotFound(id))?;
            if task.state != TaskState::Open {
                return Ok(answer(&task));
            }
            let mut all = clocks::of_subject(session.conn, ClockSubject::Task(id)).await?;
            if state == TaskState::Done {
                session.meet(&mut all, &[ClockStep::Task], tick_clocks::of_task(&task)).await?;
            }
            session.end_clocks(&mut all, tick_clocks::of_task(&task)).await?;
            // The clock knows whether it was late; its timer may not have fired yet.
            let is_overdue = all.iter().any(tick_clocks::is_breach);
            let ended = Task { state, is_overdue, ended_at: Some(session.now), ..task };
            tasks::update(session.conn, &ended).await?;
            let what = if state == TaskState::Done { "Done" } else { "Not needed any more" };
            session.note("task_ended", format!("{what}: {}", ended.title), About::case(ended.case)).await?;
            Ok(answer(&ended))
        })
        .await
}
