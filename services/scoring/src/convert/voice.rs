//! Signals of answers to surveys, and of judgements.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::Violations;

use crate::domain::signal::Payload;
use crate::domain::voice::{PulseSignal, SurveyAnswerSignal, SurveyQuestion};

/// An answer of a message; none when nobody knows what was asked, which is noted.
pub(super) fn answer(found: &mut Violations, given: proto::SurveyAnswerSignal) -> Option<Payload> {
    let question = match proto::SurveyQuestion::try_from(given.question) {
        Ok(proto::SurveyQuestion::Nps) => Some(SurveyQuestion::Nps),
        Ok(proto::SurveyQuestion::Csat) => Some(SurveyQuestion::Csat),
        Ok(proto::SurveyQuestion::Ces) => Some(SurveyQuestion::Ces),
        Ok(proto::SurveyQuestion::Unspecified) | Err(_) => None,
    };
    found.require(question.is_some(), "survey_answer.question", "is required: NPS, CSAT or CES");
    Some(Payload::SurveyAnswer(SurveyAnswerSignal {
        question: question?,
        score: given.score,
        contact_id: given.contact_id,
        comment: given.comment,
    }))
}

/// An answer as messages have it.
pub(super) fn answer_message(told: SurveyAnswerSignal) -> proto::SurveyAnswerSignal {
    let question = match told.question {
        SurveyQuestion::Nps => proto::SurveyQuestion::Nps,
        SurveyQuestion::Csat => proto::SurveyQuestion::Csat,
        SurveyQuestion::Ces => proto::SurveyQuestion::Ces,
    };
    proto::SurveyAnswerSignal {
        question: question.into(),
        score: told.score,
        contact_id: told.contact_id,
        comment: told.comment,
    }
}

/// A judgement of a message.
pub(super) fn pulse(given: proto::PulseSignal) -> Payload {
    Payload::Pulse(PulseSignal { rating: given.rating, note: given.note, author_email: given.author_email })
}

/// A judgement as messages have it.
pub(super) fn pulse_message(told: PulseSignal) -> proto::PulseSignal {
    proto::PulseSignal { rating: told.rating, note: told.note, author_email: told.author_email }
}
