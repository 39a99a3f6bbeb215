//! A backtest as it is kept.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Band, ModelId, Points};
use serde_json::Value;
use uuid::Uuid;

use super::super::model::HealthModel;
use super::super::segment::Segment;
use super::sample::TooFewOutcomes;
use super::span::BacktestSpan;

/// A backtest as it was begun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BacktestRecord {
    /// That of its operation.
    pub id: Uuid,
    /// The model that is tried; it need not be stored.
    pub model: HealthModel,
    /// The model that scored when it began.
    pub base_model: ModelId,
    /// Whose account-days alone are looked at; none: all.
    pub segment: Option<Segment>,
    pub span: BacktestSpan,
    pub created_at: DateTime<Utc>,
    /// Medians of segments, once they are there.
    pub segment_bases: Option<Value>,
}

/// What came of a backtest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BacktestEnd {
    /// Its report, a message.
    Complete(Vec<u8>),
    /// Too few accounts left, or stayed.
    TooFew(TooFewOutcomes),
}

/// How much better a model is than the one that scored, by the areas under the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// Above 0 when the model is better.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

impl Difference {
    /// Whether the model is worse, beyond what chance could have made.
    pub(crate) fn is_worse(&self) -> bool {
        self.high < 0.0
    }
}

/// An account that is in another band on the last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BandChange {
    pub account: AccountId,
    /// By the model that scored; none without a score.
    pub base_band: Option<Band>,
    /// By the model that was tried.
    pub band: Option<Band>,
    pub base_score: Option<Points>,
    pub score: Option<Points>,
}
