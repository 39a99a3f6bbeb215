//! Adoption: features, targets and what customers reach.

use chrono::NaiveDate;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AdoptionTargetId, Violations, Z_95};
use mainstay_service::wire::{enum_values, money_message, timestamp};

use super::account::{segment_message, segments};
use super::health::band_message;
use super::report::{list_size, owner_email};
use crate::domain::Segment;
use crate::domain::account_adoption::{AccountAdoption, UsedFeature};
use crate::domain::adoption_period::AdoptionGrain;
use crate::domain::adoption_target::{AccountOutcome, AdoptionTarget, KeptTarget, OutcomeGroup, ValueOutcome};
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::feature_adoption_report::{
    AdoptedFeature, FeatureAdoptionQuery, FeatureAdoptionReport, FeaturePeriod, FeatureSegment, PERIODS_MAX,
};
use crate::domain::outcome_report::{
    CustomerOutcome, CustomerOutcomeFilter, OutcomeGroupReport, OutcomeReport, TargetCounts, TargetProgress,
};

const LIST_SIZE: i32 = 20;
const PERIODS: i32 = 7;

/// Which report; notes all that is wrong with the request.
pub(crate) fn feature_query(
    found: &mut Violations,
    given: proto::GetFeatureAdoptionReportRequest,
) -> FeatureAdoptionQuery {
    let grain = match proto::AdoptionGrain::try_from(given.grain) {
        Ok(proto::AdoptionGrain::Unspecified | proto::AdoptionGrain::Month) => AdoptionGrain::Month,
        Ok(proto::AdoptionGrain::Fortnight) => AdoptionGrain::Fortnight,
        Err(_) => {
            found.add("grain", format!("{} is no grain of adoption", given.grain));
            AdoptionGrain::Month
        }
    };
    let periods = given.period_count.unwrap_or(PERIODS);
    found.require((1..=PERIODS_MAX).contains(&periods), "period_count", format!("must be 1 to {PERIODS_MAX}"));
    FeatureAdoptionQuery {
        grain,
        periods: usize::try_from(periods).unwrap_or_default(),
        customers: customers(found, &given.segments, given.owner_email),
        list_size: usize::try_from(list_size(found, given.list_size, LIST_SIZE)).unwrap_or_default(),
    }
}

/// Which customers; notes all that is wrong with them.
pub(crate) fn customers(found: &mut Violations, given: &[i32], owner: String) -> CustomerFilter {
    CustomerFilter { segments: segments(found, "segments", given), owner_email: owner_email(found, owner) }
}

/// Which customers a list is of.
pub(crate) fn outcome_filter(
    found: &mut Violations,
    given: proto::ListCustomerOutcomesRequest,
) -> CustomerOutcomeFilter {
    CustomerOutcomeFilter {
        groups: enum_values(found, "groups", &given.groups, "outcome group", group_of),
        customers: customers(found, &given.segments, given.owner_email),
    }
}

/// The target of a request, or all that is wrong with it.
pub(crate) fn target(given: Option<proto::AdoptionTarget>) -> Result<AdoptionTarget, Violations> {
    let mut found = Violations::new();
    let Some(given) = given else {
        found.add("adoption_target", "is required");
        return Err(found);
    };
    let id = found.take("adoption_target.name", AdoptionTargetId::parse_name(&given.name));
    let mut segments = segments(&mut found, "adoption_target.segments", &given.segments);
    segments.sort_unstable();
    let outcome = match given.outcome {
        None => None,
        Some(proto::adoption_target::Outcome::Milestone(milestone)) => Some(ValueOutcome::Milestone(milestone)),
        Some(proto::adoption_target::Outcome::UsageTotal(total)) => {
            Some(ValueOutcome::UsageTotal { metric: total.metric, quantity: total.quantity })
        }
        Some(proto::adoption_target::Outcome::FeatureUses(uses)) => {
            Some(ValueOutcome::FeatureUses { feature: uses.feature, count: uses.count })
        }
    };
    found.require(
        outcome.is_some(),
        "adoption_target.outcome",
        "must be a milestone, a total of use or uses of a feature",
    );
    outcome.iter().for_each(|outcome| outcome.check(&mut found));
    AdoptionTarget::check_terms(&mut found, &given.display_name, given.within_days, given.target_share);
    let Some((id, outcome)) = id.zip(outcome) else { return Err(found) };
    found.into_result(AdoptionTarget {
        id,
        display_name: given.display_name,
        segments,
        outcome,
        within_days: given.within_days,
        share: given.target_share,
    })
}

