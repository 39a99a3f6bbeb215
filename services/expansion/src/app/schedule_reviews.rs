//! Has reviews begin by themselves, each on the third day after its month.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use mainstay_domain::day_of;
use mainstay_jobs::NewJob;
use mainstay_storage::{StorageError, transact};
use sqlx::PgConnection;

use super::queues::REVIEW_TIMER_QUEUE;
use super::{App, ExpansionError, start_review};
use crate::domain::Month;

const MONTHS_PER_YEAR: i64 = 12;

/// Sets the timer for the next review that is due by the clock; one that is set, for instance for a month that passed
/// while the service was down, stays.
pub(crate) async fn execute(app: &App) -> Result<(), ExpansionError> {
    let now = app.core.clock.now();
    let this_month = Month::of_day(day_of(now));
    let last_month = this_month.minus(1);
    let month = if last_month.review_due_at() >= now { last_month } else { this_month };
    let job = NewJob::due("monthly", month.review_due_at()).with_low_mark(mark_of(month));
    transact(&app.core.pool, async |conn| {
        app.core.jobs.schedule(conn, REVIEW_TIMER_QUEUE, std::slice::from_ref(&job), now).await?;
        Ok::<(), StorageError>(())
    })
    .await?;
    Ok(())
}

/// Begins the review that the timer was set for; gives the mark and the time of the next.
pub(crate) async fn ring(
    app: &App,
    conn: &mut PgConnection,
    mark: Option<i64>,
    due_at: DateTime<Utc>,
) -> Result<(i64, DateTime<Utc>), ExpansionError> {
    let month = mark.and_then(month_of).unwrap_or_else(|| Month::of_day(day_of(due_at)).minus(1));
    start_review::begin(app, conn, month, app.core.clock.now()).await?;
    let next = month.next();
    Ok((mark_of(next), next.review_due_at()))
}

/// Months since the year 0, by which the lower of two is the earlier.
fn mark_of(month: Month) -> i64 {
    let day = month.first_day();
    i64::from(day.year()) * MONTHS_PER_YEAR + i64::from(day.month0())
}

fn month_of(mark: i64) -> Option<Month> {
    let year = i32::try_from(mark.div_euclid(MONTHS_PER_YEAR)).ok()?;
    let month = u32::try_from(mark.rem_euclid(MONTHS_PER_YEAR)).ok()? + 1;
    NaiveDate::from_ymd_opt(year, month, 1).map(Month::of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_its_month() {
        for text in ["1996-12", "1997-01", "2026-11"] {
            let month = Month::parse(text).expect("a month");
            assert_eq!(month_of(mark_of(month)), Some(month));
            assert_eq!(mark_of(month.next()), mark_of(month) + 1);
        }
    }
}
