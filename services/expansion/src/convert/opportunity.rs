//! Opportunities, their checklists and timelines.

use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_domain::{AccountId, Etag, Money, Violations, is_email};
use mainstay_service::wire::{money, money_message, timestamp};

use super::qualification::{criterion, suppression};
use crate::domain::{
    ChecklistItem, HandOver, LostReason, Opportunity, OpportunityName, PlanId, Stage, StagePolicy, TimelineEntry,
    TimelineKind,
};

/// An opportunity as messages have it.
pub(crate) fn message(opportunity: &Opportunity) -> proto::Opportunity {
    let plan = |plan: &Option<PlanId>| plan.as_ref().map(PlanId::name).unwrap_or_default();
    let postponed =
        opportunity.postponed.map_or(proto::OpportunityStage::Unspecified, |(stage, _)| stage_message(stage));
    let lost_reason = opportunity.lost_reason.map_or(proto::LostReason::Unspecified, lost_reason_message);
    proto::Opportunity {
        name: opportunity.name.name(),
        account: opportunity.name.account.name(),
        metric: opportunity.metric.clone(),
        stage: stage_message(opportunity.stage).into(),
        postponed_stage: postponed.into(),
        owner_email: opportunity.owner.email.clone(),
        owner_is_fallback: opportunity.owner.is_fallback,
        current_plan: plan(&opportunity.current_plan),
        target_plan: plan(&opportunity.target_plan),
        expected_gain: opportunity.expected_gain.map(money_message),
        checklist: opportunity.checklist.iter().map(item).collect(),
        due_time: opportunity.due_at.map(timestamp),
        overdue_time: opportunity.overdue_at.map(timestamp),
        holds: opportunity.holds.iter().map(suppression).collect(),
        hold_time: opportunity.hold.map(|hold| timestamp(hold.since)),
        hand_over: opportunity.hand_over.as_ref().map(hand_over),
        lost_reason: lost_reason.into(),
        note: opportunity.note.clone(),
        won_amount: opportunity.won_amount.map(money_message),
        criteria: opportunity.criteria.iter().map(criterion).collect(),
        create_time: Some(timestamp(opportunity.created_at)),
        stage_time: Some(timestamp(opportunity.stage_at)),
        close_time: opportunity.closed_at.map(timestamp),
        etag: Etag::of_version(opportunity.version).to_string(),
    }
}

fn item(item: &ChecklistItem) -> proto::ChecklistItem {
    let (done_at, done_by) = item.done.clone().unzip();
    proto::ChecklistItem {
        id: item.id.clone(),
        text: item.text.clone(),
        required: item.required,
        done_time: done_at.map(timestamp),
        done_by: done_by.unwrap_or_default(),
        note: item.note.clone(),
    }
}

fn hand_over(hand_over: &HandOver) -> proto::HandOver {
    proto::HandOver {
        to_email: hand_over.to_email.clone(),
        from_email: hand_over.from_email.clone(),
        handed_over_by: hand_over.by.clone(),
        note: hand_over.note.clone(),
        hand_over_time: Some(timestamp(hand_over.at)),
    }
}

/// A stage as messages have it.
pub(crate) fn stage_message(stage: Stage) -> proto::OpportunityStage {
    match stage {
        Stage::Identified => proto::OpportunityStage::Identified,
        Stage::DataPrepared => proto::OpportunityStage::DataPrepared,
        Stage::FirstConversation => proto::OpportunityStage::FirstConversation,
        Stage::Proposal => proto::OpportunityStage::Proposal,
        Stage::Decision => proto::OpportunityStage::Decision,
        Stage::Closing => proto::OpportunityStage::Closing,
        Stage::Won => proto::OpportunityStage::Won,
        Stage::Lost => proto::OpportunityStage::Lost,
        Stage::Postponed => proto::OpportunityStage::Postponed,
    }
}

/// A stage of a message's number.
pub(crate) fn stage_of_number(number: i32) -> Option<Stage> {
    match proto::OpportunityStage::try_from(number).ok()? {
        proto::OpportunityStage::Unspecified => None,
        proto::OpportunityStage::Identified => Some(Stage::Identified),
        proto::OpportunityStage::DataPrepared => Some(Stage::DataPrepared),
        proto::OpportunityStage::FirstConversation => Some(Stage::FirstConversation),
        proto::OpportunityStage::Proposal => Some(Stage::Proposal),
        proto::OpportunityStage::Decision => Some(Stage::Decision),
        proto::OpportunityStage::Closing => Some(Stage::Closing),
        proto::OpportunityStage::Won => Some(Stage::Won),
        proto::OpportunityStage::Lost => Some(Stage::Lost),
        proto::OpportunityStage::Postponed => Some(Stage::Postponed),
    }
}

fn lost_reason_message(reason: LostReason) -> proto::LostReason {
    match reason {
        LostReason::Budget => proto::LostReason::Budget,
        LostReason::Price => proto::LostReason::Price,
        LostReason::NoNeed => proto::LostReason::NoNeed,
        LostReason::Competitor => proto::LostReason::Competitor,
        LostReason::NoAnswer => proto::LostReason::NoAnswer,
        LostReason::Churned => proto::LostReason::Churned,
        LostReason::Other => proto::LostReason::Other,
    }
}

