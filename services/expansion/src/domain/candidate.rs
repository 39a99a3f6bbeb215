//! Chances: accounts that come near a limit, and what is to become of them.

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_accounts::Account;
use mainstay_domain::{AccountId, NEAR_LIMIT_MONTHS_MIN, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::condition::{Condition, Suppression, Touch, suppressions};
use super::criteria::{Criterion, evaluate, is_qualified};
use super::month::Month;
use super::usage::{MonthUse, streak};

/// How long no new opportunity is opened by itself after one of the same account and metric was closed.
const REST: TimeDelta = TimeDelta::days(90);

/// What became of a chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateState {
    /// Near the limit, not qualified.
    Identified,
    /// Qualified.
    Qualified,
    /// Kept and left alone.
    Suppressed,
    /// No longer near the limit, or no longer a customer.
    Lapsed,
}

/// A chance as of the last look.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Whose.
    pub account: AccountId,
    /// What comes near its limit.
    pub metric: String,
    /// What became of it.
    pub state: CandidateState,
    /// The month looked at.
    pub month: Month,
    /// Months in a row near the limit.
    pub consecutive_months: u32,
    /// What was used in that month.
    pub used: Option<f64>,
    /// The limit at its end.
    pub limit: Option<f64>,
    /// The account's score.
    pub score: Option<Points>,
    /// Different users that were active in that month.
    pub active_users: Option<i64>,
    /// What is asked of it.
    pub criteria: Vec<Criterion>,
    /// What suppresses it.
    pub suppressions: Vec<Suppression>,
    /// The open opportunity, or the last that was closed.
    pub opportunity: Option<Uuid>,
    /// Until when none is opened by itself.
    pub rest_ends_at: Option<DateTime<Utc>>,
    /// When it was first identified.
    pub identified_at: DateTime<Utc>,
    /// When it was last looked at.
    pub reviewed_at: DateTime<Utc>,
}

impl Candidate {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("{}/candidates/{}", self.account.name(), self.metric)
    }

    /// Its place in the list.
    pub fn cursor(&self) -> CandidateCursor {
        CandidateCursor {
            state: self.state,
            score_units: self.score.map(Points::units),
            active_users: self.active_users,
            account_id: self.account.as_str().to_owned(),
            metric: self.metric.clone(),
        }
    }

    /// Whether readers would see another chance.
    pub fn differs_from(&self, other: &Self) -> bool {
        (self.state, &self.suppressions, self.opportunity) != (other.state, &other.suppressions, other.opportunity)
    }
}

/// Which chances to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CandidateFilter {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only in these states; empty: all but lapsed ones.
    pub states: Vec<CandidateState>,
    /// Only of this metric.
    pub metric: Option<String>,
}

/// Where a page of chances begins: what the last one before it was listed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateCursor {
    /// The last one's state.
    pub state: CandidateState,
    /// The last one's score, in units of 1/128 point.
    pub score_units: Option<i32>,
    /// The last one's active users.
    pub active_users: Option<i64>,
    /// The last one's account.
    pub account_id: String,
    /// The last one's metric.
    pub metric: String,
}

/// What is known of an account when its chances are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The account.
    pub account: Account,
    /// Its reports of usage, at least as far back as criteria look.
    pub months: Vec<MonthUse>,
    /// Conditions that last, and billing issues that ended not long ago.
    pub conditions: Vec<Condition>,
    /// Contacts with it.
    pub touches: Vec<Touch>,
    /// When it is looked at.
    pub now: DateTime<Utc>,
}

/// What is known of opportunities for a chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The open one.
    pub open: Option<Uuid>,
    /// The last that was closed, and when.
    pub closed: Option<(Uuid, DateTime<Utc>)>,
}

/// Looks at a chance of an account for a month: what it is now, or none when it is not one and was none before. Says
/// too whether an opportunity is to be opened for it.
pub fn stand(
    facts: &Facts,
    metric: &str,
    month: Month,
    known: Option<&Candidate>,
    standing: Standing,
) -> Option<(Candidate, bool)> {
    let consecutive_months = streak(&facts.months, metric, month);
    let is_near = consecutive_months >= NEAR_LIMIT_MONTHS_MIN && facts.account.is_customer();
    if known.is_none() && !is_near {
        return None;
    }
    let report = facts.months.iter().find(|report| report.month == month);
    let limit = report.and_then(|report| report.of_metric(metric));
    let criteria = evaluate(&facts.account, &facts.months, metric, month, &facts.conditions, &facts.touches, facts.now);
    let suppressions = suppressions(&facts.conditions);
    let state = match () {
        () if !is_near => CandidateState::Lapsed,
        () if !suppressions.is_empty() => CandidateState::Suppressed,
        () if is_qualified(&criteria) => CandidateState::Qualified,
        () => CandidateState::Identified,
    };
    let rest_ends_at = standing.closed.map(|(_, closed_at)| closed_at + REST).filter(|end| *end > facts.now);
    let candidate = Candidate {
        account: facts.account.id.clone(),
        metric: metric.to_owned(),
        state,
        month,
        consecutive_months,
        used: limit.as_ref().and_then(|limit| limit.used),
        limit: limit.map(|limit| limit.limit),
        score: facts.account.health.score,
        active_users: report.map(|report| report.active_users),
        criteria,
        suppressions,
        opportunity: standing.open.or(standing.closed.map(|(id, _)| id)),
        rest_ends_at,
        identified_at: known.map_or(facts.now, |known| known.identified_at),
        reviewed_at: facts.now,
    };
    let opens = state == CandidateState::Qualified && standing.open.is_none() && rest_ends_at.is_none();
    Some((candidate, opens))
}
