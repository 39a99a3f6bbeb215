//! An account as the copy has it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Band, Contact, LifecycleStage, Money, Owner, OwnerRole, Points, Segment};

/// An account as scoring told it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id, the caller's own.
    pub id: AccountId,
    /// What people call it; the id while nothing else is known.
    pub display_name: String,
    /// Size class.
    pub segment: Segment,
    /// The plan it is on; empty when not known.
    pub plan: String,
    /// Where it stands in its life as a customer.
    pub lifecycle_stage: LifecycleStage,
    /// Annual recurring revenue.
    pub arr: Option<Money>,
    /// When the contract is due for renewal.
    pub renewal_at: Option<DateTime<Utc>>,
    /// When the customer signed up.
    pub signed_up_at: Option<DateTime<Utc>>,
    /// When the customer first got value from the product.
    pub activated_at: Option<DateTime<Utc>>,
    /// Seats paid for.
    pub seats: Option<i64>,
    /// Limit of the plan by metric.
    pub plan_limits: BTreeMap<String, f64>,
    /// Who looks after the account on our side.
    pub owners: Vec<Owner>,
    /// People at the customer.
    pub contacts: Vec<Contact>,
    /// Since when it is archived.
    pub archived_at: Option<DateTime<Utc>>,
    /// How healthy it is.
    pub health: AccountHealth,
}

/// How healthy an account is, as scoring told it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountHealth {
    /// The score; none when nothing is known of it.
    pub score: Option<Points>,
    /// Its band.
    pub band: Option<Band>,
    /// When scoring computed it.
    pub scored_at: Option<DateTime<Utc>>,
}

impl Account {
    /// An account of which nothing but the id is known.
    pub fn unknown(id: AccountId) -> Self {
        Self {
            display_name: id.as_str().to_owned(),
            id,
            segment: Segment::Unknown,
            plan: String::new(),
            lifecycle_stage: LifecycleStage::Unknown,
            arr: None,
            renewal_at: None,
            signed_up_at: None,
            activated_at: None,
            seats: None,
            plan_limits: BTreeMap::new(),
            owners: Vec::new(),
            contacts: Vec::new(),
            archived_at: None,
            health: AccountHealth::default(),
        }
    }

    /// Who looks after the account in this role.
    pub fn owner(&self, role: OwnerRole) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.role == role)
    }

    /// Whether it is a customer: neither churned nor archived.
    pub fn is_customer(&self) -> bool {
        self.lifecycle_stage != LifecycleStage::Churned && self.archived_at.is_none()
    }
}
