//! `mainstay cohorts touchpoints`: where customers meet friction, and whether those who do leave more often.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::cohort_service_client::CohortServiceClient;
use mainstay_clients::retrying;
use proto::touchpoint::Kind;

use crate::command::comparison_view::uncounted_lines;
use crate::command::report_sections::{Section, Value, show_report};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::interventions::enum_word;
use crate::words::{SegmentWord, day_text, parse_day};

pub(crate) const HELP: &str = "\
Friction counts up to the landmark, and customers are followed from there. Each touchpoint is compared within the stage
of the journey: onboarding in the first 90 days, renewing in the 90 days before the contract ends, or in use.
That those who met it left more often does not show that they left because of it.

Examples:
  mainstay cohorts touchpoints
  mainstay cohorts touchpoints --landmark 2026-03-31 --window 30 --follow 180 --segment enterprise
  mainstay cohorts touchpoints --csv stages > stages.csv";

/// When, and whom.
#[derive(Debug, Args)]
pub(crate) struct TouchpointArguments {
    /// The day from whose end on customers are followed [default: as long before today as they are followed]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    landmark: Option<NaiveDate>,
    /// How many days up to the landmark are looked at for friction
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    window: i32,
    /// How many days customers are followed, at most to today
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    follow: i32,
    /// Only these segments
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// Write one section as CSV
    #[arg(long, value_name = "SECTION", value_enum)]
    csv: Option<TouchpointSection>,
}

/// A section of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TouchpointSection {
    /// What the map is of
    Summary,
    /// Touchpoints by how many more left
    Touchpoints,
    /// Touchpoints by stage of the journey
    Stages,
}

/// Runs the command.
pub(super) async fn run(
    arguments: &TouchpointArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::GetTouchpointMapRequest {
        landmark_day: day_text(arguments.landmark),
        exposure_day_count: arguments.window,
        follow_day_count: arguments.follow,
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
    };
    let client = || CohortServiceClient::new(connection.channel.clone());
    let map =
        retrying(&connection.retries, async || client().get_touchpoint_map(request.clone()).await).await?.into_inner();
    let title = ("Touchpoints and retention", map.as_of_time);
    show_report(title, &map, &sections(&map), arguments.csv, output)?;
    if arguments.csv.is_none() && !output.is_json() {
        uncounted_lines(&map.uncounted_accounts).for_each(|line| note(&line));
    }
    Ok(())
}

fn sections(map: &proto::TouchpointMap) -> Vec<Section> {
    let columns = [
        ("FRICTION FROM", "exposure_first_day"),
        ("LANDMARK", "landmark_day"),
        ("FOLLOWED TO", "last_day"),
        (">CUSTOMERS", "customers"),
        (">LEFT", "customers_left"),
    ];
    let summary = Section::new(("summary", "Who is compared"), &columns, "").with([vec![
        Value::text(&map.exposure_first_day),
        Value::text(&map.landmark_day),
        Value::text(&map.last_day),
        Value::count(map.customer_count),
        Value::count(map.churned_count),
    ]]);
    vec![summary, touchpoints(map), stages(map)]
}

fn word(touchpoint: &proto::Touchpoint) -> String {
    match touchpoint.kind {
        None => String::new(),
        Some(Kind::Condition(kind)) => {
            let kind = proto::RiskTriggerKind::try_from(kind).unwrap_or_default();
            enum_word(kind.as_str_name(), "RISK_TRIGGER_KIND_")
        }
        Some(Kind::Incident(_)) => "incident".to_owned(),
    }
}

const COMPARED: [(&str, &str); 6] = [
    (">MET IT", "customers"),
    (">LEFT", "customers_left"),
    (">STAYED", "retention"),
    (">OTHERS STAYED", "reference_retention"),
    (">FROM", "difference_low"),
    (">TO", "difference_high"),
];

fn compared(effect: &proto::TouchpointEffect) -> [Value; 6] {
    [
        Value::count(effect.customer_count),
        Value::count(effect.churned_count),
        Value::share(effect.retention),
        Value::share(effect.reference_retention),
        Value::share_change(effect.difference_low),
        Value::share_change(effect.difference_high),
    ]
}

fn touchpoints(map: &proto::TouchpointMap) -> Section {
    let columns: Vec<_> = [("TOUCHPOINT", "touchpoint")]
        .into_iter()
        .chain(COMPARED)
        .chain([(">MORE LEFT", "excess_losses"), (">P", "adjusted_p_value"), (">ARR", "arr")])
        .collect();
    let row = |one: &proto::Touchpoint| {
        let mut row = vec![Value::text(word(one))];
        row.extend(compared(&one.all.unwrap_or_default()));
        row.extend([
            Value::change(one.excess_loss_count),
            Value::probability(one.adjusted_p_value),
            Value::money(&one.annual_revenues),
        ]);
        row
    };
    Section::new(
        ("touchpoints", "Touchpoints, by how many more left than others of their stage"),
        &columns,
        "Nobody met friction.",
    )
    .with(map.touchpoints.iter().map(row))
}

fn stages(map: &proto::TouchpointMap) -> Section {
    let columns: Vec<_> = [("TOUCHPOINT", "touchpoint"), ("STAGE", "stage")].into_iter().chain(COMPARED).collect();
    let rows = map.touchpoints.iter().flat_map(|one| {
        one.stages.iter().map(|stage| {
            let name = enum_word(stage.stage().as_str_name(), "JOURNEY_STAGE_");
            let mut row = vec![Value::text(word(one)), Value::text(name)];
            row.extend(compared(&stage.effect.unwrap_or_default()));
            row
        })
    });
    Section::new(("stages", "By stage of the journey"), &columns, "Nobody met friction.").with(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::report_sections::assert_asked_for_by;

    #[test]
    fn every_section_can_be_asked_for_and_no_other() {
        assert_asked_for_by::<TouchpointSection>(&sections(&proto::TouchpointMap::default()));
    }
}
