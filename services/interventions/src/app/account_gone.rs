//! Ends all work on an account that left.

use super::{InterventionsError, Session, clear_alert, close_case};
use crate::domain::alert::Resolution;
use crate::domain::case::Outcome;
use crate::storage::{alerts, cases};

/// Closes the open alerts and cases of the session's account.
pub(super) async fn in_session(
    session: &mut Session<'_>,
    outcome: Outcome,
    notes: &str,
) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    for case in cases::open_of_account(session.conn, &account).await? {
        let score = session.account.health.score;
        close_case::in_session(session, case, outcome, notes, score).await?;
    }
    for alert in alerts::open_of_account(session.conn, &account).await? {
        clear_alert::close(session, alert, Resolution::AccountGone, notes).await?;
    }
    Ok(())
}
