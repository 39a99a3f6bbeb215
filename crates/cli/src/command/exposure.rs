//! `mainstay cohorts exposure`: whether customers to whom something happened stay as others do.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_clients::retrying;
use proto::exposure::Kind;

use crate::command::comparison_view::{
    CURVE_TITLES, curve_lines, difference, p_value, revenue, stayed, test_line, uncounted_lines,
};
use crate::connection::Connection;
use crate::csv::csv_line;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::{SegmentWord, counted, day_text, parse_day, segment, time_text};

/// What customers were exposed to.
#[derive(Debug, Subcommand)]
pub(crate) enum ExposureCommand {
    /// Incidents and outages that hit them
    #[command(after_help = "\
Examples:
  mainstay cohorts exposure incidents
  mainstay cohorts exposure incidents --at-least 3 --minutes 120 --segment enterprise
  mainstay cohorts exposure incidents --landmark 2026-03-31 --window 30 --follow 180 --csv > curves.csv")]
    Incidents(IncidentArguments),
    /// Contacts with those who look after them
    #[command(after_help = "\
Examples:
  mainstay cohorts exposure touches --at-least 3
  mainstay cohorts exposure touches --window 30 --output markdown > touches.md")]
    Touches(TouchArguments),
    /// Cases in which somebody looked after them, and that were closed
    #[command(after_help = "\
Examples:
  mainstay cohorts exposure cases
  mainstay cohorts exposure cases --outcome recovered,saved --follow 180")]
    Cases(CaseArguments),
    /// Features that they were given
    #[command(after_help = "\
Examples:
  mainstay cohorts exposure features --name sso
  mainstay cohorts exposure features --output json")]
    Features(FeatureArguments),
}

/// How many incidents.
#[derive(Debug, Args)]
pub(crate) struct IncidentArguments {
    /// Hit by so many at least
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    at_least: i32,
    /// For so many minutes together at least
    #[arg(long, value_name = "MINUTES", default_value_t = 0, hide_default_value = true)]
    minutes: i32,
    #[command(flatten)]
    spans: Spans,
}

/// How many contacts.
#[derive(Debug, Args)]
pub(crate) struct TouchArguments {
    /// So many at least
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    at_least: i32,
    #[command(flatten)]
    spans: Spans,
}

/// Which cases.
#[derive(Debug, Args)]
pub(crate) struct CaseArguments {
    /// Only those that ended so [default: in any way]
    #[arg(long, value_enum, value_delimiter = ',')]
    outcome: Vec<OutcomeWord>,
    #[command(flatten)]
    spans: Spans,
}

/// Which features.
#[derive(Debug, Args)]
pub(crate) struct FeatureArguments {
    /// Only this one [default: any]
    #[arg(long, value_name = "FEATURE", default_value = "", hide_default_value = true)]
    name: String,
    #[command(flatten)]
    spans: Spans,
}

/// When, and whom.
#[derive(Debug, Args)]
struct Spans {
    /// The day from whose end on customers are followed [default: as long before today as they are followed]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    landmark: Option<NaiveDate>,
    /// How many days up to the landmark are looked at for what happened
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    window: i32,
    /// How many days customers are followed, at most to today
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    follow: i32,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Write all points of the curves as CSV
    #[arg(long)]
    csv: bool,
}

/// How a case ended, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutcomeWord {
    /// An account at risk was saved
    Saved,
    /// The customer left
    Churned,
    /// Nothing was done
    NoAction,
    /// A detractor answered better when asked again
    Recovered,
    /// A detractor did not
    NotRecovered,
}

impl From<OutcomeWord> for proto::CaseOutcome {
    fn from(word: OutcomeWord) -> Self {
        match word {
            OutcomeWord::Saved => Self::Saved,
            OutcomeWord::Churned => Self::Churned,
            OutcomeWord::NoAction => Self::NoAction,
            OutcomeWord::Recovered => Self::Recovered,
            OutcomeWord::NotRecovered => Self::NotRecovered,
        }
    }
}

impl ExposureCommand {
    fn parts(&self) -> (Kind, &Spans, &'static str) {
        match self {
            Self::Incidents(arguments) => {
                let (incident_count_min, minutes_min) = (arguments.at_least, arguments.minutes);
                let kind = Kind::Incidents(proto::IncidentExposure { incident_count_min, minutes_min });
                (kind, &arguments.spans, "Incidents")
            }
            Self::Touches(arguments) => {
                let kind = Kind::Touches(proto::TouchExposure { touch_count_min: arguments.at_least });
                (kind, &arguments.spans, "Touches")
            }
            Self::Cases(arguments) => {
                let outcomes = arguments.outcome.iter().map(|word| proto::CaseOutcome::from(*word).into()).collect();
                (Kind::Cases(proto::CaseExposure { outcomes }), &arguments.spans, "Closed cases")
            }
            Self::Features(arguments) => {
                let kind = Kind::Features(proto::FeatureExposure { feature: arguments.name.clone() });
                (kind, &arguments.spans, "Features")
            }
        }
    }
}

