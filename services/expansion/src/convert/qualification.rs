//! Reviews, chances and what speaks for and against them.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_domain::{AccountId, Points, Violations, is_key};
use mainstay_service::wire::timestamp;

use crate::domain::{
    Candidate, CandidateState, ConditionKind, Criterion, CriterionKind, CriterionResult, Month, MonthUse,
    OpportunityName, Review, Suppression, is_near_limit,
};

const REVIEWS: &str = "reviews/";

/// A review as messages have it.
pub(crate) fn review(review: &Review, now: DateTime<Utc>) -> proto::Review {
    let state = if review.ended_at.is_some() { proto::ReviewState::Done } else { proto::ReviewState::Running };
    proto::Review {
        name: review_name(review.month),
        state: state.into(),
        start_time: Some(timestamp(review.started_at)),
        end_time: review.ended_at.map(timestamp),
        account_count: review.accounts,
        unreported_count: review.unreported,
        identified_count: review.identified,
        qualified_count: review.qualified,
        suppressed_count: review.suppressed,
        opened_count: review.opened,
        as_of_time: Some(timestamp(now)),
    }
}

/// The resource name of a review.
pub(crate) fn review_name(month: Month) -> String {
    format!("{REVIEWS}{month}")
}

/// The month of a review's name.
pub(crate) fn parse_review_name(name: &str) -> Result<Month, String> {
    let month =
        name.strip_prefix(REVIEWS).ok_or("must be `reviews/` followed by the month, such as `reviews/2026-01`")?;
    Month::parse(month)
}

/// The account and metric of a candidate's name.
pub(crate) fn parse_candidate_name(name: &str) -> Result<(AccountId, String), String> {
    let wrong = "must be `accounts/{account}/candidates/` followed by the metric";
    let (account, metric) = name.split_once("/candidates/").ok_or(wrong)?;
    let account = AccountId::parse_name(account).map_err(|error| error.to_string())?;
    if is_key(metric) { Ok((account, metric.to_owned())) } else { Err(wrong.to_owned()) }
}

/// A chance as messages have it.
pub(crate) fn candidate(candidate: &Candidate) -> proto::Candidate {
    let opportunity = candidate.opportunity.map(|id| OpportunityName { account: candidate.account.clone(), id }.name());
    proto::Candidate {
        name: candidate.name(),
        account: candidate.account.name(),
        metric: candidate.metric.clone(),
        state: state_message(candidate.state).into(),
        month: candidate.month.to_string(),
        consecutive_months: i32::try_from(candidate.consecutive_months).unwrap_or(i32::MAX),
        used: candidate.used,
        limit: candidate.limit,
        score: candidate.score.map(Points::as_f64),
        active_user_count: candidate.active_users,
        criteria: candidate.criteria.iter().map(criterion).collect(),
        suppressions: candidate.suppressions.iter().map(suppression).collect(),
        opportunity: opportunity.unwrap_or_default(),
        rest_end_time: candidate.rest_ends_at.map(timestamp),
        identify_time: Some(timestamp(candidate.identified_at)),
        review_time: Some(timestamp(candidate.reviewed_at)),
    }
}

/// What became of a chance, as messages have it.
pub(crate) fn state_message(state: CandidateState) -> proto::CandidateState {
    match state {
        CandidateState::Identified => proto::CandidateState::Identified,
        CandidateState::Qualified => proto::CandidateState::Qualified,
        CandidateState::Suppressed => proto::CandidateState::Suppressed,
        CandidateState::Lapsed => proto::CandidateState::Lapsed,
    }
}

/// What became of a chance, of a message's number.
pub(crate) fn state_of_number(number: i32) -> Option<CandidateState> {
    match proto::CandidateState::try_from(number).ok()? {
        proto::CandidateState::Unspecified => None,
        proto::CandidateState::Identified => Some(CandidateState::Identified),
        proto::CandidateState::Qualified => Some(CandidateState::Qualified),
        proto::CandidateState::Suppressed => Some(CandidateState::Suppressed),
        proto::CandidateState::Lapsed => Some(CandidateState::Lapsed),
    }
}

