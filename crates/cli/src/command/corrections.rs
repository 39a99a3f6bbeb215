//! `mainstay health correct`, `dispute`, `review`, `withdraw`, `corrections`: what people say against a computed band.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use comfy_table::Cell;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::label_service_client::LabelServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::due::{due_cell, now_time};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{facts, points, table};
use crate::words::interventions::enum_word;
use crate::words::{BandWord, account_name, band, day_of_time, id_of, midnight, parse_day, time_text};

/// Another band.
#[derive(Debug, Args)]
pub(crate) struct CorrectArguments {
    /// The account, by id
    account: String,
    /// The band that it is in
    #[arg(long, value_enum)]
    band: BandWord,
    #[command(flatten)]
    said: SaidArguments,
}

/// An objection.
#[derive(Debug, Args)]
pub(crate) struct DisputeArguments {
    /// The account, by id
    account: String,
    #[command(flatten)]
    said: SaidArguments,
}

/// What both have in common.
#[derive(Debug, Args)]
struct SaidArguments {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so
    #[arg(long, value_enum, default_value_t = SpeakerWord::Csm)]
    by: SpeakerWord,
    /// Address of the person who says so; needed of a customer
    #[arg(long, value_name = "EMAIL", default_value = "")]
    contact: String,
    /// Up to this UTC day, YYYY-MM-DD [default: 30 days from now]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    until: Option<NaiveDate>,
    /// To be reviewed up to this UTC day, YYYY-MM-DD [default: in 7 days]
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    review_by: Option<NaiveDate>,
}

/// Who says something, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SpeakerWord {
    /// Somebody on our side
    Csm,
    /// Somebody at the customer
    Customer,
}

impl From<SpeakerWord> for proto::LabelSpeaker {
    fn from(word: SpeakerWord) -> Self {
        match word {
            SpeakerWord::Csm => Self::Csm,
            SpeakerWord::Customer => Self::Customer,
        }
    }
}

/// A review.
#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// What is reviewed, as `mainstay health corrections` names it
    #[arg(value_name = "CORRECTION")]
    label: String,
    /// What came of it
    #[arg(value_enum)]
    verdict: VerdictWord,
    /// What you found
    words: String,
    /// Your address
    #[arg(long, value_name = "EMAIL")]
    reviewer: String,
}

/// What came of a review, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerdictWord {
    /// It is right
    Accept,
    /// It is not right
    Reject,
}

impl From<VerdictWord> for proto::LabelVerdict {
    fn from(word: VerdictWord) -> Self {
        match word {
            VerdictWord::Accept => Self::Accepted,
            VerdictWord::Reject => Self::Rejected,
        }
    }
}

/// What is taken back.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArguments {
    /// What is taken back, as `mainstay health corrections` names it
    #[arg(value_name = "CORRECTION")]
    label: String,
}

/// Which to list.
#[derive(Debug, Args)]
pub(crate) struct CorrectionsArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Also those that have ended
    #[arg(long, conflicts_with = "due")]
    ended: bool,
    /// Only those that should have been reviewed by now
    #[arg(long)]
    due: bool,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

fn client(connection: &Connection) -> LabelServiceClient<ServiceChannel> {
    LabelServiceClient::new(connection.channel.clone())
}

/// Sends a change, again if the answer is lost, and shows what is said now.
macro_rules! send {
    ($connection:expr, $output:expr, $method:ident, $request:expr) => {{
        let request = $request;
        let label = retrying(&$connection.retries, async || client($connection).$method(request.clone()).await);
        show(&label.await?.into_inner(), $output)
    }};
}

/// Says that an account is in another band.
pub(crate) async fn correct(
    arguments: &CorrectArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let said = &arguments.said;
    let request = proto::OverrideLabelRequest {
        account: account_name(&arguments.account)?,
        band: proto::Band::from(arguments.band).into(),
        reason: said.reason.clone(),
        speaker: proto::LabelSpeaker::from(said.by).into(),
        contact_email: said.contact.clone(),
        expire_time: said.until.map(midnight),
        review_due_time: said.review_by.map(midnight),
        request_id: new_request_id(),
        ..Default::default()
    };
    send!(connection, output, override_label, request)
}

/// Says that the band of an account is wrong.
pub(crate) async fn dispute(
    arguments: &DisputeArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let said = &arguments.said;
    let request = proto::DisputeLabelRequest {
        account: account_name(&arguments.account)?,
        reason: said.reason.clone(),
        speaker: proto::LabelSpeaker::from(said.by).into(),
        contact_email: said.contact.clone(),
        expire_time: said.until.map(midnight),
        review_due_time: said.review_by.map(midnight),
        request_id: new_request_id(),
        ..Default::default()
    };
    send!(connection, output, dispute_label, request)
}

