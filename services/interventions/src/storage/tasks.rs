//! Rows of tasks.

use chrono::{DateTime, Utc};
use mainstay_storage::{StorageError, exactly_one};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes;
use crate::domain::task::Task;

struct TaskRow {
    account_id: String,
    task_id: Uuid,
    case_id: Uuid,
    title: String,
    owner_email: String,
    resource: i16,
    due_at: DateTime<Utc>,
    state: i16,
    is_overdue: bool,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<TaskRow> for Task {
    type Error = StorageError;

    fn try_from(row: TaskRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.task_id,
            account: codes::account_id(&row.account_id)?,
            case: row.case_id,
            title: row.title,
            owner_email: row.owner_email,
            resource: codes::task_resource(row.resource)?,
            due_at: row.due_at,
            state: codes::task_state(row.state)?,
            is_overdue: row.is_overdue,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

/// `query_as!` for whole tasks, so that the columns stand here once.
macro_rules! select_tasks {
    ($tail:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            TaskRow,
            "SELECT account_id, task_id, case_id, title, owner_email, resource, due_at, state, is_overdue, created_at,
                    ended_at
               FROM interventions.tasks " + $tail
            $(, $argument)*
        )
    };
}

/// The task, if there is one.
pub(crate) async fn lookup(conn: &mut PgConnection, id: Uuid) -> Result<Option<Task>, StorageError> {
    let row = select_tasks!("WHERE task_id = $1", id).fetch_optional(conn).await?;
    row.map(Task::try_from).transpose()
}

/// The open tasks of a case.
pub(crate) async fn open_of_case(conn: &mut PgConnection, case: Uuid) -> Result<Vec<Task>, StorageError> {
    let rows = select_tasks!("WHERE case_id = $1 AND ended_at IS NULL ORDER BY task_id", case).fetch_all(conn).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// Which tasks a list holds; all conditions given must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskFilter {
    pub case: Option<Uuid>,
    pub owner_email: Option<String>,
    pub has_ended_too: bool,
}

/// A page of tasks, what is due first first, after the due time and id given.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &TaskFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Task>, StorageError> {
    let (after_due, after_id) = after.unzip();
    let rows = select_tasks!(
        "WHERE ($1::uuid IS NULL OR case_id = $1)
           AND ($2::text IS NULL OR owner_email = $2)
           AND ($3 OR ended_at IS NULL)
           AND ($4::timestamptz IS NULL OR (due_at, task_id) > ($4, $5::uuid))
         ORDER BY due_at, task_id LIMIT $6",
        filter.case,
        filter.owner_email.as_deref(),
        filter.has_ended_too,
        after_due,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// Stores a new task.
pub(crate) async fn insert(conn: &mut PgConnection, task: &Task) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "INSERT INTO interventions.tasks
             (account_id, task_id, case_id, title, owner_email, due_at, state, is_overdue, created_at, ended_at, resource)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        task.account.as_str(),
        task.id,
        task.case,
        task.title,
        task.owner_email,
        task.due_at,
        codes::task_state_number(task.state),
        task.is_overdue,
        task.created_at,
        task.ended_at,
        codes::task_resource_number(task.resource),
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}

/// Writes what may change of a task.
pub(crate) async fn update(conn: &mut PgConnection, task: &Task) -> Result<(), StorageError> {
    let stored = sqlx::query!(
        "UPDATE interventions.tasks SET owner_email = $3, state = $4, is_overdue = $5, ended_at = $6
          WHERE account_id = $1 AND task_id = $2",
        task.account.as_str(),
        task.id,
        task.owner_email,
        codes::task_state_number(task.state),
        task.is_overdue,
        task.ended_at,
    )
    .execute(conn)
    .await?;
    exactly_one(&stored)
}
