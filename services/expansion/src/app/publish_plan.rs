//! Puts a version of a plan in force.

use mainstay_service::{Mutation, Replayable};

use super::get_plan::lookup;
use super::{App, ExpansionError, events};
use crate::domain::{Plan, PlanName};
use crate::storage::plans;

/// Publishes a version; one that is published stays as it is. `answer` makes of it what the caller is told, and told
/// again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    name: &PlanName,
    answer: impl Fn(&Plan) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core
        .mutate(mutation, async |conn| {
            plans::lock(conn).await?;
            let plan = lookup(conn, name).await?;
            if plan.published_at.is_some() {
                return Ok(answer(&plan));
            }
            let in_force = plans::in_force(conn, &name.id).await?.map(|plan| plan.version);
            if let Some(published) = in_force.filter(|published| *published > plan.version) {
                return Err(ExpansionError::PlanSuperseded { plan: name.clone(), published });
            }
            let now = app.core.clock.now();
            plans::publish(conn, &name.id, plan.version, now).await?;
            let plan = lookup(conn, name).await?;
            app.core.events.append(conn, &[events::plan_published(app, &plan, now)], now).await?;
            Ok(answer(&plan))
        })
        .await
}
