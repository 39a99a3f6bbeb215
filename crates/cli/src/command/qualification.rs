//! Candidates, why they are what they are, and the reviews that find them.

use clap::Args;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_api::mainstay::expansion::v1::qualification_service_client::QualificationServiceClient;
use mainstay_clients::{ServiceChannel, retrying};

use crate::command::models::new_request_id;
use crate::command::opportunities::short_name;
use crate::command::{Listed, finish_list, is_enough, page_size};
use crate::connection::Connection;
use crate::expansion_words::{CandidateStateWord, candidate_state, hold_words};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{facts, table};
use crate::words::{account_name, id_of, time_text};

pub(crate) const CANDIDATES_HELP: &str = "\
A candidate used 80 % or more of a limit of its plan in two or more months in a row. Qualified ones
become opportunities; suppressed ones are left alone for now, and not forgotten. The best come
first: qualified ones by score, then by active users; then the others likewise.

Examples:
  mainstay opportunities candidates
  mainstay opportunities candidates --state suppressed
  mainstay opportunities candidates --account acme --output json";

pub(crate) const EXPLAIN_HELP: &str = "\
Examples:
  mainstay opportunities explain acme emails";

pub(crate) const REVIEW_HELP: &str = "\
The review of a month runs by itself on the third day after it; this runs it earlier, or shows how
far it is. A month is reviewed once.

Examples:
  mainstay opportunities review                 the last month
  mainstay opportunities review --month 2026-10";

/// Which candidates.
#[derive(Debug, Args)]
pub(crate) struct CandidatesArguments {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only in these states [default: all but lapsed]
    #[arg(long, value_enum, value_delimiter = ',')]
    state: Vec<CandidateStateWord>,
    /// Only of this metric
    #[arg(long, default_value = "", hide_default_value = true)]
    metric: String,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Which candidate.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The account, by id
    account: String,
    /// The metric
    metric: String,
}

/// Which month.
#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// The month, for example 2026-10 [default: the last one]
    #[arg(long, default_value = "", hide_default_value = true)]
    month: String,
}

fn client(connection: &Connection) -> QualificationServiceClient<ServiceChannel> {
    QualificationServiceClient::new(connection.channel.clone())
}

/// Lists candidates.
pub(crate) async fn candidates(
    arguments: &CandidatesArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut request = proto::ListCandidatesRequest {
        account: arguments.account.as_deref().map(account_name).transpose()?.unwrap_or_default(),
        states: arguments.state.iter().map(|&word| proto::CandidateState::from(word).into()).collect(),
        metric: arguments.metric.clone(),
        ..Default::default()
    };
    let mut table = table(&[
        "ACCOUNT",
        "METRIC",
        "STATE",
        ">SCORE",
        ">ACTIVE USERS",
        "MONTH",
        ">MONTHS",
        ">USED",
        ">LIMIT",
        "LEFT ALONE FOR",
    ]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).list_candidates(request.clone()).await)
            .await?
            .into_inner();
        for candidate in &page.candidates {
            if output.is_json() {
                output.json_line(candidate)?;
                continue;
            }
            table.add_row([
                id_of(&candidate.account).to_owned(),
                candidate.metric.clone(),
                candidate_state(candidate.state()).to_owned(),
                candidate.score.map(|score| format!("{score:.2}")).unwrap_or_default(),
                candidate.active_user_count.map(|users| users.to_string()).unwrap_or_default(),
                candidate.month.clone(),
                candidate.consecutive_months.to_string(),
                candidate.used.map(|used| used.to_string()).unwrap_or_default(),
                candidate.limit.map(|limit| limit.to_string()).unwrap_or_default(),
                hold_words(&candidate.suppressions),
            ]);
        }
        shown += page.candidates.len();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
    }
    let next_page_token = request.page_token.as_str();
    finish_list(output, table, &Listed { shown, which: "first", next_page_token, nothing: "No candidates match." })
}

/// Says why a candidate is what it is.
pub(crate) async fn explain(
    arguments: &ExplainArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = format!("{}/candidates/{}", account_name(&arguments.account)?, arguments.metric);
    let request = proto::ExplainCandidateRequest { name };
    let explained = retrying(&connection.retries, async || client(connection).explain_candidate(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&explained)?);
    }
    for reason in &explained.reasons {
        output.line(reason)?;
    }
    if let Some(candidate) = explained.candidate.as_ref().filter(|candidate| !candidate.opportunity.is_empty()) {
        output.line(&format!("opportunity {}", short_name(&candidate.opportunity)))?;
    }
    output.line("")?;
    let mut months = table(&["MONTH", ">USED", ">LIMIT", "80 % OR MORE"]);
    for month in &explained.months {
        months.add_row([
            month.month.clone(),
            month.used.map(|used| used.to_string()).unwrap_or_default(),
            month.limit.map(|limit| limit.to_string()).unwrap_or_default(),
            if month.near_limit { "yes" } else { "" }.to_owned(),
        ]);
    }
    Ok(output.table(months)?)
}

/// Begins a review, or shows the one there is.
pub(crate) async fn review(
    arguments: &ReviewArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::RunReviewRequest { month: arguments.month.clone(), request_id: new_request_id() };
    let review = retrying(&connection.retries, async || client(connection).run_review(request.clone()).await)
        .await?
        .into_inner();
    if output.is_json() {
        return Ok(output.json_object(&review)?);
    }
    let ended = time_text(review.end_time);
    output.table(facts(vec![
        ("month", id_of(&review.name).to_owned()),
        ("began", time_text(review.start_time)),
        ("ended", if ended.is_empty() { "under way".to_owned() } else { ended }),
        ("accounts", format!("{}, {} without a report", review.account_count, review.unreported_count)),
        ("candidates", review.identified_count.to_string()),
        ("qualified", review.qualified_count.to_string()),
        ("suppressed", review.suppressed_count.to_string()),
        ("opportunities opened", review.opened_count.to_string()),
    ]))?;
    Ok(())
}
