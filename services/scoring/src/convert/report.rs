//! Reports about all customers.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, BIG_CHANGE_ABOVE, EMAIL_LENGTH_MAX, Points, Proportion, Violations};
use mainstay_service::wire::{count, money_message, timestamp};

use super::account::{segment_message, segments};
use super::health::band_message;
use super::risk_trigger::kind_message;
use crate::domain::customer_filter::CustomerFilter;
use crate::domain::data_quality::{DataOwner, DataQuality, DataSubject, DuplicateName};
use crate::domain::field_claim::{DisagreeingAccount, Disagreement, FieldClaim};
use crate::domain::health_report::{
    BandTransition, CustomerReport, HealthReport, ReportPeriod, ReportQuery, RiskTriggerReport, TrendPoint,
};

const LIST_SIZE: i32 = 10;
const LIST_SIZE_MAX: i32 = 100;
/// The smallest change that is more than the settled one.
const CHANGE_AT_LEAST: Points = Points::from_units(BIG_CHANGE_ABOVE.units() + 1);

/// Which report; notes all that is wrong with the request.
pub(crate) fn query(found: &mut Violations, given: proto::GetHealthReportRequest) -> ReportQuery {
    let period = period(found, given.period, ReportPeriod::Month);
    let owner_email = owner_email(found, given.owner_email);
    let list_size = list_size(found, given.list_size, LIST_SIZE);
    let change = given.change_at_least.unwrap_or(CHANGE_AT_LEAST.as_f64());
    let is_change = change > 0.0 && change <= 100.0;
    found.require(is_change, "change_at_least", "must be above 0 and at most 100 points");
    ReportQuery {
        period,
        customers: CustomerFilter { segments: segments(found, "segments", &given.segments), owner_email },
        list_size: list_size.into(),
        change_at_least: if is_change { Points::nearest(change) } else { CHANGE_AT_LEAST },
    }
}

/// Over how long; `usual` where it is not said.
pub(super) fn period(found: &mut Violations, given: i32, usual: ReportPeriod) -> ReportPeriod {
    match proto::ReportPeriod::try_from(given) {
        Ok(proto::ReportPeriod::Unspecified) => usual,
        Ok(proto::ReportPeriod::Month) => ReportPeriod::Month,
        Ok(proto::ReportPeriod::Week) => ReportPeriod::Week,
        Ok(proto::ReportPeriod::Day) => ReportPeriod::Day,
        Err(_) => {
            found.add("period", format!("{given} is no period of a report"));
            usual
        }
    }
}

/// Whose customers; empty is anybody's.
pub(super) fn owner_email(found: &mut Violations, given: String) -> Option<String> {
    found.check_text("owner_email", &given, EMAIL_LENGTH_MAX);
    (!given.is_empty()).then_some(given)
}

/// How much a list holds at most; `usual` where it is not said.
pub(super) fn list_size(found: &mut Violations, given: Option<i32>, usual: i32) -> i32 {
    let size = given.unwrap_or(usual);
    found.require((1..=LIST_SIZE_MAX).contains(&size), "list_size", format!("must be 1 to {LIST_SIZE_MAX}"));
    size.clamp(1, LIST_SIZE_MAX)
}

/// How all customers are, as messages have it.
pub(crate) fn health_report(report: &HealthReport) -> proto::HealthReport {
    let sums = &report.sums;
    let referenceable = Proportion { count: report.referenceable_count, total: sums.account_count };
    let bands = sums.bands.iter().map(|(band, one)| proto::BandReport {
        band: band_message(*band).into(),
        account_count: one.account_count,
        account_count_before: one.account_count_before,
        arr: one.arr.iter().map(money_message).collect(),
    });
    let moves = sums.moves.iter().map(|((from, to), BandTransition { account_count, arr })| proto::BandTransition {
        from_band: band_message(*from).into(),
        to_band: band_message(*to).into(),
        account_count: *account_count,
        arr: arr.iter().map(money_message).collect(),
    });
    let segments = sums.segments.iter().map(|(segment, one)| proto::SegmentReport {
        segment: segment_message(*segment).into(),
        account_count: one.account_count,
        mean_score: one.mean_score,
        mean_change: one.mean_change,
        at_risk_count: one.at_risk_count,
        at_risk_arr: one.at_risk_arr.iter().map(money_message).collect(),
    });
    proto::HealthReport {
        as_of_time: Some(timestamp(report.as_of)),
        day: report.day.to_string(),
        compare_day: report.compare_day.to_string(),
        account_count: sums.account_count,
        mean_score: sums.mean_score,
        bands: bands.collect(),
        moves: moves.collect(),
        segments: segments.collect(),
        trend: report.trend.iter().map(trend_point).collect(),
        fallen: report.fallen.iter().map(customer).collect(),
        risen: report.risen.iter().map(customer).collect(),
        at_risk: report.at_risk.iter().map(customer).collect(),
        risk_triggers: report.risk_triggers.iter().map(risk_trigger).collect(),
        time_to_value_days_median: report.time_to_value.days_median,
        activated_count: report.time_to_value.activated_count,
        oldest_score_day: sums.oldest_day.map(|day| day.to_string()).unwrap_or_default(),
        referenceable_account_count: referenceable.count,
        referenceable_share: referenceable.share(),
        ready_to_grow_account_count: report.ready_to_grow.account_count,
        ready_to_grow_arr: report.ready_to_grow.arr.iter().map(money_message).collect(),
        ready_to_grow: report.near_limit.iter().map(customer).collect(),
    }
}

