//! The documents of the answer page.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::domain::mail::{escape_html, paragraphs};
use crate::domain::program::Program;
use crate::domain::response::COMMENT_LENGTH_MAX;

/// The language of what we say ourselves.
const OWN_LANGUAGE: &str = "en";

/// Text is #1f2937 on white (14.7:1), buttons white on #1d4ed8 (6.7:1), borders #6b7280 (4.8:1).
const STYLE: &str = "\
*{box-sizing:border-box}\
body{margin:0;font:1.125rem/1.6 system-ui,sans-serif;color:#1f2937;background:#f3f4f6}\
main{max-width:44rem;margin:2rem auto;padding:1.5rem;background:#fff;border-radius:.5rem}\
h1{font-size:1.4rem;line-height:1.3;margin:0 0 1rem}\
fieldset{border:0;margin:0 0 1.5rem;padding:0}\
legend{font-size:1.4rem;font-weight:bold;line-height:1.3;padding:0;margin:0 0 1rem}\
.scores{display:flex;flex-wrap:wrap;gap:.5rem}\
.scores label{display:flex;align-items:center;gap:.4rem;min-width:3.5rem;min-height:2.75rem;padding:.4rem .6rem;\
border:2px solid #6b7280;border-radius:.375rem;cursor:pointer}\
.scores label:has(:checked){border-color:#1d4ed8;background:#dbeafe;font-weight:bold}\
.scores input{width:1.2rem;height:1.2rem;margin:0;accent-color:#1d4ed8}\
textarea{display:block;width:100%;min-height:8rem;margin:.4rem 0 1.5rem;padding:.6rem;font:inherit;color:inherit;\
border:2px solid #6b7280;border-radius:.375rem}\
button{min-height:2.75rem;padding:.5rem 1.5rem;font:inherit;font-weight:bold;color:#fff;background:#1d4ed8;\
border:2px solid #1d4ed8;border-radius:.375rem;cursor:pointer}\
:focus-visible,.scores label:has(:focus-visible){outline:3px solid #b45309;outline-offset:2px}\
.error{padding:.6rem 1rem;border-left:6px solid #b91c1c;background:#fef2f2}\
.hint{color:#4b5563}";

/// What the browser may do with a document of ours: apply its style, and post its form back to us.
pub(super) fn content_security_policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn document(language: &str, title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        language = escape_html(language),
        title = escape_html(title),
    )
}

/// A document that says one thing.
pub(super) fn notice(title: &str, text: &str) -> String {
    document(OWN_LANGUAGE, title, &format!("<h1>{}</h1>\n{}", escape_html(title), paragraphs(text)))
}

/// What a form that was not filled in right says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormFault {
    /// No score was chosen.
    NoScore,
    /// The comment is too long.
    CommentTooLong,
}

impl FormFault {
    fn text(self) -> String {
        match self {
            Self::NoScore => "Please choose a number.".to_owned(),
            Self::CommentTooLong => format!("Please shorten your comment to {COMMENT_LENGTH_MAX} characters."),
        }
    }
}

/// The form of a question, with what was filled in so far.
pub(super) fn form(program: &Program, score: Option<i32>, comment: &str, fault: Option<FormFault>) -> String {
    let definition = &program.definition;
    let texts = &definition.texts;
    let (low, high) = definition.kind.ends();
    let scores = definition.kind.scores();
    let mut body = String::from("<form method=\"post\">\n");
    if let Some(fault) = fault {
        // Writing to a String cannot fail.
        let _ = writeln!(body, "<p class=\"error\" role=\"alert\" id=\"fault\">{}</p>", escape_html(&fault.text()));
    }
    let score_fault = if fault == Some(FormFault::NoScore) { " fault" } else { "" };
    let _ = write!(
        body,
        "<fieldset aria-describedby=\"ends{score_fault}\">\n<legend>{}</legend>\n<div class=\"scores\">\n",
        escape_html(&texts.question)
    );
    for value in scores.clone() {
        let checked = if score == Some(value) { " checked" } else { "" };
        let _ = writeln!(
            body,
            "<label for=\"score-{value}\"><input type=\"radio\" id=\"score-{value}\" name=\"score\" value=\"{value}\" \
             required{checked}> {value}</label>"
        );
    }
    let invalid =
        if fault == Some(FormFault::CommentTooLong) { " aria-invalid=\"true\" aria-describedby=\"fault\"" } else { "" };
    let _ = write!(
        body,
        "</div>\n<p class=\"hint\" id=\"ends\">{first} is {low}, {last} is {high}.</p>\n</fieldset>\n\
         <label for=\"comment\">{comment_question}</label>\n\
         <textarea id=\"comment\" name=\"comment\" maxlength=\"{COMMENT_LENGTH_MAX}\"{invalid}>\n{comment}</textarea>\n\
         <button type=\"submit\">Send answer</button>\n</form>\n",
        first = scores.start(),
        last = scores.end(),
        comment_question = escape_html(&texts.comment_question),
        comment = escape_html(comment),
    );
    document(&texts.language_code, &texts.question, &body)
}

/// What is said after the answer.
pub(super) fn thanks(program: &Program) -> String {
    let texts = &program.definition.texts;
    let title = "Your answer was received";
    let body = format!("<h1>{title}</h1>\n{}", paragraphs(&texts.thanks));
    document(&texts.language_code, title, &body)
}

/// The question whether somebody wants no more mails.
pub(super) fn unsubscribe_form() -> String {
    let title = "Do you not want to be asked again?";
    document(
        OWN_LANGUAGE,
        title,
        &format!(
            "<h1>{title}</h1>\n<p>We then send you no more surveys. Everything else stays as it is.</p>\n\
             <form method=\"post\">\n<button type=\"submit\">Send me no more surveys</button>\n</form>\n"
        ),
    )
}
