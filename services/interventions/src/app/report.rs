//! Says how well the work goes.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{Proportion, Segment};
use mainstay_storage::begin;

use super::{App, InterventionsError};
use crate::domain::alert::{AlertKind, Severity};
use crate::domain::case::{CaseKind, Outcome};
use crate::domain::clock::{ClockState, ClockStep};
use crate::domain::policy::{Policy, PolicySubject};
use crate::domain::report::Summary;
use crate::storage::policies;
use crate::storage::reports::{self, EndedCase, EndedClock, Period};

/// How well the work went in a period.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub as_of: DateTime<Utc>,
    pub success: Proportion,
    pub no_action_count: i64,
    pub recovery_days: Option<Summary>,
    pub points_gained: Option<Summary>,
    pub detractors_recovered: Proportion,
    pub critical_response: CriticalResponse,
    pub steps: Vec<StepReport>,
}

/// How soon somebody answered critical alerts.
#[derive(Debug, Clone)]
pub(crate) struct CriticalResponse {
    /// Those that were answered within the time aimed at.
    pub in_time: Proportion,
    pub hours: Option<Summary>,
    pub never_answered_count: i64,
}

/// Within which critical alerts are to be answered.
const CRITICAL_RESPONSE_MAX: TimeDelta = TimeDelta::hours(4);

/// How deadlines of one kind were kept.
#[derive(Debug, Clone)]
pub(crate) struct StepReport {
    /// Of alerts of which kind; none: of cases.
    pub alert_kind: Option<AlertKind>,
    pub step: ClockStep,
    pub in_time: Proportion,
    pub hours: Option<Summary>,
    pub never_met_count: i64,
    pub target_seconds: Option<i64>,
}

/// Makes the report of a period.
pub(crate) async fn execute(
    app: &App,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    segment: Option<Segment>,
) -> Result<Report, InterventionsError> {
    let mut conn = begin(&app.core.pool).await?;
    let period = Period { start, end };
    let at_risk = reports::ended_cases(&mut conn, CaseKind::AtRisk, segment, period).await?;
    let detractors = reports::ended_cases(&mut conn, CaseKind::Detractor, segment, period).await?;
    let clocks = reports::ended_clocks(&mut conn, segment, period).await?;
    let policies = policies::all_newest(&mut conn).await?;
    let saved: Vec<&EndedCase> = at_risk.iter().filter(|case| case.outcome == Outcome::Saved).collect();
    Ok(Report {
        start,
        end,
        as_of: app.core.clock.now(),
        success: share(&at_risk, Outcome::Saved, Outcome::Churned),
        no_action_count: count(&at_risk, Outcome::NoAction),
        recovery_days: Summary::of(saved.iter().filter_map(|case| recovery_days(case)).collect()),
        points_gained: Summary::of(saved.iter().filter_map(|case| points_gained(case)).collect()),
        detractors_recovered: share(&detractors, Outcome::Recovered, Outcome::NotRecovered),
        critical_response: critical_response(&clocks),
        steps: steps(&clocks, &policies),
    })
}

fn count(cases: &[EndedCase], outcome: Outcome) -> i64 {
    whole(cases.iter().filter(|case| case.outcome == outcome).count())
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn share(cases: &[EndedCase], good: Outcome, bad: Outcome) -> Proportion {
    let good_count = count(cases, good);
    Proportion { count: good_count, total: good_count + count(cases, bad) }
}

/// From the beginning of the intervention on.
fn recovery_days(case: &EndedCase) -> Option<f64> {
    Some((case.closed_at - case.intervening_at?).as_seconds_f64() / (24.0 * 3600.0))
}

fn hours(time: TimeDelta) -> f64 {
    time.as_seconds_f64() / 3600.0
}

/// An answer is that somebody says that the alert was seen: the first step, whatever its own deadline is.
fn critical_response(clocks: &[EndedClock]) -> CriticalResponse {
    let critical: Vec<&EndedClock> = clocks
        .iter()
        .filter(|clock| clock.severity == Some(Severity::Critical) && clock.step == ClockStep::Acknowledge)
        .collect();
    let answered: Vec<TimeDelta> = critical.iter().filter_map(|clock| Some(clock.met_at? - clock.started_at)).collect();
    let in_time = answered.iter().filter(|time| **time < CRITICAL_RESPONSE_MAX).count();
    CriticalResponse {
        in_time: Proportion { count: whole(in_time), total: whole(critical.len()) },
        never_answered_count: whole(critical.len() - answered.len()),
        hours: Summary::of(answered.into_iter().map(hours).collect()),
    }
}

fn points_gained(case: &EndedCase) -> Option<f64> {
    Some((case.score_at_close? - case.score_at_open?).as_f64())
}

fn steps(clocks: &[EndedClock], policies: &[Policy]) -> Vec<StepReport> {
    let mut groups: BTreeMap<(Option<AlertKind>, ClockStep), Vec<&EndedClock>> = BTreeMap::new();
    for clock in clocks {
        groups.entry((clock.alert_kind, clock.step)).or_default().push(clock);
    }
    groups
        .into_iter()
        .map(|((alert_kind, step), clocks)| {
            let total = whole(clocks.len());
            let met: Vec<f64> =
                clocks.iter().filter_map(|clock| Some(hours(clock.met_at? - clock.started_at))).collect();
            let in_time = clocks.iter().filter(|clock| clock.state == ClockState::Met).count();
            StepReport {
                alert_kind,
                step,
                in_time: Proportion { count: whole(in_time), total },
                never_met_count: total - whole(met.len()),
                hours: Summary::of(met),
                target_seconds: target(policies, alert_kind, step),
            }
        })
        .collect()
}

fn target(policies: &[Policy], alert_kind: Option<AlertKind>, step: ClockStep) -> Option<i64> {
    let is_of = |subject: PolicySubject| match (alert_kind, subject) {
        (Some(kind), PolicySubject::Alert(of)) => kind == of,
        (None, PolicySubject::Case(_)) => true,
        _ => false,
    };
    policies
        .iter()
        .filter(|policy| policy.id.segment.is_none() && is_of(policy.id.subject))
        .flat_map(|policy| &policy.definition.clocks)
        .find(|rule| rule.step == step)
        .map(|rule| rule.due_after_seconds)
}
