//! The queues of due work; `jobs` has the workers.

use mainstay_domain::{AccountId, ProgramId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::invitation::InvitationName;

/// Accounts to look at for a programme that goes by the calendar: the key is [`occasion_key`], the time that of the next
/// occasion.
pub(crate) const OCCASIONS_QUEUE: &str = "occasions";
/// Programmes for which all accounts are to be given their dates: the key is the programme's id, the payload the last
/// account that was.
pub(crate) const ENROLMENTS_QUEUE: &str = "enrolments";
/// Invitations to remind of and to end: the key is the invitation's name.
pub(crate) const FOLLOW_UPS_QUEUE: &str = "follow_ups";
/// Contacts to ask again: the key is the name of their earlier answer, the payload a [`ResurveyOrder`].
pub(crate) const RESURVEYS_QUEUE: &str = "resurveys";

/// The key of an account that is looked at for a programme.
pub(crate) fn occasion_key(program: &ProgramId, account: &AccountId) -> String {
    format!("{program}/{account}")
}

/// What [`occasion_key`] was made of.
pub(crate) fn parse_occasion_key(key: &str) -> Option<(ProgramId, AccountId)> {
    let (program, account) = key.split_once('/')?;
    Some((ProgramId::parse(program).ok()?, AccountId::parse(account).ok()?))
}

/// The key of an invitation.
pub(crate) fn follow_up_key(name: &InvitationName) -> String {
    name.name()
}

/// A contact to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResurveyOrder {
    /// The account's id.
    pub account: String,
    /// The earlier answer.
    pub response: Uuid,
    /// The case that was resolved, for the log.
    pub case: String,
    /// When it was resolved, in microseconds since 1970.
    pub resolved_at_micros: i64,
}
