//! Numbers in the database for words that all services share. They never change their meaning.

use mainstay_domain::{Band, LifecycleStage, Segment};
use mainstay_storage::StorageError;

/// The number of a segment.
pub const fn segment_number(segment: Segment) -> i16 {
    match segment {
        Segment::Unknown => 0,
        Segment::Enterprise => 1,
        Segment::MidMarket => 2,
        Segment::Smb => 3,
    }
}

/// The segment of a number.
///
/// # Errors
/// [`StorageError::Corrupt`] for a number that none has.
pub fn segment(number: i16) -> Result<Segment, StorageError> {
    match number {
        0 => Ok(Segment::Unknown),
        1 => Ok(Segment::Enterprise),
        2 => Ok(Segment::MidMarket),
        3 => Ok(Segment::Smb),
        _ => Err(StorageError::Corrupt(format!("segment {number}"))),
    }
}

/// The number of a lifecycle stage.
pub const fn lifecycle_stage_number(stage: LifecycleStage) -> i16 {
    match stage {
        LifecycleStage::Unknown => 0,
        LifecycleStage::Trial => 1,
        LifecycleStage::Onboarding => 2,
        LifecycleStage::Active => 3,
        LifecycleStage::Renewing => 4,
        LifecycleStage::Churned => 5,
    }
}

/// The lifecycle stage of a number.
///
/// # Errors
/// [`StorageError::Corrupt`] for a number that none has.
pub fn lifecycle_stage(number: i16) -> Result<LifecycleStage, StorageError> {
    match number {
        0 => Ok(LifecycleStage::Unknown),
        1 => Ok(LifecycleStage::Trial),
        2 => Ok(LifecycleStage::Onboarding),
        3 => Ok(LifecycleStage::Active),
        4 => Ok(LifecycleStage::Renewing),
        5 => Ok(LifecycleStage::Churned),
        _ => Err(StorageError::Corrupt(format!("lifecycle stage {number}"))),
    }
}

/// The number of a band.
pub const fn band_number(band: Band) -> i16 {
    match band {
        Band::Critical => 1,
        Band::AtRisk => 2,
        Band::Stable => 3,
        Band::Healthy => 4,
    }
}

/// The band of a number.
///
/// # Errors
/// [`StorageError::Corrupt`] for a number that none has.
pub fn band(number: i16) -> Result<Band, StorageError> {
    match number {
        1 => Ok(Band::Critical),
        2 => Ok(Band::AtRisk),
        3 => Ok(Band::Stable),
        4 => Ok(Band::Healthy),
        _ => Err(StorageError::Corrupt(format!("band {number}"))),
    }
}
