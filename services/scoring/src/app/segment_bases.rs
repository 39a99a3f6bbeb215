//! Medians of segments for a backtest, made of what all accounts had on the days before.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::day_contexts::medians;
use crate::domain::backtest::{Replay, ReplayedAccount};
use crate::domain::{HealthModel, Scored, Segment, SegmentBase, SegmentBases};
use crate::storage::codes;

/// What an account had on a day in each measure, by both models, before any comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RawDay {
    day: NaiveDate,
    /// The segment's number.
    segment: i16,
    trial: Vec<Option<f64>>,
    base: Vec<Option<f64>>,
}

impl RawDay {
    /// None where nothing was known of the account yet.
    pub(super) fn of(
        trial: Replay<'_>,
        base: Replay<'_>,
        account: &ReplayedAccount<'_>,
        day: NaiveDate,
    ) -> Option<Self> {
        let raw = |scored: &Scored| scored.measures.iter().map(|measure| measure.raw_value).collect();
        let segment = account.facts.on(day).map_or(Segment::Unknown, |facts| facts.segment);
        Some(Self {
            day,
            segment: codes::segment_number(segment),
            trial: raw(&trial.score(account, day)?),
            base: raw(&base.score(account, day)?),
        })
    }
}

/// A median: of a segment, for a measure, of so many accounts.
type Row = (i16, String, f64, usize);

/// The medians for each day, made of the day before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct BasesByDay {
    trial: BTreeMap<NaiveDate, Vec<Row>>,
    base: BTreeMap<NaiveDate, Vec<Row>>,
}

impl BasesByDay {
    pub(super) fn trial(&self, day: NaiveDate) -> SegmentBases {
        bases(self.trial.get(&day))
    }

    pub(super) fn base(&self, day: NaiveDate) -> SegmentBases {
        bases(self.base.get(&day))
    }
}

fn bases(rows: Option<&Vec<Row>>) -> SegmentBases {
    let mut bases = SegmentBases::default();
    for (segment, measure, median, account_count) in rows.into_iter().flatten() {
        if let Ok(segment) = codes::segment(*segment) {
            bases.insert(segment, measure, SegmentBase { median: *median, account_count: *account_count });
        }
    }
    bases
}

/// The medians of what all accounts had.
pub(super) fn bases_by_day(trial: &HealthModel, base: &HealthModel, days: impl Iterator<Item = RawDay>) -> BasesByDay {
    type OfDay = Vec<(Segment, Vec<Option<f64>>)>;
    type Numbers = BTreeMap<NaiveDate, OfDay>;
    let (mut of_trial, mut of_base) = (Numbers::new(), Numbers::new());
    for raw in days {
        let Ok(segment) = codes::segment(raw.segment) else { continue };
        of_trial.entry(raw.day).or_default().push((segment, raw.trial));
        of_base.entry(raw.day).or_default().push((segment, raw.base));
    }
    let rows = |model: &HealthModel, numbers: Numbers| {
        let of_day = |(day_before, numbers): (NaiveDate, OfDay)| {
            let of = |((segment, measure), base): ((Segment, String), SegmentBase)| {
                (codes::segment_number(segment), measure, base.median, base.account_count)
            };
            Some((day_before.succ_opt()?, medians(model, &numbers).into_iter().map(of).collect()))
        };
        numbers.into_iter().filter_map(of_day).collect()
    };
    BasesByDay { trial: rows(trial, of_trial), base: rows(base, of_base) }
}
