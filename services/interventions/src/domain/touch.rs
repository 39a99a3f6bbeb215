//! Contacts with customers.

use chrono::{DateTime, Utc};
use mainstay_domain::AccountId;
use uuid::Uuid;

/// Most characters of a contact's id.
pub const CONTACT_ID_LENGTH_MAX: usize = 254;

/// How a customer was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TouchChannel {
    /// Phone or video call.
    Call,
    /// Email.
    Email,
    /// A meeting in person.
    Meeting,
    /// A message inside the product.
    InApp,
    /// Chat.
    Chat,
}

impl TouchChannel {
    /// Whether people spoke with each other, which is what a call is for.
    pub const fn is_spoken(self) -> bool {
        matches!(self, Self::Call | Self::Meeting)
    }

    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Email => "email",
            Self::Meeting => "meeting",
            Self::InApp => "in-app message",
            Self::Chat => "chat",
        }
    }
}

/// A contact with a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account: AccountId,
    /// In which case.
    pub case: Option<Uuid>,
    /// How.
    pub channel: TouchChannel,
    /// Whether we began it.
    pub is_outbound: bool,
    /// Whether the other side answered.
    pub is_answered: bool,
    /// The id of the person at the customer; empty when not said.
    pub contact_id: String,
    /// What was said.
    pub summary: String,
    /// What the customer struggles with; empty when not said.
    pub challenges: String,
    /// What the customer needs now and did not before; empty when not said.
    pub changed_needs: String,
    /// When it took place.
    pub touched_at: DateTime<Utc>,
    /// Who recorded it.
    pub actor: String,
}
