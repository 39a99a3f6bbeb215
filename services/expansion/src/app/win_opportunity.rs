//! Closes an opportunity as won.

use mainstay_domain::Money;
use mainstay_service::{Mutation, Replayable};

use super::change_opportunity::{self, ChangeRequest};
use super::events::Telling;
use super::record_step::Step;
use super::{App, ExpansionError};
use crate::domain::{Opportunity, Stage, TimelineKind};

/// Closes it, with what was agreed on, in the currency in which a gain was expected.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    request: &ChangeRequest,
    amount: Option<Money>,
    answer: impl Fn(&Opportunity) -> T + Sync,
) -> Result<T, ExpansionError> {
    let work = |opportunity: &mut Opportunity, context: &change_opportunity::Context| {
        let expected = opportunity.expected_gain.map(|gain| gain.currency);
        if let Some((expected, given)) = expected.zip(amount).filter(|(expected, given)| *expected != given.currency) {
            let text = format!("the gain was expected in {expected}, not in {}", given.currency);
            return Err(ExpansionError::field("won_amount.currency_code", text));
        }
        let stage = opportunity.stage;
        let from = opportunity
            .win(amount, context.now)
            .map_err(|refused| ExpansionError::refused(&request.name, stage, refused))?;
        Ok(Some(Step {
            kind: TimelineKind::Won,
            moved: Some((from, Stage::Won)),
            text: "won".to_owned(),
            telling: Telling::Won,
        }))
    };
    change_opportunity::execute(app, mutation, request, work, answer).await
}
