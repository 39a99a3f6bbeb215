//! Reports, between messages and the domain.

use mainstay_accounts::{segment_message, segment_of_message};
use mainstay_api::mainstay::scoring::v1::Segment as SegmentMessage;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::{Interval, ProgramId, Proportion, Segment, Violations, Z_95};
use mainstay_service::wire;

use crate::domain::report::{
    Breakdown, CSAT_TARGET, CsatCounts, InvitationCounts, PROGRAMS_MAX, PeriodLength, QuarterCounts,
    RESPONSE_RATE_TARGET, ReportFilter, ReportKey, ResurveyCounts, TREND_QUARTERS_DEFAULT, TREND_QUARTERS_MAX,
};
use crate::domain::statistics::{ChangeVerdict, NpsChange, NpsCounts, Standing, nps_change, standing};

/// What a report is about.
pub(crate) fn filter(found: &mut Violations, message: Option<&proto::ReportFilter>) -> ReportFilter {
    let Some(message) = message else { return ReportFilter::default() };
    let filter = ReportFilter {
        programs: programs(found, "filter.programs", &message.programs),
        segments: segments(found, "filter.segments", &message.segments),
        start: wire::time(found, "filter.start_time", message.start_time.as_ref()),
        end: wire::time(found, "filter.end_time", message.end_time.as_ref()),
    };
    if let (Some(start), Some(end)) = (filter.start, filter.end) {
        found.require(start < end, "filter.end_time", "must be after start_time");
    }
    filter
}

/// Programmes that a report is about.
pub(crate) fn programs(found: &mut Violations, field: &str, names: &[String]) -> Vec<ProgramId> {
    found.require(names.len() <= PROGRAMS_MAX, field, format!("must be at most {PROGRAMS_MAX}"));
    let parse = |(index, name): (usize, &String)| found.take(&format!("{field}[{index}]"), ProgramId::parse_name(name));
    names.iter().enumerate().filter_map(parse).collect()
}

/// Segments that a report is about.
pub(crate) fn segments(found: &mut Violations, field: &str, numbers: &[i32]) -> Vec<Segment> {
    wire::enum_values(found, field, numbers, "segment", |number| {
        SegmentMessage::try_from(number).ok().map(segment_of_message)
    })
}

/// By what a report is broken down.
pub(crate) fn breakdown(found: &mut Violations, dimensions: &[i32]) -> Breakdown {
    use proto::ReportDimension::{Month, Program, Quarter, Segment, Unspecified};
    let named = wire::enum_values(found, "group_by", dimensions, "dimension", |number| {
        proto::ReportDimension::try_from(number).ok().filter(|dimension| *dimension != Unspecified)
    });
    let both = named.contains(&Quarter) && named.contains(&Month);
    found.require(!both, "group_by", "must not name both the quarter and the month");
    let quarter = named.contains(&Quarter).then_some(PeriodLength::Quarter);
    Breakdown {
        program: named.contains(&Program),
        segment: named.contains(&Segment),
        period: quarter.or(named.contains(&Month).then_some(PeriodLength::Month)),
    }
}

/// How many quarters a trend has.
pub(crate) fn quarter_count(found: &mut Violations, given: i32) -> u32 {
    if given == 0 {
        return TREND_QUARTERS_DEFAULT;
    }
    let count = u32::try_from(given).ok().filter(|count| (2..=TREND_QUARTERS_MAX).contains(count));
    found.require(
        count.is_some(),
        "quarter_count",
        format!("must be 2 to {TREND_QUARTERS_MAX}, or 0 for {TREND_QUARTERS_DEFAULT}, not {given}"),
    );
    count.unwrap_or(TREND_QUARTERS_DEFAULT)
}

fn key_message(key: &ReportKey, breakdown: Breakdown) -> proto::ReportKey {
    let period = key.period.zip(breakdown.period);
    proto::ReportKey {
        program: key.program.as_ref().map(ProgramId::name).unwrap_or_default(),
        segment: key.segment.map(|segment| segment_message(segment).into()),
        period: period.map(|(first_day, length)| length.name(first_day)).unwrap_or_default(),
    }
}

fn interval_message(interval: Interval) -> proto::Interval {
    proto::Interval { low: interval.low, high: interval.high }
}

fn standing_message(interval: Option<Interval>, target: f64) -> proto::TargetStanding {
    match interval.map(|interval| standing(interval, target)) {
        None => proto::TargetStanding::Unspecified,
        Some(Standing::Met) => proto::TargetStanding::Met,
        Some(Standing::Missed) => proto::TargetStanding::Missed,
        Some(Standing::Undecided) => proto::TargetStanding::Undecided,
    }
}

/// A count as messages have it.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Of none there is no mean.
fn mean(sum: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| sum as f64 / total as f64)
}

fn nps_figure(counts: &NpsCounts) -> proto::NpsFigure {
    proto::NpsFigure {
        promoter_count: count(counts.promoters),
        passive_count: count(counts.passives),
        detractor_count: count(counts.detractors),
        nps: counts.nps(),
        interval: counts.interval().map(interval_message),
    }
}

/// Rows of net promoter scores.
pub(crate) fn nps_rows(rows: &[(ReportKey, NpsCounts)], breakdown: Breakdown) -> Vec<proto::NpsReportRow> {
    let row = |(key, counts): &(ReportKey, NpsCounts)| proto::NpsReportRow {
        key: Some(key_message(key, breakdown)),
        figure: Some(nps_figure(counts)),
    };
    rows.iter().map(row).collect()
}

