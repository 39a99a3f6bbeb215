//! What all calls have in common.
//!
//! <https://segment.com/docs/connections/spec/common/>

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations};
use serde::Deserialize;
use serde_json::Value;

use crate::Vendor;
use crate::account::{Candidate, Metadata, account};
use crate::mapped::Told;
use crate::read::text_or_number_if_any;
use crate::text::{content_id, filled, id};

/// A call as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) message_id: Option<String>,
    pub(super) timestamp: Option<DateTime<Utc>>,
    pub(super) received_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    pub(super) user_id: Option<String>,
    #[serde(default, deserialize_with = "text_or_number_if_any")]
    pub(super) group_id: Option<String>,
    pub(super) event: Option<String>,
    pub(super) properties: Option<Metadata>,
    pub(super) traits: Option<Metadata>,
    pub(super) context: Option<Metadata>,
}

impl Sent {
    /// The account that the configured key names, else the group.
    pub(super) fn account(&self, key: &str) -> Result<Option<AccountId>, Violations> {
        let context_group = self.context.as_ref().and_then(|context| context.get("groupId"));
        account([
            Candidate::of_metadata("properties", self.properties.as_ref(), key),
            Candidate::of_metadata("traits", self.traits.as_ref(), key),
            Candidate::of_metadata("context", self.context.as_ref(), key),
            Candidate::new("groupId", self.group_id.as_deref()),
            Candidate::of_value("context.groupId", context_group),
        ])
    }
}

/// A call as it is mapped.
pub(super) struct Call {
    pub(super) sent: Sent,
    account: AccountId,
    id: String,
    at: DateTime<Utc>,
}

impl Call {
    /// A call of an account.
    pub(super) fn new(sent: Sent, account: AccountId, payload: &Value, at: DateTime<Utc>) -> Self {
        let id = filled(sent.message_id.as_deref()).map_or_else(|| content_id(payload), str::to_owned);
        Self { sent, account, id, at }
    }

    /// What is told of the account by this call.
    pub(super) fn told(&self) -> Told<'_> {
        Told { account: &self.account, vendor: Vendor::Segment, id: &self.id, at: self.at, rank: 0 }
    }

    /// The user, when it is a known one.
    pub(super) fn user_id(&self) -> Option<String> {
        filled(self.sent.user_id.as_deref()).map(id)
    }

    /// A text of the traits.
    pub(super) fn trait_text(&self, name: &str) -> Option<&str> {
        filled(self.sent.traits.as_ref()?.get(name)?.as_str())
    }
}
