//! Marks an item of a checklist as done, or as not done.

use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, TimelineKind};

/// Marks the item, or with `undo` takes the mark away. What is as it should be stays so.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    item_id: &str,
    note: &str,
    undo: bool,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let is_as_wanted = |opportunity: &Opportunity| {
            let item = opportunity.checklist.iter().find(|item| item.id == item_id);
            item.is_some_and(|item| item.done.is_some() != undo && item.note == note)
        };
        if is_as_wanted(opportunity) {
            return Ok(None);
        }
        let stage = opportunity.stage;
        let done = (!undo).then(|| (context.now, request.actor.clone()));
        let marked = opportunity
            .mark(item_id, done, note)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        if !marked {
            let ids: Vec<&str> = opportunity.checklist.iter().map(|item| item.id.as_str()).collect();
            let text = format!("the stage {} has no such item; it has {}", stage.words(), ids.join(", "));
            return Err(ExpansionError::field("item_id", text));
        }
        let how = if undo { "not done" } else { "done" };
        Ok(Some(Step {
            kind: TimelineKind::Checklist,
            moved: None,
            text: format!("`{item_id}` {how}"),
            telling: Telling::Updated,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
