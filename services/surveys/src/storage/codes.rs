//! Numbers in the database for the domain's words. They never change their meaning.

use std::fmt::Display;

use mainstay_domain::{AccountId, ProgramId};
use mainstay_storage::StorageError;

use crate::domain::invitation::{InvitationState, NotAskedReason};
use crate::domain::program::{ProgramState, SurveyKind};
use crate::domain::response::Category;

/// Our own data does not parse: a fault of ours, not of the caller.
pub(crate) fn corrupt(error: impl Display) -> StorageError {
    StorageError::Corrupt(error.to_string())
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, StorageError> {
    AccountId::parse(text).map_err(corrupt)
}

pub(crate) fn program_id(text: &str) -> Result<ProgramId, StorageError> {
    ProgramId::parse(text).map_err(corrupt)
}

/// The numbers of those values that a filter lets through; none when it lets through all.
pub(crate) fn any_of<T: Copy>(values: &[T], number: impl Fn(T) -> i16) -> Option<Vec<i16>> {
    (!values.is_empty()).then(|| values.iter().map(|&value| number(value)).collect())
}

/// A small number of ours, which every column can hold.
pub(crate) fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A column that holds no negative number.
pub(crate) fn unsigned(number: i32) -> Result<u32, StorageError> {
    u32::try_from(number).map_err(corrupt)
}

/// A count of rows.
pub(crate) fn count(number: i64) -> u64 {
    number.unsigned_abs()
}

pub(crate) const fn kind_number(kind: SurveyKind) -> i16 {
    match kind {
        SurveyKind::Nps => 1,
        SurveyKind::Csat => 2,
    }
}

pub(crate) fn kind(number: i16) -> Result<SurveyKind, StorageError> {
    match number {
        1 => Ok(SurveyKind::Nps),
        2 => Ok(SurveyKind::Csat),
        _ => Err(corrupt(format!("survey kind {number}"))),
    }
}

pub(crate) const fn program_state_number(state: ProgramState) -> i16 {
    match state {
        ProgramState::Draft => 1,
        ProgramState::Published => 2,
        ProgramState::Paused => 3,
        ProgramState::Archived => 4,
    }
}

pub(crate) fn program_state(number: i16) -> Result<ProgramState, StorageError> {
    match number {
        1 => Ok(ProgramState::Draft),
        2 => Ok(ProgramState::Published),
        3 => Ok(ProgramState::Paused),
        4 => Ok(ProgramState::Archived),
        _ => Err(corrupt(format!("programme state {number}"))),
    }
}

/// An invitation that can be answered, for queries that ask for those.
pub(crate) const SENT: i16 = 1;
/// An invitation that was answered.
pub(crate) const ANSWERED: i16 = 2;
/// An invitation whose link has ended.
pub(crate) const EXPIRED: i16 = 3;
/// A decision not to ask.
pub(crate) const NOT_ASKED: i16 = 4;

/// The numbers of an invitation's state and of the reason with it.
pub(crate) const fn invitation_state_numbers(state: InvitationState) -> (i16, Option<i16>) {
    match state {
        InvitationState::Sent => (SENT, None),
        InvitationState::Answered => (ANSWERED, None),
        InvitationState::Expired => (EXPIRED, None),
        InvitationState::NotAsked(reason) => (NOT_ASKED, Some(reason_number(reason))),
    }
}

pub(crate) fn invitation_state(state: i16, reason: Option<i16>) -> Result<InvitationState, StorageError> {
    match (state, reason) {
        (SENT, None) => Ok(InvitationState::Sent),
        (ANSWERED, None) => Ok(InvitationState::Answered),
        (EXPIRED, None) => Ok(InvitationState::Expired),
        (NOT_ASKED, Some(number)) => Ok(InvitationState::NotAsked(not_asked_reason(number)?)),
        _ => Err(corrupt(format!("invitation state {state} with reason {reason:?}"))),
    }
}

const fn reason_number(reason: NotAskedReason) -> i16 {
    match reason {
        NotAskedReason::Fatigue => 1,
        NotAskedReason::OptOut => 2,
        NotAskedReason::Cap => 3,
        NotAskedReason::NoAddress => 4,
        NotAskedReason::AccountArchived => 5,
        NotAskedReason::AccountChurned => 6,
        NotAskedReason::NotEligible => 7,
        NotAskedReason::ProgramNotPublished => 8,
        NotAskedReason::NotDue => 9,
        NotAskedReason::AlreadyDecided => 10,
    }
}

fn not_asked_reason(number: i16) -> Result<NotAskedReason, StorageError> {
    match number {
        1 => Ok(NotAskedReason::Fatigue),
        2 => Ok(NotAskedReason::OptOut),
        3 => Ok(NotAskedReason::Cap),
        4 => Ok(NotAskedReason::NoAddress),
        5 => Ok(NotAskedReason::AccountArchived),
        6 => Ok(NotAskedReason::AccountChurned),
        7 => Ok(NotAskedReason::NotEligible),
        8 => Ok(NotAskedReason::ProgramNotPublished),
        9 => Ok(NotAskedReason::NotDue),
        10 => Ok(NotAskedReason::AlreadyDecided),
        _ => Err(corrupt(format!("reason {number} not to ask"))),
    }
}

pub(crate) const fn category_number(category: Category) -> i16 {
    match category {
        Category::Promoter => 1,
        Category::Passive => 2,
        Category::Detractor => 3,
        Category::Satisfied => 4,
        Category::Neutral => 5,
        Category::Dissatisfied => 6,
    }
}

pub(crate) fn category(number: i16) -> Result<Category, StorageError> {
    Category::ALL
        .into_iter()
        .find(|category| category_number(*category) == number)
        .ok_or_else(|| corrupt(format!("category {number}")))
}
