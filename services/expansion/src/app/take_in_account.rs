//! Takes what scoring tells of an account's facts and health into the copy.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_events::{Event, HandlerError};
use sqlx::PgConnection;

use super::{App, ExpansionError, assess_account};

/// Takes the event in. Facts may change what its opportunities are worth: who works on them, and whether it is a
/// customer at all.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, event: &Event) -> Result<(), HandlerError> {
    let Some(account) = app.accounts.apply(conn, event).await? else { return Ok(()) };
    if event.is::<scoring::AccountChanged>() {
        assess_account::execute(app, conn, &account.id, None).await.map_err(handler_error)?;
    }
    Ok(())
}

/// A use case's error as a consumer's.
pub(crate) fn handler_error(error: ExpansionError) -> HandlerError {
    match error {
        ExpansionError::Storage(error) => error.into(),
        other => HandlerError::Retry(other.to_string()),
    }
}
