//! `mainstay accounts signals`: all that was seen of an account.

use chrono::NaiveDate;
use clap::Args;
use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_clients::retrying;
use proto::lifecycle_signal::Change;
use proto::signal::Payload;

use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::money;
use crate::output::Output;
use crate::table::table;
use crate::words::interventions::enum_word;
use crate::words::{account_name, day_of_time, midnight, parse_day, time_text};

/// Which account, and which of its signals.
#[derive(Debug, Args)]
pub(crate) struct SignalsArguments {
    /// The account, by id
    account: String,
    /// Only what this system saw
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    #[command(flatten)]
    filter: SignalFilterArguments,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// When they happened, and what they are.
#[derive(Debug, Args)]
pub(crate) struct SignalFilterArguments {
    /// Only those of this day (UTC) or later
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Option<NaiveDate>,
    /// Only those before this day (UTC)
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    before: Option<NaiveDate>,
    /// Only of this kind, as the list names it, such as ticket or survey-answer; may be repeated
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = parse_kind)]
    kind: Vec<proto::SignalKind>,
}

impl SignalFilterArguments {
    /// A request for such signals, of whichever account and system.
    pub(crate) fn request(&self) -> proto::ListSignalsRequest {
        proto::ListSignalsRequest {
            start_time: self.from.map(midnight),
            end_time: self.before.map(midnight),
            kinds: self.kind.iter().map(|kind| (*kind).into()).collect(),
            ..Default::default()
        }
    }
}

fn parse_kind(text: &str) -> Result<proto::SignalKind, String> {
    let name = format!("SIGNAL_KIND_{}", text.replace(['-', ' '], "_").to_uppercase());
    let kind = proto::SignalKind::from_str_name(&name).filter(|kind| *kind != proto::SignalKind::Unspecified);
    kind.ok_or_else(|| format!("`{text}` is no kind of signal: usage, gauge, activity, feature-use, ticket, invoice, dispute, lifecycle, survey-answer, touch, pulse, credit, feature-request, feature-release, incident, case-outcome"))
}

