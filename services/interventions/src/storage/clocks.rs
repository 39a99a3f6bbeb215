//! Rows of clocks.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::clock::{Clock, ClockSubject};

struct ClockRow {
    account_id: String,
    clock_id: Uuid,
    alert_id: Option<Uuid>,
    case_id: Option<Uuid>,
    task_id: Option<Uuid>,
    step: i16,
    started_at: DateTime<Utc>,
    warn_at: Option<DateTime<Utc>>,
    due_at: DateTime<Utc>,
    state: i16,
    warned_at: Option<DateTime<Utc>>,
    met_at: Option<DateTime<Utc>>,
}

impl TryFrom<ClockRow> for (AccountId, Clock) {
    type Error = StorageError;

    fn try_from(row: ClockRow) -> Result<Self, StorageError> {
        let subject = match (row.alert_id, row.case_id, row.task_id) {
            (Some(id), None, None) => ClockSubject::Alert(id),
            (None, Some(id), None) => ClockSubject::Case(id),
            (None, None, Some(id)) => ClockSubject::Task(id),
            _ => return Err(codes::corrupt(format!("clock {} belongs to nothing", row.clock_id))),
        };
        let clock = Clock {
            id: row.clock_id,
            subject,
            step: codes::clock_step(row.step)?,
            started_at: row.started_at,
            warn_at: row.warn_at,
            due_at: row.due_at,
            state: codes::clock_state(row.state)?,
            warned_at: row.warned_at,
            met_at: row.met_at,
        };
        Ok((codes::account_id(&row.account_id)?, clock))
    }
}

/// `query_as!` for whole clocks, so that the columns stand here once.
macro_rules! select_clocks {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ClockRow,
            "SELECT account_id, clock_id, alert_id, case_id, task_id, step, started_at, warn_at, due_at, state,
                    warned_at, met_at
               FROM interventions.clocks " + $tail
            $(, $argument)*
        )
    };
}

fn clocks(rows: Vec<ClockRow>) -> Result<Vec<Clock>, StorageError> {
    rows.into_iter().map(|row| <(AccountId, Clock)>::try_from(row).map(|(_, clock)| clock)).collect()
}

/// The clocks of `ids` that exist, with their accounts.
pub(crate) async fn lookup_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(AccountId, Clock)>, StorageError> {
    let rows = select_clocks!("WHERE clock_id = ANY($1) ORDER BY account_id, due_at, clock_id", ids).fetch_all(conn);
    rows.await?.into_iter().map(<(AccountId, Clock)>::try_from).collect()
}

/// All clocks of something, in the order of their due times.
pub(crate) async fn of_subject(conn: &mut PgConnection, subject: ClockSubject) -> Result<Vec<Clock>, StorageError> {
    let (alerts, cases, tasks) = match subject {
        ClockSubject::Alert(id) => (vec![id], Vec::new(), Vec::new()),
        ClockSubject::Case(id) => (Vec::new(), vec![id], Vec::new()),
        ClockSubject::Task(id) => (Vec::new(), Vec::new(), vec![id]),
    };
    of_all(conn, &alerts, &cases, &tasks).await
}

/// All clocks of these alerts, cases and tasks, in the order of their due times.
pub(crate) async fn of_all(
    conn: &mut PgConnection,
    alerts: &[Uuid],
    cases: &[Uuid],
    tasks: &[Uuid],
) -> Result<Vec<Clock>, StorageError> {
    let rows = select_clocks!(
        "WHERE alert_id = ANY($1) OR case_id = ANY($2) OR task_id = ANY($3) ORDER BY due_at, clock_id",
        alerts,
        cases,
        tasks
    )
    .fetch_all(conn)
    .await?;
    clocks(rows)
}

/// Stores new clocks of an account.
pub(crate) async fn insert(conn: &mut PgConnection, account: &AccountId, clocks: &[Clock]) -> Result<(), StorageError> {
    let of = |pick: fn(ClockSubject) -> Option<Uuid>| -> Vec<Option<Uuid>> {
        clocks.iter().map(|clock| pick(clock.subject)).collect()
    };
    let alerts = of(|subject| if let ClockSubject::Alert(id) = subject { Some(id) } else { None });
    let cases = of(|subject| if let ClockSubject::Case(id) = subject { Some(id) } else { None });
    let tasks = of(|subject| if let ClockSubject::Task(id) = subject { Some(id) } else { None });
    let ids: Vec<Uuid> = clocks.iter().map(|clock| clock.id).collect();
    let steps: Vec<i16> = clocks.iter().map(|clock| codes::clock_step_number(clock.step)).collect();
    let started: Vec<DateTime<Utc>> = clocks.iter().map(|clock| clock.started_at).collect();
    let warns: Vec<Option<DateTime<Utc>>> = clocks.iter().map(|clock| clock.warn_at).collect();
    let dues: Vec<DateTime<Utc>> = clocks.iter().map(|clock| clock.due_at).collect();
    let states: Vec<i16> = clocks.iter().map(|clock| codes::clock_state_number(clock.state)).collect();
    sqlx::query!(
        "INSERT INTO interventions.clocks
             (account_id, clock_id, alert_id, case_id, task_id, step, started_at, warn_at, due_at, state)
         SELECT $1, clock_id, alert_id, case_id, task_id, step, started_at, warn_at, due_at, state
           FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[], $7::timestamptz[],
                       $8::timestamptz[], $9::timestamptz[], $10::smallint[])
                AS new (clock_id, alert_id, case_id, task_id, step, started_at, warn_at, due_at, state)",
        account.as_str(),
        &ids,
        &alerts as &[Option<Uuid>],
        &cases as &[Option<Uuid>],
        &tasks as &[Option<Uuid>],
        &steps,
        &started,
        &warns as &[Option<DateTime<Utc>>],
        &dues,
        &states,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes how clocks of any accounts went.
pub(crate) async fn update(conn: &mut PgConnection, changed: &[Clock]) -> Result<(), StorageError> {
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = changed.iter().map(|clock| clock.id).collect();
    let states: Vec<i16> = changed.iter().map(|clock| codes::clock_state_number(clock.state)).collect();
    let warned: Vec<Option<DateTime<Utc>>> = changed.iter().map(|clock| clock.warned_at).collect();
    let met: Vec<Option<DateTime<Utc>>> = changed.iter().map(|clock| clock.met_at).collect();
    let updated = sqlx::query!(
        "UPDATE interventions.clocks AS stored
            SET state = changed.state, warned_at = changed.warned_at, met_at = changed.met_at
           FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::timestamptz[])
                AS changed (clock_id, state, warned_at, met_at)
          WHERE stored.clock_id = changed.clock_id",
        &ids,
        &states,
        &warned as &[Option<DateTime<Utc>>],
        &met as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == u64::try_from(changed.len()).unwrap_or(u64::MAX) {
        Ok(())
    } else {
        Err(StorageError::NotExactlyOne { rows: updated.rows_affected() })
    }
}

/// Moves the due time of a clock that runs on.
pub(crate) async fn move_on(conn: &mut PgConnection, id: Uuid, due_at: DateTime<Utc>) -> Result<(), StorageError> {
    let moved = sqlx::query!("UPDATE interventions.clocks SET due_at = $2 WHERE clock_id = $1", id, due_at)
        .execute(conn)
        .await?;
    exactly_one(&moved)
}
