//! How customers were served in a period, beside the period before: their tickets, and how easy they found it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mainstay_domain::{FIRST_CONTACT_DAYS, Interval, Proportion, Segment, Z_95};
use mainstay_statistics::combination::{self, Term};

use super::customer_filter::CustomerFilter;
use super::health_report::ReportPeriod;

/// Which customers, and over how long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceQuery {
    pub period: ReportPeriod,
    pub customers: CustomerFilter,
}

/// What happened after `start` and until `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Span {
    /// When tickets were resolved of which it was decided within this whether that was at first contact.
    pub(crate) fn of_decided(self) -> Self {
        let days = TimeDelta::days(FIRST_CONTACT_DAYS.into());
        Self { start: self.start - days, end: self.end - days }
    }
}

/// A period, and the one before, which is as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServicePeriods {
    pub now: Span,
    pub before: Span,
}

impl ServicePeriods {
    /// Those that end at a time.
    pub(crate) fn until(end: DateTime<Utc>, period: ReportPeriod) -> Self {
        let length = TimeDelta::days(period.days().into());
        let start = end - length;
        Self { now: Span { start, end }, before: Span { start: start - length, end: start } }
    }
}

/// Answers to the question how easy it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effort {
    pub answer_count: i64,
    pub score_sum: i64,
}

impl Effort {
    /// The mean answer; none without any.
    pub(crate) fn mean(self) -> Option<f64> {
        (self.answer_count > 0).then(|| self.score_sum as f64 / self.answer_count as f64)
    }

    fn add(&mut self, other: Self) {
        self.answer_count += other.answer_count;
        self.score_sum += other.score_sum;
    }
}

/// How customers were served in a period.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ServiceFigures {
    pub opened_count: i64,
    pub resolved_count: i64,
    /// At first contact, of the tickets of which it was decided.
    pub first_contact: Proportion,
    pub pending_count: i64,
    pub answered_count: i64,
    pub first_response_hours_median: Option<f64>,
    pub resolution_hours_median: Option<f64>,
    pub reopened_count: i64,
    pub escalated_count: i64,
    pub effort: Effort,
}

/// The figures of a period, and those of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ComparedFigures {
    pub now: ServiceFigures,
    pub before: ServiceFigures,
}

impl ComparedFigures {
    fn of_period(&mut self, is_before: bool) -> &mut ServiceFigures {
        if is_before { &mut self.before } else { &mut self.now }
    }

    /// By how much the share that was resolved at first contact changed, with its 95 % interval; none where one of the shares is
    /// none.
    pub(crate) fn first_contact_change(&self) -> Option<(f64, Interval)> {
        let term =
            |weight, share: Proportion| Some(Term { weight, value: share.share()?, interval: share.wilson(Z_95)? });
        let terms = [term(1.0, self.now.first_contact)?, term(-1.0, self.before.first_contact)?];
        Some((combination::total(&terms), combination::interval(&terms)))
    }
}

/// Of the tickets of a segment, or of all of them, in one of the periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TicketGroup {
    /// None: of all.
    pub segment: Option<Segment>,
    pub is_before: bool,
    /// Without the answers.
    pub figures: ServiceFigures,
}

/// Of the answers of a segment in one of the periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EffortGroup {
    pub segment: Segment,
    pub is_before: bool,
    pub effort: Effort,
}

/// How customers were served.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceReport {
    pub periods: ServicePeriods,
    pub all: ComparedFigures,
    /// Those of whose customers something is counted.
    pub segments: BTreeMap<Segment, ComparedFigures>,
}

impl ServiceReport {
    /// The report of these groups.
    pub(crate) fn of(periods: ServicePeriods, tickets: &[TicketGroup], efforts: &[EffortGroup]) -> Self {
        let mut all = ComparedFigures::default();
        let mut segments: BTreeMap<Segment, ComparedFigures> = BTreeMap::new();
        for group in tickets {
            // Medians of all are not made of those of segments.
            let compared = group.segment.map_or(&mut all, |segment| segments.entry(segment).or_default());
            *compared.of_period(group.is_before) = group.figures;
        }
        for group in efforts {
            all.of_period(group.is_before).effort.add(group.effort);
            segments.entry(group.segment).or_default().of_period(group.is_before).effort.add(group.effort);
        }
        segments.retain(|_, compared| *compared != ComparedFigures::default());
        Self { periods, all, segments }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(first_contact: Proportion) -> ServiceFigures {
        ServiceFigures { first_contact, ..ServiceFigures::default() }
    }

    #[test]
    fn r52_a_change_of_the_share_has_newcombes_interval() {
        let change = |now: (i64, i64), before: (i64, i64)| {
            let of = |(count, total)| figures(Proportion { count, total });
            ComparedFigures { now: of(now), before: of(before) }.first_contact_change()
        };
        // Newcombe 1998, Statistics in Medicine 17, 873, table II, method 10: 56/70 less 48/80 is 0.0524 to 0.3339.
        let (value, interval) = change((56, 70), (48, 80)).expect("a change");
        assert!((value - 0.2).abs() < 1e-12, "{value}");
        assert!((interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5, "{interval:?}");
        assert_eq!(change((0, 0), (48, 80)), None);
        assert_eq!(change((56, 70), (0, 0)), None);
    }

    proptest! {
        #[test]
        fn r52_each_moment_is_decided_in_one_period_whenever_one_asks(minute in 0..200_000i64, asked in 0..200_000i64) {
            let at = |minute| DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
            let within = |span: Span| span.start < at(minute) && at(minute) <= span.end;
            for period in [ReportPeriod::Day, ReportPeriod::Week, ReportPeriod::Month] {
                let one = ServicePeriods::until(at(asked), period);
                let next = ServicePeriods::until(at(asked) + TimeDelta::days(period.days().into()), period);
                prop_assert_eq!(one.now, next.before);
                prop_assert!(!(within(one.now.of_decided()) && within(one.before.of_decided())));
                prop_assert_eq!(one.before.of_decided().end, one.now.of_decided().start);
            }
        }

        #[test]
        fn r52_no_answer_is_lost(efforts in proptest::collection::vec((0..3usize, any::<bool>(), 1..7i64), 0..20)) {
            let segments = [Segment::Unknown, Segment::Enterprise, Segment::Smb];
            let groups: Vec<EffortGroup> = efforts
                .iter()
                .map(|&(segment, is_before, score_sum)| EffortGroup {
                    segment: segments[segment],
                    is_before,
                    effort: Effort { answer_count: 1, score_sum },
                })
                .collect();
            let periods = ServicePeriods::until(DateTime::UNIX_EPOCH, ReportPeriod::Week);
            let report = ServiceReport::of(periods, &[], &groups);
            let sum = |of: fn(&ComparedFigures) -> i64| report.segments.values().map(of).sum::<i64>();
            let both = |compared: &ComparedFigures| compared.now.effort.answer_count + compared.before.effort.answer_count;
            prop_assert_eq!(both(&report.all), i64::try_from(efforts.len()).expect("few"));
            prop_assert_eq!(sum(both), both(&report.all));
            prop_assert_eq!(sum(|compared| compared.now.effort.score_sum), report.all.now.effort.score_sum);
            let mean = report.all.now.effort.mean();
            prop_assert!(mean.is_none_or(|mean| (1.0..=7.0).contains(&mean)));
        }
    }
}
