//! Targets of metrics of retention, and whose they are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mainstay_domain::{Violations, is_key};

use super::account::KEY_RULE;
use super::retention_goals::RetentionMetric;

/// Most teams that share a target.
const TEAMS_MAX: usize = 20;

/// A target that was set for all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SharedTarget {
    pub value: f64,
    /// Who is measured by it together.
    pub teams: Vec<String>,
    /// The caller who set it.
    pub setter: String,
    pub set_at: DateTime<Utc>,
}

/// Those that were set for all.
pub(crate) type SharedTargets = BTreeMap<RetentionMetric, SharedTarget>;

/// Where a target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetOrigin {
    Request,
    Shared,
    Usual,
}

/// A target that holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub value: f64,
    pub origin: TargetOrigin,
    pub teams: Vec<String>,
}

/// What there is to choose targets from.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Targets {
    /// By who asks.
    pub asked: BTreeMap<RetentionMetric, f64>,
    pub shared: SharedTargets,
}

impl Targets {
    /// The target of a metric that holds: as asked, as set for all, or the usual one.
    pub(crate) fn of(&self, metric: RetentionMetric) -> Option<Target> {
        let target = |origin| move |value| Target { value, origin, teams: Vec::new() };
        let asked = self.asked.get(&metric).copied().map(target(TargetOrigin::Request));
        let shared = || {
            let shared = self.shared.get(&metric)?;
            Some(Target { value: shared.value, origin: TargetOrigin::Shared, teams: shared.teams.clone() })
        };
        asked.or_else(shared).or_else(|| metric.usual_target().map(target(TargetOrigin::Usual)))
    }
}

/// Notes a target that makes no sense for a metric.
pub(crate) fn check_target(found: &mut Violations, field: impl Into<String>, metric: RetentionMetric, value: f64) {
    let is_target = (0.0..=metric.target_max()).contains(&value);
    found.require(is_target, field, format!("must be 0 to {}", metric.target_max()));
}

/// Notes all that is wrong with the teams of a target; none without a target.
pub(crate) fn check_teams(found: &mut Violations, teams: &[String], has_target: bool) {
    found.require(has_target || teams.is_empty(), "teams", "share a target: give one, or no teams");
    found.require(teams.len() <= TEAMS_MAX, "teams", format!("must be at most {TEAMS_MAX}"));
    let mut seen = BTreeSet::new();
    for (place, team) in teams.iter().enumerate().take(TEAMS_MAX) {
        let field = format!("teams[{place}]");
        if !is_key(team) {
            found.add(field, KEY_RULE);
        } else if !seen.insert(team) {
            found.add(field, "stands there twice");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r210_a_target_is_as_asked_or_as_set_for_all_or_the_usual_one() {
        let metric = RetentionMetric::RenewalRate;
        let shared = SharedTarget {
            value: 0.92,
            teams: vec!["sales".to_owned(), "support".to_owned()],
            setter: "ada".to_owned(),
            set_at: DateTime::UNIX_EPOCH,
        };
        let of =
            |targets: &Targets, metric| targets.of(metric).map(|target| (target.value, target.origin, target.teams));
        let mut targets = Targets::default();
        assert_eq!(of(&targets, metric), Some((0.85, TargetOrigin::Usual, Vec::new())));
        assert_eq!(of(&targets, RetentionMetric::CriticalShare), None, "there is no usual one");
        targets.shared.insert(metric, shared.clone());
        assert_eq!(of(&targets, metric), Some((0.92, TargetOrigin::Shared, shared.teams)));
        targets.asked.insert(metric, 0.5);
        assert_eq!(of(&targets, metric), Some((0.5, TargetOrigin::Request, Vec::new())), "no team agreed on it");
    }
}
