//! Looks whether an occasion of a programme that goes by the calendar has come for an account.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ProgramId};
use sqlx::PgConnection;

use super::decide_occasion::{self, Asking, Decided};
use super::{App, SurveysError};
use crate::domain::eligibility::account_refusal;
use crate::domain::occasion::calendar_occasion;
use crate::domain::program::Program;
use crate::storage::programs;

/// Decides on the occasion if it has come; says when to look again. Nothing: not until the account changes or the programme
/// is resumed.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    program: &ProgramId,
    account: &AccountId,
) -> Result<Option<DateTime<Utc>>, SurveysError> {
    let now = app.core.clock.now();
    let Some(program) = programs::lookup(conn, program).await?.filter(Program::is_published) else {
        return Ok(None);
    };
    let Some(account) = app.accounts.lock(conn, account).await? else { return Ok(None) };
    let Some(occasion) = calendar_occasion(&program.definition, &account, now) else { return Ok(None) };
    if occasion.due_at > now {
        return Ok(Some(occasion.due_at));
    }
    let asking = Asking { program: &program, account: &account, occasion: &occasion, about: None, resurvey: None };
    match decide_occasion::execute(app, conn, &asking).await? {
        Decided::Later(until) => Ok(Some(until)),
        // Such an account is looked at again when it changes.
        Decided::Done if account_refusal(&program.definition, &account).is_some() => Ok(None),
        Decided::Done => Ok(calendar_occasion(&program.definition, &account, occasion.after()).map(|next| next.due_at)),
    }
}
