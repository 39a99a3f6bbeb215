//! The time by which a caller wants its answer, and what that means to the database.

use std::time::Duration;

use tokio::time::Instant;

/// What a statement gets beyond the deadline, so that callers hear of their deadline and not of a slow database.
const GRACE: Duration = Duration::from_millis(100);

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs a future whose caller waits until `deadline`: in the transactions that it begins (by
/// [`transact`](crate::transact) and [`begin`](crate::begin)) a statement may run no longer than that.
///
/// Dropping the future of a query ends only the wait for it: the driver (sqlx 0.9.0) sends no cancellation, and keeps the
/// connection until the statement has ended. So the database has to know. What is read outside of a transaction runs
/// as long as it takes, within the pool's statement timeout; point reads are, since telling would cost more than it
/// saves.
pub fn within_deadline<F: Future>(deadline: Instant, future: F) -> impl Future<Output = F::Output> {
    DEADLINE.scope(deadline, future)
}

/// How a transaction begins: with the statement timeout of what is left of the caller's time, if that is less than it
/// has already. One round trip, whatever it says.
pub(crate) fn begin_statement() -> String {
    let Ok(deadline) = DEADLINE.try_with(|deadline| *deadline) else { return "BEGIN".to_owned() };
    let left = deadline.saturating_duration_since(Instant::now()) + GRACE;
    let millis = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
    // Zero means no limit, and LEAST passes over NULL.
    format!(
        "BEGIN; SELECT set_config('statement_timeout', LEAST({millis}, NULLIF( \
             extract(epoch FROM current_setting('statement_timeout')::interval) * 1000, 0))::int::text, true)"
    )
}
