//! Answers and invitations, counted.

use std::collections::HashMap;

use chrono::NaiveDate;
use mainstay_domain::{ProgramId, Segment};
use mainstay_storage::begin;
use sqlx::PgConnection;

use super::{App, SurveysError, get_program};
use crate::domain::quarter::Quarter;
use crate::domain::report::{
    Breakdown, CsatCounts, InvitationCounts, PeriodLength, QuarterCounts, ReportFilter, ReportKey, ResurveyCounts,
};
use crate::domain::statistics::NpsCounts;
use crate::storage::reports;

/// One row for all even when there is nothing to count.
fn or_empty_row<C: Default>(rows: Vec<(ReportKey, C)>, breakdown: Breakdown) -> Vec<(ReportKey, C)> {
    if rows.is_empty() && breakdown.is_none() { vec![Default::default()] } else { rows }
}

async fn check_programs(conn: &mut PgConnection, programs: &[ProgramId]) -> Result<(), SurveysError> {
    for id in programs {
        get_program::get(conn, id).await?;
    }
    Ok(())
}

/// Answers to NPS questions.
pub(crate) async fn nps(
    app: &App,
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<(ReportKey, NpsCounts)>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    check_programs(&mut conn, &filter.programs).await?;
    Ok(or_empty_row(reports::nps(&mut conn, filter, breakdown).await?, breakdown))
}

/// Answers to satisfaction questions.
pub(crate) async fn csat(
    app: &App,
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<(ReportKey, CsatCounts)>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    check_programs(&mut conn, &filter.programs).await?;
    Ok(or_empty_row(reports::csat(&mut conn, filter, breakdown).await?, breakdown))
}

/// Invitations and what became of them.
pub(crate) async fn response_rate(
    app: &App,
    filter: &ReportFilter,
    breakdown: Breakdown,
) -> Result<Vec<(ReportKey, InvitationCounts)>, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    check_programs(&mut conn, &filter.programs).await?;
    let rows = reports::invitations(&mut conn, filter, breakdown, app.core.clock.now()).await?;
    Ok(or_empty_row(rows, breakdown))
}

/// Answers to resurveys, compared with what was answered before.
pub(crate) async fn resurveys(app: &App, filter: &ReportFilter) -> Result<ResurveyCounts, SurveysError> {
    let mut conn = begin(&app.core.pool).await?;
    check_programs(&mut conn, &filter.programs).await?;
    Ok(reports::resurveys(&mut conn, filter).await?)
}

/// Answers to NPS questions in each of the last quarters, the current one included, the oldest first.
pub(crate) async fn nps_trend(
    app: &App,
    programs: Vec<ProgramId>,
    segments: Vec<Segment>,
    quarter_count: u32,
) -> Result<Vec<QuarterCounts>, SurveysError> {
    let current = Quarter::of(app.core.clock.today());
    let oldest = current.minus(quarter_count.saturating_sub(1));
    let filter = ReportFilter { programs, segments, start: Some(oldest.start()), end: Some(current.next().start()) };
    let breakdown = Breakdown { period: Some(PeriodLength::Quarter), ..Breakdown::default() };
    let rows = nps(app, &filter, breakdown).await?;
    let by_first_day: HashMap<Option<NaiveDate>, NpsCounts> =
        rows.into_iter().map(|(key, counts)| (key.period, counts)).collect();
    let quarters = (0..quarter_count).rev().map(|age| current.minus(age));
    Ok(quarters
        .map(|quarter| {
            let counts = by_first_day.get(&Some(quarter.first_day())).copied().unwrap_or_default();
            QuarterCounts { quarter, counts }
        })
        .collect())
}
