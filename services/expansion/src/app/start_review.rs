//! Begins the review of a month.

use chrono::{DateTime, Utc};
use mainstay_domain::day_of;
use mainstay_jobs::NewJob;
use mainstay_service::{Mutation, Replayable};
use sqlx::PgConnection;

use super::get_review::lookup;
use super::queues::REVIEW_QUEUE;
use super::{App, ExpansionError};
use crate::domain::{Month, Review};
use crate::storage::reviews;

/// Begins it, for the last month unless another is named; one that has begun is answered as it is. `answer` makes of it
/// what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    month: Option<Month>,
    answer: impl Fn(&Review, DateTime<Utc>) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let month = month.unwrap_or_else(|| Month::of_day(day_of(now)).minus(1));
            if month.end() > now {
                return Err(ExpansionError::field(
                    "month",
                    format!("{month} is not over: it can be reviewed from {}", month.end()),
                ));
            }
            begin(app, conn, month, now).await?;
            Ok(answer(&lookup(conn, month).await?, now))
        })
        .await
}

/// Begins the review of a month that is over, unless it has begun.
pub(crate) async fn begin(
    app: &App,
    conn: &mut PgConnection,
    month: Month,
    now: DateTime<Utc>,
) -> Result<(), ExpansionError> {
    if reviews::begin(conn, month, now).await? {
        let job = NewJob::due(month.to_string(), now);
        app.core.jobs.schedule(conn, REVIEW_QUEUE, &[job], now).await?;
    }
    Ok(())
}
