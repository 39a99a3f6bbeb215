//! Who users are, and to which company they belong.

use mainstay_domain::{EMAIL_LENGTH_MAX, is_email, is_resource_id};
use serde_json::Value;

use super::call::Call;
use crate::mapped::Outcome;
use crate::news::{AccountField, ContactField, News};
use crate::text::{NAME_LENGTH_MAX, WORD_LENGTH_MAX, content_id, cut, filled};

/// Most characters of a language.
const LANGUAGE_LENGTH_MAX: usize = 35;

/// A user was identified: a person at the customer. What the call does not say of the user is as it was.
pub(super) fn identified(call: &Call) -> Outcome {
    let Some(user_id) = call.user_id() else {
        return Outcome::ignored("nobody knows which user it is: the call has no userId");
    };
    // A user's id may be a mail address, which is no id of a contact.
    let id = if is_resource_id(&user_id) { user_id.clone() } else { content_id(&Value::String(user_id.clone())) };
    let names = [call.trait_text("firstName"), call.trait_text("lastName")];
    let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let locale = call.sent.context.as_ref().and_then(|context| context.get("locale")).and_then(Value::as_str);
    let said = [
        (ContactField::DisplayName, call.trait_text("name").or(filled(Some(&full_name))), NAME_LENGTH_MAX),
        (ContactField::Email, call.trait_text("email").filter(|email| is_email(email)), EMAIL_LENGTH_MAX),
        (ContactField::Title, call.trait_text("title"), WORD_LENGTH_MAX),
        (ContactField::LanguageCode, filled(locale), LANGUAGE_LENGTH_MAX),
    ];
    let told = call.told();
    let news = said.into_iter().filter_map(|(field, text, most)| {
        let value = cut_if_any(text, most)?;
        let news = News::Contact { id: id.clone(), field, value };
        Some(told.news(&format!("contact/{user_id}/{}", field.as_str()), news))
    });
    let news: Vec<_> = news.collect();
    if news.is_empty() { Outcome::ignored("the call says nothing of the user") } else { Outcome::news(news) }
}

/// A user was put into a group, which is the account. What the traits do not say of it is as it was.
pub(super) fn grouped(call: &Call) -> Outcome {
    let said = [
        (AccountField::DisplayName, "name", NAME_LENGTH_MAX),
        (AccountField::Industry, "industry", WORD_LENGTH_MAX),
        (AccountField::Plan, "plan", WORD_LENGTH_MAX),
    ];
    let told = call.told();
    let news = said.into_iter().filter_map(|(field, name, most)| {
        let value = cut_if_any(call.trait_text(name), most)?;
        Some(told.news(field.as_str(), News::Field(field, value)))
    });
    let news: Vec<_> = news.collect();
    if news.is_empty() { Outcome::ignored("the traits have no name, industry or plan") } else { Outcome::news(news) }
}

/// As [`cut`], unless nothing is left.
fn cut_if_any(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| cut(text, most)).filter(|text| !text.is_empty())
}
