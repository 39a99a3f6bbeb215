//! The sections of the report of service.

use mainstay_api::mainstay::scoring::v1 as proto;

use crate::command::report_sections::{Section, Value, asked_for};
use crate::command::reports::ServiceArguments;
use crate::words::{segment, time_text};

/// Whose figures: those of the period, and those of the one before.
struct Row {
    whose: String,
    now: proto::ServiceFigures,
    before: proto::ServiceFigures,
}

/// Those of a report of service, as it was asked for.
pub(crate) fn service_sections(report: &proto::ServiceReport, asked: &ServiceArguments) -> Vec<Section> {
    let row = |whose: &str, now: Option<proto::ServiceFigures>, before: Option<proto::ServiceFigures>| Row {
        whose: whose.to_owned(),
        now: now.unwrap_or_default(),
        before: before.unwrap_or_default(),
    };
    let all = row("all", report.figures, report.figures_before);
    let segments = report.segments.iter().map(|one| row(segment(one.segment()), one.figures, one.figures_before));
    let rows: Vec<Row> = std::iter::once(all).chain(segments).collect();
    vec![summary(report, asked), first_contact(&rows), tickets(&rows), hours(&rows), effort(&rows)]
}

fn summary(report: &proto::ServiceReport, asked: &ServiceArguments) -> Section {
    let columns = [
        ("SINCE", "start_time"),
        ("BEFORE SINCE", "compare_start_time"),
        ("SEGMENTS", "segments"),
        ("LOOKED AFTER BY", "owner_email"),
        (">FIRST CONTACT CHANGED BY", "first_contact_rate_change"),
        (">95 % FROM", "first_contact_rate_change_low"),
        (">TO", "first_contact_rate_change_high"),
    ];
    let [segments, owner] = asked_for(&asked.customers.segment, &asked.customers.owner);
    Section::new(("summary", "The period"), &columns, "").with([vec![
        Value::text(time_text(report.start_time)),
        Value::text(time_text(report.compare_start_time)),
        segments,
        owner,
        Value::share(report.first_contact_rate_change),
        Value::share(report.first_contact_rate_change_low),
        Value::share(report.first_contact_rate_change_high),
    ]])
}

fn first_contact(rows: &[Row]) -> Section {
    let columns = [
        ("SEGMENT", "segment"),
        (">RATE", "rate"),
        (">95 % FROM", "rate_low"),
        (">TO", "rate_high"),
        (">TICKETS", "tickets"),
        (">OF", "tickets_decided"),
        (">RATE BEFORE", "rate_before"),
        (">OF BEFORE", "tickets_decided_before"),
        (">PENDING", "tickets_pending"),
    ];
    let row = |row: &Row| {
        vec![
            Value::text(&row.whose),
            Value::share(row.now.first_contact_rate),
            Value::share(row.now.first_contact_rate_low),
            Value::share(row.now.first_contact_rate_high),
            Value::count(row.now.first_contact_count),
            Value::count(row.now.decided_count),
            Value::share(row.before.first_contact_rate),
            Value::count(row.before.decided_count),
            Value::count(row.now.pending_count),
        ]
    };
    let titles = ("first-contact", "Resolved at first contact, of the tickets resolved 7 days before");
    Section::new(titles, &columns, "").with(rows.iter().map(row))
}

fn tickets(rows: &[Row]) -> Section {
    let columns = [
        ("SEGMENT", "segment"),
        (">OPENED", "opened"),
        (">BEFORE", "opened_before"),
        (">RESOLVED", "resolved"),
        (">BEFORE", "resolved_before"),
        (">REOPENED", "reopened"),
        (">BEFORE", "reopened_before"),
        (">ESCALATED", "escalated"),
        (">BEFORE", "escalated_before"),
    ];
    let row = |row: &Row| {
        vec![
            Value::text(&row.whose),
            Value::count(row.now.opened_count),
            Value::count(row.before.opened_count),
            Value::count(row.now.resolved_count),
            Value::count(row.before.resolved_count),
            Value::count(row.now.reopened_count),
            Value::count(row.before.reopened_count),
            Value::count(row.now.escalated_count),
            Value::count(row.before.escalated_count),
        ]
    };
    Section::new(("tickets", "Tickets"), &columns, "").with(rows.iter().map(row))
}

fn hours(rows: &[Row]) -> Section {
    let columns = [
        ("SEGMENT", "segment"),
        (">FIRST ANSWER", "first_response_median_hours"),
        (">BEFORE", "first_response_median_hours_before"),
        (">ANSWERED", "answered"),
        (">RESOLUTION", "resolution_median_hours"),
        (">BEFORE", "resolution_median_hours_before"),
        (">RESOLVED", "resolved"),
    ];
    let row = |row: &Row| {
        vec![
            Value::text(&row.whose),
            Value::points(row.now.first_response_hours_median),
            Value::points(row.before.first_response_hours_median),
            Value::count(row.now.answered_count),
            Value::points(row.now.resolution_hours_median),
            Value::points(row.before.resolution_hours_median),
            Value::count(row.now.resolved_count),
        ]
    };
    Section::new(("hours", "Median hours from the opening"), &columns, "").with(rows.iter().map(row))
}

fn effort(rows: &[Row]) -> Section {
    let columns = [
        ("SEGMENT", "segment"),
        (">MEAN", "mean"),
        (">ANSWERS", "answers"),
        (">MEAN BEFORE", "mean_before"),
        (">ANSWERS BEFORE", "answers_before"),
    ];
    let row = |row: &Row| {
        vec![
            Value::text(&row.whose),
            Value::points(row.now.effort_score_mean),
            Value::count(row.now.effort_answer_count),
            Value::points(row.before.effort_score_mean),
            Value::count(row.before.effort_answer_count),
        ]
    };
    Section::new(("effort", "Customer effort score, 1 (very hard) to 7 (very easy)"), &columns, "")
        .with(rows.iter().map(row))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::command::reports::{CustomersArguments, PeriodWord, ServiceSection};

    #[test]
    fn r52_every_section_can_be_asked_for_and_has_all_customers_first() {
        let customers = CustomersArguments { segment: Vec::new(), owner: String::new() };
        let asked = ServiceArguments { period: PeriodWord::Month, customers, csv: None };
        let smb = proto::SegmentServiceReport { segment: proto::Segment::Smb.into(), ..Default::default() };
        let report = proto::ServiceReport { segments: vec![smb], ..Default::default() };
        let sections = service_sections(&report, &asked);
        let names: Vec<&str> = sections.iter().map(|section| section.name).collect();
        let wanted = ServiceSection::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        assert_eq!(names, wanted.map(|value| value.get_name().to_owned()).collect::<Vec<_>>());
        for section in &sections[1..] {
            let lines = section.csv_lines();
            assert!(lines[1].starts_with("all,") && lines[2].starts_with("smb,") && lines.len() == 3, "{lines:?}");
        }
    }
}
