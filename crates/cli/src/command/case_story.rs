//! `mainstay cases touch`, `talking-points` and `story`: contacts with the customer, and all that happened.

use clap::Args;
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_clients::retrying;

use crate::command::cases::{case_name, client};
use crate::command::models::new_request_id;
use crate::command::{is_enough, page_size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::table::table;
use crate::words::interventions::{ChannelWord, enum_word};
use crate::words::{account_name, id_of, time_text};

/// A contact.
#[derive(Debug, Args)]
pub(crate) struct TouchArguments {
    /// The case, by id
    case: String,
    /// What was said
    summary: String,
    /// How
    #[arg(long, value_enum)]
    channel: ChannelWord,
    /// The customer began it
    #[arg(long)]
    inbound: bool,
    /// The other side answered
    #[arg(long)]
    answered: bool,
    /// The id of the person at the customer
    #[arg(long, default_value = "", hide_default_value = true)]
    contact: String,
    /// What the customer struggles with
    #[arg(long, default_value = "", hide_default_value = true)]
    challenges: String,
    /// What the customer needs now and did not before
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NEEDS")]
    changed_needs: String,
}

/// With whom to talk.
#[derive(Debug, Args)]
pub(crate) struct TalkingPointsArguments {
    /// The account, by id
    account: String,
}

/// Whose story.
#[derive(Debug, Args)]
pub(crate) struct StoryArguments {
    /// The case, by id
    #[arg(required_unless_present = "account")]
    case: Option<String>,
    /// Of an account instead
    #[arg(long, conflicts_with = "case")]
    account: Option<String>,
    /// How many entries at most; 0 for all
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Records a contact with the customer.
pub(crate) async fn touch(
    arguments: &TouchArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let direction = if arguments.inbound { proto::TouchDirection::Inbound } else { proto::TouchDirection::Outbound };
    let request = proto::RecordTouchRequest {
        case: case_name(&arguments.case)?,
        channel: proto::TouchChannel::from(arguments.channel).into(),
        direction: direction.into(),
        answered: arguments.answered,
        contact_id: arguments.contact.clone(),
        summary: arguments.summary.clone(),
        challenges: arguments.challenges.clone(),
        changed_needs: arguments.changed_needs.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let touch = retrying(&connection.retries, async || client(connection).record_touch(request.clone()).await);
    let touch = touch.await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&touch)?);
    }
    Ok(output.line(&format!("recorded {}", id_of(&touch.name)))?)
}

/// Says what to talk about with the customer.
pub(crate) async fn talking_points(
    arguments: &TalkingPointsArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let request = proto::GetTalkingPointsRequest { account: account_name(&arguments.account)? };
    let points = retrying(&connection.retries, async || client(connection).get_talking_points(request.clone()).await);
    let points = points.await?.into_inner();
    if output.is_json() {
        return Ok(output.json_object(&points)?);
    }
    let mut table = table(&["ABOUT", ""]);
    for point in &points.points {
        table.add_row([enum_word(point.topic().as_str_name(), "TALKING_POINT_TOPIC_"), point.text.clone()]);
    }
    output.table(table)?;
    if !points.health_explained {
        note("scoring did not explain the health just now");
    }
    Ok(())
}

/// Tells the story of a case or an account.
pub(crate) async fn story(
    arguments: &StoryArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<(), Failure> {
    let parent = match (&arguments.case, &arguments.account) {
        (_, Some(account)) => account_name(account)?,
        (case, None) => case_name(case.as_deref().unwrap_or_default())?,
    };
    let mut request = proto::GetTimelineRequest { parent, ..Default::default() };
    let mut table = table(&["TIME", "WHAT", "WHO", ""]);
    let mut shown = 0;
    loop {
        request.page_size = page_size(arguments.limit, shown);
        let page = retrying(&connection.retries, async || client(connection).get_timeline(request.clone()).await)
            .await?
            .into_inner();
        for entry in &page.entries {
            if output.is_json() {
                output.json_line(entry)?;
            } else {
                let what = entry.kind.replace('_', " ");
                table.add_row([time_text(entry.time), what, entry.actor.clone(), entry.text.clone()]);
            }
        }
        shown += page.entries.len();
        if page.next_page_token.is_empty() || is_enough(arguments.limit, shown) {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() { Ok(()) } else { Ok(output.table(table)?) }
}
