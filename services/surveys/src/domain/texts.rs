//! What a survey says.

use serde::{Deserialize, Serialize};

use super::program::SurveyKind;

/// What a survey says. In `subject` and `introduction`, `{account}` and `{contact}` stand for names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SurveyTexts {
    pub subject: String,
    pub introduction: String,
    pub question: String,
    pub comment_question: String,
    pub thanks: String,
    pub language_code: String,
}

impl SurveyTexts {
    /// The texts of a kind when a programme says nothing else.
    pub(crate) fn default_of(kind: SurveyKind) -> Self {
        let (subject, question) = match kind {
            SurveyKind::Nps => {
                ("How likely are you to recommend us?", "How likely are you to recommend us to a friend or colleague?")
            }
            SurveyKind::Csat => ("How did we do?", "How satisfied are you with the help you got from us?"),
        };
        Self {
            subject: subject.to_owned(),
            introduction: "Hello {contact},\n\none question, and it takes less than a minute. We read every answer."
                .to_owned(),
            question: question.to_owned(),
            comment_question: "What is the main reason for your score?".to_owned(),
            thanks: "Thank you. We read every answer, and get back to you where we can do better.".to_owned(),
            language_code: "en".to_owned(),
        }
    }

    /// These texts, with the kind's default for each that is empty.
    #[must_use]
    pub(crate) fn or_default_of(self, kind: SurveyKind) -> Self {
        let default = Self::default_of(kind);
        let or = |text: String, default: String| if text.trim().is_empty() { default } else { text };
        Self {
            subject: or(self.subject, default.subject),
            introduction: or(self.introduction, default.introduction),
            question: or(self.question, default.question),
            comment_question: or(self.comment_question, default.comment_question),
            thanks: or(self.thanks, default.thanks),
            language_code: or(self.language_code, default.language_code),
        }
    }
}
