//! Programmes and previews, between messages and the domain.

use mainstay_accounts::{segment_message, segment_of_message};
use mainstay_api::mainstay::scoring::v1::Segment as SegmentMessage;
use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_domain::{Segment, Violations};
use mainstay_service::wire;

use crate::app::preview_program::AccountPreview;
use crate::domain::eligibility::{Candidate, Verdict};
use crate::domain::invitation::NotAskedReason;
use crate::domain::program::{Program, ProgramDefinition, ProgramState, StartAnchor, SurveyKind, Trigger};
use crate::domain::texts::SurveyTexts;

const DISPLAY_NAME_LENGTH_MAX: usize = 200;
const CONTACTS_MAX: u32 = 20;
const DAILY_CAP_MAX: u32 = 1_000_000;
const REMINDER_DAYS_MAX: u32 = 60;
const REMINDER_DAYS_DEFAULT: u32 = 7;
const EXPIRY_DAYS_MAX: u32 = 180;
const EXPIRY_DAYS_DEFAULT: u32 = 30;
const SEND_HOUR_DEFAULT: u32 = 9;
const TENURE_DAYS_MAX: u32 = 3_650;
const TENURE_DAYS_DEFAULT: u32 = 90;
const SPREAD_DAYS_MAX: u32 = 60;
const TRIGGER_DAYS_MAX: u32 = 365;
const AFTER_START_DAYS_DEFAULT: u32 = 30;
const BEFORE_RENEWAL_DAYS_DEFAULT: u32 = 60;

/// The fields that an update may name.
pub(crate) const UPDATABLE: &[&str] = &[
    "display_name",
    "kind",
    "trigger",
    "texts",
    "segments",
    "contacts_max",
    "daily_cap",
    "reminder_days",
    "expiry_days",
    "send_hour",
];

/// Those of them that a message has set.
pub(crate) fn set_fields(message: &proto::Program) -> Vec<&'static str> {
    let is_set = |field: &str| match field {
        "display_name" => !message.display_name.is_empty(),
        "kind" => message.kind != 0,
        "trigger" => message.trigger.is_some(),
        "texts" => message.texts.is_some(),
        "segments" => !message.segments.is_empty(),
        "contacts_max" => message.contacts_max != 0,
        "daily_cap" => message.daily_cap != 0,
        "reminder_days" => message.reminder_days.is_some(),
        "expiry_days" => message.expiry_days != 0,
        "send_hour" => message.send_hour.is_some(),
        _ => false,
    };
    UPDATABLE.iter().copied().filter(|field| is_set(field)).collect()
}

/// The stored definition's message with the fields of another in their place.
pub(crate) fn replaced(
    stored: &ProgramDefinition,
    fields: &std::collections::BTreeSet<&'static str>,
    given: &proto::Program,
) -> proto::Program {
    let mut message = definition_message(stored);
    for &field in fields {
        match field {
            "display_name" => message.display_name.clone_from(&given.display_name),
            "kind" => message.kind = given.kind,
            "trigger" => message.trigger = given.trigger,
            "texts" => message.texts.clone_from(&given.texts),
            "segments" => message.segments.clone_from(&given.segments),
            "contacts_max" => message.contacts_max = given.contacts_max,
            "daily_cap" => message.daily_cap = given.daily_cap,
            "reminder_days" => message.reminder_days = given.reminder_days,
            "expiry_days" => message.expiry_days = given.expiry_days,
            "send_hour" => message.send_hour = given.send_hour,
            _ => {}
        }
    }
    message
}

/// What a message says of a programme; its faults are noted below `program`.
pub(crate) fn definition(found: &mut Violations, message: &proto::Program) -> Option<ProgramDefinition> {
    let before = found.len();
    let field = |name: &str| format!("program.{name}");
    found.check_text(&field("display_name"), &message.display_name, DISPLAY_NAME_LENGTH_MAX);
    found.require(!message.display_name.trim().is_empty(), field("display_name"), "must be given");
    let kind = kind(message.kind());
    found.require(kind.is_some(), field("kind"), "must be SURVEY_KIND_NPS or SURVEY_KIND_CSAT");
    let trigger = trigger(found, message.trigger.as_ref());
    let texts = texts(found, message.texts.clone().unwrap_or_default());
    let segments = wire::enum_values(found, "program.segments", &message.segments, "segment", |number| {
        SegmentMessage::try_from(number).ok().map(segment_of_message)
    });
    let mut number = |name: &str, given: i32, range: std::ops::RangeInclusive<u32>| {
        let given_number = u32::try_from(given).ok().filter(|number| range.contains(number));
        let (low, high) = (range.start(), range.end());
        found.require(given_number.is_some(), field(name), format!("must be {low} to {high}, not {given}"));
        given_number.unwrap_or_default()
    };
    let contacts_max = number("contacts_max", message.contacts_max, 0..=CONTACTS_MAX).max(1);
    let daily_cap = number("daily_cap", message.daily_cap, 0..=DAILY_CAP_MAX);
    let reminder_days = match message.reminder_days {
        None => REMINDER_DAYS_DEFAULT,
        Some(days) => number("reminder_days", days, 0..=REMINDER_DAYS_MAX),
    };
    let expiry_days = match number("expiry_days", message.expiry_days, 0..=EXPIRY_DAYS_MAX) {
        0 => EXPIRY_DAYS_DEFAULT,
        days => days,
    };
    let send_hour = message.send_hour.map_or(SEND_HOUR_DEFAULT, |hour| number("send_hour", hour, 0..=23));
    found.require(
        reminder_days == 0 || reminder_days < expiry_days,
        "program.reminder_days",
        format!("must be below expiry_days, {expiry_days}"),
    );
    if found.len() > before {
        return None;
    }
    let kind = kind?;
    Some(ProgramDefinition {
        display_name: message.display_name.clone(),
        kind,
        trigger: trigger?,
        texts: texts.or_default_of(kind),
        segments,
        contacts_max,
        daily_cap: (daily_cap > 0).then_some(daily_cap),
        reminder_days: (reminder_days > 0).then_some(reminder_days),
        expiry_days,
        send_hour,
    })
}

