//! Takes what scoring tells of an account into the copy, and into the work on the account.

use mainstay_domain::LifecycleStage;
use mainstay_events::{Event, HandlerError};
use sqlx::PgConnection;

use super::{App, InterventionsError, Session, account_gone};
use crate::domain::case::{Case, CaseKind, Outcome};
use crate::domain::priority::Priority;
use crate::storage::cases;

/// Applies an event that concerns an account's facts or health.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
    let Some(account) = app.accounts.apply(conn, event).await? else { return Ok(()) };
    let mut session = Session::begin_by_itself(app, conn, &account.id).await.map_err(handler_error)?;
    let done = if account.lifecycle_stage == LifecycleStage::Churned {
        account_gone::in_session(&mut session, Outcome::Churned, "The customer left").await
    } else if account.archived_at.is_some() {
        account_gone::in_session(&mut session, Outcome::NoAction, "The account was archived").await
    } else {
        refresh_priorities(&mut session).await
    };
    done.map_err(handler_error)
}

/// Brings the priority of the account's open cases at risk up to what is known now.
async fn refresh_priorities(session: &mut Session<'_>) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    for case in cases::open_of_account(session.conn, &account).await? {
        if case.kind != CaseKind::AtRisk {
            continue;
        }
        let (saved, lost) = cases::count_outcomes(session.conn, case.kind, session.account.segment).await?;
        let priority = Priority::of(session.account.arr, session.account.health.score, saved, lost);
        if priority != case.priority {
            cases::set_priority(session.conn, &Case { priority, ..case }).await?;
        }
    }
    Ok(())
}

/// An error of a use case as a consumer's.
pub(crate) fn handler_error(error: InterventionsError) -> HandlerError {
    match error {
        InterventionsError::Storage(error) => HandlerError::Storage(error),
        other => HandlerError::Retry(other.to_string()),
    }
}
