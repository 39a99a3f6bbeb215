//! Takes what scoring tells of an account into the copy, and has the programmes that go by the calendar look at it.

use mainstay_domain::AccountId;
use mainstay_events::{Event, HandlerError};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::App;
use super::queues::{OCCASIONS_QUEUE, occasion_key};
use crate::storage::programs;

/// Applies the event. The looks are scheduled first: their workers hold them while they wait for the account.
pub(crate) async fn execute(
    app: &App,
    conn: &mut PgConnection,
    account: &AccountId,
    event: &Event,
) -> Result<(), HandlerError> {
    let now = app.core.clock.now();
    programs::wait_for_enrolment(conn).await?;
    let published = programs::published(conn).await?;
    let by_calendar = published.iter().filter(|program| program.definition.trigger.goes_by_calendar());
    let looks: Vec<NewJob> = by_calendar.map(|program| NewJob::due(occasion_key(&program.id, account), now)).collect();
    app.core.jobs.schedule(conn, OCCASIONS_QUEUE, &looks, now).await?;
    app.accounts.apply(conn, event).await?;
    Ok(())
}
