//! Metrics of retention and their targets.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;
use mainstay_service::wire::timestamp;

use crate::app::set_shared_target::GivenTarget;
use crate::domain::retention_goals::{GoalState, RetentionGoal, RetentionMetric};
use crate::domain::shared_target::{SharedTargets, Target, TargetOrigin, Targets, check_target, check_teams};

/// The target that is to hold for all; notes all that is wrong with it.
pub(crate) fn given(found: &mut Violations, request: &proto::SetSharedTargetRequest) -> Option<GivenTarget> {
    let metric = metric_of(request.metric);
    match (metric, request.target) {
        (None, _) => found.add("metric", no_metric(request.metric)),
        (Some(metric), Some(value)) => check_target(found, "target", metric, value),
        (Some(_), None) => {}
    }
    check_teams(found, &request.teams, request.target.is_some());
    metric.map(|metric| GivenTarget { metric, value: request.target, teams: request.teams.clone() })
}

fn no_metric(number: i32) -> String {
    format!("{number} is no metric of retention")
}

/// The targets that a request for a report gives; notes all that is wrong with them.
pub(super) fn asked(found: &mut Violations, given: &[proto::GoalTarget]) -> BTreeMap<RetentionMetric, f64> {
    let mut targets = BTreeMap::new();
    for (place, one) in given.iter().enumerate() {
        let field = format!("targets[{place}].metric");
        let Some(metric) = metric_of(one.metric) else {
            found.add(field, no_metric(one.metric));
            continue;
        };
        check_target(found, format!("targets[{place}].target"), metric, one.target);
        if targets.insert(metric, one.target).is_some() {
            found.add(field, "has a target already");
        }
    }
    targets
}

fn metric_of(number: i32) -> Option<RetentionMetric> {
    let metric = proto::RetentionMetric::try_from(number).ok()?;
    RetentionMetric::ALL.into_iter().find(|one| metric_message(*one) == metric)
}

const fn metric_message(metric: RetentionMetric) -> proto::RetentionMetric {
    match metric {
        RetentionMetric::RenewalRate => proto::RetentionMetric::RenewalRate,
        RetentionMetric::GrossRetention => proto::RetentionMetric::GrossRetention,
        RetentionMetric::NetRetention => proto::RetentionMetric::NetRetention,
        RetentionMetric::ArrAtRiskShare => proto::RetentionMetric::ArrAtRiskShare,
        RetentionMetric::CriticalShare => proto::RetentionMetric::CriticalShare,
        RetentionMetric::TimeToValueDays => proto::RetentionMetric::TimeToValueDays,
    }
}

fn origin_message(target: Option<&Target>) -> proto::TargetOrigin {
    target.map_or(proto::TargetOrigin::Unspecified, |target| match target.origin {
        TargetOrigin::Request => proto::TargetOrigin::Request,
        TargetOrigin::Shared => proto::TargetOrigin::Shared,
        TargetOrigin::Usual => proto::TargetOrigin::Usual,
    })
}

/// The targets that hold, as messages have them.
pub(crate) fn all(set: SharedTargets) -> proto::ListSharedTargetsResponse {
    let targets = Targets { shared: set, ..Targets::default() };
    let shared_targets = RetentionMetric::ALL.into_iter().map(|metric| message(&targets, metric)).collect();
    proto::ListSharedTargetsResponse { shared_targets }
}

/// The target of a metric that holds, as messages have it.
pub(crate) fn of(set: &SharedTargets, metric: RetentionMetric) -> proto::SharedTarget {
    message(&Targets { shared: set.clone(), ..Targets::default() }, metric)
}

fn message(targets: &Targets, metric: RetentionMetric) -> proto::SharedTarget {
    let (holds, set) = (targets.of(metric), targets.shared.get(&metric));
    proto::SharedTarget {
        metric: metric_message(metric).into(),
        target: holds.as_ref().map(|target| target.value),
        lower_is_better: metric.lower_is_better(),
        origin: origin_message(holds.as_ref()).into(),
        teams: holds.map(|target| target.teams).unwrap_or_default(),
        setter: set.map(|target| target.setter.clone()).unwrap_or_default(),
        set_time: set.map(|target| timestamp(target.set_at)),
    }
}

/// A metric against its target, as messages have it.
pub(super) fn goal(goal: &RetentionGoal) -> proto::RetentionGoal {
    let state = match goal.state() {
        GoalState::Met => proto::GoalState::Met,
        GoalState::Missed => proto::GoalState::Missed,
        GoalState::NoData => proto::GoalState::NoData,
        GoalState::NoTarget => proto::GoalState::NoTarget,
    };
    proto::RetentionGoal {
        metric: metric_message(goal.metric).into(),
        currency_code: goal.currency.map(|currency| currency.to_string()).unwrap_or_default(),
        value: goal.value,
        target: goal.target.as_ref().map(|target| target.value),
        lower_is_better: goal.metric.lower_is_better(),
        state: state.into(),
        counted: goal.counted,
        target_origin: origin_message(goal.target.as_ref()).into(),
        teams: goal.target.as_ref().map(|target| target.teams.clone()).unwrap_or_default(),
    }
}
