//! Figures of answers.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_api::mainstay::surveys::v1::ReportDimension::{Month, Program, Quarter, Segment};
use mainstay_testkit::browser;

use crate::harness::{Harness, about_critical_tickets, about_support, account, answer, answer_path, quarterly, time};
use crate::refusals::{refusal, violated_fields};

/// Submits answers as of a time.
async fn submit(harness: &Harness, account: &str, program: &str, when: &str, scores: &[i32]) {
    for &score in scores {
        let response = proto::Response { response_time: time(when), ..answer(account, program, score) };
        let request = proto::SubmitResponseRequest { response: Some(response), ..Default::default() };
        harness.responses.clone().submit_response(request).await.expect("an answer");
    }
}

async fn with_programs(start: &str) -> Harness {
    let harness = Harness::start(start).await;
    harness.publish("nps", about_critical_tickets()).await;
    harness.publish("nps-2", about_critical_tickets()).await;
    harness.publish("csat", about_support()).await;
    harness.tell_account(account("small")).await;
    let enterprise = scoring::Segment::Enterprise.into();
    harness.tell_account(scoring::Account { segment: enterprise, ..account("large") }).await;
    harness.settle().await;
    harness
}

fn close(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-6), "{found:?} instead of {expected}");
}

#[tokio::test]
async fn nps_comes_with_counts_and_the_adjusted_wald_interval_by_programme_segment_and_period() {
    let harness = with_programs("2026-07-01").await;
    submit(&harness, "small", "nps", "2026-03-31T23:59:59Z", &[10, 10, 9, 8, 3]).await;
    submit(&harness, "large", "nps", "2026-04-01", &[10, 0]).await;
    submit(&harness, "large", "nps-2", "2026-06-30", &[7]).await;
    submit(&harness, "large", "csat", "2026-06-30", &[5]).await;
    let report = async |group_by: &[proto::ReportDimension], filter: proto::ReportFilter| {
        let group_by = group_by.iter().map(|&dimension| dimension.into()).collect();
        let request = proto::GetNpsReportRequest { filter: Some(filter), group_by };
        harness.reports.clone().get_nps_report(request).await.expect("a report").into_inner().rows
    };
    let all = report(&[], Default::default()).await;
    let figure = all[0].figure.as_ref().expect("a figure");
    assert_eq!((figure.promoter_count, figure.passive_count, figure.detractor_count), (4, 2, 2));
    close(figure.nps, 25.0);
    // n' = 11, p = 4.75/11, d = 2.75/11: middle 2/11, error √((7.5/11 - 4/121)/11).
    let margin = 1.959_963_984_540_054 * ((7.5_f64 / 11.0 - 4.0 / 121.0) / 11.0).sqrt();
    let interval = figure.interval.expect("an interval");
    close(Some(interval.low), 100.0 * (2.0 / 11.0 - margin));
    close(Some(interval.high), 100.0 * (2.0 / 11.0 + margin));

    let keys = |rows: &[proto::NpsReportRow]| -> Vec<String> {
        rows.iter()
            .map(|row| {
                let key = row.key.clone().expect("a key");
                let total = row.figure.as_ref().map(|it| it.promoter_count + it.passive_count + it.detractor_count);
                let segment = key.segment.map(|number| scoring::Segment::try_from(number).expect("one").as_str_name());
                format!("{} {} {} {}", key.program, segment.unwrap_or("-"), key.period, total.unwrap_or(0))
            })
            .collect()
    };
    assert_eq!(
        keys(&report(&[Program, Segment, Quarter], Default::default()).await),
        [
            "programs/nps SEGMENT_SMB 2026-Q1 5",
            "programs/nps SEGMENT_ENTERPRISE 2026-Q2 2",
            "programs/nps-2 SEGMENT_ENTERPRISE 2026-Q2 1"
        ]
    );
    assert_eq!(keys(&report(&[Month], Default::default()).await), [" - 2026-03 5", " - 2026-04 2", " - 2026-06 1"]);
    let filter = proto::ReportFilter {
        programs: vec!["programs/nps".to_owned()],
        segments: vec![scoring::Segment::Enterprise.into()],
        start_time: time("2026-04-01"),
        end_time: time("2026-07-01"),
    };
    assert_eq!(keys(&report(&[], filter.clone()).await), [" -  2"]);
    let later = proto::ReportFilter { start_time: time("2026-04-02"), ..filter };
    let empty = report(&[], later.clone()).await;
    assert_eq!(empty[0].figure, Some(proto::NpsFigure::default()), "no answers are no figure");
    assert_eq!(report(&[Quarter], later).await, []);

    let request = proto::GetNpsReportRequest { filter: None, group_by: vec![Month.into(), Quarter.into(), 9] };
    let refused = harness.reports.clone().get_nps_report(request).await.expect_err("two periods");
    assert_eq!(violated_fields(&refused), ["group_by[2]", "group_by"]);
    let filter = proto::ReportFilter { programs: vec!["programs/none".to_owned()], ..Default::default() };
    let request = proto::GetNpsReportRequest { filter: Some(filter), group_by: Vec::new() };
    let refused = harness.reports.clone().get_nps_report(request).await.expect_err("no programme");
    assert_eq!(refusal(&refused).1, "PROGRAM_NOT_FOUND");
}