/// Lists signals, newest first.
pub(crate) async fn run(
    arguments: &SignalsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let client = || SignalServiceClient::new(connection.channel.clone());
    let mut request = proto::ListSignalsRequest {
        parent: account_name(&arguments.account)?,
        source: arguments.source.clone(),
        ..arguments.filter.request()
    };
    let mut rows = table(&["TIME", "SYSTEM", "KIND", "WHAT", "ID"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client().list_signals(request.clone()).await).await?;
        let page = page.into_inner();
        shown += page.signals.len();
        for signal in &page.signals {
            if output.is_json() {
                output.json_line(signal)?;
                continue;
            }
            let (kind, what) = signal.payload.as_ref().map(words).unwrap_or_default();
            let what = match &signal.withdrawal {
                Some(withdrawal) => withdrawn(&what, withdrawal),
                None => what,
            };
            let (source, source_id) = (signal.source.clone(), signal.source_id.clone());
            rows.add_row([time_text(signal.event_time), source, kind.to_owned(), what, source_id]);
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let listed = Listed {
        shown,
        which: "newest",
        next_page_token: &request.page_token,
        nothing: "Nothing was seen of the account.",
    };
    finish_list(output, rows, &listed)
}

/// What a signal said that does not count any more.
fn withdrawn(what: &str, withdrawal: &proto::SignalWithdrawal) -> String {
    let (by, day) = (&withdrawal.withdrawn_by, day_of_time(withdrawal.withdraw_time));
    format!("{what} (withdrawn on {day} by {by}: {})", withdrawal.reason)
}

/// The parts that there are, in a line.
fn line(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn amount(given: Option<&Money>) -> String {
    given.map(money::format).unwrap_or_default()
}

/// The kind of a signal, and what it says.
fn words(payload: &Payload) -> (&'static str, String) {
    match payload {
        Payload::Usage(told) => ("usage", format!("{} {}", told.quantity, told.metric)),
        Payload::Gauge(told) => ("gauge", format!("{} {}", told.level, told.metric)),
        Payload::Activity(told) => ("activity", line(&[&told.user_id, &told.action])),
        Payload::FeatureUse(told) => {
            ("feature use", line(&[&format!("{} × {}", told.count, told.feature), &told.user_id]))
        }
        Payload::Ticket(told) => {
            let priority = enum_word(told.priority().as_str_name(), "TICKET_PRIORITY_");
            let priority = if told.priority() == proto::TicketPriority::Unspecified { String::new() } else { priority };
            let action = enum_word(told.action().as_str_name(), "TICKET_ACTION_");
            ("ticket", line(&[&format!("{} {action}", told.ticket_id), &priority]))
        }
        Payload::Invoice(told) => {
            let action = enum_word(told.action().as_str_name(), "INVOICE_ACTION_");
            ("invoice", line(&[&format!("{} {action}", told.invoice_id), &amount(told.amount.as_ref())]))
        }
        Payload::Dispute(told) => {
            let action = enum_word(told.action().as_str_name(), "DISPUTE_ACTION_");
            ("dispute", line(&[&format!("{} {action}", told.dispute_id), &amount(told.amount.as_ref())]))
        }
        Payload::Lifecycle(told) => ("lifecycle", told.change.as_ref().map(change_words).unwrap_or_default()),
        Payload::SurveyAnswer(told) => {
            let question = enum_word(told.question().as_str_name(), "SURVEY_QUESTION_");
            ("survey answer", line(&[&format!("{question} {}", told.score), &told.comment]))
        }
        Payload::Touch(told) => {
            let side = if told.inbound { "by the customer" } else { "by us" };
            ("touch", line(&[side, if told.answered { "answered" } else { "" }]))
        }
        Payload::Pulse(told) => ("pulse", line(&[&format!("{} of 5", told.rating), &told.note, &told.author_email])),
        Payload::Credit(told) => {
            let kind = enum_word(told.kind().as_str_name(), "CREDIT_KIND_");
            ("credit", line(&[&kind, &amount(told.amount.as_ref()), &told.reason]))
        }
        Payload::FeatureRequest(told) => ("feature request", line(&[&told.feature, &told.title])),
        Payload::FeatureRelease(told) => ("feature release", told.feature.clone()),
        Payload::Incident(told) => {
            let severity = enum_word(told.severity().as_str_name(), "INCIDENT_SEVERITY_");
            ("incident", line(&[&told.incident_id, &severity, &format!("{} minutes", told.minutes)]))
        }
        Payload::CaseOutcome(told) => {
            let outcome = enum_word(told.outcome().as_str_name(), "CASE_OUTCOME_");
            ("case outcome", line(&[&told.case_id, &outcome]))
        }
    }
}

fn change_words(change: &Change) -> String {
    match change {
        Change::Activation(_) => "activated".to_owned(),
        Change::Milestone(told) => format!("reached {}", told.milestone),
        Change::Renewal(told) => format!("renewed until {}", day_of_time(told.renewal_time)),
        Change::Churn(told) => line(&["left", &told.reason]),
        Change::SeatChange(told) => format!("{} seats", told.seats),
        Change::PlanChange(told) => {
            let direction = enum_word(told.direction().as_str_name(), "PLAN_CHANGE_DIRECTION_");
            line(&[&format!("plan {}", told.plan), &direction, &amount(told.arr.as_ref())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_as_the_list_shows_them() {
        for kind in ["feature use", "survey-answer", "case_outcome", "Ticket"] {
            assert!(parse_kind(kind).is_ok(), "{kind}");
        }
        assert!(parse_kind("unspecified").is_err());
        assert!(parse_kind("tickets").expect_err("no kind").contains("survey-answer"));
    }

    #[test]
    fn what_was_not_said_leaves_no_mark() {
        let touch = Payload::Touch(proto::TouchSignal { inbound: true, answered: false });
        assert_eq!(words(&touch), ("touch", "by the customer".to_owned()));
        let churn = proto::LifecycleSignal { change: Some(Change::Churn(proto::Churn { reason: "price".to_owned() })) };
        assert_eq!(words(&Payload::Lifecycle(churn)), ("lifecycle", "left, price".to_owned()));
    }
}
