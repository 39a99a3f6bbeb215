//! Who a customer is, as every service says it: size class, place in its life, people on both sides.

use serde::{Deserialize, Serialize};

/// Size class of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Segment {
    /// Not known; such accounts form a segment of their own.
    #[default]
    Unknown,
    /// Enterprise.
    Enterprise,
    /// Mid-market.
    MidMarket,
    /// Small and medium business.
    Smb,
}

impl Segment {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Enterprise, Self::MidMarket, Self::Smb];
}

/// Where an account stands in its life as a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LifecycleStage {
    /// Not known.
    #[default]
    Unknown,
    /// Trying the product, not paying yet.
    Trial,
    /// Paying, on the way to first value.
    Onboarding,
    /// In regular use.
    Active,
    /// In the renewal window.
    Renewing,
    /// Left.
    Churned,
}

/// What a person on our side is to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerRole {
    /// Customer success manager.
    Csm,
    /// Account manager, in sales.
    AccountManager,
    /// Director of customer success.
    CsmDirector,
    /// Contact in finance.
    FinanceContact,
    /// Executive sponsor.
    ExecutiveSponsor,
}

/// A person on our side who looks after an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// What the person is to the account.
    pub role: OwnerRole,
    /// Address by which the person is known everywhere.
    pub email: String,
    /// The person's name; may be empty.
    pub display_name: String,
}

/// A person at the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The caller's id of the person.
    pub id: String,
    /// The person's name; may be empty.
    pub display_name: String,
    /// Mail address; empty when the person cannot be written to.
    pub email: String,
    /// Title or role at the customer; may be empty.
    pub title: String,
    /// Whether the person carries the product inside the customer.
    pub champion: bool,
    /// BCP 47 language; may be empty.
    pub language_code: String,
}
