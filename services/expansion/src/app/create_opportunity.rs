//! Opens an opportunity by hand.

use mainstay_domain::{AccountId, Money};
use mainstay_service::{Mutation, Replayable};

use super::assess_account::load_conditions;
use super::open_opportunity::{self, Opening};
use super::record_step::wind_clock;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, PlanId, suppressions};
use crate::storage::{candidates, opportunities};

/// What the caller says of it.
#[derive(Debug, Clone)]
pub(crate) struct NewOpportunity {
    pub account: AccountId,
    pub metric: String,
    pub target_plan: Option<PlanId>,
    pub expected_gain: Option<Money>,
    pub owner_email: Option<String>,
    /// Who opens it.
    pub actor: String,
}

/// Opens it, also for an account that is suppressed: it is on hold then. A candidate's criteria go with it.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    new: &NewOpportunity,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            wind_clock(app, conn, &new.account, now).await?;
            let account = app.accounts.lock(conn, &new.account).await?;
            let account = account.ok_or_else(|| ExpansionError::AccountNotFound(new.account.clone()))?;
            if !account.is_customer() {
                return Err(ExpansionError::AccountGone(new.account.clone()));
            }
            let open = opportunities::open_of_account(conn, &new.account).await?;
            if let Some(other) = open.into_iter().find(|other| other.metric == new.metric) {
                return Err(ExpansionError::OpportunityExists(other.name));
            }
            let candidate = candidates::lookup(conn, &new.account, &new.metric).await?;
            let opening = Opening {
                metric: new.metric.clone(),
                owner_email: new.owner_email.clone(),
                target_plan: new.target_plan.clone(),
                expected_gain: new.expected_gain,
                criteria: candidate.as_ref().map(|candidate| candidate.criteria.clone()).unwrap_or_default(),
                suppressions: suppressions(&load_conditions(conn, &new.account, now).await?),
                text: "opened by hand".to_owned(),
            };
            let opportunity = open_opportunity::execute(app, conn, &account, opening, &new.actor, now).await?;
            if let Some(mut candidate) = candidate {
                candidate.opportunity = Some(opportunity.name.id);
                candidates::store(conn, &candidate).await?;
            }
            Ok(answer(&opportunity))
        })
        .await
}
