//! `mainstay status`: is the server up, how is the portfolio, and how is each service doing.

use clap::Args;
use comfy_table::{Cell, Table};
use mainstay_api::mainstay::events::v1::event_feed_service_client::EventFeedServiceClient;
use mainstay_api::mainstay::events::v1::{FeedPosition, GetFeedPositionRequest};
use mainstay_api::mainstay::scoring::v1::{BandCount, HealthSummary, Model, SummarizeHealthRequest};
use mainstay_clients::{ErrorReport, retrying};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::arguments::GlobalOptions;
use crate::command::{health, models, service_status};
use crate::connection::Connection;
use crate::failure::{DONE, FAILED, Failure};
use crate::money;
use crate::output::{Output, to_json};
use crate::table::{band_cell, bar, facts, points, table};
use crate::words::{counted, id_of, time_text};
use mainstay_domain::grouped;

/// No arguments of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 0 when the server serves, and 1 when it does not.

Examples:
  mainstay status
  mainstay status --server https://mainstay.example.com --output json")]
pub(crate) struct StatusArguments {}

/// What is asked of the server; each part may fail on its own, for example for
/// lack of a permission.
struct Answers {
    feed: Result<FeedPosition, Status>,
    summary: Result<HealthSummary, Status>,
    model: Result<Model, Failure>,
}

/// Runs the command.
pub(crate) async fn run(options: &GlobalOptions, connection: &Connection, output: &mut Output) -> Result<u8, Failure> {
    let presence = presence(connection).await?;
    let is_serving = presence.serving == ServingStatus::Serving;
    let answers = if is_serving { Some(ask(connection).await) } else { None };
    let services = service_status::ask(options).await;
    if output.is_json() {
        let mut status = json(connection, &presence, answers.as_ref())?;
        status["services"] = service_status::services_json(&services)?;
        output.line(&format!("{status:#}"))?;
    } else {
        show(connection, &presence, answers.as_ref(), output)?;
        output.line("")?;
        output.table(service_status::services_table(&services))?;
    }
    Ok(if is_serving { DONE } else { FAILED })
}

/// What the server says of itself.
struct Presence {
    serving: ServingStatus,
    /// Its version; none when it does not say.
    version: Option<String>,
}

async fn presence(connection: &Connection) -> Result<Presence, Failure> {
    let answer = retrying(&connection.retries, async || {
        let mut request = Request::new(HealthCheckRequest::default());
        request.set_timeout(connection.channel.deadline());
        HealthClient::new(connection.channel.clone()).check(request).await
    });
    let answer = answer.await?;
    let named = answer.metadata().get("server").and_then(|value| value.to_str().ok());
    let version = named.and_then(|named| named.strip_prefix("mainstay/")).map(str::to_owned);
    Ok(Presence { serving: answer.into_inner().status(), version })
}

async fn ask(connection: &Connection) -> Answers {
    let feed = retrying(&connection.retries, async || {
        EventFeedServiceClient::new(connection.channel.clone()).get_feed_position(GetFeedPositionRequest {}).await
    });
    let summary = retrying(&connection.retries, async || {
        health::client(connection).summarize_health(SummarizeHealthRequest::default()).await
    });
    let (feed, summary, model) = tokio::join!(feed, summary, models::active(connection));
    Answers { feed: feed.map(tonic::Response::into_inner), summary: summary.map(tonic::Response::into_inner), model }
}

fn state(serving: ServingStatus) -> &'static str {
    match serving {
        ServingStatus::Serving => "up",
        ServingStatus::NotServing => "up, but not serving: it starts, shuts down, or cannot reach its database",
        ServingStatus::Unknown | ServingStatus::ServiceUnknown => "up, but does not know its own state",
    }
}

