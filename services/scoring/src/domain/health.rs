//! The health of an account on a day, as it is kept and looked at.

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{AccountId, BIG_CHANGE_DAYS, Band, ModelId, Money, Points, Segment};

use super::changes::Announced;
use super::measure::Reading;
use super::score::Scored;

/// A day's health as it is kept: what was read of each measure, from which
/// the model makes the points again, and the score it made then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthRecord {
    pub account: AccountId,
    pub day: NaiveDate,
    pub score: Option<Points>,
    pub band: Option<Band>,
    /// Share of the model's weight that had fresh data, 0 to 1.
    pub coverage: f64,
    /// Age in days of the oldest newest-data among the measures that counted.
    pub freshness_days: Option<i32>,
    pub last_signal_day: Option<NaiveDate>,
    pub model: ModelId,
    /// One for each measure, in the model's order.
    pub readings: Vec<Reading>,
    pub scored_at: DateTime<Utc>,
}

/// What the general model reads of an account that another model scores: forecasts are made of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GeneralReadings {
    pub model: ModelId,
    /// One for each measure, in the model's order.
    pub measure_values: Vec<Option<f64>>,
    /// Share of the model's weight that had fresh data, 0 to 1.
    pub coverage: f64,
}

impl GeneralReadings {
    /// Those of a score by the model.
    pub(crate) fn of(model: &ModelId, scored: &Scored) -> Self {
        let measure_values = scored.measures.iter().map(|measure| measure.value).collect();
        Self { model: model.clone(), measure_values, coverage: scored.coverage }
    }
}

impl HealthRecord {
    /// The record of a score.
    pub(crate) fn of(account: &AccountId, day: NaiveDate, model: &ModelId, scored: &Scored, at: DateTime<Utc>) -> Self {
        Self {
            account: account.clone(),
            day,
            score: scored.score,
            band: scored.band,
            coverage: scored.coverage,
            freshness_days: scored.freshness_days,
            last_signal_day: scored.last_signal_day,
            model: model.clone(),
            readings: scored.readings(),
            scored_at: at,
        }
    }

    /// What an event would say of it.
    pub(crate) fn announcement(&self) -> Announced {
        Announced { score: self.score, band: self.band }
    }
}

/// A score less those of 1, 7 and 30 days before; none where either day has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    pub one_day: Option<Points>,
    pub week: Option<Points>,
    pub month: Option<Points>,
}

impl Changes {
    /// How many days before the days lie with which a score is compared.
    pub(crate) const DAYS: [u8; 3] = [1, 7, BIG_CHANGE_DAYS];

    /// A score against those of the days before; `earlier` gives the score of so many days before.
    pub(crate) fn of(score: Option<Points>, earlier: impl Fn(u8) -> Option<Points>) -> Self {
        let [one_day, week, month] = Self::DAYS.map(|days| Some(score? - earlier(days)?));
        Self { one_day, week, month }
    }
}

/// A day's health with what a reader of a list needs to know of the account, as it is today.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HealthView {
    pub record: HealthRecord,
    pub changes: Changes,
    pub display_name: String,
    pub segment: Segment,
    pub arr: Option<Money>,
    pub archived_at: Option<DateTime<Utc>>,
    /// Whether somebody says something against its label, which is not over as far as rows say.
    pub is_corrected: bool,
}
