//! The mails that ask, and their escaping.

use super::program::SurveyKind;
use super::texts::SurveyTexts;

/// Most characters of a subject after names were filled in.
const SUBJECT_LENGTH_MAX: usize = 250;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailText {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Who is asked, and by which links.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailParts<'a> {
    pub texts: &'a SurveyTexts,
    pub kind: SurveyKind,
    pub account_name: &'a str,
    pub contact_name: &'a str,
    /// Of the answer page; a score is appended as its query.
    pub answer_url: &'a str,
    pub unsubscribe_url: &'a str,
    pub is_reminder: bool,
}

/// Text as it may stand in HTML, in elements and in attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Lines of text as paragraphs of HTML.
pub(crate) fn paragraphs(text: &str) -> String {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    let paragraphs: Vec<String> =
        blocks.map(|block| format!("<p>{}</p>\n", escape_html(block).replace('\n', "<br>"))).collect();
    paragraphs.concat()
}

impl MailParts<'_> {
    /// The mail with the score as links. It loads nothing from outside, and tells nobody that it was opened.
    pub(crate) fn compose(&self) -> MailText {
        let subject = self.filled(&self.texts.subject);
        let subject = if self.is_reminder { format!("Reminder: {subject}") } else { subject };
        let subject = subject.chars().map(|character| if character.is_control() { ' ' } else { character });
        let introduction = self.filled(&self.texts.introduction);
        MailText {
            subject: subject.take(SUBJECT_LENGTH_MAX).collect(),
            text: self.plain(&introduction),
            html: self.html(&introduction),
        }
    }

    fn filled(&self, text: &str) -> String {
        // One pass, so that what a name says is not filled in again.
        let mut filled = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            let (value, length) = if rest.starts_with("{account}") {
                (self.account_name, "{account}".len())
            } else if rest.starts_with("{contact}") {
                (self.contact_name, "{contact}".len())
            } else {
                ("{", 1)
            };
            filled.push_str(value);
            rest = &rest[length..];
        }
        filled.push_str(rest);
        filled.replace("Hello ,", "Hello,")
    }

    fn plain(&self, introduction: &str) -> String {
        let (low, high) = self.kind.ends();
        let scores = self.kind.scores().map(|score| {
            format!(
                "{score:>2}: {}?score={score}
",
                self.answer_url
            )
        });
        let scores = scores.collect::<Vec<_>>().concat();
        format!(
            "{introduction}\n\n{question}\n\n{scores}\n({first} is {low}, {last} is {high}.)\n\n\
             You do not want to be asked again? {unsubscribe}\n",
            question = self.texts.question,
            first = self.kind.scores().start(),
            last = self.kind.scores().end(),
            unsubscribe = self.unsubscribe_url,
        )
    }

    fn html(&self, introduction: &str) -> String {
        let (low, high) = self.kind.ends();
        let answer_url = escape_html(self.answer_url);
        let cells: Vec<String> = self
            .kind
            .scores()
            .map(|score| {
                format!(
                    "<td style=\"padding:2px\"><a href=\"{answer_url}?score={score}\" style=\"display:inline-block;\
                     min-width:24px;padding:10px 6px;text-align:center;text-decoration:none;font-weight:bold;\
                     color:#ffffff;background-color:#1d4ed8;border-radius:4px\">{score}</a></td>\n"
                )
            })
            .collect();
        let cells = cells.concat();
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><title>{question}</title></head>\n\
             <body style=\"font-family:sans-serif;font-size:16px;line-height:1.5;color:#1f2937\">\n\
             {introduction}<p><strong>{question}</strong></p>\n\
             <table role=\"presentation\" style=\"border-collapse:collapse\"><tr>\n{cells}</tr></table>\n\
             <p>{first} is {low}, {last} is {high}.</p>\n\
             <p style=\"font-size:14px;color:#4b5563\"><a href=\"{unsubscribe}\" style=\"color:#4b5563\">\
             I do not want to be asked again</a></p>\n</body>\n</html>\n",
            language = escape_html(&self.texts.language_code),
            question = escape_html(&self.texts.question),
            introduction = paragraphs(introduction),
            first = self.kind.scores().start(),
            last = self.kind.scores().end(),
            unsubscribe = escape_html(self.unsubscribe_url),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose(contact_name: &str, is_reminder: bool) -> MailText {
        let texts = SurveyTexts {
            subject: "{account} & us".to_owned(),
            introduction: "Hello {contact},\n\nfrom {us} to {account}".to_owned(),
            ..SurveyTexts::default_of(SurveyKind::Nps)
        };
        let parts = MailParts {
            texts: &texts,
            kind: SurveyKind::Nps,
            account_name: "Acme {contact}\n",
            contact_name,
            answer_url: "https://s.example/a/TOKEN",
            unsubscribe_url: "https://s.example/u/TOKEN",
            is_reminder,
        };
        parts.compose()
    }

    #[test]
    fn names_are_filled_in_once_and_cannot_break_out() {
        let mail = compose("<b>Ada</b>", true);
        assert_eq!(mail.subject, "Reminder: Acme {contact}  & us");
        assert!(mail.html.contains("&lt;b&gt;Ada&lt;/b&gt;") && !mail.html.contains("<b>"), "{}", mail.html);
        assert!(mail.text.contains("from {us} to Acme {contact}"), "{}", mail.text);
        assert!(compose("", false).text.starts_with("Hello,"));
    }

    #[test]
    fn each_score_is_a_link_in_both_forms() {
        let mail = compose("Ada", false);
        for score in 0..=10 {
            let link = format!("https://s.example/a/TOKEN?score={score}");
            assert!(mail.text.lines().any(|line| line.ends_with(&link)), "{score}");
            assert!(mail.html.contains(&format!("href=\"{link}\"")), "{score}");
        }
        assert!(!mail.html.contains("<img") && !mail.html.contains("src="));
    }
}
