//! What all changes of an opportunity have in common.

use chrono::{DateTime, Utc};
use mainstay_accounts::Account;
use mainstay_domain::Etag;
use mainstay_service::{Mutation, Replayable};

use super::record_step::{self, Step, wind_clock};
use super::{App, ExpansionError};
use crate::domain::{Opportunity, OpportunityName, StagePolicies};
use crate::storage::{opportunities, policies};

/// What a change may look at.
pub(super) struct Context {
    pub account: Account,
    pub policies: StagePolicies,
    pub now: DateTime<Utc>,
}

/// Who asks for which opportunity.
#[derive(Debug, Clone)]
pub(crate) struct ChangeRequest {
    pub name: OpportunityName,
    /// The version that it must have; empty: any.
    pub etag: String,
    /// Who changes it.
    pub actor: String,
}

/// Changes an opportunity by `work`, which says what was done, or that nothing was. `answer` makes of it what the
/// caller is told, and told again.
pub(super) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    work: impl Fn(&mut Opportunity, &Context) -> Result<Option<Step>, ExpansionError> + Sync,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let name = &request.name;
            wind_clock(app, conn, &name.account, now).await?;
            let not_found = || ExpansionError::OpportunityNotFound(name.clone());
            let account = app.accounts.lock(conn, &name.account).await?.ok_or_else(not_found)?;
            let mut opportunity = opportunities::lookup(conn, name).await?.ok_or_else(not_found)?;
            if !request.etag.is_empty() && !Etag::of_version(opportunity.version).matches(&request.etag) {
                return Err(ExpansionError::EtagMismatch);
            }
            let context = Context { account, policies: policies::in_force(conn).await?, now };
            if let Some(step) = work(&mut opportunity, &context)? {
                opportunity.version += 1;
                record_step::execute(app, conn, &opportunity, step, &request.actor, now).await?;
            }
            Ok(answer(&opportunity))
        })
        .await
}