/// Rows of customer satisfaction.
pub(crate) fn csat_rows(rows: &[(ReportKey, CsatCounts)], breakdown: Breakdown) -> Vec<proto::CsatReportRow> {
    let figure = |counts: &CsatCounts| {
        let satisfied = Proportion { count: count(counts.satisfied), total: count(counts.total()) };
        let interval = satisfied.wilson(Z_95);
        proto::CsatFigure {
            satisfied_count: count(counts.satisfied),
            neutral_count: count(counts.neutral),
            dissatisfied_count: count(counts.dissatisfied),
            csat: satisfied.share(),
            interval: interval.map(interval_message),
            mean_score: mean(counts.score_sum, counts.total()),
            standing: standing_message(interval, CSAT_TARGET).into(),
        }
    };
    let row = |(key, counts): &(ReportKey, CsatCounts)| proto::CsatReportRow {
        key: Some(key_message(key, breakdown)),
        figure: Some(figure(counts)),
    };
    rows.iter().map(row).collect()
}

/// Rows of response rates.
pub(crate) fn rate_rows(rows: &[(ReportKey, InvitationCounts)], breakdown: Breakdown) -> Vec<proto::ResponseRateRow> {
    let figure = |counts: &InvitationCounts| {
        let answered = Proportion { count: count(counts.answered), total: count(counts.invited) };
        let interval = answered.wilson(Z_95);
        proto::ResponseRateFigure {
            invited_count: count(counts.invited),
            answered_count: count(counts.answered),
            open_count: count(counts.open),
            answered_after_reminder_count: count(counts.answered_after_reminder),
            rate: answered.share(),
            interval: interval.map(interval_message),
            standing: standing_message(interval, RESPONSE_RATE_TARGET).into(),
        }
    };
    let row = |(key, counts): &(ReportKey, InvitationCounts)| proto::ResponseRateRow {
        key: Some(key_message(key, breakdown)),
        figure: Some(figure(counts)),
    };
    rows.iter().map(row).collect()
}

/// The quarters of a trend, each compared with the one before.
pub(crate) fn trend_quarters(quarters: &[QuarterCounts]) -> Vec<proto::NpsTrendQuarter> {
    let earlier = std::iter::once(None).chain(quarters.iter().map(Some));
    quarters
        .iter()
        .zip(earlier)
        .map(|(quarter, earlier)| proto::NpsTrendQuarter {
            quarter: quarter.quarter.to_string(),
            figure: Some(nps_figure(&quarter.counts)),
            change: earlier.and_then(|earlier| nps_change(&earlier.counts, &quarter.counts)).map(change_message),
        })
        .collect()
}

fn change_message(change: NpsChange) -> proto::NpsChange {
    let verdict = match change.verdict {
        ChangeVerdict::NoChange => proto::ChangeVerdict::NoChange,
        ChangeVerdict::Rose => proto::ChangeVerdict::Rose,
        ChangeVerdict::Fell => proto::ChangeVerdict::Fell,
    };
    proto::NpsChange {
        difference: change.difference,
        interval: Some(interval_message(change.interval)),
        z: change.z,
        p_value: change.p_value,
        verdict: verdict.into(),
    }
}

/// The comparison of resurveys.
pub(crate) fn resurvey_report(counts: &ResurveyCounts) -> proto::GetResurveyReportResponse {
    let recovered = Proportion { count: count(counts.recovered), total: count(counts.detractors) };
    proto::GetResurveyReportResponse {
        pair_count: count(counts.pairs),
        detractor_count: count(counts.detractors),
        recovered_count: count(counts.recovered),
        recovery_rate: recovered.share(),
        recovery_interval: recovered.wilson(Z_95).map(interval_message),
        mean_score_before: mean(counts.score_sum_before, counts.pairs),
        mean_score_after: mean(counts.score_sum_after, counts.pairs),
    }
}

#[cfg(test)]
mod tests {
    use proto::TargetStanding::{Met, Missed, Undecided};

    use super::*;

    /// Of 1 000 answers, how the share of the satisfied stands.
    fn csat_standing(satisfied: u64) -> proto::TargetStanding {
        let counts = CsatCounts { satisfied, neutral: 0, dissatisfied: 1_000 - satisfied, score_sum: 0 };
        let rows = csat_rows(&[(ReportKey::default(), counts)], Breakdown::default());
        rows[0].figure.expect("a figure").standing()
    }

    /// Of 1 000 invitations, how the share of the answered stands.
    fn rate_standing(answered: u64) -> proto::TargetStanding {
        let counts = InvitationCounts { invited: 1_000, answered, open: 0, answered_after_reminder: 0 };
        let rows = rate_rows(&[(ReportKey::default(), counts)], Breakdown::default());
        rows[0].figure.expect("a figure").standing()
    }

    /// The 95 % Wilson intervals begin at 0.85093 and 0.84986, and end at 0.84918 and 0.85012.
    #[test]
    fn r49_satisfaction_has_met_or_missed_its_target_when_all_of_the_interval_is_on_one_side_of_85_percent() {
        assert_eq!([873, 872].map(csat_standing), [Met, Undecided]);
        assert_eq!([827, 828].map(csat_standing), [Missed, Undecided]);
    }

    /// The 95 % Wilson intervals begin at 0.35043 and 0.34945, and end at 0.34955 and 0.35057.
    #[test]
    fn r43_the_response_rate_has_met_or_missed_its_target_when_all_of_the_interval_is_on_one_side_of_35_percent() {
        assert_eq!([380, 379].map(rate_standing), [Met, Undecided]);
        assert_eq!([320, 321].map(rate_standing), [Missed, Undecided]);
    }
}
