//! Invitations and recipients, between messages and the domain.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::{AccountId, ProgramId, Violations, is_email};
use mainstay_service::wire;

use super::program::{kind_message, reason_message};
use crate::domain::eligibility::{RecipientState, Verdict, address_key, verdict};
use crate::domain::invitation::{Invitation, InvitationState, ResponseName};
use crate::domain::list::{InvitationFilter, InvitationStanding};

/// An invitation as messages have it.
pub(crate) fn message(invitation: &Invitation) -> proto::Invitation {
    let (state, reason) = match invitation.state {
        InvitationState::Sent => (proto::InvitationState::Sent, None),
        InvitationState::Answered => (proto::InvitationState::Answered, None),
        InvitationState::Expired => (proto::InvitationState::Expired, None),
        InvitationState::NotAsked(reason) => (proto::InvitationState::NotAsked, Some(reason_message(reason))),
    };
    let account = &invitation.name.account;
    let response_name = |id| ResponseName { account: account.clone(), id }.name();
    proto::Invitation {
        name: invitation.name.name(),
        account: account.name(),
        program: invitation.program.name(),
        kind: kind_message(invitation.kind).into(),
        contact_id: invitation.contact_id.clone(),
        email: invitation.address.clone(),
        occasion: invitation.occasion.clone(),
        state: state.into(),
        reason: reason.map(i32::from).unwrap_or_default(),
        create_time: Some(wire::timestamp(invitation.created_at)),
        reminder_time: invitation.reminded_at.map(wire::timestamp),
        expire_time: invitation.expires_at.map(wire::timestamp),
        response: invitation.response_id.map(response_name).unwrap_or_default(),
        resurvey_of: invitation.resurvey_of.map(response_name).unwrap_or_default(),
    }
}

/// Which invitations a request asks for.
pub(crate) fn filter(found: &mut Violations, message: &proto::ListInvitationsRequest) -> InvitationFilter {
    let filter = InvitationFilter {
        account: account_filter(found, &message.account),
        program: program_filter(found, &message.program),
        standings: wire::enum_values(found, "states", &message.states, "state of an invitation", |number| {
            match proto::InvitationState::try_from(number).ok()? {
                proto::InvitationState::Unspecified => None,
                proto::InvitationState::Sent => Some(InvitationStanding::Sent),
                proto::InvitationState::Answered => Some(InvitationStanding::Answered),
                proto::InvitationState::Expired => Some(InvitationStanding::Expired),
                proto::InvitationState::NotAsked => Some(InvitationStanding::NotAsked),
            }
        }),
        start: wire::time(found, "start_time", message.start_time.as_ref()),
        end: wire::time(found, "end_time", message.end_time.as_ref()),
    };
    if let (Some(start), Some(end)) = (filter.start, filter.end) {
        found.require(start < end, "end_time", "must be after start_time");
    }
    filter
}

/// An account that a filter names; none when it names none.
pub(super) fn account_filter(found: &mut Violations, name: &str) -> Option<AccountId> {
    if name.is_empty() { None } else { found.take("account", AccountId::parse_name(name)) }
}

/// A programme that a filter names; none when it names none.
pub(super) fn program_filter(found: &mut Violations, name: &str) -> Option<ProgramId> {
    if name.is_empty() { None } else { found.take("program", ProgramId::parse_name(name)) }
}

/// The address that a request is about.
pub(crate) fn address(found: &mut Violations, email: &str) -> Option<String> {
    let address = address_key(email);
    let is_address = is_email(&address);
    found.require(is_address, "email", "must be a mail address");
    is_address.then_some(address)
}

/// What is known of a person, as messages have it.
pub(crate) fn recipient_message(address: &str, state: RecipientState, now: DateTime<Utc>) -> proto::Recipient {
    let verdict = verdict(state, now);
    let free_at = match verdict {
        Verdict::Fatigued { free_at } => Some(free_at),
        Verdict::Ask | Verdict::OptedOut => None,
    };
    proto::Recipient {
        email: address.to_owned(),
        opt_out_time: state.opted_out_at.map(wire::timestamp),
        last_ask_time: state.last_asked_at.map(wire::timestamp),
        may_ask: verdict == Verdict::Ask,
        free_time: free_at.map(wire::timestamp),
    }
}
