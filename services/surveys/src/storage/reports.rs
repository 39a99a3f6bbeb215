//! Answers and invitations, counted.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{NPS_PASSIVE_MIN, ProgramId};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::program::SurveyKind;
use crate::domain::report::{
    Breakdown, CsatCounts, InvitationCounts, PeriodLength, ReportFilter, ReportKey, ResurveyCounts,
};
use crate::domain::response::Category;
use crate::domain::statistics::NpsCounts;

/// What PostgreSQL calls a period; without one any does, for it is not used.
fn unit(breakdown: Breakdown) -> &'static str {
    match breakdown.period {
        Some(PeriodLength::Month) => "month",
        Some(PeriodLength::Quarter) | None => "quarter",
    }
}

fn program_ids(filter: &ReportFilter) -> Option<Vec<&str>> {
    (!filter.programs.is_empty()).then(|| filter.programs.iter().map(ProgramId::as_str).collect())
}

fn segments(filter: &ReportFilter) -> Option<Vec<i16>> {
    codes::any_of(&filter.segments, mainstay_accounts::segment_number)
}

fn key(program: Option<&str>, segment: Option<i16>, period: Option<NaiveDate>) -> Result<ReportKey, StorageError> {
    Ok(ReportKey {
        program: program.map(codes::program_id).transpose()?,
        segment: segment.map(mainstay_accounts::segment).transpose()?,
        period,
    })
}

/// How often each score was given, by what the report is broken down by; resurveys are left out.
struct ScoreRow {
    program_id: Option<String>,
    segment: Option<i16>,
    period: Option<NaiveDate>,
    first: i64,
    second: i64,
    third: i64,
    score_sum: i64,
}