/// A target as messages have it.
pub(crate) fn target_message(kept: &KeptTarget) -> proto::AdoptionTarget {
    let target = &kept.target;
    let outcome = match &target.outcome {
        ValueOutcome::Milestone(milestone) => proto::adoption_target::Outcome::Milestone(milestone.clone()),
        ValueOutcome::UsageTotal { metric, quantity } => {
            proto::adoption_target::Outcome::UsageTotal(proto::UsageTotal {
                metric: metric.clone(),
                quantity: *quantity,
            })
        }
        ValueOutcome::FeatureUses { feature, count } => {
            proto::adoption_target::Outcome::FeatureUses(proto::FeatureUses { feature: feature.clone(), count: *count })
        }
    };
    proto::AdoptionTarget {
        name: target.id.name(),
        display_name: target.display_name.clone(),
        segments: target.segments.iter().map(|segment| segment_message(*segment).into()).collect(),
        outcome: Some(outcome),
        within_days: target.within_days,
        target_share: target.share,
        update_time: Some(timestamp(kept.updated_at)),
    }
}

/// The report as messages have it.
pub(crate) fn feature_report(report: &FeatureAdoptionReport) -> proto::FeatureAdoptionReport {
    proto::FeatureAdoptionReport {
        as_of_time: Some(timestamp(report.as_of)),
        periods: report
            .periods
            .iter()
            .map(|period| proto::AdoptionPeriod {
                start_day: period.start.to_string(),
                end_day: period.end.to_string(),
                account_count: period.account_count,
            })
            .collect(),
        feature_count: i64::try_from(report.feature_count).unwrap_or(i64::MAX),
        features: report.features.iter().map(adopted_feature).collect(),
    }
}

fn adopted_feature(feature: &AdoptedFeature) -> proto::AdoptedFeature {
    let period = |period: &FeaturePeriod| proto::FeaturePeriod {
        user_count: period.counts.users,
        share: period.share.share(),
        new_user_count: period.counts.new,
        returned_user_count: period.counts.returned,
        lapsed_user_count: period.counts.lapsed,
    };
    let segment = |one: &FeatureSegment| proto::FeatureSegment {
        segment: segment_message(one.segment).into(),
        user_count: one.share.count,
        account_count: one.share.total,
        share: one.share.share().unwrap_or_default(),
    };
    proto::AdoptedFeature {
        feature: feature.feature.clone(),
        periods: feature.periods.iter().map(period).collect(),
        share_change: feature.change(),
        segments: feature.segments.iter().map(segment).collect(),
    }
}

/// The adoption of an account as messages have it.
pub(crate) fn account_adoption(adoption: &AccountAdoption) -> proto::AccountAdoption {
    let mut milestones: Vec<proto::ReachedMilestone> = adoption
        .milestones
        .iter()
        .map(|(milestone, day)| proto::ReachedMilestone { milestone: milestone.clone(), day: day.to_string() })
        .collect();
    milestones.sort_by(|one, other| other.day.cmp(&one.day).then_with(|| one.milestone.cmp(&other.milestone)));
    let unused = adoption.unused.iter();
    proto::AccountAdoption {
        account: adoption.account.name(),
        as_of_time: Some(timestamp(adoption.as_of)),
        activation_day: day_text(adoption.activation_day),
        group: group_message(adoption.group()).into(),
        outcomes: adoption.outcomes.iter().map(target_outcome).collect(),
        features: adoption.features.iter().map(used_feature).collect(),
        unused_features: unused
            .map(|peers| proto::PeerFeature { feature: peers.feature.clone(), user_count: peers.user_count })
            .collect(),
        peer_count: adoption.peer_count,
        milestones,
    }
}

