//! Reviews a label, or takes it back.

use mainstay_domain::AccountId;
use uuid::Uuid;

use super::queues::LABELS_QUEUE;
use super::{App, Mutation, Replayable, ScoringError, events, expire_labels};
use crate::domain::label::{Label, LabelIsOver, LabelMove};
use crate::storage::{accounts, labels};

/// Moves a label, when it has this `etag` if one is given; one that is where the move leads stays as it is, whatever the `etag`: it may
/// be that of a first call whose answer was lost.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    (account, id): (&AccountId, Uuid),
    etag: Option<&str>,
    step: &LabelMove,
    answer: impl Fn(&Label) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            if step.ends() {
                // Before the account's row, for which the worker of the queue waits.
                app.core.jobs.cancel(conn, LABELS_QUEUE, &[&expire_labels::key(account, id)]).await?;
            }
            accounts::lock(conn, &[account.as_str()]).await?;
            let stored = labels::lookup(conn, account, id).await?;
            let stored = stored.ok_or_else(|| ScoringError::LabelNotFound(account.clone(), id))?;
            let is_over = |LabelIsOver(state)| ScoringError::LabelEnded(account.clone(), id, state);
            let Some(moved) = stored.moved(step, now).map_err(is_over)? else {
                return Ok(answer(&stored));
            };
            if etag.is_some_and(|etag| !stored.etag().matches(etag)) {
                return Err(ScoringError::EtagMismatch);
            }
            labels::advance(conn, &moved).await?;
            app.core.events.append(conn, &[events::label_moved(app, &moved, now)], now).await?;
            Ok(answer(&moved))
        })
        .await
}