/// Runs the command.
pub(crate) async fn run(
    command: &ExposureCommand,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let (kind, spans, name) = command.parts();
    let request = proto::CompareExposureRequest {
        exposure: Some(proto::Exposure { kind: Some(kind) }),
        landmark_day: day_text(spans.landmark),
        exposure_day_count: spans.window,
        follow_day_count: spans.follow,
        segments: spans.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
    };
    let client = || CohortServiceClient::new(connection.channel.clone());
    let answer =
        retrying(&connection.retries, async || client().compare_exposure(request.clone()).await).await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&answer)?);
    }
    let title = format!("{name} and retention, as of {}", time_text(answer.as_of_time));
    if spans.csv {
        return Ok(output.csv_table(&csv_lines(&answer), &title)?);
    }
    output.title(&title)?;
    if answer.segments.is_empty() {
        note("There were no customers at the landmark.");
    } else {
        output.table(groups(&answer))?;
    }
    for line in remarks(&answer) {
        output.line(&line)?;
    }
    Ok(())
}

fn segment_word(one: proto::Segment) -> &'static str {
    if one == proto::Segment::Unspecified { "not known" } else { segment(one) }
}

/// The comparisons of all and of each segment, with what they are of.
fn comparisons(answer: &proto::ExposureComparison) -> Vec<(&'static str, &proto::RetentionComparison)> {
    let all = answer.all.iter().map(|comparison| ("all", comparison));
    let segments =
        answer.segments.iter().filter_map(|one| Some((segment_word(one.segment()), one.comparison.as_ref()?)));
    all.chain(segments).collect()
}

/// A segment a line: the exposed, the others, and what they differ by.
fn groups(answer: &proto::ExposureComparison) -> comfy_table::Table {
    let mut rows =
        table(&["SEGMENT", ">EXPOSED", ">LEFT", ">STAYED", ">OTHERS", ">LEFT", ">STAYED", ">DIFFERENCE, POINTS", ">P"]);
    for (of, comparison) in comparisons(answer) {
        let mut row = vec![of.to_owned()];
        for group in [&comparison.group, &comparison.reference] {
            let group = group.clone().unwrap_or_default();
            row.extend([group.customer_count.to_string(), group.churned_count.to_string(), stayed(&group)]);
        }
        row.extend([difference(comparison), p_value(comparison.test.as_ref())]);
        rows.add_row(row);
    }
    rows
}

/// What is to be said of all of them.
fn remarks(answer: &proto::ExposureComparison) -> Vec<String> {
    let mut lines = vec![format!(
        "Exposed from {} to {}; customers at the end of that day are followed for {}, up to {}.",
        answer.exposure_first_day,
        answer.landmark_day,
        counted(answer.follow_day_count.into(), "day"),
        answer.last_day
    )];
    if let Some((exposed, others)) = answer.all.as_ref().and_then(|all| all.group.as_ref().zip(all.reference.as_ref()))
    {
        lines.push(format!(
            "Yearly revenue: {} of the exposed, {} of the others.",
            revenue(&exposed.annual_revenues),
            revenue(&others.annual_revenues)
        ));
        let censored = exposed.censored_count + others.censored_count;
        if censored > 0 {
            lines.push(format!("{} archived before the end, and followed until then.", counted(censored, "customer")));
        }
    }
    let test = answer.stratified_test.as_ref();
    lines.push(test_line("Log-rank test within segments", test, &answer.stratified_test_obstacle));
    if let Some(losses) = &answer.expected_losses {
        lines.push(losses_line(losses));
        if losses.omitted_customer_count > 0 {
            let omitted = counted(losses.omitted_customer_count, "customer");
            lines.push(format!("Of {omitted} nothing is expected: nobody of their segments was exposed."));
        }
    }
    lines.extend(uncounted_lines(&answer.uncounted_accounts));
    lines.push(
        "This shows what goes together, not what causes what: those who were exposed may differ in other ways."
            .to_owned(),
    );
    lines
}

fn losses_line(losses: &proto::ExpectedLosses) -> String {
    let interval = match (losses.difference_low, losses.difference_high) {
        (Some(low), Some(high)) => format!(" ({low:+.1} to {high:+.1})"),
        _ => String::new(),
    };
    format!(
        "Of {} who were not exposed, {:.1} would be expected to leave if all were and {:.1} if none is: {:+.1}{interval}.",
        counted(losses.customer_count, "customer"),
        losses.if_exposed,
        losses.if_unexposed,
        losses.difference
    )
}

