//! Which invitations and answers to list.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ProgramId};

use super::response::Category;

/// Where an invitation stands, without the reason not to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationStanding {
    Sent,
    Answered,
    Expired,
    NotAsked,
}

/// Which invitations to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct InvitationFilter {
    pub account: Option<AccountId>,
    pub program: Option<ProgramId>,
    /// Empty: all.
    pub standings: Vec<InvitationStanding>,
    pub start: Option<DateTime<Utc>>,
    pub end: Option<DateTime<Utc>>,
}

/// Which answers to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ResponseFilter {
    pub account: Option<AccountId>,
    pub program: Option<ProgramId>,
    /// Empty: all.
    pub categories: Vec<Category>,
    pub with_comment: bool,
    pub start: Option<DateTime<Utc>>,
    pub end: Option<DateTime<Utc>>,
}
