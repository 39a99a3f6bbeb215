//! Computes anew what comes first.

use super::{InterventionsError, Session};
use crate::domain::case::Case;
use crate::domain::priority::Priority;
use crate::storage::cases;

/// Brings the priorities of the account's open cases up to what is known now: its revenue and score, and how cases like them ended.
pub(super) async fn open_cases(session: &mut Session<'_>) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    for case in cases::open_of_account(session.conn, &account).await? {
        let experience = cases::experience(session.conn, case.kind, session.account.segment, case.depth()).await?;
        let priority = Priority::of(session.account.arr, session.account.health.score, experience);
        if priority != case.priority {
            cases::set_priority(session.conn, &Case { priority, ..case }).await?;
        }
    }
    Ok(())
}
