//! Rows of programmes, and of how many they asked on a day.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::ProgramId;
use mainstay_storage::{StorageError, exactly_one};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::codes;
use crate::domain::program::{Program, ProgramDefinition, ProgramState};

struct ProgramRow {
    program_id: String,
    display_name: String,
    kind: i16,
    trigger: Value,
    texts: Value,
    segments: Vec<i16>,
    contacts_max: i32,
    daily_cap: Option<i32>,
    reminder_days: Option<i32>,
    expiry_days: i32,
    send_hour: i32,
    state: i16,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
}

impl TryFrom<ProgramRow> for Program {
    type Error = StorageError;

    fn try_from(row: ProgramRow) -> Result<Self, StorageError> {
        let definition = ProgramDefinition {
            display_name: row.display_name,
            kind: codes::kind(row.kind)?,
            trigger: serde_json::from_value(row.trigger).map_err(codes::corrupt)?,
            texts: serde_json::from_value(row.texts).map_err(codes::corrupt)?,
            segments: row.segments.into_iter().map(mainstay_accounts::segment).collect::<Result<_, _>>()?,
            contacts_max: codes::unsigned(row.contacts_max)?,
            daily_cap: row.daily_cap.map(codes::unsigned).transpose()?,
            reminder_days: row.reminder_days.map(codes::unsigned).transpose()?,
            expiry_days: codes::unsigned(row.expiry_days)?,
            send_hour: codes::unsigned(row.send_hour)?,
        };
        Ok(Self {
            id: codes::program_id(&row.program_id)?,
            definition,
            state: codes::program_state(row.state)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            published_at: row.published_at,
        })
    }
}

/// `query_as!` for whole programmes, so that the columns stand here once.
macro_rules! select_programs {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ProgramRow,
            "SELECT program_id, display_name, kind, trigger, texts, segments, contacts_max, daily_cap, reminder_days,
                    expiry_days, send_hour, state, version, created_at, updated_at, published_at
               FROM surveys.programs " + $tail
            $(, $argument)*
        )
    };
}

/// The programme, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: &ProgramId) -> Result<Option<Program>, StorageError> {
    let row = select_programs!("WHERE program_id = $1", id.as_str()).fetch_optional(conn).await?;
    row.map(Program::try_from).transpose()
}

/// The programme, held until the transaction ends, if there is one.
pub(crate) async fn lock(conn: &mut PgConnection, id: &ProgramId) -> Result<Option<Program>, StorageError> {
    let row = select_programs!("WHERE program_id = $1 FOR NO KEY UPDATE", id.as_str()).fetch_optional(conn).await?;
    row.map(Program::try_from).transpose()
}

/// A page of programmes in one of the states, or in any, in the order of their ids, after `after`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    states: &[ProgramState],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Program>, StorageError> {
    let states = codes::any_of(states, codes::program_state_number);
    let rows = select_programs!(
        "WHERE ($1::text IS NULL OR program_id > $1) AND ($2::smallint[] IS NULL OR state = ANY($2))
         ORDER BY program_id LIMIT $3",
        after,
        states.as_deref(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Program::try_from).collect()
}

/// Those that ask, in the order of their ids.
pub(crate) async fn published(conn: &mut PgConnection) -> Result<Vec<Program>, StorageError> {
    let state = codes::program_state_number(ProgramState::Published);
    let rows = select_programs!("WHERE state = $1 ORDER BY program_id", state).fetch_all(conn).await?;
    rows.into_iter().map(Program::try_from).collect()
}

/// Waits for whoever is about to have a programme ask, until the transaction ends: what is read after this of programmes
/// that ask is complete. See [`lock_for_enrolment`].
pub(crate) async fn wait_for_enrolment(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE surveys.programs IN ROW SHARE MODE").execute(conn).await?;
    Ok(())
}

