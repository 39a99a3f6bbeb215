//! Closes an opportunity as lost.

use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{LostReason, Opportunity, Stage, TimelineKind};

/// Closes it for a reason.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    reason: LostReason,
    note: &str,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let stage = opportunity.stage;
        let from = opportunity
            .lose(reason, note, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        Ok(Some(lost_step(from, note)))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}

/// The step of one that was lost in a stage.
pub(super) fn lost_step(from: Stage, note: &str) -> Step {
    let text = if note.is_empty() { "lost".to_owned() } else { format!("lost: {note}") };
    Step { kind: TimelineKind::Lost, moved: Some((from, Stage::Lost)), text, telling: Telling::Lost }
}
