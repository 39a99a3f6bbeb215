//! What happens around the product: features asked for and given, incidents, and cases that were closed.

use chrono::{DateTime, Utc};
use mainstay_domain::{Violations, is_key};
use serde::{Deserialize, Serialize};

use super::account::KEY_RULE;
use super::signal::check_opaque_id;
use super::story_series::{DayEntries, StorySeries};
use super::ticket::LINE_LENGTH_MAX;

/// Longest incident, in minutes: a year.
const INCIDENT_MINUTES_MAX: i32 = 525_600;

/// The customer asked for a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureRequestSignal {
    /// Which.
    pub feature: String,
    /// What was asked; may be empty.
    pub title: String,
}

/// The customer was given a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureReleaseSignal {
    /// Which.
    pub feature: String,
}

/// How bad an incident was for the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentSeverity {
    /// Something was slow or odd.
    Minor,
    /// Something that is needed did not work.
    Major,
    /// Nothing worked.
    Critical,
}

/// An incident hit the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSignal {
    /// The incident's id in the source, the same for all it hit.
    pub incident_id: String,
    /// How bad it was.
    pub severity: IncidentSeverity,
    /// How long it lasted; 0: not known, or less than one.
    pub minutes: i32,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// An account at risk was saved.
    Saved,
    /// The customer left.
    Churned,
    /// Nothing was done.
    NoAction,
    /// A detractor answered better when asked again.
    Recovered,
    /// A detractor did not.
    NotRecovered,
}

/// A case was closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseOutcomeSignal {
    /// The case's id in the source.
    pub case_id: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// When it was opened; none: not known.
    pub opened_at: Option<DateTime<Utc>>,
    /// The score when it was opened; none: not known.
    pub score_at_open: Option<f64>,
}

impl FeatureRequestSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        found.require(is_key(&self.feature), "feature_request.feature", KEY_RULE);
        found.check_text("feature_request.title", &self.title, LINE_LENGTH_MAX);
    }

    /// What it enters into its day.
    pub(super) fn enter(at: DateTime<Utc>, entries: &mut DayEntries) {
        entries.count(StorySeries::FeatureRequests, at);
    }
}

impl FeatureReleaseSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        found.require(is_key(&self.feature), "feature_release.feature", KEY_RULE);
    }

    /// What it enters into its day.
    pub(super) fn enter(at: DateTime<Utc>, entries: &mut DayEntries) {
        entries.count(StorySeries::FeatureReleases, at);
    }
}

impl IncidentSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        check_opaque_id(found, "incident.incident_id", &self.incident_id);
        let fits = (0..=INCIDENT_MINUTES_MAX).contains(&self.minutes);
        found.require(fits, "incident.minutes", format!("must be 0 to {INCIDENT_MINUTES_MAX}, a year"));
    }

    /// What it enters into its day.
    pub(super) fn enter(&self, at: DateTime<Utc>, entries: &mut DayEntries) {
        entries.count(StorySeries::Incidents, at);
        entries.amount(StorySeries::IncidentMinutes, at, i64::from(self.minutes));
    }
}

impl CaseOutcomeSignal {
    /// Notes what is wrong with it, when it happened at `event_at`.
    pub(super) fn check(&self, found: &mut Violations, event_at: Option<DateTime<Utc>>) {
        check_opaque_id(found, "case_outcome.case_id", &self.case_id);
        if let (Some(opened_at), Some(event_at)) = (self.opened_at, event_at) {
            found.require(opened_at <= event_at, "case_outcome.open_time", "must not be after the event time");
        }
        let fits = self.score_at_open.is_none_or(|score| (0.0..=100.0).contains(&score));
        found.require(fits, "case_outcome.score_at_open", "must be 0 to 100");
    }
}
