//! Numbers in the database for the domain's words. They never change their meaning.

use std::fmt::{Display, Write as _};

use mainstay_domain::{AccountId, Band, Currency, ModelId, Money};
use mainstay_storage::StorageError;

use crate::domain::account::LifecycleStage;
use crate::domain::{AccountGroup, Segment, SeriesKind};

/// Our own data does not parse: a fault of ours, not of the caller.
pub(crate) fn corrupt(error: impl Display) -> StorageError {
    StorageError::Corrupt(error.to_string())
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, StorageError> {
    AccountId::parse(text).map_err(corrupt)
}

pub(crate) fn model_id(text: &str) -> Result<ModelId, StorageError> {
    ModelId::parse(text).map_err(corrupt)
}

/// An amount; none where it is not known.
pub(crate) fn money(currency: Option<&str>, minor_units: Option<i64>) -> Result<Option<Money>, StorageError> {
    let currency = currency.map(Currency::parse).transpose().map_err(corrupt)?;
    Ok(currency.zip(minor_units).map(|(currency, minor_units)| Money { currency, minor_units }))
}

/// The numbers of those values that a filter lets through; none when it lets through all.
pub(crate) fn any_of<T: Copy>(values: &[T], number: impl Fn(T) -> i16) -> Option<Vec<i16>> {
    (!values.is_empty()).then(|| values.iter().map(|&value| number(value)).collect())
}

pub(crate) const fn segment_number(segment: Segment) -> i16 {
    match segment {
        Segment::Unknown => 0,
        Segment::Enterprise => 1,
        Segment::MidMarket => 2,
        Segment::Smb => 3,
    }
}

pub(crate) fn segment(number: i16) -> Result<Segment, StorageError> {
    match number {
        0 => Ok(Segment::Unknown),
        1 => Ok(Segment::Enterprise),
        2 => Ok(Segment::MidMarket),
        3 => Ok(Segment::Smb),
        _ => Err(corrupt(format!("segment {number}"))),
    }
}

/// How a group is kept: the number of its kind, and its name.
pub(crate) fn account_group_columns(group: &AccountGroup) -> (i16, String) {
    match group {
        AccountGroup::Segment(segment) => (1, segment_number(*segment).to_string()),
        AccountGroup::Industry(name) => (2, name.clone()),
        AccountGroup::Plan(name) => (3, name.clone()),
    }
}

pub(crate) fn account_group(kind: i16, name: String) -> Result<AccountGroup, StorageError> {
    match kind {
        1 => Ok(AccountGroup::Segment(segment(name.parse().map_err(corrupt)?)?)),
        2 => Ok(AccountGroup::Industry(name)),
        3 => Ok(AccountGroup::Plan(name)),
        _ => Err(corrupt(format!("account group {kind}"))),
    }
}

/// An array in PostgreSQL's text form, because arrays of arrays cannot be handed to `unnest`.
pub(crate) fn array_literal<I, T: Display>(items: &[I], column: impl Fn(&I) -> Option<T>) -> String {
    let mut literal = String::from("{");
    for (place, item) in items.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let _ = match column(item) {
            Some(value) => write!(literal, "{separator}{value}"),
            None => write!(literal, "{separator}NULL"),
        };
    }
    literal.push('}');
    literal
}

pub(crate) const fn lifecycle_stage_number(stage: LifecycleStage) -> i16 {
    match stage {
        LifecycleStage::Unknown => 0,
        LifecycleStage::Trial => 1,
        LifecycleStage::Onboarding => 2,
        LifecycleStage::Active => 3,
        LifecycleStage::Renewing => 4,
        LifecycleStage::Churned => 5,
    }
}

pub(crate) fn lifecycle_stage(number: i16) -> Result<LifecycleStage, StorageError> {
    match number {
        0 => Ok(LifecycleStage::Unknown),
        1 => Ok(LifecycleStage::Trial),
        2 => Ok(LifecycleStage::Onboarding),
        3 => Ok(LifecycleStage::Active),
        4 => Ok(LifecycleStage::Renewing),
        5 => Ok(LifecycleStage::Churned),
        _ => Err(corrupt(format!("lifecycle stage {number}"))),
    }
}

pub(crate) const fn band_number(band: Band) -> i16 {
    match band {
        Band::Critical => 1,
        Band::AtRisk => 2,
        Band::Stable => 3,
        Band::Healthy => 4,
    }
}

pub(crate) fn band(number: i16) -> Result<Band, StorageError> {
    match number {
        1 => Ok(Band::Critical),
        2 => Ok(Band::AtRisk),
        3 => Ok(Band::Stable),
        4 => Ok(Band::Healthy),
        _ => Err(corrupt(format!("band {number}"))),
    }
}

/// Of the signals that a series is made of.
pub(crate) const fn series_kind_number(kind: SeriesKind) -> i16 {
    match kind {
        SeriesKind::Usage => 1,
        SeriesKind::Gauge => 2,
        SeriesKind::User => 3,
        SeriesKind::Feature => 4,
        SeriesKind::Story => 5,
    }
}

pub(crate) fn series_kind(number: i16) -> Result<SeriesKind, StorageError> {
    match number {
        1 => Ok(SeriesKind::Usage),
        2 => Ok(SeriesKind::Gauge),
        3 => Ok(SeriesKind::User),
        4 => Ok(SeriesKind::Feature),
        5 => Ok(SeriesKind::Story),
        _ => Err(corrupt(format!("series kind {number}"))),
    }
}
