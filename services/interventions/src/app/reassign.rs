//! Gives an alert or a case to another person, who is told so.

use mainstay_service::{Mutation, Replayable};
use uuid::Uuid;

use super::notify::{Notice, alert_lines, case_lines, clock_lines, task_lines};
use super::session::About;
use super::{App, InterventionsError, Session, find_owner};
use crate::domain::alert::Alert;
use crate::domain::case::Case;
use crate::domain::clock::Clock;
use crate::domain::task::Task;
use crate::storage::{alerts, cases, tasks};

/// Gives an alert to another person; one who has it already is not told again.
pub(crate) async fn alert<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    owner_email: &str,
    actor: &str,
    answer: impl Fn(&Alert, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = alerts::lookup(conn, id).await?.ok_or(InterventionsError::AlertNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (alert, clocks) = session.alert(id).await?;
            if alert.is_closed() {
                return Err(InterventionsError::AlertClosed(id));
            }
            if alert.owner_email == owner_email {
                return Ok(answer(&alert, &session.account.display_name, &clocks));
            }
            if etag.is_some_and(|etag| !alert.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            let given = give_alert(&mut session, alert, &clocks, owner_email).await?;
            Ok(answer(&given, &session.account.display_name, &clocks))
        })
        .await
}

/// Gives a case to another person; one who has it already is not told again.
pub(crate) async fn case<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: Uuid,
    etag: Option<&str>,
    owner_email: &str,
    actor: &str,
    answer: impl Fn(&Case, &str, &[Clock]) -> T + Sync,
) -> Result<T, InterventionsError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = cases::lookup(conn, id).await?.ok_or(InterventionsError::CaseNotFound(id))?;
            let mut session = Session::begin(app, conn, &stored.account, actor).await?;
            let (case, clocks) = session.case(id).await?;
            if case.is_closed() {
                return Err(InterventionsError::CaseClosed(id));
            }
            if case.owner_email == owner_email {
                return Ok(answer(&case, &session.account.display_name, &clocks));
            }
            if etag.is_some_and(|etag| !case.etag().matches(etag)) {
                return Err(InterventionsError::EtagMismatch);
            }
            let given = give_case(&mut session, case, &clocks, owner_email).await?;
            Ok(answer(&given, &session.account.display_name, &clocks))
        })
        .await
}

/// Gives what fell to the default owner to whoever is known to look after the account by now.
pub(super) async fn fallbacks(session: &mut Session<'_>) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    for alert in alerts::open_of_account(session.conn, &account).await? {
        if alert.owner_is_fallback {
            let policy = session.policy_version(alert.policy, alert.policy_version).await?;
            let found = find_owner::of(session.app, &session.account, policy.definition.owner);
            if !found.is_fallback {
                let (alert, clocks) = session.alert(alert.id).await?;
                give_alert(session, alert, &clocks, &found.email).await?;
            }
        }
    }
    for case in cases::open_of_account(session.conn, &account).await? {
        if case.owner_is_fallback {
            let policy = session.policy_version(case.policy, case.policy_version).await?;
            let found = find_owner::of(session.app, &session.account, policy.definition.owner);
            if !found.is_fallback {
                let (case, clocks) = session.case(case.id).await?;
                give_case(session, case, &clocks, &found.email).await?;
            }
        }
    }
    Ok(())
}

async fn give_alert(
    session: &mut Session<'_>,
    alert: Alert,
    clocks: &[Clock],
    owner_email: &str,
) -> Result<Alert, InterventionsError> {
    let given = Alert { owner_email: owner_email.to_owned(), owner_is_fallback: false, ..alert };
    let given = session.change_alert(given, clocks).await?;
    session.note("alert_reassigned", format!("Given to {owner_email}"), About::alert(&given)).await?;
    let notice = Notice {
        purpose: "alert_reassigned",
        key: format!("alert/{}/reassigned/{}", given.id, given.version),
        subject: format!("{}: given to you: {}", session.account.display_name, given.headline),
        lines: alert_lines(&given, &session.account),
        slack: false,
        webhook: None,
    };
    session.notify(&[owner_email.to_owned()], &notice, About::alert(&given)).await?;
    Ok(given)
}

async fn give_case(
    session: &mut Session<'_>,
    case: Case,
    clocks: &[Clock],
    owner_email: &str,
) -> Result<Case, InterventionsError> {
    let moved = give_tasks(session, &case, owner_email).await?;
    let given = Case { owner_email: owner_email.to_owned(), owner_is_fallback: false, ..case };
    let given = session.change_case(given, clocks).await?;
    session.note("case_reassigned", format!("Given to {owner_email}"), About::case(given.id)).await?;
    let notice = Notice {
        purpose: "case_reassigned",
        key: format!("case/{}/reassigned/{}", given.id, given.version),
        subject: format!("{}: a case was given to you", session.account.display_name),
        lines: [case_lines(&given, &session.account), clock_lines(clocks), task_lines(&moved)].concat(),
        slack: false,
        webhook: None,
    };
    session.notify(&[owner_email.to_owned()], &notice, About::case(given.id)).await?;
    Ok(given)
}

/// Open tasks of a case go with it, but for those of others than who led it so far. Gives those that went.
async fn give_tasks(
    session: &mut Session<'_>,
    case: &Case,
    owner_email: &str,
) -> Result<Vec<Task>, InterventionsError> {
    let mut moved = Vec::new();
    for task in tasks::open_of_case(session.conn, case.id).await? {
        if task.owner_email == case.owner_email {
            let task = Task { owner_email: owner_email.to_owned(), ..task };
            tasks::update(session.conn, &task).await?;
            moved.push(task);
        }
    }
    Ok(moved)
}
