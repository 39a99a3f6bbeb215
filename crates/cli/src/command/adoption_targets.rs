//! What customers are to reach.

use clap::{ArgGroup, Args};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_clients::retrying;
use proto::adoption_target::Outcome;

use crate::command::adoption::client;
use crate::command::models::new_request_id;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::{percent, table};
use crate::words::{SegmentWord, counted, id_of, resource_name, segment};

const COLLECTION: &str = "adoptionTargets";

/// A target, whole.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("outcome").required(true))]
pub(crate) struct SetArguments {
    /// Its id
    id: String,
    /// A milestone that the product tells of
    #[arg(long, group = "outcome")]
    milestone: Option<String>,
    /// A metric, of which `--quantity` is to be reached in all
    #[arg(long, group = "outcome", requires = "quantity")]
    metric: Option<String>,
    /// A feature, to be used `--quantity` times in all
    #[arg(long, group = "outcome")]
    feature: Option<String>,
    /// How much of the metric, or how many uses of the feature [default: 1 use]
    #[arg(long, value_name = "COUNT", conflicts_with = "milestone")]
    quantity: Option<i64>,
    /// Within how many days of the activation, 1 to 730
    #[arg(long, value_name = "DAYS")]
    within: i32,
    /// Which share of the customers: above 0, at most 1
    #[arg(long, value_name = "SHARE")]
    share: f64,
    /// Only for these segments [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    segment: Vec<SegmentWord>,
    /// What people call it
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
}

impl SetArguments {
    fn outcome(&self) -> Option<Outcome> {
        let quantity = self.quantity.unwrap_or(1);
        let milestone = self.milestone.clone().map(Outcome::Milestone);
        let total = |metric| Outcome::UsageTotal(proto::UsageTotal { metric, quantity });
        let uses = |feature| Outcome::FeatureUses(proto::FeatureUses { feature, count: quantity });
        milestone.or_else(|| self.metric.clone().map(total)).or_else(|| self.feature.clone().map(uses))
    }
}

/// Sets a target.
pub(super) async fn set(arguments: &SetArguments, connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let target = proto::AdoptionTarget {
        name: resource_name(COLLECTION, &arguments.id)?,
        display_name: arguments.name.clone(),
        segments: arguments.segment.iter().map(|word| proto::Segment::from(*word).into()).collect(),
        outcome: arguments.outcome(),
        within_days: arguments.within,
        target_share: arguments.share,
        update_time: None,
    };
    let request = proto::SetAdoptionTargetRequest {
        adoption_target: Some(target),
        request_id: new_request_id(),
        validate_only: false,
    };
    let target = retrying(&connection.retries, async || client(connection).set_adoption_target(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&target)?);
    }
    note(&format!("{} of {} are to reach {}.", percent(target.target_share), whom(&target), what(&target)));
    note("All accounts are looked at anew: see `mainstay adoption outcomes`.");
    Ok(())
}

/// Takes a target away.
pub(super) async fn remove(id: &str, connection: &Connection) -> Result<(), Failure> {
    let request =
        proto::DeleteAdoptionTargetRequest { name: resource_name(COLLECTION, id)?, request_id: new_request_id() };
    retrying(&connection.retries, async || client(connection).delete_adoption_target(request.clone()).await).await?;
    note(&format!("{} is no target any more.", id_of(&request.name)));
    Ok(())
}

/// Lists all targets.
pub(super) async fn list(connection: &Connection, output: &mut Output) -> Result<(), Failure> {
    let request = proto::ListAdoptionTargetsRequest {};
    let targets = retrying(&connection.retries, async || client(connection).list_adoption_targets(request).await)
        .await?
        .into_inner()
        .adoption_targets;
    if output.is_json() {
        return targets.iter().try_for_each(|target| Ok(output.json_line(target)?));
    }
    if targets.is_empty() {
        note("There are no targets; see `mainstay adoption set --help`.");
        return Ok(());
    }
    let mut shown = table(&["TARGET", "NAME", "FOR", "TO REACH", ">SHARE"]);
    for target in &targets {
        shown.add_row([
            id_of(&target.name).to_owned(),
            target.display_name.clone(),
            whom(target),
            what(target),
            percent(target.target_share),
        ]);
    }
    Ok(output.table(shown)?)
}

fn whom(target: &proto::AdoptionTarget) -> String {
    match target.segments().map(segment).collect::<Vec<_>>() {
        all if all.is_empty() => "all customers".to_owned(),
        segments => segments.join(", "),
    }
}

/// What is to be reached, and within how many days.
pub(super) fn what(target: &proto::AdoptionTarget) -> String {
    let outcome = match &target.outcome {
        None => String::new(),
        Some(Outcome::Milestone(milestone)) => milestone.clone(),
        Some(Outcome::UsageTotal(total)) => format!("{} {}", total.quantity, total.metric),
        Some(Outcome::FeatureUses(uses)) => format!("{} of {}", counted(uses.count, "use"), uses.feature),
    };
    format!("{outcome} within {}", counted(target.within_days.into(), "day"))
}
