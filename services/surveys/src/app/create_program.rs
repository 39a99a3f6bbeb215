//! Creates a programme, as a draft.

use mainstay_domain::ProgramId;
use mainstay_service::{Mutation, Replayable};

use super::{App, SurveysError};
use crate::domain::program::{Program, ProgramDefinition, ProgramState};
use crate::storage::programs;

/// Stores the draft. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    id: &ProgramId,
    definition: &ProgramDefinition,
    answer: impl Fn(&Program) -> T + Sync,
) -> Result<T, SurveysError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let program = Program {
                id: id.clone(),
                definition: definition.clone(),
                state: ProgramState::Draft,
                version: 1,
                created_at: now,
                updated_at: now,
                published_at: None,
            };
            if !programs::create(conn, &program).await? {
                return Err(SurveysError::ProgramExists(id.clone()));
            }
            Ok(answer(&program))
        })
        .await
}