async fn score_rows(
    conn: &mut PgConnection,
    kind: SurveyKind,
    categories: [Category; 3],
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<ScoreRow>, StorageError> {
    let [first, second, third] = categories.map(codes::category_number);
    let (programs, segments) = (program_ids(filter), segments(filter));
    let rows = sqlx::query_as!(
        ScoreRow,
        r#"SELECT CASE WHEN $1 THEN program_id END AS program_id,
                  CASE WHEN $2 THEN segment END AS segment,
                  CASE WHEN $3 THEN date_trunc($4::text, responded_at AT TIME ZONE 'UTC')::date END AS period,
                  count(*) FILTER (WHERE category = $5) AS "first!",
                  count(*) FILTER (WHERE category = $6) AS "second!",
                  count(*) FILTER (WHERE category = $7) AS "third!",
                  sum(score) AS "score_sum!"
             FROM surveys.responses
            WHERE kind = $8 AND resurvey_of IS NULL
              AND ($9::text[] IS NULL OR program_id = ANY($9))
              AND ($10::smallint[] IS NULL OR segment = ANY($10))
              AND ($11::timestamptz IS NULL OR responded_at >= $11)
              AND ($12::timestamptz IS NULL OR responded_at < $12)
            GROUP BY 1, 2, 3
            ORDER BY 3, 1, 2"#,
        breakdown.program,
        breakdown.segment,
        breakdown.period.is_some(),
        unit(breakdown),
        first,
        second,
        third,
        codes::kind_number(kind),
        programs.as_deref() as Option<&[&str]>,
        segments.as_deref(),
        filter.start,
        filter.end,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Answers to NPS questions, by what the report is broken down by.
pub(crate) async fn nps(
    conn: &mut PgConnection,
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<(ReportKey, NpsCounts)>, StorageError> {
    let categories = [Category::Promoter, Category::Passive, Category::Detractor];
    let rows = score_rows(conn, SurveyKind::Nps, categories, filter, breakdown).await?;
    rows.into_iter()
        .map(|row| {
            let counts = NpsCounts {
                promoters: codes::count(row.first),
                passives: codes::count(row.second),
                detractors: codes::count(row.third),
            };
            Ok((key(row.program_id.as_deref(), row.segment, row.period)?, counts))
        })
        .collect()
}

/// Answers to satisfaction questions, by what the report is broken down by.
pub(crate) async fn csat(
    conn: &mut PgConnection,
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<(ReportKey, CsatCounts)>, StorageError> {
    let categories = [Category::Satisfied, Category::Neutral, Category::Dissatisfied];
    let rows = score_rows(conn, SurveyKind::Csat, categories, filter, breakdown).await?;
    rows.into_iter()
        .map(|row| {
            let counts = CsatCounts {
                satisfied: codes::count(row.first),
                neutral: codes::count(row.second),
                dissatisfied: codes::count(row.third),
                score_sum: codes::count(row.score_sum),
            };
            Ok((key(row.program_id.as_deref(), row.segment, row.period)?, counts))
        })
        .collect()
}

/// Invitations and what became of them as of `now`, by what the report is broken down by.
pub(crate) async fn invitations(
    conn: &mut PgConnection,
    filter: &ReportFilter,
    breakdown: Breakdown,
    now: DateTime<Utc>,
) -> Result<Vec<(ReportKey, InvitationCounts)>, StorageError> {
    let (programs, segments) = (program_ids(filter), segments(filter));
    let rows = sqlx::query!(
        r#"SELECT CASE WHEN $1 THEN invited.program_id END AS program_id,
                  CASE WHEN $2 THEN invited.segment END AS segment,
                  CASE WHEN $3 THEN date_trunc($4::text, invited.created_at AT TIME ZONE 'UTC')::date END AS period,
                  count(*) AS "invited!",
                  count(*) FILTER (WHERE invited.state = $5) AS "answered!",
                  count(*) FILTER (WHERE invited.state = $6 AND invited.expires_at > $7) AS "open!",
                  count(*) FILTER (WHERE answer.created_at >= invited.reminded_at) AS "answered_after_reminder!"
             FROM surveys.invitations AS invited
             LEFT JOIN surveys.responses AS answer
                    ON answer.account_id = invited.account_id AND answer.response_id = invited.response_id
            WHERE invited.state <> $8
              AND ($9::text[] IS NULL OR invited.program_id = ANY($9))
              AND ($10::smallint[] IS NULL OR invited.segment = ANY($10))
              AND ($11::timestamptz IS NULL OR invited.created_at >= $11)
              AND ($12::timestamptz IS NULL OR invited.created_at < $12)
            GROUP BY 1, 2, 3
            ORDER BY 3, 1, 2"#,
        breakdown.program,
        breakdown.segment,
        breakdown.period.is_some(),
        unit(breakdown),
        codes::ANSWERED,
        codes::SENT,
        now,
        codes::NOT_ASKED,
        programs.as_deref() as Option<&[&str]>,
        segments.as_deref(),
        filter.start,
        filter.end,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let counts = InvitationCounts {
                invited: codes::count(row.invited),
                answered: codes::count(row.answered),
                open: codes::count(row.open),
                answered_after_reminder: codes::count(row.answered_after_reminder),
            };
            Ok((key(row.program_id.as_deref(), row.segment, row.period)?, counts))
        })
        .collect()
}

/// Answers to NPS resurveys, compared with what was answered before.
pub(crate) async fn resurveys(conn: &mut PgConnection, filter: &ReportFilter) -> Result<ResurveyCounts, StorageError> {
    let (programs, segments) = (program_ids(filter), segments(filter));
    let row = sqlx::query!(
        r#"SELECT count(*) AS "pairs!",
                  count(*) FILTER (WHERE previous_score < $7) AS "detractors!",
                  count(*) FILTER (WHERE previous_score < $7 AND category <> $1) AS "recovered!",
                  COALESCE(sum(previous_score), 0) AS "score_sum_before!",
                  COALESCE(sum(score), 0) AS "score_sum_after!"
             FROM surveys.responses
            WHERE kind = $2 AND resurvey_of IS NOT NULL
              AND ($3::text[] IS NULL OR program_id = ANY($3))
              AND ($4::smallint[] IS NULL OR segment = ANY($4))
              AND ($5::timestamptz IS NULL OR responded_at >= $5)
              AND ($6::timestamptz IS NULL OR responded_at < $6)"#,
        codes::category_number(Category::Detractor),
        codes::kind_number(SurveyKind::Nps),
        programs.as_deref() as Option<&[&str]>,
        segments.as_deref(),
        filter.start,
        filter.end,
        NPS_PASSIVE_MIN,
    )
    .fetch_one(conn)
    .await?;
    Ok(ResurveyCounts {
        pairs: codes::count(row.pairs),
        detractors: codes::count(row.detractors),
        recovered: codes::count(row.recovered),
        score_sum_before: codes::count(row.score_sum_before),
        score_sum_after: codes::count(row.score_sum_after),
    })
}
