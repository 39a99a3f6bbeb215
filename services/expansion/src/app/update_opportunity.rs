//! Changes the owner, the plan to sell or the expected gain of an opportunity.

use mainstay_domain::Money;
use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, OwnerChoice, PlanId, TimelineKind};

/// What becomes of a field that may be empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It gets this value, or none.
    Set(Option<T>),
}

/// The new values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OpportunityChanges {
    /// None: it stays as it is.
    pub owner_email: Option<String>,
    pub target_plan: Change<PlanId>,
    pub expected_gain: Change<Money>,
}

/// Changes it. Values equal to the stored ones change nothing.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    changes: &OpportunityChanges,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, _: &change_opportunity::Context| {
        let stage = opportunity.stage;
        opportunity.may_change().map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        let mut said = Vec::new();
        if let Some(email) = changes.owner_email.as_ref().filter(|email| **email != opportunity.owner.email) {
            opportunity.owner = OwnerChoice { email: email.clone(), is_fallback: false };
            said.push(format!("owner {email}"));
        }
        if let Change::Set(plan) = &changes.target_plan
            && *plan != opportunity.target_plan
        {
            opportunity.target_plan.clone_from(plan);
            said.push(format!("plan to sell {}", plan.as_ref().map_or("none", PlanId::as_str)));
        }
        if let Change::Set(gain) = changes.expected_gain
            && gain != opportunity.expected_gain
        {
            opportunity.expected_gain = gain;
            said.push("expected gain".to_owned());
        }
        let text = said.join(", ");
        Ok((!said.is_empty()).then_some(Step {
            kind: TimelineKind::Updated,
            moved: None,
            text,
            telling: Telling::Updated,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
