//! Keeps what a person expects of a renewal, and what the model says at the same time.

use mainstay_domain::AccountId;

use super::list_renewals::Forecaster;
use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::account::LifecycleStage;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::renewal::{Call, Expectation, likelihood};
use crate::storage::{accounts, forecasts, renewals};

/// What a person said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GivenCall {
    pub account: AccountId,
    pub expectation: Expectation,
    pub note: String,
    pub author_email: String,
}

/// Keeps it for the account's next renewal. `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    creator: &str,
    given: &GivenCall,
    answer: impl Fn(&Call) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let id = &given.account;
            let locked = accounts::lock(conn, &[id.as_str()]).await?;
            let stored = locked.get(id).ok_or_else(|| ScoringError::AccountNotFound(id.clone()))?;
            if stored.archived_at.is_some() {
                return Err(ScoringError::AccountArchived(id.clone()));
            }
            let due_at = stored.facts.renewal_at.filter(|_| stored.facts.lifecycle_stage != LifecycleStage::Churned);
            let due_at = due_at.ok_or_else(|| ScoringError::RenewalNotDue(id.clone()))?;
            let mut by_model = None;
            if let Some(forecaster) = Forecaster::newest(app, conn).await? {
                let customer =
                    forecasts::customers(conn, &forecaster.model.health_model, Some(id), &CustomerFilter::default())
                        .await?
                        .pop();
                let today = customer.and_then(|customer| customer.today);
                let definition = &forecaster.model.definition;
                by_model = today.map(|today| likelihood(definition, &forecaster.health_model, &today, due_at).value);
            }
            let call = Call {
                account: id.clone(),
                due_at,
                expectation: given.expectation,
                note: given.note.clone(),
                author_email: given.author_email.clone(),
                creator: creator.to_owned(),
                called_at: app.core.clock.now(),
                likelihood: by_model,
            };
            renewals::create_call(conn, &call).await?;
            Ok(answer(&call))
        })
        .await
}
