//! What it means for all accounts that some account sent a signal: a source that was silent is not.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::domain::{JoinedDay, date_of, day_number};
use crate::storage::pulses::NewPulseDay;

/// The first day up to `today` whose scores change for accounts that sent nothing, because these days joined those on which
/// a source lived.
///
/// Sources that live send on most days, so that this is rare: at a first import, a first use of a metric, the end of an outage.
pub(super) async fn first_day_changed(
    app: &App,
    conn: &mut PgConnection,
    new_days: &[NewPulseDay],
    today: NaiveDate,
) -> Result<Option<NaiveDate>, ScoringError> {
    if new_days.is_empty() {
        return Ok(None);
    }
    let book = app.models.book(conn).await?;
    let first_day = new_days.iter().filter_map(|new| {
        let limit = book.models().filter_map(|model| model.freshness_limit_of(&new.series)).min()?;
        let joined = JoinedDay {
            day: day_number(new.day),
            before: new.day_before.map(day_number),
            after: new.day_after.map(day_number),
        };
        joined.first_day_changed(limit, day_number(today))
    });
    Ok(first_day.min().map(date_of))
}
