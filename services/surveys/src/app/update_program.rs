//! Changes a draft.

use mainstay_domain::{ProgramId, Violations};
use mainstay_service::{Mutation, Replayable};

use super::get_program::lock;
use super::{App, SurveysError};
use crate::domain::program::{Program, ProgramDefinition, ProgramState};
use crate::storage::programs;

/// Stores what `change` makes of the draft, when it has this `etag` if one is given. Nothing changed is nothing written.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &ProgramId,
    etag: &str,
    change: impl Fn(&ProgramDefinition) -> Result<ProgramDefinition, Violations> + Sync,
    answer: impl Fn(&Program) -> T + Sync,
) -> Result<T, SurveysError> {
    app.core
        .mutate(mutation, async |conn| {
            let stored = lock(conn, id).await?;
            if !etag.is_empty() && !stored.etag().matches(etag) {
                return Err(SurveysError::EtagMismatch);
            }
            if stored.state != ProgramState::Draft {
                return Err(SurveysError::ProgramNotDraft { id: id.clone(), state: stored.state });
            }
            let definition = change(&stored.definition)?;
            if definition == stored.definition {
                return Ok(answer(&stored));
            }
            let changed =
                Program { definition, version: stored.version + 1, updated_at: app.core.clock.now(), ..stored };
            programs::update(conn, &changed).await?;
            Ok(answer(&changed))
        })
        .await
}
