//! Figures.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_service::wire::{money_message, timestamp};

use super::opportunity::stage_message;
use super::qualification::criterion_kind;
use crate::domain::{CriterionOutcomes, PipelineEntry, Proportion, Stage, StageConversion};
use mainstay_domain::Z_95;

fn proportion(of: Proportion) -> proto::Proportion {
    let interval = of.wilson(Z_95);
    let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
    proto::Proportion { count: of.count, total: of.total, share: of.share(), low, high }
}

/// The pipeline as messages have it.
pub(crate) fn pipeline(entries: &[PipelineEntry], now: DateTime<Utc>) -> proto::Pipeline {
    let entry = |entry: &PipelineEntry| proto::PipelineEntry {
        stage: stage_message(entry.stage).into(),
        expected_gain: entry.expected_gain.map(money_message),
        count: entry.count,
        held_count: entry.held,
        overdue_count: entry.overdue,
        handed_over_count: entry.handed_over,
    };
    proto::Pipeline { entries: entries.iter().map(entry).collect(), as_of_time: Some(timestamp(now)) }
}

/// Conversions as messages have them.
pub(crate) fn conversion(stages: &[StageConversion], now: DateTime<Utc>) -> proto::Conversion {
    let stage = |of: &StageConversion| proto::StageConversion {
        stage: stage_message(of.stage).into(),
        advanced: Some(proportion(of.proportion())),
        entered_count: of.entered,
        lost_count: of.lost,
        remaining_count: of.remaining(),
    };
    let lost: i64 = stages.iter().map(|of| of.lost).sum();
    let won = stages.iter().find(|of| of.stage == Stage::Closing).map_or(0, |of| of.advanced);
    proto::Conversion {
        stages: stages.iter().map(stage).collect(),
        won: Some(proportion(Proportion { count: won, total: won + lost })),
        as_of_time: Some(timestamp(now)),
    }
}

/// What criteria foretold, as messages have it.
pub(crate) fn accuracy(
    all: Proportion,
    outcomes: &[CriterionOutcomes],
    now: DateTime<Utc>,
) -> proto::CriterionAccuracy {
    let criterion = |of: &CriterionOutcomes| proto::CriterionOutcomes {
        criterion: criterion_kind(of.kind).into(),
        won_when_met: Some(proportion(of.met)),
        won_when_not_met: Some(proportion(of.not_met)),
        won_when_not_known: Some(proportion(of.not_known)),
        lift: of.lift(all),
    };
    proto::CriterionAccuracy {
        criteria: outcomes.iter().map(criterion).collect(),
        won: Some(proportion(all)),
        as_of_time: Some(timestamp(now)),
    }
}
