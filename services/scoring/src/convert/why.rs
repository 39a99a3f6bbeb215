//! What is behind a fall, what to do about it, and what would lift a score.

use mainstay_api::mainstay::scoring::v1 as proto;
use uuid::Uuid;

use super::health::missing_message;
use super::risk_trigger;
use crate::app::explain_health::Explained;
use crate::domain::risk_trigger::RiskTriggerKind;
use crate::domain::{self, DeclineSource, Lift, LiftObstacle, LiftStep, ObstacleReason, StepRole};

/// What is behind a fall, as messages have it.
pub(super) fn decline_triggers(explained: &Explained) -> Vec<proto::DeclineTrigger> {
    let name = |id: Uuid| risk_trigger::name(&explained.now.view.record.account, id);
    let triggers = explained.decline.iter().map(|trigger| proto::DeclineTrigger {
        points: trigger.points.as_f64(),
        sentence: trigger.sentence.clone(),
        source: Some(match &trigger.source {
            DeclineSource::Measure(id, _) => proto::decline_trigger::Source::Measure(id.clone()),
            DeclineSource::RiskTrigger(id) => proto::decline_trigger::Source::RiskTrigger(name(*id)),
        }),
    });
    triggers.collect()
}

/// What to do, as messages have it.
pub(super) fn recommended_steps(explained: &Explained) -> Vec<proto::RecommendedStep> {
    let name = |id: &Uuid| risk_trigger::name(&explained.now.view.record.account, *id);
    let steps = explained.steps.iter().map(|step| proto::RecommendedStep {
        role: role_message(step.role).into(),
        sentence: step.sentence.to_owned(),
        risk_triggers: step.risk_triggers.iter().map(name).collect(),
        measures: step.measures.clone(),
    });
    steps.collect()
}

/// What to do about a condition by itself, as messages have it.
pub(super) fn steps_against(kind: RiskTriggerKind) -> Vec<proto::RecommendedStep> {
    let step = |&(role, sentence): &(StepRole, &str)| proto::RecommendedStep {
        role: role_message(role).into(),
        sentence: sentence.to_owned(),
        ..Default::default()
    };
    domain::steps_against(kind).iter().map(step).collect()
}

const fn role_message(role: StepRole) -> proto::StepRole {
    match role {
        StepRole::Csm => proto::StepRole::Csm,
        StepRole::CsmDirector => proto::StepRole::CsmDirector,
        StepRole::FinanceContact => proto::StepRole::FinanceContact,
        StepRole::Support => proto::StepRole::Support,
    }
}

/// What would lift a score, as messages have it.
pub(super) fn lift(lift: &Lift) -> proto::Lift {
    proto::Lift {
        above: lift.above.as_f64(),
        attainable: lift.is_attainable(),
        score: lift.score.as_f64(),
        steps: lift.steps.iter().map(step).collect(),
        obstacles: lift.obstacles.iter().map(obstacle).collect(),
    }
}

fn step(step: &LiftStep) -> proto::LiftStep {
    proto::LiftStep {
        measure: step.measure.clone(),
        display_name: step.display_name.clone(),
        value: step.value,
        needed_value: step.needed_value,
        gain: step.gain.as_f64(),
        sentence: step.sentence.clone(),
    }
}

fn obstacle(obstacle: &LiftObstacle) -> proto::LiftObstacle {
    let (reason, missing) = match obstacle.reason {
        ObstacleReason::Missing(reason) => (proto::LiftObstacleReason::Missing, Some(reason)),
        ObstacleReason::AtItsBest => (proto::LiftObstacleReason::AtItsBest, None),
        ObstacleReason::OnlyTime => (proto::LiftObstacleReason::OnlyTime, None),
    };
    proto::LiftObstacle {
        measure: obstacle.measure.clone(),
        display_name: obstacle.display_name.clone(),
        reason: reason.into(),
        missing_reason: missing_message(missing).into(),
    }
}