fn trigger(found: &mut Violations, message: Option<&proto::Trigger>) -> Option<Trigger> {
    use proto::trigger::When;
    let Some(when) = message.and_then(|trigger| trigger.when.as_ref()) else {
        found.add("program.trigger", "must say when the programme asks");
        return None;
    };
    let mut days = |field: &str, given: i32, high: u32| {
        let number = u32::try_from(given).ok().filter(|number| *number <= high);
        let field = format!("program.trigger.{field}");
        found.require(number.is_some(), field, format!("must be 0 to {high}, not {given}"));
        number
    };
    match when {
        When::Quarterly(quarterly) => {
            let tenure_days = match quarterly.tenure_days {
                None => Some(TENURE_DAYS_DEFAULT),
                Some(given) => days("quarterly.tenure_days", given, TENURE_DAYS_MAX),
            };
            let spread_days = days("quarterly.spread_days", quarterly.spread_days, SPREAD_DAYS_MAX);
            Some(Trigger::Quarterly { tenure_days: tenure_days?, spread_days: spread_days? })
        }
        When::AfterStart(after_start) => {
            let given = days("after_start.days", after_start.days, TRIGGER_DAYS_MAX)?;
            let anchor = match after_start.anchor() {
                proto::StartAnchor::Unspecified | proto::StartAnchor::Activation => StartAnchor::Activation,
                proto::StartAnchor::SignUp => StartAnchor::SignUp,
            };
            Some(Trigger::AfterStart { days: if given == 0 { AFTER_START_DAYS_DEFAULT } else { given }, anchor })
        }
        When::CriticalTicket(proto::CriticalTicketTrigger {}) => Some(Trigger::CriticalTicket),
        When::SupportInteraction(proto::SupportInteractionTrigger {}) => Some(Trigger::SupportInteraction),
        When::BeforeRenewal(before_renewal) => {
            let given = days("before_renewal.days", before_renewal.days, TRIGGER_DAYS_MAX)?;
            Some(Trigger::BeforeRenewal { days: if given == 0 { BEFORE_RENEWAL_DAYS_DEFAULT } else { given } })
        }
    }
}

fn texts(found: &mut Violations, message: proto::SurveyTexts) -> SurveyTexts {
    let mut checked = |field: &str, text: String, most: usize, is_line: bool| {
        let field = format!("program.texts.{field}");
        found.check_text(&field, &text, most);
        let is_whole = !is_line || !text.chars().any(char::is_control);
        found.require(is_whole, field, "must be one line without control characters");
        text
    };
    SurveyTexts {
        subject: checked("subject", message.subject, 200, true),
        introduction: checked("introduction", message.introduction, 2_000, false),
        question: checked("question", message.question, 300, true),
        comment_question: checked("comment_question", message.comment_question, 300, true),
        thanks: checked("thanks", message.thanks, 1_000, false),
        language_code: checked("language_code", message.language_code, 35, true),
    }
}

/// A kind of a message; none for what is none.
pub(crate) fn kind(message: proto::SurveyKind) -> Option<SurveyKind> {
    match message {
        proto::SurveyKind::Unspecified => None,
        proto::SurveyKind::Nps => Some(SurveyKind::Nps),
        proto::SurveyKind::Csat => Some(SurveyKind::Csat),
    }
}

/// A kind as messages have it.
pub(crate) fn kind_message(kind: SurveyKind) -> proto::SurveyKind {
    match kind {
        SurveyKind::Nps => proto::SurveyKind::Nps,
        SurveyKind::Csat => proto::SurveyKind::Csat,
    }
}

/// The states that a list asks for.
pub(crate) fn states(found: &mut Violations, given: &[i32]) -> Vec<ProgramState> {
    wire::enum_values(found, "states", given, "state of a programme", |number| {
        match proto::ProgramState::try_from(number).ok()? {
            proto::ProgramState::Unspecified => None,
            proto::ProgramState::Draft => Some(ProgramState::Draft),
            proto::ProgramState::Published => Some(ProgramState::Published),
            proto::ProgramState::Paused => Some(ProgramState::Paused),
            proto::ProgramState::Archived => Some(ProgramState::Archived),
        }
    })
}

