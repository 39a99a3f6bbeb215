//! Moves an opportunity into the next stage.

use mainstay_service::{Mutation, Replayable};

use super::change_opportunity;
pub(crate) use super::change_opportunity::ChangeRequest;
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, Stage, TimelineKind};

/// Moves it on; into `to`, which must be the next stage, if that is given.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    to: Option<Stage>,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let stage = opportunity.stage;
        let from = opportunity
            .advance(to, &context.policies, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        Ok(Some(Step {
            kind: TimelineKind::Advanced,
            moved: Some((from, opportunity.stage)),
            text: format!("from {} to {}", from.words(), opportunity.stage.words()),
            telling: Telling::StageChanged { from },
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
