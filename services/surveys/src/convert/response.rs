//! Answers, between messages and the domain.

use mainstay_accounts::segment_message;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::{AccountId, ProgramId, Violations, is_key};
use mainstay_service::wire;

use super::invitation::{account_filter, program_filter};
use super::program::kind_message;
use crate::domain::invitation::{InvitationName, ResponseName};
use crate::domain::list::ResponseFilter;
use crate::domain::response::{
    COMMENT_LENGTH_MAX, CONTACT_ID_LENGTH_MAX, Category, PAGE_CHANNEL, RPC_CHANNEL, Response, SubmittedResponse,
};

/// An answer as messages have it.
pub(crate) fn message(response: &Response) -> proto::Response {
    let account = &response.name.account;
    proto::Response {
        name: response.name.name(),
        account: account.name(),
        contact_id: response.contact_id.clone(),
        program: response.program.name(),
        kind: kind_message(response.kind).into(),
        score: Some(response.score),
        category: category_message(response.category).into(),
        comment: response.comment.clone(),
        invitation: response.invitation().map(|invitation| invitation.name()).unwrap_or_default(),
        response_time: Some(wire::timestamp(response.responded_at)),
        resurvey_of: response
            .resurvey_of
            .map(|id| ResponseName { account: account.clone(), id }.name())
            .unwrap_or_default(),
        previous_score: response.previous_score,
        channel: response.channel.clone(),
        segment: segment_message(response.segment).into(),
        create_time: Some(wire::timestamp(response.created_at)),
        email: response.address.clone(),
    }
}

fn category_message(category: Category) -> proto::ResponseCategory {
    match category {
        Category::Promoter => proto::ResponseCategory::Promoter,
        Category::Passive => proto::ResponseCategory::Passive,
        Category::Detractor => proto::ResponseCategory::Detractor,
        Category::Satisfied => proto::ResponseCategory::Satisfied,
        Category::Neutral => proto::ResponseCategory::Neutral,
        Category::Dissatisfied => proto::ResponseCategory::Dissatisfied,
    }
}

/// An answer that a caller submits; its faults are noted below `response`.
pub(crate) fn submitted(found: &mut Violations, message: Option<&proto::Response>) -> Option<SubmittedResponse> {
    let Some(message) = message else {
        found.add("response", "must be given");
        return None;
    };
    let account = found.take("response.account", AccountId::parse_name(&message.account));
    let invitation = (!message.invitation.is_empty())
        .then(|| found.take("response.invitation", InvitationName::parse(&message.invitation)))
        .flatten();
    let program = (!message.program.is_empty())
        .then(|| found.take("response.program", ProgramId::parse_name(&message.program)))
        .flatten();
    found.require(
        !(message.program.is_empty() && message.invitation.is_empty()),
        "response.program",
        "must be given without an invitation",
    );
    if let (Some(account), Some(invitation)) = (&account, &invitation) {
        let fits = invitation.account == *account;
        found.require(fits, "response.invitation", "must be one of the account");
    }
    found.require(message.score.is_some(), "response.score", "must be given");
    found.check_text("response.contact_id", &message.contact_id, CONTACT_ID_LENGTH_MAX);
    found.check_text("response.comment", &message.comment, COMMENT_LENGTH_MAX);
    let channel = if message.channel.is_empty() { RPC_CHANNEL } else { &message.channel };
    found.require(
        is_key(channel) && channel != PAGE_CHANNEL,
        "response.channel",
        "must be `[a-z0-9][a-z0-9_.-]{0,62}`, and not `page`",
    );
    Some(SubmittedResponse {
        account: account?,
        program,
        contact_id: message.contact_id.clone(),
        score: message.score?,
        comment: message.comment.trim().to_owned(),
        invitation,
        responded_at: wire::time(found, "response.response_time", message.response_time.as_ref()),
        channel: channel.to_owned(),
    })
}

/// Which answers a request asks for.
pub(crate) fn filter(found: &mut Violations, message: &proto::ListResponsesRequest) -> ResponseFilter {
    let filter = ResponseFilter {
        account: account_filter(found, &message.account),
        program: program_filter(found, &message.program),
        categories: wire::enum_values(found, "categories", &message.categories, "category", |number| {
            let named = proto::ResponseCategory::try_from(number).ok()?;
            Category::ALL.into_iter().find(|category| category_message(*category) == named)
        }),
        with_comment: message.with_comment,
        start: wire::time(found, "start_time", message.start_time.as_ref()),
        end: wire::time(found, "end_time", message.end_time.as_ref()),
    };
    if let (Some(start), Some(end)) = (filter.start, filter.end) {
        found.require(start < end, "end_time", "must be after start_time");
    }
    filter
}
