//! Who users are, and to which company they belong.

use mainstay_api::mainstay::scoring::v1::{Account, Contact};
use mainstay_domain::{is_email, is_resource_id};
use serde_json::Value;

use super::call::Call;
use crate::mapped::{News, Outcome};
use crate::text::{NAME_LENGTH_MAX, WORD_LENGTH_MAX, content_id, cut};

/// Most characters of a language.
const LANGUAGE_LENGTH_MAX: usize = 35;

/// A user was identified: a person at the customer.
pub(super) fn identified(call: &Call) -> Outcome {
    let Some(user_id) = call.user_id() else {
        return Outcome::ignored("nobody knows which user it is: the call has no userId");
    };
    let names = [call.trait_text("firstName"), call.trait_text("lastName")];
    let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let locale = call.sent.context.as_ref().and_then(|context| context.get("locale")).and_then(Value::as_str);
    let contact = Contact {
        // A user's id may be a mail address, which is no id of a contact.
        id: if is_resource_id(&user_id) { user_id.clone() } else { content_id(&Value::String(user_id.clone())) },
        display_name: cut(call.trait_text("name").unwrap_or(&full_name), NAME_LENGTH_MAX),
        email: call.trait_text("email").filter(|email| is_email(email)).unwrap_or_default().to_owned(),
        title: cut(call.trait_text("title").unwrap_or_default(), WORD_LENGTH_MAX),
        champion: false,
        language_code: cut(locale.unwrap_or_default(), LANGUAGE_LENGTH_MAX),
    };
    Outcome::news(call.told().news(&format!("contact/{user_id}"), 0, News::Contact(contact)))
}

/// A user was put into a group, which is the account.
pub(super) fn grouped(call: &Call) -> Outcome {
    let told = call.told();
    let mut account: Account = told.blank_account();
    let mut fields = Vec::new();
    let mut take = |name: &str, field: &'static str, most: usize, to: &mut String| {
        if let Some(text) = call.trait_text(name) {
            *to = cut(text, most);
            fields.push(field);
        }
    };
    take("name", "display_name", NAME_LENGTH_MAX, &mut account.display_name);
    take("industry", "industry", WORD_LENGTH_MAX, &mut account.industry);
    take("plan", "plan", WORD_LENGTH_MAX, &mut account.plan);
    if fields.is_empty() {
        return Outcome::ignored("the traits have no name, industry or plan");
    }
    Outcome::news(told.news("group", 0, News::Fields { account, fields }))
}
