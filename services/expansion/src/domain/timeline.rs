//! What happened to an opportunity.

use chrono::{DateTime, Utc};

use super::stage::Stage;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimelineKind {
    /// It was opened.
    Opened,
    /// It came into the next stage.
    Advanced,
    /// An item of the checklist was marked.
    Checklist,
    /// Owner, plan or expected gain changed.
    Updated,
    /// It was handed over to sales.
    HandedOver,
    /// Its stage became overdue.
    Overdue,
    /// It was put on hold.
    Held,
    /// It goes on after a hold.
    Released,
    /// It was put off.
    Postponed,
    /// It goes on after having been put off.
    Resumed,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// 1, 2, 3 and so on.
    pub number: i32,
    /// What happened.
    pub kind: TimelineKind,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// The stages before and after, when it moved.
    pub moved: Option<(Stage, Stage)>,
    /// The particulars, in a sentence.
    pub text: String,
}
