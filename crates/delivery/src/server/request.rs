//! Requests as this crate means them.

use mainstay_api::mainstay::delivery::v1 as api;
use mainstay_domain::{AccountId, Violations};
use mainstay_rpc::{ApiError, caller};
use mainstay_storage::{RequestKey, fingerprint};
use prost::Message;
use sqlx::PgConnection;
use tonic::Request;
use uuid::Uuid;

use super::convert::{DESTINATIONS, MESSAGES};
use crate::message::is_purpose;
use crate::{Channel, Destination, MessageFilter, MessageState};

const REQUEST_ID_LENGTH_MAX: usize = 128;

/// How a mutation was asked for.
pub(super) struct Mutation {
    /// Who asks and by which request id; none when the caller gave no id.
    pub(super) key: Option<RequestKey>,
    /// Hash of the request's content.
    pub(super) fingerprint: [u8; 32],
}

/// What a mutation does: `async |connection| { … }`. Says of the future that it may move between threads, for which
/// `AsyncFn` has no words.
pub(super) trait Work<'c, T>: Fn(&'c mut PgConnection) -> Self::Running + Sync {
    type Running: Future<Output = Result<T, ApiError>> + Send;
}

impl<'c, T, F, R> Work<'c, T> for F
where
    F: Fn(&'c mut PgConnection) -> R + Sync,
    R: Future<Output = Result<T, ApiError>> + Send,
{
    type Running = R;
}

pub(super) fn mutation<M: Message>(
    request: &Request<M>,
    method: &'static str,
    request_id: &str,
) -> Result<Mutation, ApiError> {
    let mut found = Violations::new();
    let is_sound = request_id.chars().count() <= REQUEST_ID_LENGTH_MAX && !request_id.contains('\0');
    found.require(is_sound, "request_id", format!("must be at most {REQUEST_ID_LENGTH_MAX} characters"));
    found.into_result(()).map_err(ApiError::invalid)?;
    let key = (!request_id.is_empty()).then(|| RequestKey {
        caller: caller(request).identity,
        method,
        request_id: request_id.to_owned(),
    });
    Ok(Mutation { key, fingerprint: fingerprint(&[&request.get_ref().encode_to_vec()]) })
}

pub(super) fn message_id(name: &str) -> Result<Uuid, ApiError> {
    let id = name.strip_prefix(MESSAGES).and_then(|id| Uuid::parse_str(id).ok());
    id.ok_or_else(|| invalid("name", "must be `messages/{message}` with a UUID"))
}

pub(super) fn destination(name: &str) -> Result<Destination, ApiError> {
    parse_destination(name).ok_or_else(|| invalid("name", DESTINATION_FORM))
}

pub(super) fn filter(message: &api::ListMessagesRequest) -> Result<MessageFilter, ApiError> {
    let mut found = Violations::new();
    let state = match api::MessageState::try_from(message.state) {
        Ok(api::MessageState::Unspecified) => None,
        Ok(api::MessageState::Pending) => Some(MessageState::Pending),
        Ok(api::MessageState::Sent) => Some(MessageState::Sent),
        Ok(api::MessageState::Dead) => Some(MessageState::Dead),
        Err(_) => {
            found.add("state", "is not a state of a message");
            None
        }
    };
    let channel = match api::Channel::try_from(message.channel) {
        Ok(api::Channel::Unspecified) => None,
        Ok(api::Channel::Email) => Some(Channel::Email),
        Ok(api::Channel::Slack) => Some(Channel::Slack),
        Ok(api::Channel::Webhook) => Some(Channel::Webhook),
        Err(_) => {
            found.add("channel", "is not a channel");
            None
        }
    };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let purpose = given(&message.purpose);
    found.require(
        purpose.as_deref().is_none_or(is_purpose),
        "purpose",
        "must be lower case letters, digits and `_`, at most 60, a letter first",
    );
    let account = given(&message.account).and_then(|name| found.take("account", AccountId::parse_name(&name)));
    let destination = given(&message.destination).and_then(|name| {
        let destination = parse_destination(&name);
        found.require(destination.is_some(), "destination", DESTINATION_FORM);
        destination
    });
    found.into_result(MessageFilter { state, channel, purpose, account, destination }).map_err(ApiError::invalid)
}

const DESTINATION_FORM: &str =
    "must be `destinations/email`, `destinations/slack/{name}` or `destinations/webhook/{name}`";

fn parse_destination(name: &str) -> Option<Destination> {
    name.strip_prefix(DESTINATIONS).and_then(Destination::parse)
}

fn invalid(field: &str, description: &str) -> ApiError {
    let mut found = Violations::new();
    found.add(field, description);
    ApiError::invalid(found)
}
