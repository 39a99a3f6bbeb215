//! Accounts and health as scoring's events have them.

use std::fmt;

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::common::v1 as common;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::{AccountId, Band, Contact, Currency, LifecycleStage, Money, Owner, OwnerRole, Points, Segment};

use crate::account::{Account, AccountHealth};

/// A message of scoring that cannot be read; names the field at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedAccount(pub &'static str);

impl fmt::Display for MalformedAccount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the field `{}` of scoring's message cannot be read", self.0)
    }
}

impl std::error::Error for MalformedAccount {}

/// The facts of an account's message; health is not among them.
pub(crate) fn account(message: scoring::Account) -> Result<Account, MalformedAccount> {
    Ok(Account {
        id: AccountId::parse_name(&message.name).map_err(|_| MalformedAccount("name"))?,
        segment: segment_of_message(message.segment()),
        lifecycle_stage: stage(message.lifecycle_stage()),
        display_name: message.display_name,
        plan: message.plan,
        arr: message.arr.as_ref().map(money).transpose()?,
        renewal_at: time(message.renewal_time, "renewal_time")?,
        signed_up_at: time(message.sign_up_time, "sign_up_time")?,
        activated_at: time(message.activation_time, "activation_time")?,
        seats: message.seats,
        plan_limits: message.plan_limits,
        owners: message.owners.into_iter().filter_map(owner).collect(),
        contacts: message.contacts.into_iter().map(contact).collect(),
        archived_at: time(message.archive_time, "archive_time")?,
        health: AccountHealth::default(),
    })
}

/// The account and its health, of a change's message.
pub(crate) fn health(message: &scoring::HealthChange) -> Result<(AccountId, AccountHealth), MalformedAccount> {
    let id = AccountId::parse_name(&message.account).map_err(|_| MalformedAccount("account"))?;
    if message.score.is_some_and(|score| !(0.0..=100.0).contains(&score)) {
        return Err(MalformedAccount("score"));
    }
    let health = AccountHealth {
        score: message.score.map(Points::nearest),
        band: band_of_message(message.band()),
        scored_at: time(message.change_time, "change_time")?,
    };
    Ok((id, health))
}

/// A segment of a message.
pub fn segment_of_message(segment: scoring::Segment) -> Segment {
    match segment {
        scoring::Segment::Unspecified => Segment::Unknown,
        scoring::Segment::Enterprise => Segment::Enterprise,
        scoring::Segment::MidMarket => Segment::MidMarket,
        scoring::Segment::Smb => Segment::Smb,
    }
}

/// A segment as messages have it.
pub fn segment_message(segment: Segment) -> scoring::Segment {
    match segment {
        Segment::Unknown => scoring::Segment::Unspecified,
        Segment::Enterprise => scoring::Segment::Enterprise,
        Segment::MidMarket => scoring::Segment::MidMarket,
        Segment::Smb => scoring::Segment::Smb,
    }
}

/// A band of a message; none without a score.
pub fn band_of_message(band: scoring::Band) -> Option<Band> {
    match band {
        scoring::Band::Unspecified => None,
        scoring::Band::Critical => Some(Band::Critical),
        scoring::Band::AtRisk => Some(Band::AtRisk),
        scoring::Band::Stable => Some(Band::Stable),
        scoring::Band::Healthy => Some(Band::Healthy),
    }
}

fn stage(stage: scoring::LifecycleStage) -> LifecycleStage {
    match stage {
        scoring::LifecycleStage::Unspecified => LifecycleStage::Unknown,
        scoring::LifecycleStage::Trial => LifecycleStage::Trial,
        scoring::LifecycleStage::Onboarding => LifecycleStage::Onboarding,
        scoring::LifecycleStage::Active => LifecycleStage::Active,
        scoring::LifecycleStage::Renewing => LifecycleStage::Renewing,
        scoring::LifecycleStage::Churned => LifecycleStage::Churned,
    }
}

/// A role of a newer version is passed over: nobody here asks for it.
fn owner(message: scoring::Owner) -> Option<Owner> {
    let role = match message.role() {
        scoring::OwnerRole::Unspecified => return None,
        scoring::OwnerRole::Csm => OwnerRole::Csm,
        scoring::OwnerRole::AccountManager => OwnerRole::AccountManager,
        scoring::OwnerRole::CsmDirector => OwnerRole::CsmDirector,
        scoring::OwnerRole::FinanceContact => OwnerRole::FinanceContact,
        scoring::OwnerRole::ExecutiveSponsor => OwnerRole::ExecutiveSponsor,
    };
    Some(Owner { role, email: message.email, display_name: message.display_name })
}

fn contact(message: scoring::Contact) -> Contact {
    let scoring::Contact { id, display_name, email, title, champion, language_code } = message;
    Contact { id, display_name, email, title, champion, language_code }
}

fn money(message: &common::Money) -> Result<Money, MalformedAccount> {
    let currency = Currency::parse(&message.currency_code).map_err(|_| MalformedAccount("arr"))?;
    Ok(Money { currency, minor_units: message.minor_units })
}

fn time(
    message: Option<prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<DateTime<Utc>>, MalformedAccount> {
    let Some(message) = message else { return Ok(None) };
    let nanos = u32::try_from(message.nanos).map_err(|_| MalformedAccount(field))?;
    DateTime::from_timestamp(message.seconds, nanos).map(Some).ok_or(MalformedAccount(field))
}
