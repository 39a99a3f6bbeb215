//! Targets of metrics of retention, by which teams are measured together.

use clap::{Args, ValueEnum};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_clients::retrying;

use crate::command::models::new_request_id;
use crate::command::reports::client;
use crate::command::revenue_sections::{origin_word, target_value};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::interventions::enum_word;
use crate::words::time_text;

/// A metric of retention, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricWord {
    /// Contracts that renewed
    RenewalRate,
    /// Revenue that stayed
    GrossRetention,
    /// Revenue that stayed, with what was won
    NetRetention,
    /// Revenue of customers at risk or critical
    ArrAtRiskShare,
    /// Customers that are critical
    CriticalShare,
    /// From sign-up to activation
    TimeToValueDays,
}

impl From<MetricWord> for proto::RetentionMetric {
    fn from(word: MetricWord) -> Self {
        match word {
            MetricWord::RenewalRate => Self::RenewalRate,
            MetricWord::GrossRetention => Self::GrossRetention,
            MetricWord::NetRetention => Self::NetRetention,
            MetricWord::ArrAtRiskShare => Self::ArrAtRiskShare,
            MetricWord::CriticalShare => Self::CriticalShare,
            MetricWord::TimeToValueDays => Self::TimeToValueDays,
        }
    }
}

/// A metric and its target, as `metric=target`.
pub(crate) fn parse_target(text: &str) -> Result<(MetricWord, f64), String> {
    let (metric, target) = text.split_once('=').ok_or("must be a metric and a value, such as renewal-rate=0.9")?;
    let names = || {
        let values = MetricWord::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let metric = MetricWord::from_str(metric, false).map_err(|_| format!("`{metric}` is none of {}", names()))?;
    let target = target.parse().map_err(|_| format!("`{target}` is no number"))?;
    Ok((metric, target))
}

/// Which target, and whose.
#[derive(Debug, Args)]
pub(crate) struct SetTargetArguments {
    /// The metric
    #[arg(value_enum)]
    metric: MetricWord,
    /// What it should reach: a share such as 0.9, or days
    #[arg(required_unless_present = "usual", conflicts_with = "usual")]
    target: Option<f64>,
    /// A team that is measured by it; may be repeated
    #[arg(long = "team", value_name = "TEAM", conflicts_with = "usual")]
    teams: Vec<String>,
    /// The usual target again
    #[arg(long)]
    usual: bool,
}

/// Sets a target, or takes it away.
pub(super) async fn set(
    arguments: &SetTargetArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::SetSharedTargetRequest {
        metric: proto::RetentionMetric::from(arguments.metric).into(),
        target: arguments.target,
        teams: arguments.teams.clone(),
        request_id: new_request_id(),
        validate_only: false,
    };
    let target = retrying(&connection.retries, async || client(connection).set_shared_target(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&target)?);
    }
    let (metric, holds) = (metric_text(&target), target_text(&target));
    note(&match (target.origin(), target.teams.join(", ")) {
        (proto::TargetOrigin::Shared, teams) if teams.is_empty() => format!("The target of {metric} is {holds} now."),
        (proto::TargetOrigin::Shared, teams) => format!("The target of {metric} is {holds} now, for {teams} together."),
        (proto::TargetOrigin::Unspecified, _) => format!("There is no target of {metric} any more."),
        _ => format!("The target of {metric} is the usual one again, {holds}."),
    });
    Ok(())
}

/// Lists the targets that hold.
pub(super) async fn list(connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::ListSharedTargetsRequest {};
    let targets = retrying(&connection.retries, async || client(connection).list_shared_targets(request).await)
        .await?
        .into_inner()
        .shared_targets;
    if output.is_json() {
        return targets.iter().try_for_each(|target| Ok(output.json_line(target)?));
    }
    let mut shown = table(&["METRIC", ">TARGET", "ORIGIN", "TEAMS", "SET BY", "SET"]);
    for target in &targets {
        shown.add_row([
            metric_text(target),
            target_text(target),
            origin_word(target.origin()),
            target.teams.join(" "),
            target.setter.clone(),
            time_text(target.set_time),
        ]);
    }
    Ok(output.table(shown)?)
}

fn metric_text(target: &proto::SharedTarget) -> String {
    enum_word(target.metric().as_str_name(), "RETENTION_METRIC_")
}

fn target_text(target: &proto::SharedTarget) -> String {
    target_value(target.metric(), target.target, target.lower_is_better).shown()
}
