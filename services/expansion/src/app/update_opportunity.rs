//! Changes the owner, the plan to sell or the expected gain of an opportunity.

use mainstay_domain::Money;
use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, OwnerChoice, PlanId, TimelineKind};

/// The new values; none: it stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OpportunityChanges {
    pub owner_email: Option<String>,
    pub target_plan: Option<Option<PlanId>>,
    pub expected_gain: Option<Option<Money>>,
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
        if let Some(plan) = changes.target_plan.as_ref().filter(|plan| **plan != opportunity.target_plan) {
            opportunity.target_plan.clone_from(plan);
            said.push(format!("plan to sell {}", plan.as_ref().map_or("none", PlanId::as_str)));
        }
        if let Some(gain) = changes.expected_gain.filter(|gain| *gain != opportunity.expected_gain) {
            opportunity.expected_gain = gain;
            said.push("expected gain".to_owned());
        }
        let text = said.join(", ");
        Ok((!said.is_empty()).then(|| Step {
            kind: TimelineKind::Updated,
            moved: None,
            text,
            telling: Telling::Updated,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
