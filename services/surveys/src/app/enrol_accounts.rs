//! Gives accounts the dates on which a programme that goes by the calendar looks at them.

use mainstay_accounts::Account;
use mainstay_domain::ProgramId;
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::queues::{OCCASIONS_QUEUE, occasion_key};
use super::{App, SurveysError};
use crate::domain::occasion::calendar_occasion;
use crate::domain::program::Program;
use crate::storage::programs;

/// Accounts in one transaction.
const PAGE: i64 = 500;

/// Gives dates to the next accounts after the id `after`; says where to go on, or nothing at the end. A programme that does
/// not ask any more gives none.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    id: &ProgramId,
    after: Option<&str>,
) -> Result<Option<String>, SurveysError> {
    let now = app.core.clock.now();
    let Some(program) = programs::lookup(conn, id).await?.filter(Program::is_published) else {
        return Ok(None);
    };
    let page = app.accounts.list(conn, after, PAGE).await?;
    let date = |account: &Account| {
        let occasion = calendar_occasion(&program.definition, account, now)?;
        let key = occasion_key(&program.id, &account.id);
        Some(NewJob::due(key, occasion.due_at.max(now)))
    };
    let dates: Vec<NewJob> = page.iter().filter_map(date).collect();
    app.core.jobs.schedule(conn, OCCASIONS_QUEUE, &dates, now).await?;
    let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < PAGE;
    Ok(page.last().filter(|_| !is_last).map(|account| account.id.to_string()))
}