/// A programme as messages have it.
pub(crate) fn message(program: &Program) -> proto::Program {
    let state = match program.state {
        ProgramState::Draft => proto::ProgramState::Draft,
        ProgramState::Published => proto::ProgramState::Published,
        ProgramState::Paused => proto::ProgramState::Paused,
        ProgramState::Archived => proto::ProgramState::Archived,
    };
    proto::Program {
        name: program.id.name(),
        state: state.into(),
        create_time: Some(wire::timestamp(program.created_at)),
        update_time: Some(wire::timestamp(program.updated_at)),
        publish_time: program.published_at.map(wire::timestamp),
        etag: program.etag().to_string(),
        ..definition_message(&program.definition)
    }
}

fn definition_message(definition: &ProgramDefinition) -> proto::Program {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let texts = &definition.texts;
    let segment = |segment: &Segment| i32::from(segment_message(*segment));
    proto::Program {
        display_name: definition.display_name.clone(),
        kind: kind_message(definition.kind).into(),
        trigger: Some(trigger_message(definition.trigger)),
        texts: Some(proto::SurveyTexts {
            subject: texts.subject.clone(),
            introduction: texts.introduction.clone(),
            question: texts.question.clone(),
            comment_question: texts.comment_question.clone(),
            thanks: texts.thanks.clone(),
            language_code: texts.language_code.clone(),
        }),
        segments: definition.segments.iter().map(segment).collect(),
        contacts_max: number(definition.contacts_max),
        daily_cap: number(definition.daily_cap.unwrap_or(0)),
        reminder_days: Some(number(definition.reminder_days.unwrap_or(0))),
        expiry_days: number(definition.expiry_days),
        send_hour: Some(number(definition.send_hour)),
        ..Default::default()
    }
}

fn trigger_message(trigger: Trigger) -> proto::Trigger {
    use proto::trigger::When;
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let when = match trigger {
        Trigger::Quarterly { tenure_days, spread_days } => When::Quarterly(proto::QuarterlyTrigger {
            tenure_days: Some(number(tenure_days)),
            spread_days: number(spread_days),
        }),
        Trigger::AfterStart { days, anchor } => When::AfterStart(proto::AfterStartTrigger {
            days: number(days),
            anchor: match anchor {
                StartAnchor::Activation => proto::StartAnchor::Activation.into(),
                StartAnchor::SignUp => proto::StartAnchor::SignUp.into(),
            },
        }),
        Trigger::CriticalTicket => When::CriticalTicket(proto::CriticalTicketTrigger {}),
        Trigger::SupportInteraction => When::SupportInteraction(proto::SupportInteractionTrigger {}),
        Trigger::BeforeRenewal { days } => When::BeforeRenewal(proto::BeforeRenewalTrigger { days: number(days) }),
    };
    proto::Trigger { when: Some(when) }
}

/// Why somebody is not asked, as messages have it.
pub(crate) fn reason_message(reason: NotAskedReason) -> proto::NotAskedReason {
    match reason {
        NotAskedReason::Fatigue => proto::NotAskedReason::Fatigue,
        NotAskedReason::OptOut => proto::NotAskedReason::OptOut,
        NotAskedReason::Cap => proto::NotAskedReason::Cap,
        NotAskedReason::NoAddress => proto::NotAskedReason::NoAddress,
        NotAskedReason::AccountArchived => proto::NotAskedReason::AccountArchived,
        NotAskedReason::AccountChurned => proto::NotAskedReason::AccountChurned,
        NotAskedReason::NotEligible => proto::NotAskedReason::NotEligible,
        NotAskedReason::ProgramNotPublished => proto::NotAskedReason::ProgramNotPublished,
        NotAskedReason::NotDue => proto::NotAskedReason::NotDue,
        NotAskedReason::AlreadyDecided => proto::NotAskedReason::AlreadyDecided,
    }
}

/// A preview as messages have it.
pub(crate) fn preview_message(preview: &AccountPreview) -> proto::AccountPreview {
    let asks = preview.refusal.is_none();
    proto::AccountPreview {
        account: preview.account.id.name(),
        display_name: preview.account.display_name.clone(),
        reason: preview.refusal.map(|reason| reason_message(reason).into()).unwrap_or_default(),
        due_time: preview.due_at.map(wire::timestamp),
        contacts: preview.contacts.iter().map(|(candidate, verdict)| contact(candidate, *verdict, asks)).collect(),
    }
}

fn contact(candidate: &Candidate, verdict: Verdict, account_is_asked: bool) -> proto::ContactPreview {
    proto::ContactPreview {
        contact_id: candidate.contact_id.clone(),
        display_name: candidate.display_name.clone(),
        would_ask: account_is_asked && verdict == Verdict::Ask,
        reason: verdict.reason().map(|reason| reason_message(reason).into()).unwrap_or_default(),
        free_time: match verdict {
            Verdict::Fatigued { free_at } => Some(wire::timestamp(free_at)),
            Verdict::Ask | Verdict::OptedOut => None,
        },
    }
}
