//! An invitation, or the decision not to ask.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, ProgramId};
use uuid::Uuid;

use super::program::SurveyKind;

/// Why somebody is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NotAskedReason {
    Fatigue,
    OptOut,
    Cap,
    NoAddress,
    AccountArchived,
    AccountChurned,
    NotEligible,
    ProgramNotPublished,
    /// In previews only.
    NotDue,
    /// In previews only.
    AlreadyDecided,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum InvitationState {
    Sent,
    Answered,
    Expired,
    NotAsked(NotAskedReason),
}

impl InvitationState {
    /// Its word, for errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Answered => "ANSWERED",
            Self::Expired => "EXPIRED",
            Self::NotAsked(_) => "NOT_ASKED",
        }
    }
}

/// Which invitation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct InvitationName {
    pub account: AccountId,
    pub id: Uuid,
}

/// Which answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ResponseName {
    pub account: AccountId,
    pub id: Uuid,
}

macro_rules! name_below_account {
    ($name:ident, $collection:literal, $rule:literal) => {
        impl $name {
            /// Reads the resource name.
            pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
                let mut parts = text.split('/');
                let mut next = || parts.next().unwrap_or_default();
                let (accounts, account, collection, id) = (next(), next(), next(), next());
                let account = AccountId::parse(account).ok().filter(|_| accounts == AccountId::COLLECTION);
                let id = Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id);
                match (account, id) {
                    (Some(account), Some(id)) if collection == $collection && parts.next().is_none() => {
                        Ok(Self { account, id })
                    }
                    _ => Err($rule),
                }
            }

            /// The resource name.
            pub(crate) fn name(&self) -> String {
                format!("{}/{}/{}", self.account.name(), $collection, self.id)
            }
        }
    };
}

name_below_account!(InvitationName, "invitations", "must be `accounts/{account}/invitations/{UUID}`");
name_below_account!(ResponseName, "responses", "must be `accounts/{account}/responses/{UUID}`");

/// An invitation, or the decision not to ask, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub name: InvitationName,
    pub program: ProgramId,
    pub kind: SurveyKind,
    /// Empty for a decision on the account as a whole.
    pub contact_id: String,
    /// The address as people are told apart by it; empty when there was none.
    pub address: String,
    pub occasion: String,
    pub state: InvitationState,
    pub created_at: DateTime<Utc>,
    pub reminded_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub response_id: Option<Uuid>,
    /// The earlier answer that this one is to be compared with.
    pub resurvey_of: Option<Uuid>,
}

impl Invitation {
    /// Whether it can be answered at a time.
    pub(crate) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.state == InvitationState::Sent && self.expires_at.is_some_and(|expires_at| now < expires_at)
    }

    /// The same with the state that time has brought about, whether or not the row says so yet.
    #[must_use]
    pub(crate) fn seen_at(mut self, now: DateTime<Utc>) -> Self {
        if self.state == InvitationState::Sent && !self.is_open(now) {
            self.state = InvitationState::Expired;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let name = InvitationName { account: AccountId::parse("Acme.1").expect("an id"), id: Uuid::from_u128(7) };
        assert_eq!(name.name(), "accounts/Acme.1/invitations/00000000-0000-0000-0000-000000000007");
        assert_eq!(InvitationName::parse(&name.name()), Ok(name));
        for bad in [
            "",
            "accounts/a",
            "accounts/a/invitations/",
            "accounts/a/invitations/x",
            "accounts/a/responses/00000000-0000-0000-0000-000000000007",
            "accounts/a/invitations/00000000-0000-0000-0000-000000000007/x",
            "accounts/a/invitations/00000000000000000000000000000007",
            "accounts//invitations/00000000-0000-0000-0000-000000000007",
            "programs/a/invitations/00000000-0000-0000-0000-000000000007",
        ] {
            assert!(InvitationName::parse(bad).is_err(), "{bad}");
        }
    }
}
