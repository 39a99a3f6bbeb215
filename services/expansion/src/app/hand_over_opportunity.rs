//! Hands an opportunity over to sales.

use mainstay_domain::OwnerRole;
use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, TimelineKind};

/// Hands it over to somebody, or to the account's account manager.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    to_email: Option<&str>,
    note: &str,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let manager = context.account.owner(OwnerRole::AccountManager).map(|owner| owner.email.as_str());
        let to_email =
            to_email.or(manager).ok_or_else(|| ExpansionError::SalesOwnerMissing(request.name.account.clone()))?;
        let (stage, from_email) = (opportunity.stage, opportunity.owner.email.clone());
        opportunity
            .hand_over(to_email, &request.actor, note, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        Ok(Some(Step {
            kind: TimelineKind::HandedOver,
            moved: None,
            text: format!("from {from_email} to {to_email}"),
            telling: Telling::HandedOver,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
