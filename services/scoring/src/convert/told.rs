//! Signals of what other services tell by event. Their source is the service, and their id there is the name of what was told, so
//! that it counts once, however often its feed is read.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::interventions::v1 as interventions;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_domain::Violations;
use prost_types::Timestamp;

use super::signal::signal;
use crate::domain::signal::{OPAQUE_ID_LENGTH_MAX, Signal};

/// Source of what surveys tells.
const SURVEYS: &str = "mainstay.surveys";
/// Source of what interventions tells.
const INTERVENTIONS: &str = "mainstay.interventions";

/// An answer, told at a time that stands in when it says none.
pub(crate) fn answer(given: surveys::Response, told_at: DateTime<Utc>) -> Result<Signal, Violations> {
    let question = match given.kind() {
        surveys::SurveyKind::Nps => proto::SurveyQuestion::Nps,
        surveys::SurveyKind::Csat => proto::SurveyQuestion::Csat,
        surveys::SurveyKind::Unspecified => proto::SurveyQuestion::Unspecified,
    };
    let mut found = Violations::new();
    found.require(given.score.is_some(), "survey_answer.score", "is required");
    let answer = proto::SurveyAnswerSignal {
        question: question.into(),
        score: given.score.unwrap_or_default(),
        contact_id: known_id(given.contact_id),
        comment: given.comment,
    };
    let told = Told { source: SURVEYS, account: given.account, name: given.name, time: given.response_time };
    told.signal(Payload::SurveyAnswer(answer), told_at, found)
}

/// A contact, told at a time that stands in when it says none.
pub(crate) fn touch(given: interventions::Touch, told_at: DateTime<Utc>) -> Result<Signal, Violations> {
    let inbound = given.direction() == interventions::TouchDirection::Inbound;
    let touch = proto::TouchSignal { inbound, answered: given.answered };
    let told = Told { source: INTERVENTIONS, account: given.account, name: given.name, time: given.touch_time };
    told.signal(Payload::Touch(touch), told_at, Violations::new())
}

/// The id of a contact, or none when it is longer than ids are here: the answer counts all the same.
fn known_id(id: String) -> String {
    if id.chars().count() <= OPAQUE_ID_LENGTH_MAX { id } else { String::new() }
}

/// How a case ended, told at a time that stands in when it says none.
pub(crate) fn case_outcome(given: interventions::Case, told_at: DateTime<Utc>) -> Result<Signal, Violations> {
    let outcome = match given.outcome() {
        interventions::CaseOutcome::Unspecified => proto::CaseOutcome::Unspecified,
        interventions::CaseOutcome::Saved => proto::CaseOutcome::Saved,
        interventions::CaseOutcome::Churned => proto::CaseOutcome::Churned,
        interventions::CaseOutcome::NoAction => proto::CaseOutcome::NoAction,
        interventions::CaseOutcome::Recovered => proto::CaseOutcome::Recovered,
        interventions::CaseOutcome::NotRecovered => proto::CaseOutcome::NotRecovered,
    };
    let ended = proto::CaseOutcomeSignal {
        case_id: given.name.clone(),
        outcome: outcome.into(),
        open_time: given.open_time,
        score_at_open: given.score_at_open,
    };
    let told = Told { source: INTERVENTIONS, account: given.account, name: given.name, time: given.close_time };
    told.signal(Payload::CaseOutcome(ended), told_at, Violations::new())
}

/// What was told, whatever it is.
struct Told {
    source: &'static str,
    account: String,
    name: String,
    time: Option<Timestamp>,
}

impl Told {
    fn signal(self, payload: Payload, told_at: DateTime<Utc>, found: Violations) -> Result<Signal, Violations> {
        found.into_result(())?;
        let Self { source, account, name, time } = self;
        let time = time.or_else(|| Some(mainstay_service::wire::timestamp(told_at)));
        // Names of surveys begin with the account's, which is said already and may be long.
        let source_id = name.rsplit_once('/').map_or(name.as_str(), |(_, id)| id).to_owned();
        let given = proto::Signal {
            account,
            source: source.to_owned(),
            source_id,
            event_time: time,
            payload: Some(payload),
            record_time: None,
            withdrawal: None,
        };
        signal(given, told_at)
    }
}
