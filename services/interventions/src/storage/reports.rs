//! What reports are made from.

use chrono::{DateTime, Utc};
use mainstay_domain::{Points, Segment};
use mainstay_storage::StorageError;
use sqlx::PgConnection;

use super::codes;
use crate::domain::alert::{AlertKind, Severity};
use crate::domain::case::{CaseKind, Outcome};
use crate::domain::clock::{ClockState, ClockStep};

/// A period, from its start to before its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// A case that ended in a period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedCase {
    pub outcome: Outcome,
    /// When the work with the customer began; none: the case ended before.
    pub intervening_at: Option<DateTime<Utc>>,
    pub closed_at: DateTime<Utc>,
    pub score_at_open: Option<Points>,
    pub score_at_close: Option<Points>,
}

/// The cases of a kind that ended in a period, of accounts of a segment, or of all.
pub(crate) async fn ended_cases(
    conn: &mut PgConnection,
    kind: CaseKind,
    segment: Option<Segment>,
    period: Period,
) -> Result<Vec<EndedCase>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT outcome AS "outcome!", intervening_at, closed_at AS "closed_at!", score_at_open, score_at_close
             FROM interventions.cases AS ended
             JOIN interventions.accounts AS account ON account.account_id = ended.account_id
            WHERE kind = $1 AND closed_at >= $2 AND closed_at < $3 AND ($4::smallint IS NULL OR segment = $4)"#,
        codes::case_kind_number(kind),
        period.start,
        period.end,
        segment.map(mainstay_accounts::segment_number),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(EndedCase {
                outcome: codes::outcome(row.outcome)?,
                intervening_at: row.intervening_at,
                closed_at: row.closed_at,
                score_at_open: row.score_at_open.map(Points::from_units),
                score_at_close: row.score_at_close.map(Points::from_units),
            })
        })
        .collect()
}

/// A clock that was due in a period, and is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedClock {
    pub step: ClockStep,
    pub alert_kind: Option<AlertKind>,
    pub severity: Option<Severity>,
    pub state: ClockState,
    pub started_at: DateTime<Utc>,
    pub met_at: Option<DateTime<Utc>>,
}

/// The clocks of alerts and cases that were due in a period and were met or breached.
pub(crate) async fn ended_clocks(
    conn: &mut PgConnection,
    segment: Option<Segment>,
    period: Period,
) -> Result<Vec<EndedClock>, StorageError> {
    let rows = sqlx::query!(
        r#"SELECT clock.step, alert.kind AS "alert_kind?", alert.severity AS "severity?", clock.state, clock.started_at, clock.met_at
             FROM interventions.clocks AS clock
             JOIN interventions.accounts AS account ON account.account_id = clock.account_id
             LEFT JOIN interventions.alerts AS alert
                    ON alert.account_id = clock.account_id AND alert.alert_id = clock.alert_id
            WHERE clock.due_at >= $1 AND clock.due_at < $2 AND clock.state IN (2, 3)
              AND clock.task_id IS NULL AND clock.step <> 16
              AND ($3::smallint IS NULL OR account.segment = $3)"#,
        period.start,
        period.end,
        segment.map(mainstay_accounts::segment_number),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(EndedClock {
                step: codes::clock_step(row.step)?,
                alert_kind: row.alert_kind.map(codes::alert_kind).transpose()?,
                severity: row.severity.map(codes::severity).transpose()?,
                state: codes::clock_state(row.state)?,
                started_at: row.started_at,
                met_at: row.met_at,
            })
        })
        .collect()
}
