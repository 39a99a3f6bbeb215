//! A backtest as it is kept.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Band, ModelId, Points, Segment};
use serde_json::Value;
use uuid::Uuid;

use super::super::model::HealthModel;
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
    /// How measures were spread over groups on the day before each of the days, once it is there.
    pub group_distributions: Option<Value>,
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

    /// Whether it is better or worse, beyond what chance could have made.
    fn is_decided(&self) -> bool {
        self.is_worse() || self.low > 0.0
    }
}

/// What a backtest found of a model beside the one that scores.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FoundDifference {
    pub backtest: Uuid,
    /// Whose accounts were looked at; none: all.
    pub segment: Option<Segment>,
    pub difference: Difference,
}

impl FoundDifference {
    /// The one by which a model is worse, of those found, the newest first: of all accounts, or of a segment's, the newest that could
    /// tell. One that could not, of a few days say, takes nothing back.
    pub(crate) fn worse(found: &[Self]) -> Option<&Self> {
        let newest_of = |segment| found.iter().find(|one| one.segment == segment && one.difference.is_decided());
        let scopes = found.iter().map(|one| one.segment);
        scopes.filter_map(newest_of).find(|one| one.difference.is_worse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_worse_by_the_newest_backtest_of_each_scope_that_could_tell() {
        let [worse, better, unclear] = [(-0.2, -0.1), (0.1, 0.2), (-0.1, 0.2)];
        let large = Some(Segment::Enterprise);
        for (found, expected) in [
            (vec![], None),
            (vec![(None, worse)], Some(0)),
            (vec![(None, unclear), (None, worse)], Some(1)),
            (vec![(None, better), (None, worse)], None),
            (vec![(None, better), (large, worse)], Some(1)),
            (vec![(large, better), (None, unclear), (large, worse), (None, worse)], Some(3)),
            (vec![(large, better), (None, better), (large, worse)], None),
        ] {
            let ids: Vec<Uuid> = (0..found.len()).map(|place| Uuid::from_u128(place as u128)).collect();
            let of = |((segment, (low, high)), backtest): (&(Option<Segment>, (f64, f64)), &Uuid)| FoundDifference {
                backtest: *backtest,
                segment: *segment,
                difference: Difference { value: f64::midpoint(*low, *high), low: *low, high: *high },
            };
            let listed: Vec<FoundDifference> = found.iter().zip(&ids).map(of).collect();
            let worse = FoundDifference::worse(&listed).map(|one| one.backtest);
            assert_eq!(worse, expected.map(|place: usize| ids[place]), "{found:?}");
        }
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