/// Why it was lost, of a message's number.
pub(crate) fn lost_reason_of_number(number: i32) -> Option<LostReason> {
    match proto::LostReason::try_from(number).ok()? {
        proto::LostReason::Unspecified => None,
        proto::LostReason::Budget => Some(LostReason::Budget),
        proto::LostReason::Price => Some(LostReason::Price),
        proto::LostReason::NoNeed => Some(LostReason::NoNeed),
        proto::LostReason::Competitor => Some(LostReason::Competitor),
        proto::LostReason::NoAnswer => Some(LostReason::NoAnswer),
        proto::LostReason::Churned => Some(LostReason::Churned),
        proto::LostReason::Other => Some(LostReason::Other),
    }
}

/// A policy as messages have it.
pub(crate) fn policy_message(policy: &StagePolicy) -> proto::StagePolicy {
    proto::StagePolicy {
        stage: stage_message(policy.stage).into(),
        version: policy.version,
        due_days: policy.due_days,
        items: policy.items.iter().map(item).collect(),
    }
}

/// A policy of a message.
pub(crate) fn policy(found: &mut Violations, given: Option<proto::StagePolicy>) -> Option<StagePolicy> {
    let Some(given) = given else {
        found.add("policy", "is required");
        return None;
    };
    let Some(stage) = stage_of_number(given.stage) else {
        found.add("policy.stage", "is required: an open stage");
        return None;
    };
    for (index, item) in given.items.iter().enumerate() {
        let is_open = item.done_time.is_none() && item.done_by.is_empty();
        found.require(
            is_open,
            format!("policy.items[{index}].done_time"),
            "a policy says what is to be done, not what was",
        );
    }
    let items = given.items.into_iter().map(|item| {
        let proto::ChecklistItem { id, text, required, note, .. } = item;
        ChecklistItem { id, text, required, done: None, note }
    });
    let policy = StagePolicy { stage, version: 0, due_days: given.due_days, items: items.collect() };
    match policy.checked() {
        Ok(policy) => Some(policy),
        Err(faults) => {
            found.absorb("policy", faults);
            None
        }
    }
}

/// An entry of a timeline as messages have it.
pub(crate) fn entry(entry: &TimelineEntry) -> proto::TimelineEntry {
    let kind = match entry.kind {
        TimelineKind::Opened => proto::TimelineKind::Opened,
        TimelineKind::Advanced => proto::TimelineKind::Advanced,
        TimelineKind::Checklist => proto::TimelineKind::Checklist,
        TimelineKind::Updated => proto::TimelineKind::Updated,
        TimelineKind::HandedOver => proto::TimelineKind::HandedOver,
        TimelineKind::Overdue => proto::TimelineKind::Overdue,
        TimelineKind::Held => proto::TimelineKind::Held,
        TimelineKind::Released => proto::TimelineKind::Released,
        TimelineKind::Postponed => proto::TimelineKind::Postponed,
        TimelineKind::Resumed => proto::TimelineKind::Resumed,
        TimelineKind::Won => proto::TimelineKind::Won,
        TimelineKind::Lost => proto::TimelineKind::Lost,
    };
    let stage = |stage: Option<Stage>| stage.map_or(proto::OpportunityStage::Unspecified, stage_message).into();
    proto::TimelineEntry {
        number: entry.number,
        kind: kind.into(),
        entry_time: Some(timestamp(entry.at)),
        actor: entry.actor.clone(),
        from_stage: stage(entry.moved.map(|(from, _)| from)),
        to_stage: stage(entry.moved.map(|(_, to)| to)),
        text: entry.text.clone(),
    }
}

/// The name of an opportunity, which is required.
pub(crate) fn name(found: &mut Violations, field: &str, given: &str) -> Option<OpportunityName> {
    found.take(field, OpportunityName::parse(given))
}

/// An account that a list is narrowed to; empty is none.
pub(crate) fn optional_account(found: &mut Violations, field: &str, given: &str) -> Option<AccountId> {
    (!given.is_empty()).then(|| found.take(field, AccountId::parse_name(given))).flatten()
}

/// A mail address; empty is none.
pub(crate) fn optional_email(found: &mut Violations, field: &str, given: &str) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    found.require(is_email(given), field, "must be a mail address such as `mia@example.com`");
    found.check_text(field, given, mainstay_domain::EMAIL_LENGTH_MAX);
    Some(given.to_owned())
}

/// An amount above 0; absent is none.
pub(crate) fn gain(
    found: &mut Violations,
    field: &str,
    given: Option<&mainstay_api::mainstay::common::v1::Money>,
) -> Option<Money> {
    let amount = money(found, field, given)?;
    found.require(amount.minor_units > 0, format!("{field}.minor_units"), "must be above 0");
    Some(amount)
}
