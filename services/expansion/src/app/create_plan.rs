//! Creates the next version of a plan, a draft.

use mainstay_service::{Mutation, Replayable};

use super::get_plan::lookup;
use super::{App, ExpansionError};
use crate::domain::{Plan, PlanDraft, PlanName};
use crate::storage::plans;

/// Stores the version. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    draft: &PlanDraft,
    answer: impl Fn(&Plan) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core
        .mutate(mutation, async |conn| {
            plans::lock(conn).await?;
            let version = plans::create(conn, draft, app.core.clock.now()).await?;
            // Read back as every later reader will: what cannot be read is not kept.
            let name = PlanName { id: draft.id.clone(), version: Some(version) };
            Ok(answer(&lookup(conn, &name).await?))
        })
        .await
}