fn used_feature(used: &UsedFeature) -> proto::UsedFeature {
    proto::UsedFeature {
        feature: used.feature.clone(),
        first_day: used.first_day.to_string(),
        last_day: used.last_day.to_string(),
        use_count: used.use_count,
        use_count_before: used.use_count_before,
        day_count: i32::try_from(used.day_count).unwrap_or(i32::MAX),
    }
}

fn target_outcome(outcome: &AccountOutcome) -> proto::TargetOutcome {
    proto::TargetOutcome {
        adoption_target: outcome.target_id.name(),
        due_day: outcome.due_day.to_string(),
        reached_day: day_text(outcome.reached_day),
    }
}

fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// The report of outcomes as messages have it.
pub(crate) fn outcome_report(report: &OutcomeReport) -> proto::OutcomeReport {
    proto::OutcomeReport {
        as_of_time: Some(timestamp(report.as_of)),
        due_since_day: report.due_since.to_string(),
        targets: report.targets.iter().map(target_progress).collect(),
        groups: report.groups.iter().map(group_summary).collect(),
    }
}

fn target_progress(progress: &TargetProgress) -> proto::TargetProgress {
    let share = progress.target.target.share;
    let segment = |(segment, counts): &(Segment, TargetCounts)| proto::SegmentStanding {
        segment: segment_message(*segment).into(),
        standing: Some(standing(counts, share)),
    };
    proto::TargetProgress {
        adoption_target: Some(target_message(&progress.target)),
        all: Some(standing(&progress.all, share)),
        segments: progress.segments.iter().map(segment).collect(),
    }
}

fn standing(counts: &TargetCounts, target_share: f64) -> proto::TargetStanding {
    let share = counts.in_time_share().share();
    let interval = counts.in_time_share().wilson(Z_95);
    proto::TargetStanding {
        due_count: counts.due,
        in_time_count: counts.in_time,
        late_count: counts.late,
        ahead_count: counts.ahead,
        open_count: counts.open,
        in_time_share: share,
        in_time_share_low: interval.map(|interval| interval.low),
        in_time_share_high: interval.map(|interval| interval.high),
        met: share.map(|share| share >= target_share),
        median_days: counts.days_median,
    }
}

fn group_summary(report: &OutcomeGroupReport) -> proto::OutcomeGroupSummary {
    proto::OutcomeGroupSummary {
        group: group_message(report.group).into(),
        account_count: report.account_count,
        arr: report.arr.iter().map(money_message).collect(),
        mean_score: report.mean_score(),
        at_risk_count: report.at_risk_count,
    }
}

/// A customer and what it reached as messages have it.
pub(crate) fn customer_outcome(customer: &CustomerOutcome) -> proto::CustomerOutcome {
    proto::CustomerOutcome {
        account: customer.account.name(),
        display_name: customer.display_name.clone(),
        segment: segment_message(customer.segment).into(),
        group: group_message(customer.group).into(),
        outcomes: customer.outcomes.iter().map(target_outcome).collect(),
        arr: customer.arr.map(money_message),
        score: customer.score.map(mainstay_domain::Points::as_f64),
        band: band_message(customer.band).into(),
    }
}

const fn group_message(group: OutcomeGroup) -> proto::OutcomeGroup {
    match group {
        OutcomeGroup::Achieved => proto::OutcomeGroup::Achieved,
        OutcomeGroup::OnTheWay => proto::OutcomeGroup::OnTheWay,
        OutcomeGroup::Behind => proto::OutcomeGroup::Behind,
        OutcomeGroup::NoTarget => proto::OutcomeGroup::NoTarget,
    }
}

fn group_of(number: i32) -> Option<OutcomeGroup> {
    match proto::OutcomeGroup::try_from(number).ok()? {
        proto::OutcomeGroup::Unspecified => None,
        proto::OutcomeGroup::Achieved => Some(OutcomeGroup::Achieved),
        proto::OutcomeGroup::OnTheWay => Some(OutcomeGroup::OnTheWay),
        proto::OutcomeGroup::Behind => Some(OutcomeGroup::Behind),
        proto::OutcomeGroup::NoTarget => Some(OutcomeGroup::NoTarget),
    }
}
