//! Makes a model the one that scores from today on.

use mainstay_domain::{ModelId, day_of};

use super::get_model::{ModelView, active_id, lookup};
use super::mark_all_accounts::mark_all_soon;
use super::{App, Mutation, Replayable, ScoringError, events};
use crate::storage::models;

/// Activates the model, when it has this `etag` if one is given. An active one
/// stays as it is. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &ModelId,
    etag: &str,
    answer: impl Fn(ModelView) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            models::lock_activations(conn).await?;
            let stored = lookup(conn, id).await?;
            let previous = active_id(app, conn).await?;
            let view = ModelView { active: previous.as_ref() == Some(id), stored };
            if !etag.is_empty() && !view.etag().matches(etag) {
                return Err(ScoringError::EtagMismatch);
            }
            if view.active {
                return Ok(answer(view));
            }
            let now = app.core.clock.now();
            let today = day_of(now);
            models::activate(conn, id, today, now).await?;
            let view = ModelView { active: true, stored: lookup(conn, id).await? };
            let event = events::model_activated(app, &view, previous.as_ref(), now);
            app.core.events.append(conn, &[event], now).await?;
            mark_all_soon(app, conn, today, now).await?;
            Ok(answer(view))
        })
        .await
}