#[tokio::test]
async fn r45_the_trend_says_quarter_by_quarter_whether_the_score_changed() {
    let harness = with_programs("2026-11-15").await;
    let many = |score: i32, count: usize| vec![score; count];
    submit(&harness, "small", "nps", "2026-01-10", &[many(10, 10), many(7, 10), many(0, 10)].concat()).await;
    submit(&harness, "small", "nps", "2026-05-10", &[many(10, 12), many(7, 10), many(0, 8)].concat()).await;
    submit(&harness, "small", "nps", "2026-11-10", &[many(10, 2), many(0, 28)].concat()).await;
    let request = proto::GetNpsTrendRequest::default();
    let trend = harness.reports.clone().get_nps_trend(request).await.expect("a trend").into_inner().quarters;
    let names: Vec<&str> = trend.iter().map(|quarter| quarter.quarter.as_str()).collect();
    assert_eq!(names, ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]);
    let changes: Vec<_> = trend.iter().map(|quarter| quarter.change.map(|change| change.verdict())).collect();
    assert_eq!(
        changes,
        [None, None, Some(proto::ChangeVerdict::NoChange), None, None],
        "there is nothing to compare with a quarter without answers"
    );
    let change = trend[2].change.expect("a change");
    close(Some(change.difference), 100.0 * 4.0 / 30.0);
    assert!(change.p_value > 0.05 && change.interval.is_some_and(|interval| interval.low < 0.0), "{change:?}");

    submit(&harness, "small", "nps", "2026-09-30T23:59:59Z", &many(10, 30)).await;
    let request = proto::GetNpsTrendRequest { quarter_count: 3, ..Default::default() };
    let trend = harness.reports.clone().get_nps_trend(request).await.expect("a trend").into_inner().quarters;
    let verdicts: Vec<_> = trend.iter().filter_map(|quarter| Some(quarter.change?.verdict())).collect();
    assert_eq!(verdicts, [proto::ChangeVerdict::Rose, proto::ChangeVerdict::Fell]);
    let request = proto::GetNpsTrendRequest { quarter_count: 41, ..Default::default() };
    let refused = harness.reports.clone().get_nps_trend(request).await.expect_err("too many");
    assert_eq!(violated_fields(&refused), ["quarter_count"]);
}

#[tokio::test]
async fn r43_the_response_rate_counts_who_was_asked_and_who_answered_also_after_the_reminder() {
    let harness = Harness::start("2026-01-05").await;
    for number in 0..10 {
        harness.tell_account(account(&format!("c{number}"))).await;
    }
    harness.tell_account(scoring::Account { contacts: Vec::new(), ..account("nobody") }).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let first = harness.mails(10).await;
    for mail in &first[..2] {
        assert_eq!(browser::post(harness.page, &answer_path(mail), "score=9&comment=").await.status, 200);
    }
    harness.turn_to("2026-01-12").await;
    let reminders = harness.mails(18).await;
    assert_eq!(browser::post(harness.page, &answer_path(&reminders[10]), "score=9&comment=").await.status, 200);
    let rate = async |group_by: Vec<i32>| {
        let request = proto::GetResponseRateRequest { filter: None, group_by };
        harness.reports.clone().get_response_rate(request).await.expect("a rate").into_inner().rows
    };
    let figure = rate(Vec::new()).await[0].figure.expect("a figure");
    assert_eq!((figure.invited_count, figure.answered_count, figure.open_count), (10, 3, 7));
    assert_eq!(figure.answered_after_reminder_count, 1);
    close(figure.rate, 0.3);
    let interval = figure.interval.expect("an interval");
    close(Some(interval.low), 0.107_791_3);
    close(Some(interval.high), 0.603_222_4);
    assert_eq!(figure.standing(), proto::TargetStanding::Undecided);
    harness.turn_to("2026-03-01").await;
    let rows = rate(vec![Program.into(), Quarter.into()]).await;
    let key = rows[0].key.clone().expect("a key");
    assert_eq!((key.program.as_str(), key.period.as_str()), ("programs/nps", "2026-Q1"));
    assert_eq!(rows[0].figure.map(|figure| figure.open_count), Some(0));
}

#[tokio::test]
async fn r49_satisfaction_is_compared_with_its_target() {
    let harness = with_programs("2026-02-01").await;
    let report = async |group_by: Vec<i32>| {
        let request = proto::GetCsatReportRequest { filter: None, group_by };
        harness.reports.clone().get_csat_report(request).await.expect("a report").into_inner().rows
    };
    assert_eq!(
        report(Vec::new()).await[0].figure.map(|figure| figure.standing()),
        Some(proto::TargetStanding::Unspecified)
    );
    submit(&harness, "small", "csat", "2026-01-10", &[5, 5, 4, 3, 1]).await;
    submit(&harness, "large", "csat", "2026-01-10", &[[5; 40].as_slice(), &[2]].concat()).await;
    let by_segment = report(vec![Segment.into()]).await;
    let figures: Vec<_> = by_segment.iter().map(|row| row.figure.expect("a figure")).collect();
    assert_eq!((figures[0].satisfied_count, figures[0].dissatisfied_count), (40, 1));
    assert_eq!(figures[0].standing(), proto::TargetStanding::Met);
    assert_eq!((figures[1].satisfied_count, figures[1].neutral_count, figures[1].dissatisfied_count), (3, 1, 1));
    close(figures[1].csat, 0.6);
    close(figures[1].mean_score, 3.6);
    let interval = figures[1].interval.expect("an interval");
    close(Some(interval.low), 0.230_724_1);
    close(Some(interval.high), 0.882_379_1);
    assert_eq!(figures[1].standing(), proto::TargetStanding::Undecided);
}