/// Says what came of looking at one.
pub(crate) async fn review(
    arguments: &ReviewArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::ReviewLabelRequest {
        name: label_name(&arguments.label),
        verdict: proto::LabelVerdict::from(arguments.verdict).into(),
        words: arguments.words.clone(),
        reviewer_email: arguments.reviewer.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    send!(connection, output, review_label, request)
}

/// Takes one back.
pub(crate) async fn withdraw(
    arguments: &WithdrawArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = label_name(&arguments.label);
    let request = proto::WithdrawLabelRequest { name, request_id: new_request_id(), ..Default::default() };
    send!(connection, output, withdraw_label, request)
}

/// Lists them.
pub(crate) async fn list(
    arguments: &CorrectionsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut request = proto::ListLabelsRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        open_only: !arguments.ended,
        review_due_by_time: arguments.due.then(now_time),
        ..Default::default()
    };
    let mut table = table(&["CORRECTION", "COMPUTED", ">SCORE", "SAID", "STATE", "REVIEW DUE", "UNTIL", "REASON"]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_labels(request.clone()).await)
            .await?
            .into_inner();
        for label in &page.labels {
            if output.is_json() {
                output.json_line(label)?;
            } else {
                table.add_row(row(label));
            }
        }
        shown += page.labels.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing: "No corrections." })
}

fn row(label: &proto::Label) -> Vec<Cell> {
    let review_due = match label.state() {
        proto::LabelState::Pending => due_cell(label.review_due_time),
        _ => Cell::new(""),
    };
    vec![
        Cell::new(id_of(&label.name)),
        Cell::new(band(label.computed_band())),
        Cell::new(points(label.computed_score)),
        Cell::new(in_short(label)),
        Cell::new(state(label)),
        review_due,
        Cell::new(day_of_time(label.end_time.or(label.expire_time))),
        Cell::new(&label.reason),
    ]
}

/// `accounts/acme/labels/0198…`, from that or from what is behind its first slash.
fn label_name(given: &str) -> String {
    if given.starts_with("accounts/") { given.to_owned() } else { format!("accounts/{given}") }
}

fn state(label: &proto::Label) -> String {
    enum_word(label.state().as_str_name(), "LABEL_STATE_")
}

/// What somebody says, in a word or two: `CSM: healthy`, `customer: wrong`.
pub(crate) fn in_short(label: &proto::Label) -> String {
    let said = match label.kind() {
        proto::LabelKind::Override => band(label.band()),
        proto::LabelKind::Dispute | proto::LabelKind::Unspecified => "wrong",
    };
    format!("{}: {said}", speaker(label))
}

/// Who says it: `CSM`, `customer`.
pub(crate) fn speaker(label: &proto::Label) -> &'static str {
    match label.speaker() {
        proto::LabelSpeaker::Customer => "customer",
        proto::LabelSpeaker::Csm | proto::LabelSpeaker::Unspecified => "CSM",
    }
}

/// The same with all that one needs to know of it, in a line.
pub(crate) fn in_a_line(label: &proto::Label) -> String {
    let contact = if label.contact_email.is_empty() { String::new() } else { format!(" ({})", label.contact_email) };
    let until = day_of_time(label.expire_time);
    format!("{}{contact}, {}, until {until}: {}", in_short(label), state(label), label.reason)
}

fn show(label: &proto::Label, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.json_object(label)?);
    }
    let computed = if label.computed_day.is_empty() {
        "not scored yet".to_owned()
    } else {
        let (score, band) = (points(label.computed_score), band(label.computed_band()));
        format!("{score} ({band}) on {}, by {}", label.computed_day, id_of(&label.computed_model))
    };
    let review = label
        .review
        .as_ref()
        .map(|review| format!("{} ({}, {})", review.words, review.reviewer_email, time_text(review.review_time)));
    let rows = [
        ("correction", id_of(&label.name).to_owned()),
        ("computed", computed),
        ("said", in_short(label)),
        ("by", label.contact_email.clone()),
        ("reason", label.reason.clone()),
        ("state", state(label)),
        ("review due", time_text(label.review_due_time)),
        ("review", review.unwrap_or_default()),
        ("until", time_text(label.expire_time)),
        ("ended", time_text(label.end_time)),
        ("made", format!("{} by {}", time_text(label.create_time), label.creator)),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Ok(output.table(facts(rows))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stands_in_a_line() {
        let label = proto::Label {
            kind: proto::LabelKind::Dispute.into(),
            state: proto::LabelState::Accepted.into(),
            speaker: proto::LabelSpeaker::Customer.into(),
            contact_email: "eve@acme.example".to_owned(),
            expire_time: Some(midnight("2026-03-31".parse().expect("a day"))),
            reason: "We are content".to_owned(),
            ..Default::default()
        };
        let line = "customer: wrong (eve@acme.example), accepted, until 2026-03-31: We are content";
        assert_eq!(in_a_line(&label), line);
        let label = proto::Label {
            kind: proto::LabelKind::Override.into(),
            speaker: proto::LabelSpeaker::Csm.into(),
            band: proto::Band::Healthy.into(),
            ..label
        };
        assert_eq!(in_short(&label), "CSM: healthy");
    }

    #[test]
    fn corrections_are_named_in_full_or_as_lists_show_them() {
        let full = "accounts/acme/labels/0198c0de-0000-7000-8000-000000000000";
        assert_eq!(label_name(full), full);
        assert_eq!(label_name(id_of(full)), full);
    }
}