fn trend_point(point: &TrendPoint) -> proto::TrendPoint {
    proto::TrendPoint {
        day: point.day.to_string(),
        scored_count: point.scored_count,
        mean_score: point.mean_score(),
        at_risk_count: point.at_risk_count,
        critical_count: point.critical_count,
    }
}

fn customer(one: &CustomerReport) -> proto::CustomerReport {
    proto::CustomerReport {
        account: one.account.name(),
        display_name: one.display_name.clone(),
        segment: segment_message(one.segment).into(),
        csm_email: one.csm_email.clone().unwrap_or_default(),
        score: one.score.map(Points::as_f64),
        band: band_message(one.band).into(),
        change: one.change.map(Points::as_f64),
        arr: one.arr.map(money_message),
        renewal_time: one.renewal_at.map(timestamp),
        near_limit_metric: one.near_limit.as_ref().map(|near| near.metric.clone()).unwrap_or_default(),
        near_limit_share: one.near_limit.as_ref().map(|near| near.share),
    }
}

fn risk_trigger(one: &RiskTriggerReport) -> proto::RiskTriggerReport {
    proto::RiskTriggerReport {
        kind: kind_message(one.kind).into(),
        lasting_count: one.lasting_count,
        raised_count: one.raised_count,
        cleared_count: one.cleared_count,
    }
}

/// How far the data can be trusted, as messages have it.
pub(crate) fn data_quality(quality: &DataQuality) -> proto::DataQualityReport {
    let account_count = quality.coverage.accounts;
    let fields = quality.fields.iter().map(|(field, missing_count)| proto::FieldQuality {
        field: field.name().to_owned(),
        missing_count: *missing_count,
        missing_share: (account_count > 0).then(|| *missing_count as f64 / account_count as f64),
        owner_email: quality.owner(&DataSubject::Field(*field)),
    });
    let days = |days: i64| i32::try_from(days).unwrap_or(i32::MAX);
    let sources = quality.sources.iter().map(|one| proto::SourceQuality {
        source: one.source.name(),
        last_day: one.last_day.to_string(),
        silent_days: days(one.silent_days(quality.today)),
        longest_pause_days: one.longest_pause_days.map(days),
        is_silent: one.is_silent(quality.today),
        owner_email: quality.owner(&DataSubject::Source(one.source.clone())),
    });
    let duplicate = |one: &DuplicateName| proto::DuplicateName {
        display_name: one.display_name.clone(),
        accounts: one.accounts.iter().map(AccountId::name).collect(),
        account_count: usize::try_from(one.account_count).map_or(0, count),
    };
    proto::DataQualityReport {
        as_of_time: Some(timestamp(quality.as_of)),
        account_count,
        unscored_count: quality.coverage.unscored,
        thin_count: quality.coverage.thin,
        stale_count: quality.coverage.stale,
        fields: fields.collect(),
        sources: sources.collect(),
        unread_metrics: quality.inputs.unread_metrics.clone(),
        awaited_inputs: quality.inputs.awaited_inputs.clone(),
        duplicate_names: quality.duplicates.iter().map(duplicate).collect(),
        disagreements: quality.disagreements.iter().map(|one| disagreement(quality, one)).collect(),
    }
}

fn disagreement(quality: &DataQuality, one: &Disagreement) -> proto::Disagreement {
    let account = |account: &DisagreeingAccount| proto::DisagreeingAccount {
        account: account.account.name(),
        display_name: account.display_name.clone(),
        claims: account.claims.iter().map(field_claim).collect(),
    };
    proto::Disagreement {
        field: one.field.name().to_owned(),
        account_count: one.account_count,
        owner_email: quality.owner(&DataSubject::Field(one.field)),
        accounts: one.accounts.iter().map(account).collect(),
    }
}

/// What a source said of a field, as messages have it.
pub(crate) fn field_claim(claim: &FieldClaim) -> proto::FieldClaim {
    proto::FieldClaim {
        field: claim.field.clone(),
        source: claim.source.clone(),
        value: claim.value.clone(),
        told_time: Some(timestamp(claim.told_at)),
        disputed: claim.is_disputed,
    }
}

/// Who answers for something, as messages have it.
pub(crate) fn data_owner(owner: &DataOwner) -> proto::DataOwner {
    proto::DataOwner { subject: owner.subject.name(), owner_email: owner.owner_email.clone().unwrap_or_default() }
}
