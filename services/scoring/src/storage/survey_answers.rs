//! Answers to surveys, in columns.

use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::signals::SignalKeys;
use crate::domain::signal::{Payload, Signal};
use crate::domain::voice::{SurveyAnswerSignal, SurveyQuestion};

pub(super) const fn question_number(question: SurveyQuestion) -> i16 {
    match question {
        SurveyQuestion::Nps => 1,
        SurveyQuestion::Csat => 2,
        SurveyQuestion::Ces => 3,
    }
}

/// Inserts the answers among these signals, all of them new and inserted by this transaction.
pub(crate) async fn insert<'a>(
    conn: &mut PgConnection,
    signals: impl Iterator<Item = &'a Signal>,
) -> Result<(), StorageError> {
    let answers: Vec<(&Signal, &SurveyAnswerSignal)> = signals
        .filter_map(|signal| match &signal.payload {
            Payload::SurveyAnswer(answer) => Some((signal, answer)),
            _ => None,
        })
        .collect();
    if answers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO scoring.survey_answers (account_id, source, source_id, question, score, answered_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::integer[], $6::timestamptz[])",
        &answers.iter().map(|(signal, _)| signal.account.as_str()).collect::<Vec<_>>() as &[&str],
        &answers.iter().map(|(signal, _)| signal.source.as_str()).collect::<Vec<_>>() as &[&str],
        &answers.iter().map(|(signal, _)| signal.source_id.as_str()).collect::<Vec<_>>() as &[&str],
        &answers.iter().map(|(_, answer)| question_number(answer.question)).collect::<Vec<_>>(),
        &answers.iter().map(|(_, answer)| answer.score).collect::<Vec<_>>(),
        &answers.iter().map(|(signal, _)| signal.event_at).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the answers among signals that were withdrawn.
pub(crate) async fn delete(conn: &mut PgConnection, gone: &SignalKeys<'_>) -> Result<(), StorageError> {
    sqlx::query!(
        "DELETE FROM scoring.survey_answers AS stored
          USING unnest($1::text[], $2::text[], $3::text[]) AS gone (account_id, source, source_id)
          WHERE stored.account_id = gone.account_id AND stored.source = gone.source
            AND stored.source_id = gone.source_id",
        &gone.accounts as &[&str],
        &gone.sources as &[&str],
        &gone.source_ids as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}
