//! What follows from a customer's answer: a detractor raises an alert, and the answer of one who was asked again ends
//! the case.

use super::{InterventionsError, Session, close_case, raise_alert};
use crate::domain::alert::Occurrence;
use crate::domain::case::{Case, CaseKind};
use crate::storage::cases;

/// A customer's answer.
#[derive(Debug, Clone)]
pub(crate) struct SurveyAnswer {
    /// 0 to 10.
    pub score: i16,
    /// The earlier answer that was asked about again; empty when it is no resurvey.
    pub resurvey_of: String,
    /// What a detractor says; none for others.
    pub detractor: Option<Occurrence>,
}

/// Applies an answer within a transaction that holds the account.
pub(crate) async fn in_session(session: &mut Session<'_>, answer: &SurveyAnswer) -> Result<(), InterventionsError> {
    if !answer.resurvey_of.is_empty() {
        end_case(session, answer).await?;
    }
    if let Some(detractor) = &answer.detractor {
        raise_alert::told_by_others(session, detractor).await?;
    }
    Ok(())
}

async fn end_case(session: &mut Session<'_>, answer: &SurveyAnswer) -> Result<(), InterventionsError> {
    let account = session.account.id.clone();
    let case = cases::lookup_by_subject(session.conn, &account, CaseKind::Detractor, &answer.resurvey_of).await?;
    let Some(case) = case.filter(|case| !case.is_closed()) else { return Ok(()) };
    let notes = match case.survey_score {
        Some(before) => format!("Answered {} of 10 when asked again, {before} before", answer.score),
        None => format!("Answered {} of 10 when asked again", answer.score),
    };
    let case = Case { resurvey_score: Some(answer.score), ..case };
    let score = session.account.health.score;
    close_case::in_session(session, case, Case::outcome_of_answer(answer.score), &notes, score).await?;
    Ok(())
}
