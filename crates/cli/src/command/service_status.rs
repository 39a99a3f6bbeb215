//! How each service is doing, for `mainstay status`: feeds, due and late work, messages.

use std::time::Duration;

use comfy_table::{Cell, Color, Table};
use mainstay_api::mainstay::status::v1::status_service_client::StatusServiceClient;
use mainstay_api::mainstay::status::v1::{ConsumerStatus, GetStatusRequest, ServiceStatus};
use mainstay_clients::ErrorReport;
use mainstay_domain::grouped;
use tonic::{Code, Request, Status};

use crate::arguments::GlobalOptions;
use crate::connection::{Connection, ServiceName};
use crate::due::length;
use crate::output::to_json;
use crate::table::table;

/// How long one service may take to answer: one that is away does not hold up the others.
const PATIENCE: Duration = Duration::from_secs(3);

/// A service and what it says of itself.
pub(crate) struct Answered {
    service: ServiceName,
    address: String,
    status: Result<ServiceStatus, Status>,
}

/// Asks all services that the options lead to, all at once.
pub(crate) async fn ask(options: &GlobalOptions) -> Vec<Answered> {
    // One for which no address is known is none of this machine's.
    let known = ServiceName::ALL.into_iter().filter_map(|service| {
        let connection = Connection::to(options, service).ok()?;
        Some((service, connection))
    });
    futures::future::join_all(known.map(|(service, connection)| async move {
        let mut request = Request::new(GetStatusRequest {});
        request.set_timeout(PATIENCE.min(connection.channel.deadline()));
        let answer = StatusServiceClient::new(connection.channel.clone()).get_status(request).await;
        let address = connection.channel.address().to_string();
        Answered { service, address, status: answer.map(tonic::Response::into_inner) }
    }))
    .await
}

/// A row for each service.
pub(crate) fn services_table(answers: &[Answered]) -> Table {
    let mut table =
        table(&["SERVICE", "ADDRESS", "STATE", "VERSION", ">EVENTS", "READS", ">DUE", "LATE", ">DEAD", ">TO SEND"]);
    for answer in answers {
        let name = Cell::new(answer.service.word());
        let address = Cell::new(&answer.address);
        match &answer.status {
            Ok(status) => {
                let mut row = vec![name, address, Cell::new("up").fg(Color::Green)];
                row.extend(cells(status));
                table.add_row(row);
            }
            Err(status) => {
                table.add_row(vec![name, address, Cell::new(absence(status)).fg(Color::Red)]);
            }
        }
    }
    table
}

fn absence(status: &Status) -> String {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => "not reachable".to_owned(),
        _ => ErrorReport::from(status).one_line(),
    }
}

fn cells(status: &ServiceStatus) -> Vec<Cell> {
    let due: i64 = status.queues.iter().map(|queue| queue.due_count).sum();
    let messages = status.messages.unwrap_or_default();
    let parked: i64 = status.consumers.iter().map(|consumer| consumer.parked_count).sum();
    let dead: i64 = status.queues.iter().map(|queue| queue.dead_count).sum::<i64>() + messages.dead_count + parked;
    let dead_cell = Cell::new(count(dead));
    vec![
        Cell::new(&status.version),
        Cell::new(count(status.feed_offset)),
        Cell::new(status.consumers.iter().map(reads).collect::<Vec<_>>().join(", ")),
        Cell::new(count(due)),
        Cell::new(late(status)),
        if dead > 0 { dead_cell.fg(Color::Red) } else { dead_cell },
        Cell::new(if status.messages.is_some() { count(messages.pending_count) } else { "–".to_owned() }),
    ]
}

/// How far another service's feed was read.
fn reads(consumer: &ConsumerStatus) -> String {
    match consumer.lag {
        Some(0) => consumer.feed.clone(),
        Some(lag) => format!("{} ({} behind)", consumer.feed, count(lag)),
        None => format!("{} (not reachable)", consumer.feed),
    }
}

/// How long the longest due work has been due.
fn late(status: &ServiceStatus) -> String {
    let now = status.time.map_or(0, |time| time.seconds);
    let oldest = status.queues.iter().filter_map(|queue| queue.oldest_due_time).map(|time| time.seconds).min();
    match oldest.map(|oldest| now - oldest) {
        Some(seconds) if seconds >= 60 => length(seconds),
        _ => "–".to_owned(),
    }
}

fn count(count: i64) -> String {
    grouped(&count.to_string())
}

/// The same for programs.
pub(crate) fn services_json(answers: &[Answered]) -> std::io::Result<serde_json::Value> {
    let mut services = serde_json::Map::new();
    for answer in answers {
        let mut value = match &answer.status {
            Ok(status) => to_json(status)?,
            Err(status) => serde_json::json!({ "error": ErrorReport::from(status).to_json() }),
        };
        value["address"] = answer.address.clone().into();
        services.insert(answer.service.word().to_owned(), value);
    }
    Ok(services.into())
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::status::v1::{MessagesStatus, QueueStatus};

    use super::*;

    #[test]
    fn a_service_shows_what_is_late_and_what_was_given_up() {
        let status = ServiceStatus {
            version: "0.1.0".to_owned(),
            time: Some(prost_types::Timestamp { seconds: 10_000, nanos: 0 }),
            feed_offset: 1_234,
            consumers: vec![ConsumerStatus {
                feed: "scoring".to_owned(),
                reachable: true,
                lag: Some(12),
                parked_count: 1,
            }],
            queues: vec![QueueStatus {
                queue: "clocks".to_owned(),
                due_count: 3,
                oldest_due_time: Some(prost_types::Timestamp { seconds: 2_800, nanos: 0 }),
                ..Default::default()
            }],
            messages: Some(MessagesStatus { pending_count: 2, dead_count: 1 }),
            ..Default::default()
        };
        let up = Answered {
            service: ServiceName::Interventions,
            address: "http://127.0.0.1:7463".to_owned(),
            status: Ok(status),
        };
        let away = Answered {
            service: ServiceName::Surveys,
            address: "http://127.0.0.1:7462".to_owned(),
            status: Err(Status::unavailable("no")),
        };
        let mut table = services_table(&[up, away]);
        table.force_no_tty();
        let expected = "\
SERVICE        ADDRESS                STATE          VERSION  EVENTS  READS                DUE  LATE  DEAD  TO SEND
interventions  http://127.0.0.1:7463  up             0.1.0     1,234  scoring (12 behind)    3  2 h      2        2
surveys        http://127.0.0.1:7462  not reachable";
        assert_eq!(table.trim_fmt(), expected);
    }
}
