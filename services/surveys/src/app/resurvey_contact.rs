//! Asks a contact again, to learn whether what was done has helped.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::decide_occasion::{self, Asking, Decided};
use super::schedule_resurvey::ResolvedCase;
use super::{App, SurveysError};
use crate::domain::occasion::Occasion;
use crate::storage::{programs, responses};

/// Decides on the resurvey, in the words of the programme of the earlier answer; says when to look again, or nothing when
/// it is decided.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    case: &ResolvedCase,
) -> Result<Option<DateTime<Utc>>, SurveysError> {
    let Some(account) = app.accounts.lock(conn, &case.response.account).await? else { return Ok(None) };
    let Some(earlier) = responses::lookup(conn, &case.response).await? else { return Ok(None) };
    let Some(program) = programs::lookup(conn, &earlier.program).await? else { return Ok(None) };
    let occasion = Occasion::resurvey(&case.response.id.to_string(), case.resolved_at);
    if occasion.due_at > app.core.clock.now() {
        return Ok(Some(occasion.due_at));
    }
    // Also reaches who is no contact of the account but answered all the same.
    let about = (!earlier.address.is_empty() && earlier.contact_id == earlier.address).then_some(&*earlier.address);
    let asking = Asking { program: &program, account: &account, occasion: &occasion, about, resurvey: Some(&earlier) };
    match decide_occasion::execute(app, conn, &asking).await? {
        Decided::Later(until) => Ok(Some(until)),
        Decided::Done => Ok(None),
    }
}
