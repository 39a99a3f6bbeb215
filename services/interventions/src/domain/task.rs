//! Tasks: what one person has to do in a case.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use uuid::Uuid;

/// Most characters of a title.
pub const TITLE_LENGTH_MAX: usize = 200;

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// To be done.
    Open,
    /// Done.
    Done,
    /// Not needed any more.
    Cancelled,
}

/// What kind of help a task takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TaskResource {
    /// What its owner can do alone.
    #[default]
    General,
    /// Technical help.
    Technical,
    /// Training.
    Training,
    /// The product team.
    Product,
}

/// Something that one person has to do in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account: AccountId,
    /// In which case.
    pub case: Uuid,
    /// What to do.
    pub title: String,
    /// Who does it.
    pub owner_email: String,
    /// What kind of help it takes.
    pub resource: TaskResource,
    /// By when.
    pub due_at: DateTime<Utc>,
    /// How far it is.
    pub state: TaskState,
    /// Whether it passed its due time while open.
    pub is_overdue: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}
