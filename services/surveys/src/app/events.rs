//! The events that use cases tell: the one place here that knows their messages.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::AccountId;
use mainstay_events::NewEvent;

use super::App;
use crate::convert;
use crate::domain::invitation::{Invitation, InvitationState};
use crate::domain::response::Response;

/// A contact was asked, or it was decided not to.
pub(super) fn decided(app: &App, invitation: &Invitation, now: DateTime<Utc>) -> NewEvent {
    let (id, account) = (app.core.ids.new_id(), Some(&invitation.name.account));
    let message = Some(convert::invitation::message(invitation));
    match invitation.state {
        InvitationState::NotAsked(_) => {
            NewEvent::of(id, account, &proto::InvitationDeclined { invitation: message }, now)
        }
        _ => NewEvent::of(id, account, &proto::InvitationSent { invitation: message }, now),
    }
}

/// A customer answered.
pub(super) fn response_received(app: &App, response: &Response, now: DateTime<Utc>) -> NewEvent {
    let payload = proto::ResponseReceived { response: Some(convert::response::message(response)) };
    NewEvent::of(app.core.ids.new_id(), Some(&response.name.account), &payload, now)
}

/// A contact does not want to be asked any more; without an account when it was noted by a caller.
pub(super) fn unsubscribed(
    app: &App,
    contact: Option<(&AccountId, &str)>,
    address: &str,
    now: DateTime<Utc>,
) -> NewEvent {
    let payload = proto::ContactUnsubscribed {
        account: contact.map(|(account, _)| account.name()).unwrap_or_default(),
        contact_id: contact.map(|(_, contact_id)| contact_id.to_owned()).unwrap_or_default(),
        email: address.to_owned(),
    };
    NewEvent::of(app.core.ids.new_id(), contact.map(|(account, _)| account), &payload, now)
}