/// Waits for those who are giving dates to accounts for the programmes that ask, and keeps others waiting until the
/// transaction ends. An account that is told of at this moment is then either seen by the walk through all accounts, which
/// begins after the commit, or its teller sees the programme.
pub(crate) async fn lock_for_enrolment(conn: &mut PgConnection) -> Result<(), StorageError> {
    sqlx::query!("LOCK TABLE surveys.programs IN EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// Stores a new programme; false when one of its id is there.
pub(crate) async fn create(conn: &mut PgConnection, program: &Program) -> Result<bool, StorageError> {
    let definition = &program.definition;
    let segments: Vec<i16> = definition.segments.iter().copied().map(mainstay_accounts::segment_number).collect();
    let created = sqlx::query!(
        "INSERT INTO surveys.programs
             (program_id, display_name, kind, trigger, texts, segments, contacts_max, daily_cap, reminder_days,
              expiry_days, send_hour, state, version, created_at, updated_at, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT DO NOTHING",
        program.id.as_str(),
        definition.display_name,
        codes::kind_number(definition.kind),
        json!(definition.trigger),
        json!(definition.texts),
        &segments,
        codes::integer(definition.contacts_max),
        definition.daily_cap.map(codes::integer),
        definition.reminder_days.map(codes::integer),
        codes::integer(definition.expiry_days),
        codes::integer(definition.send_hour),
        codes::program_state_number(program.state),
        program.version,
        program.created_at,
        program.updated_at,
        program.published_at,
    )
    .execute(conn)
    .await?;
    Ok(created.rows_affected() == 1)
}

/// Writes a programme that was locked.
pub(crate) async fn update(conn: &mut PgConnection, program: &Program) -> Result<(), StorageError> {
    let definition = &program.definition;
    let segments: Vec<i16> = definition.segments.iter().copied().map(mainstay_accounts::segment_number).collect();
    let updated = sqlx::query!(
        "UPDATE surveys.programs
            SET display_name = $2, kind = $3, trigger = $4, texts = $5, segments = $6, contacts_max = $7, daily_cap = $8,
                reminder_days = $9, expiry_days = $10, send_hour = $11, state = $12, version = $13, updated_at = $14,
                published_at = $15
          WHERE program_id = $1",
        program.id.as_str(),
        definition.display_name,
        codes::kind_number(definition.kind),
        json!(definition.trigger),
        json!(definition.texts),
        &segments,
        codes::integer(definition.contacts_max),
        definition.daily_cap.map(codes::integer),
        definition.reminder_days.map(codes::integer),
        codes::integer(definition.expiry_days),
        codes::integer(definition.send_hour),
        codes::program_state_number(program.state),
        program.version,
        program.updated_at,
        program.published_at,
    )
    .execute(conn)
    .await?;
    exactly_one(&updated)
}

/// How many the programme asked on a day, as far as it was counted.
pub(crate) async fn asked_on(conn: &mut PgConnection, id: &ProgramId, day: NaiveDate) -> Result<u32, StorageError> {
    let asked = sqlx::query_scalar!(
        "SELECT asked_count FROM surveys.program_days WHERE program_id = $1 AND day = $2",
        id.as_str(),
        day,
    )
    .fetch_optional(conn)
    .await?;
    codes::unsigned(asked.unwrap_or(0))
}

/// How many the programme asked on a day, held until the transaction ends.
pub(crate) async fn lock_asked_on(
    conn: &mut PgConnection,
    id: &ProgramId,
    day: NaiveDate,
) -> Result<u32, StorageError> {
    let asked = sqlx::query_scalar!(
        "INSERT INTO surveys.program_days AS known (program_id, day, asked_count) VALUES ($1, $2, 0)
         ON CONFLICT (program_id, day) DO UPDATE SET asked_count = known.asked_count
         RETURNING asked_count",
        id.as_str(),
        day,
    )
    .fetch_one(conn)
    .await?;
    codes::unsigned(asked)
}

/// Counts those that were asked on a day whose row is held.
pub(crate) async fn count_asked_on(
    conn: &mut PgConnection,
    id: &ProgramId,
    day: NaiveDate,
    more: u32,
) -> Result<(), StorageError> {
    let counted = sqlx::query!(
        "UPDATE surveys.program_days SET asked_count = asked_count + $3 WHERE program_id = $1 AND day = $2",
        id.as_str(),
        day,
        codes::integer(more),
    )
    .execute(conn)
    .await?;
    exactly_one(&counted)
}