fn show(
    connection: &Connection,
    presence: &Presence,
    answers: Option<&Answers>,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut rows = vec![
        ("server", format!("{} is {}", connection.channel.address(), state(presence.serving))),
        ("version", presence.version.clone().unwrap_or_else(|| "not known".to_owned())),
        ("command", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let Some(answers) = answers else { return Ok(output.table(facts(rows))?) };
    rows.push(("model", answers.model.as_ref().map_or_else(failure_line, |model| id_of(&model.name).to_owned())));
    rows.push(("feed", answers.feed.as_ref().map_or_else(status_line, feed_line)));
    match &answers.summary {
        Err(status) => {
            rows.push(("portfolio", status_line(status)));
            output.table(facts(rows))?;
        }
        Ok(summary) => {
            let accounts = counted(summary.account_count, "account");
            rows.push(("portfolio", format!("{accounts}, mean score {}", points(summary.mean_score))));
            if summary.as_of_time.is_some() {
                rows.push(("as of", time_text(summary.as_of_time)));
            }
            output.table(facts(rows))?;
            output.line("")?;
            output.table(bands_table(summary))?;
        }
    }
    Ok(())
}

fn status_line(status: &Status) -> String {
    format!("not known: {}", ErrorReport::from(status).one_line())
}

fn failure_line(failure: &Failure) -> String {
    format!("not known: {failure}")
}

fn feed_line(feed: &FeedPosition) -> String {
    let events = counted(feed.newest_offset, "event");
    match feed.outbox_size {
        0 => events,
        waiting => format!("{events}, {} about to be added", grouped(&waiting.to_string())),
    }
}

fn bands_table(summary: &HealthSummary) -> Table {
    const BAR_WIDTH: usize = 20;
    let mut table = table(&["BAND", ">ACCOUNTS", "SHARE", ">ARR"]);
    for count in &summary.bands {
        table.add_row([
            band_cell(count.band()),
            Cell::new(grouped(&count.account_count.to_string())),
            Cell::new(bar(count.account_count as f64, summary.account_count as f64, BAR_WIDTH)),
            Cell::new(arr(count)),
        ]);
    }
    table
}

fn arr(count: &BandCount) -> String {
    count.arr.iter().map(money::format).collect::<Vec<_>>().join(", ")
}

fn json(connection: &Connection, presence: &Presence, answers: Option<&Answers>) -> Result<serde_json::Value, Failure> {
    let mut status = serde_json::json!({
        "server": connection.channel.address().as_str(),
        "serving": presence.serving == ServingStatus::Serving,
        "serverVersion": presence.version,
        "commandVersion": env!("CARGO_PKG_VERSION"),
    });
    let error = |status: &Status| serde_json::json!({ "error": ErrorReport::from(status).to_json() });
    if let Some(answers) = answers {
        status["model"] = match &answers.model {
            Ok(model) => serde_json::json!(model.name),
            Err(Failure::Call(status)) => error(status),
            Err(failure) => serde_json::json!({ "error": { "message": failure.to_string() } }),
        };
        status["feed"] = answers.feed.as_ref().map_or_else(|status| Ok(error(status)), to_json)?;
        status["portfolio"] = answers.summary.as_ref().map_or_else(|status| Ok(error(status)), to_json)?;
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;
    use mainstay_api::mainstay::scoring::v1::Band;

    use super::*;

    #[test]
    fn the_portfolio_is_shown_by_band() {
        let count = |band: Band, account_count, minor_units| BandCount {
            band: band.into(),
            account_count,
            arr: vec![Money { currency_code: "EUR".to_owned(), minor_units }],
        };
        let summary = HealthSummary {
            bands: vec![count(Band::Critical, 500, 1_234_500), count(Band::Healthy, 1_500, 99)],
            account_count: 2_000,
            ..HealthSummary::default()
        };
        let mut table = bands_table(&summary);
        table.force_no_tty();
        let expected = "\
BAND      ACCOUNTS  SHARE                           ARR
critical       500  █████░░░░░░░░░░░░░░░  12,345.00 EUR
healthy      1,500  ███████████████░░░░░       0.99 EUR";
        assert_eq!(table.trim_fmt(), expected);
    }

    #[test]
    fn a_feed_says_what_waits_for_its_place() {
        let feed = FeedPosition { newest_offset: 12_345, outbox_size: 7, ..FeedPosition::default() };
        assert_eq!(feed_line(&feed), "12,345 events, 7 about to be added");
        assert_eq!(feed_line(&FeedPosition { newest_offset: 1, ..FeedPosition::default() }), "1 event");
    }
}
