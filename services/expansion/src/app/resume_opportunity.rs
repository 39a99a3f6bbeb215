//! Takes up an opportunity that was put off, before its time.

use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, Stage, TimelineKind};

/// Has it go on where it was put off.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let stage = opportunity.stage;
        let into = opportunity
            .resume(&context.policies, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        Ok(Some(resumed_step(into)))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}

/// The step of one that goes on in a stage.
pub(super) fn resumed_step(into: Stage) -> Step {
    Step {
        kind: TimelineKind::Resumed,
        moved: Some((Stage::Postponed, into)),
        text: format!("goes on in the stage {}", into.words()),
        telling: Telling::StageChanged { from: Stage::Postponed },
    }
}
