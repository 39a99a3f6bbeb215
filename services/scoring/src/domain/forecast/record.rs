//! The training of a forecast as it is kept.

use chrono::NaiveDate;
use mainstay_domain::{ModelId, Segment};
use serde_json::Value;
use uuid::Uuid;

/// A training as it was begun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingRecord {
    /// That of its operation.
    pub id: Uuid,
    /// The general health model then.
    pub health_model: ModelId,
    /// The segments whose accounts it scored then.
    pub scored_segments: Vec<Segment>,
    pub draw: Draw,
    /// Those of the days for which it was not kept how measures were spread over groups, where the health model asks for it.
    pub unmade_days: Vec<NaiveDate>,
    /// The caller who has it learnt.
    pub creator: String,
    /// Whether the model is to make forecasts, and not only to be judged.
    pub is_kept: bool,
    /// How measures were spread over groups on the unmade days, once it is there.
    pub group_distributions: Option<Value>,
}

/// Whom a forecast is learnt from, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draw {
    /// The first days of months, rising.
    pub days: Vec<NaiveDate>,
    /// So many of the parts that accounts are put into.
    pub parts: i64,
    pub horizon_days: u32,
}

/// What came of a training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrainingEnd {
    /// The model, a message.
    Complete(Vec<u8>),
    /// Nothing can be learnt, and why.
    TooLittleData(String),
}
