//! `mainstay models activate` and `release`: which model scores whom.

use chrono::NaiveDate;
use clap::Args;
use mainstay_api::mainstay::scoring::v1::{ActivateModelRequest, Model, ReleaseSegmentRequest, Segment};
use mainstay_clients::retrying;

use crate::command::models::{client, new_request_id};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::words::{SegmentWord, day_of_time, id_of, model_name, parse_day, segment};

pub(crate) const ACTIVATE_HELP: &str = "\
Every account is scored again; days before keep their scores. What was to be activated for the same accounts on a later
day is called off. A model that was backtested and found worse than the one that scores these accounts is refused, one
that no backtest tried beside it, too, as soon as 10 accounts have left (`mainstay models backtest`), and so is one with
other cuts between the bands than a model that scores other accounts.

Examples:
  mainstay models activate default
  mainstay models activate usage-2 --from 2027-01-01
  mainstay models activate large --segment enterprise      only enterprises; all others keep the general model
  mainstay models activate usage-2 --accept-worse --reason \"logins are not recorded any more\"";

pub(crate) const RELEASE_HELP: &str = "\
Examples:
  mainstay models release enterprise
  mainstay models release enterprise --from 2027-01-01 --reason \"one model for all from the new year on\"";

/// Which model scores, whom, from when on and why.
#[derive(Debug, Args)]
pub(crate) struct ActivateArguments {
    /// The model, by id
    model: String,
    /// Only the accounts of this segment, in place of the general model
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<SegmentWord>,
    /// From this day on (UTC); today, unless given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Activate it even if its backtest says that it is worse; needs a reason
    #[arg(long, requires = "reason")]
    accept_worse: bool,
    /// Activate it even if no backtest tried it; needs a reason
    #[arg(long, requires = "reason")]
    accept_untried: bool,
    /// Why, kept with the activation
    #[arg(long)]
    reason: Option<String>,
}

/// Which segment, from when on and why.
#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// The segment
    segment: SegmentWord,
    /// From this day on (UTC); today, unless given
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Do it even if a backtest says that the general model is worse for the segment; needs a reason
    #[arg(long, requires = "reason")]
    accept_worse: bool,
    /// Why, kept with the change
    #[arg(long)]
    reason: Option<String>,
}

/// Makes a model the one that scores.
pub(crate) async fn activate(
    arguments: &ActivateArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = ActivateModelRequest {
        name: model_name(&arguments.model)?,
        segment: arguments.segment.map(Segment::from).unwrap_or_default().into(),
        start_day: arguments.from.map(|day| day.to_string()).unwrap_or_default(),
        accept_worse: arguments.accept_worse,
        accept_untried: arguments.accept_untried,
        reason: arguments.reason.clone().unwrap_or_default(),
        ..ActivateModelRequest::default()
    };
    let whom = request.segment();
    let model = make_active(request, connection).await?;
    if output.is_json() {
        output.json_object(&model)?;
    } else {
        output.line(&activated(&model, whom))?;
    }
    Ok(())
}

/// Has a segment scored by the general model.
pub(crate) async fn release(
    arguments: &ReleaseArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = ReleaseSegmentRequest {
        segment: Segment::from(arguments.segment).into(),
        start_day: arguments.from.map(|day| day.to_string()).unwrap_or_default(),
        reason: arguments.reason.clone().unwrap_or_default(),
        request_id: new_request_id(),
        accept_worse: arguments.accept_worse,
    };
    let answer =
        retrying(&connection.retries, async || client(connection).release_segment(request.clone()).await).await?;
    let general = answer.into_inner();
    if output.is_json() {
        output.json_object(&general)?;
    } else {
        let from = arguments.from.map_or_else(|| "today".to_owned(), |day| day.to_string());
        let (segment, id) = (segment(request.segment()), id_of(&general.name));
        output.line(&format!("The general model, now {id}, scores {segment} accounts from {from} on."))?;
    }
    Ok(())
}

/// Makes a model the one that scores, and says so when nobody knows how well it does.
pub(crate) async fn make_active(request: ActivateModelRequest, connection: &Connection) -> Result<Model, Failure> {
    let request = ActivateModelRequest { request_id: new_request_id(), ..request };
    let answer =
        retrying(&connection.retries, async || client(connection).activate_model(request.clone()).await).await?;
    let model = answer.into_inner();
    if model.backtest.is_empty() {
        let id = id_of(&model.name);
        note(&format!(
            "Nobody tried whether {id} finds those who leave: `mainstay models backtest {id}` says, once ten have left."
        ));
    }
    Ok(model)
}

/// That a model scores a segment's accounts, or is the general model, now, or from when on it will be.
pub(crate) fn activated(model: &Model, whom: Segment) -> String {
    let id = id_of(&model.name);
    let (is_in_force, accounts) = match whom {
        Segment::Unspecified => (model.active, String::new()),
        one => (model.segments().any(|segment| segment == one), format!("{} accounts ", segment(one))),
    };
    if is_in_force {
        format!("{id} scores {accounts}from today on; all accounts are scored again.")
    } else {
        format!("{id} scores {accounts}from {} on.", day_of_time(model.activate_time))
    }
}

/// Whose accounts a model scores today; empty for nobody's.
pub(crate) fn scored(model: &Model) -> String {
    let segments: Vec<&str> = model.segments().map(segment).collect();
    match (model.active, segments.is_empty()) {
        (true, true) => "today".to_owned(),
        (true, false) => format!("today, also {}", segments.join(", ")),
        (false, _) => segments.join(", "),
    }
}