/// All points of all curves.
fn csv_lines(answer: &proto::ExposureComparison) -> Vec<String> {
    let titles: Vec<String> = ["segment", "group"].into_iter().chain(CURVE_TITLES).map(str::to_owned).collect();
    let mut lines = vec![csv_line(&titles)];
    for (of, comparison) in comparisons(answer) {
        for (name, group) in [("exposed", &comparison.group), ("others", &comparison.reference)] {
            lines.extend(curve_lines(&[of.to_owned(), name.to_owned()], group.as_ref()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;

    use super::*;

    fn group(customer_count: i64, churned_count: i64, share: f64) -> proto::RetentionGroup {
        let point = |day, churned_count, survival: f64| proto::RetentionDay {
            day,
            at_risk_count: customer_count,
            churned_count,
            survival,
            low: survival / 2.0,
            high: 1.0,
        };
        proto::RetentionGroup {
            customer_count,
            churned_count,
            censored_count: 1,
            retention: Some(share),
            retention_low: Some(share / 2.0),
            retention_high: Some(1.0),
            days: vec![point(0, 0, 1.0), point(90, churned_count, share)],
            annual_revenues: vec![Money { currency_code: "EUR".to_owned(), minor_units: 120_000 }],
        }
    }

    fn answer() -> proto::ExposureComparison {
        let comparison = proto::RetentionComparison {
            group: Some(group(20, 5, 0.75)),
            reference: Some(group(40, 4, 0.9)),
            difference: Some(-0.15),
            difference_low: Some(-0.384),
            difference_high: Some(0.031),
            test: Some(proto::GroupTest { chi_squared: 3.5, p_value: 0.0614, ..Default::default() }),
            test_obstacle: String::new(),
        };
        let alone = proto::RetentionComparison {
            reference: Some(group(10, 1, 0.9)),
            test_obstacle: "one of the groups has no customers".to_owned(),
            ..Default::default()
        };
        let segment = |segment: proto::Segment, comparison| proto::SegmentComparison {
            segment: segment.into(),
            comparison: Some(comparison),
        };
        proto::ExposureComparison {
            exposure_first_day: "2025-12-18".to_owned(),
            landmark_day: "2026-03-17".to_owned(),
            last_day: "2026-06-15".to_owned(),
            follow_day_count: 90,
            all: Some(comparison.clone()),
            segments: vec![segment(proto::Segment::Smb, comparison), segment(proto::Segment::Unspecified, alone)],
            stratified_test_obstacle: "too few left".to_owned(),
            expected_losses: Some(proto::ExpectedLosses {
                customer_count: 40,
                omitted_customer_count: 10,
                if_exposed: 10.0,
                if_unexposed: 4.0,
                difference: 6.0,
                difference_low: Some(-1.2),
                difference_high: Some(15.4),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn r89_a_segment_has_a_line_with_both_groups_and_what_they_differ_by() {
        let mut shown = groups(&answer());
        shown.force_no_tty();
        let expected = "\
SEGMENT    EXPOSED  LEFT        STAYED  OTHERS  LEFT        STAYED     DIFFERENCE, POINTS       P
all             20     5  75% (38–100)      40     4  90% (45–100)  -15.0 (-38.4 to +3.1)  0.0614
smb             20     5  75% (38–100)      40     4  90% (45–100)  -15.0 (-38.4 to +3.1)  0.0614
not known        0     0             –      10     1  90% (45–100)                      –       –";
        assert_eq!(shown.trim_fmt(), expected);
    }

    #[test]
    fn r89_what_is_expected_and_what_it_does_not_prove_are_said() {
        assert_eq!(
            remarks(&answer()),
            [
                "Exposed from 2025-12-18 to 2026-03-17; customers at the end of that day are followed for 90 days, up to 2026-06-15.",
                "Yearly revenue: 1,200.00 EUR of the exposed, 1,200.00 EUR of the others.",
                "2 customers archived before the end, and followed until then.",
                "Log-rank test within segments: none; too few left.",
                "Of 40 customers who were not exposed, 10.0 would be expected to leave if all were and 4.0 if none is: +6.0 (-1.2 to +15.4).",
                "Of 10 customers nothing is expected: nobody of their segments was exposed.",
                "This shows what goes together, not what causes what: those who were exposed may differ in other ways.",
            ]
        );
    }

    #[test]
    fn csv_has_all_points_of_both_groups() {
        let lines = csv_lines(&answer());
        assert_eq!(lines.len(), 1 + 4 + 4 + 2);
        assert_eq!(lines[0], "segment,group,day,at_risk,churned,survival,low,high");
        assert_eq!(lines[2], "all,exposed,90,20,5,0.75,0.375,1");
        assert_eq!(lines[9], "not known,others,0,10,0,1,0.5,1");
    }
}
