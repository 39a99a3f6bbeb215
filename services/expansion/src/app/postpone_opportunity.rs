//! Puts an opportunity off until a time.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, POSTPONED_DAYS_MAX, Stage, TimelineKind};

/// Puts it off until a time in the future; it goes on by itself then.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    until: DateTime<Utc>,
    note: &str,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        if until <= context.now || until > context.now + TimeDelta::days(POSTPONED_DAYS_MAX) {
            let text = format!("must be after now ({}) and at most {POSTPONED_DAYS_MAX} days on", context.now);
            return Err(ExpansionError::field("until_time", text));
        }
        let stage = opportunity.stage;
        let from = opportunity
            .postpone(until, note, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        let because = if note.is_empty() { String::new() } else { format!(": {note}") };
        Ok(Some(Step {
            kind: TimelineKind::Postponed,
            moved: Some((from, Stage::Postponed)),
            text: format!("put off until {until}{because}"),
            telling: Telling::Postponed,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
