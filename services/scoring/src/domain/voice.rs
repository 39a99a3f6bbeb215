//! What customers answered when they were asked, contacts with them, and how those who look after them judge that they stand.

use chrono::{DateTime, Utc};
use mainstay_domain::{EMAIL_LENGTH_MAX, Violations};
use serde::{Deserialize, Serialize};

use super::signal::check_optional_id;
use super::story_series::{DayEntries, StorySeries};
use super::ticket::TICKET_TEXT_LENGTH_MAX;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyQuestion {
    /// Would you recommend us? 0 to 10.
    Nps,
    /// How satisfied are you? 1 to 5.
    Csat,
    /// How easy was it? 1 to 7.
    Ces,
}

impl SurveyQuestion {
    /// A word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nps => "nps",
            Self::Csat => "csat",
            Self::Ces => "ces",
        }
    }

    const fn series(self) -> StorySeries {
        match self {
            Self::Nps => StorySeries::NpsScore,
            Self::Csat => StorySeries::CsatScore,
            Self::Ces => StorySeries::CesScore,
        }
    }
}

/// An answer to a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyAnswerSignal {
    /// What was asked.
    pub question: SurveyQuestion,
    /// The answer, on the question's scale.
    pub score: i32,
    /// Who answered, by the id of the contact; empty: not known.
    pub contact_id: String,
    /// What was said beside; may be empty.
    pub comment: String,
}

/// A contact between the account and those who look after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchSignal {
    /// Whether the customer began it.
    pub inbound: bool,
    /// Whether somebody at the customer answered; one that the customer began is answered.
    pub answered: bool,
}

/// Most characters of why it was judged so.
const NOTE_LENGTH_MAX: usize = 4_000;

/// A judgement of somebody who looks after the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulseSignal {
    /// 1, about to leave, to 5, delighted.
    pub rating: i32,
    /// Why; may be empty.
    pub note: String,
    /// Who judged; may be empty.
    pub author_email: String,
}

impl PulseSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        StorySeries::CsmPulse.check(found, "pulse.rating", Some(self.rating.into()));
        found.check_text("pulse.note", &self.note, NOTE_LENGTH_MAX);
        found.check_text("pulse.author_email", &self.author_email, EMAIL_LENGTH_MAX);
    }
}

impl SurveyAnswerSignal {
    /// Notes what is wrong with it.
    pub(super) fn check(&self, found: &mut Violations) {
        self.question.series().check(found, "survey_answer.score", Some(self.score.into()));
        check_optional_id(found, "survey_answer.contact_id", &self.contact_id);
        found.check_text("survey_answer.comment", &self.comment, TICKET_TEXT_LENGTH_MAX);
    }
}

/// What an answer enters into the day on which it was given.
pub(super) fn enter_answer(told: &SurveyAnswerSignal, at: DateTime<Utc>, entries: &mut DayEntries) {
    entries.value(told.question.series(), at, f64::from(told.score));
}

/// What a judgement enters into its day.
pub(super) fn enter_pulse(told: &PulseSignal, at: DateTime<Utc>, entries: &mut DayEntries) {
    entries.value(StorySeries::CsmPulse, at, f64::from(told.rating));
}

/// What a contact enters into its day.
pub(super) fn enter_touch(told: TouchSignal, at: DateTime<Utc>, entries: &mut DayEntries) {
    entries.count(StorySeries::Touches, at);
    if told.inbound || told.answered {
        entries.count(StorySeries::TouchesAnswered, at);
    }
}
