//! Takes what scoring tells of an account into the copy, and into the work on the account.

use mainstay_domain::LifecycleStage;
use mainstay_events::{Event, HandlerError};
use sqlx::PgConnection;

use super::{App, InterventionsError, Session, account_gone, prioritise, reassign};
use crate::domain::case::Outcome;

/// Applies an event that concerns an account's facts or health.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
    let was_customer = match &event.account {
        Some(id) => app.accounts.lookup(conn, id).await?.is_none_or(|account| account.is_customer()),
        None => true,
    };
    let Some(account) = app.accounts.apply(conn, event).await? else { return Ok(()) };
    let mut session = Session::begin_as_of(app, conn, &account.id, event.event_time).await.map_err(handler_error)?;
    let done =
        if was_customer && !account.is_customer() { left(&mut session).await } else { follow(&mut session).await };
    done.map_err(handler_error)
}

/// The account has just left: all work on it ends.
async fn left(session: &mut Session<'_>) -> Result<(), InterventionsError> {
    if session.account.lifecycle_stage == LifecycleStage::Churned {
        account_gone::in_session(session, Outcome::Churned, "The customer left").await
    } else {
        account_gone::in_session(session, Outcome::NoAction, "The account was archived").await
    }
}

/// What is open follows what is known now: owners that were not known before, and what comes first.
async fn follow(session: &mut Session<'_>) -> Result<(), InterventionsError> {
    reassign::fallbacks(session).await?;
    prioritise::open_cases(session).await
}

/// An error of a use case as a consumer's.
pub(crate) fn handler_error(error: InterventionsError) -> HandlerError {
    match error {
        InterventionsError::Storage(error) => HandlerError::Storage(error),
        other => HandlerError::Retry(other.to_string()),
    }
}
