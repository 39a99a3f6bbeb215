//! Figures over all opportunities.

use std::collections::BTreeMap;

use mainstay_storage::StorageError;
use serde_json::Value;
use sqlx::PgConnection;

use super::codes::{self, from_json};
use crate::domain::{
    Criterion, CriterionKind, CriterionOutcomes, CriterionResult, PipelineEntry, Proportion, Stage, StageConversion,
    TimelineKind, Window,
};

/// What is open, by stage and currency.
pub(crate) async fn pipeline(
    conn: &mut PgConnection,
    owner_email: Option<&str>,
) -> Result<Vec<PipelineEntry>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT stage, expected_currency AS currency, sum(expected_minor_units)::bigint AS minor_units,
                  count(*) AS "count!", count(held_at) AS "held!", count(overdue_at) AS "overdue!",
                  count(hand_over) AS "handed_over!"
             FROM expansion.opportunities
            WHERE closed_at IS NULL AND ($1::text IS NULL OR owner_email = $1)
            GROUP BY stage, expected_currency ORDER BY stage, expected_currency"#,
        owner_email,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(PipelineEntry {
                stage: codes::stage(row.stage)?,
                expected_gain: codes::money(row.currency.as_deref(), row.minor_units)?,
                count: row.count,
                held: row.held,
                overdue: row.overdue,
                handed_over: row.handed_over,
            })
        })
        .collect()
}

/// What became of the opportunities opened in a window, by the open stages they entered.
pub(crate) async fn conversion(conn: &mut PgConnection, window: Window) -> Result<Vec<StageConversion>, StorageError> {
    // A move out of a stage is one that advances, wins or loses; being put off and taken up leave it where it is.
    let rows = sqlx::query!(
        r#"SELECT entry.from_stage AS "stage!", count(*) FILTER (WHERE entry.kind = ANY($3)) AS "advanced!",
                  count(*) FILTER (WHERE entry.kind = $4) AS "lost!"
             FROM expansion.timeline AS entry
             JOIN expansion.opportunities AS opportunity USING (account_id, opportunity_id)
            WHERE ($1::timestamptz IS NULL OR opportunity.created_at >= $1)
              AND ($2::timestamptz IS NULL OR opportunity.created_at < $2)
              AND entry.from_stage IS NOT NULL AND (entry.kind = ANY($3) OR entry.kind = $4)
            GROUP BY entry.from_stage"#,
        window.start,
        window.end,
        &[TimelineKind::Advanced, TimelineKind::Won].map(codes::timeline_kind_number),
        codes::timeline_kind_number(TimelineKind::Lost),
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut moves = BTreeMap::new();
    for row in rows {
        moves.insert(codes::stage(row.stage)?, (row.advanced, row.lost));
    }
    let opened = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM expansion.opportunities
            WHERE ($1::timestamptz IS NULL OR created_at >= $1) AND ($2::timestamptz IS NULL OR created_at < $2)"#,
        window.start,
        window.end,
    )
    .fetch_one(conn)
    .await?;
    let mut entered = opened;
    let mut conversions = Vec::new();
    for stage in Stage::OPEN {
        let (advanced, lost) = moves.get(&stage).copied().unwrap_or_default();
        conversions.push(StageConversion { stage, entered, advanced, lost });
        entered = advanced;
    }
    Ok(conversions)
}

/// How many of the opportunities closed in a window were won, all of them and by each criterion.
pub(crate) async fn criterion_outcomes(
    conn: &mut PgConnection,
    window: Window,
) -> Result<(Proportion, Vec<CriterionOutcomes>), StorageError> {
    let rows = sqlx::query!(
        r#"SELECT criteria, count(*) AS "total!", count(*) FILTER (WHERE stage = $3) AS "won!"
             FROM expansion.opportunities
            WHERE closed_at IS NOT NULL AND criteria <> '[]'
              AND ($1::timestamptz IS NULL OR closed_at >= $1) AND ($2::timestamptz IS NULL OR closed_at < $2)
            GROUP BY criteria"#,
        window.start,
        window.end,
        codes::stage_number(Stage::Won),
    )
    .fetch_all(conn)
    .await?;
    let mut all = Proportion::default();
    let mut counts: BTreeMap<(CriterionKind, CriterionResult), Proportion> = BTreeMap::new();
    let add = |sum: &mut Proportion, won: i64, total: i64| {
        sum.count += won;
        sum.total += total;
    };
    for row in rows {
        add(&mut all, row.won, row.total);
        let criteria: Value = row.criteria;
        for criterion in from_json::<Vec<Criterion>>(criteria)? {
            add(counts.entry((criterion.kind, criterion.result)).or_default(), row.won, row.total);
        }
    }
    let count = |kind, result| counts.get(&(kind, result)).copied().unwrap_or_default();
    let outcomes = CriterionKind::ALL.iter().map(|&kind| CriterionOutcomes {
        kind,
        met: count(kind, CriterionResult::Met),
        not_met: count(kind, CriterionResult::NotMet),
        not_known: count(kind, CriterionResult::NotKnown),
    });
    Ok((all, outcomes.collect()))
}