/// A criterion as messages have it.
pub(crate) fn criterion(criterion: &Criterion) -> proto::Criterion {
    let result = match criterion.result {
        CriterionResult::Met => proto::CriterionResult::Met,
        CriterionResult::NotMet => proto::CriterionResult::NotMet,
        CriterionResult::NotKnown => proto::CriterionResult::NotKnown,
    };
    proto::Criterion {
        kind: criterion_kind(criterion.kind).into(),
        result: result.into(),
        evidence: criterion.evidence.clone(),
        value: criterion.value,
        threshold: criterion.threshold,
        data_time: criterion.data_at.map(timestamp),
    }
}

/// What is asked, as messages have it.
pub(crate) fn criterion_kind(kind: CriterionKind) -> proto::CriterionKind {
    match kind {
        CriterionKind::Usage => proto::CriterionKind::Usage,
        CriterionKind::TeamGrowth => proto::CriterionKind::TeamGrowth,
        CriterionKind::FeatureNeed => proto::CriterionKind::FeatureNeed,
        CriterionKind::Budget => proto::CriterionKind::Budget,
        CriterionKind::Health => proto::CriterionKind::Health,
        CriterionKind::Responsiveness => proto::CriterionKind::Responsiveness,
    }
}

/// What suppresses a chance, as messages have it.
pub(crate) fn suppression(suppression: &Suppression) -> proto::Suppression {
    let reason = match suppression.reason {
        ConditionKind::AtRisk => proto::SuppressionReason::AtRisk,
        ConditionKind::PaymentFailed => proto::SuppressionReason::PaymentFailed,
        ConditionKind::BillingDispute => proto::SuppressionReason::BillingDispute,
        ConditionKind::DetractorCase => proto::SuppressionReason::DetractorCase,
    };
    proto::Suppression {
        reason: reason.into(),
        reference: suppression.reference.clone(),
        start_time: Some(timestamp(suppression.started_at)),
    }
}

/// Why a chance is what it is.
pub(crate) fn explanation(known: &Candidate, months: &[MonthUse]) -> proto::ExplainCandidateResponse {
    let month = |month: &MonthUse| {
        let limit = month.of_metric(&known.metric);
        proto::MonthUsage {
            month: month.month.to_string(),
            used: limit.as_ref().and_then(|limit| limit.used),
            limit: limit.as_ref().map(|limit| limit.limit),
            near_limit: limit.is_some_and(|limit| is_near_limit(&limit)),
        }
    };
    proto::ExplainCandidateResponse {
        candidate: Some(candidate(known)),
        months: months.iter().map(month).collect(),
        reasons: reasons(known),
    }
}

fn reasons(known: &Candidate) -> Vec<String> {
    let Candidate { metric, month, consecutive_months, .. } = known;
    let mut reasons =
        vec![format!("{consecutive_months} months in a row up to {month} at 80 % of the limit of `{metric}` or more")];
    for criterion in &known.criteria {
        let role = if criterion.kind.is_need() { "need" } else { "gate" };
        let result = match criterion.result {
            CriterionResult::Met => "met",
            CriterionResult::NotMet => "not met",
            CriterionResult::NotKnown => "not known",
        };
        reasons.push(format!("{role} {}: {result}: {}", criterion.kind.words(), criterion.evidence));
    }
    for one in &known.suppressions {
        let since = one.started_at.date_naive();
        reasons.push(format!("left alone since {since}: {} ({})", one.reason.words(), one.reference));
    }
    if let Some(end) = known.rest_ends_at {
        reasons.push(format!("no new opportunity by itself before {end}: the last one was closed not long ago"));
    }
    reasons.push(match known.state {
        CandidateState::Identified => {
            "near its limit, and not qualified: a need and all gates are asked for".to_owned()
        }
        CandidateState::Qualified => "qualified".to_owned(),
        CandidateState::Suppressed => "kept, and looked at again as soon as nothing suppresses it".to_owned(),
        CandidateState::Lapsed => "no longer near its limit, or no longer a customer".to_owned(),
    });
    reasons
}

/// A month of a message; empty is none.
pub(crate) fn optional_month(found: &mut Violations, field: &str, given: &str) -> Option<Month> {
    (!given.is_empty()).then(|| found.take(field, Month::parse(given))).flatten()
}
