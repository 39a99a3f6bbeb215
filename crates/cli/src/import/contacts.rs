//! Contacts of an account, from a field that holds all of them.

use mainstay_api::mainstay::scoring::v1::Contact;
use serde::Deserialize;

/// A contact as it is written in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenContact {
    id: String,
    #[serde(alias = "displayName", alias = "name")]
    display_name: Option<String>,
    email: Option<String>,
    title: Option<String>,
    champion: Option<bool>,
    #[serde(alias = "languageCode", alias = "language")]
    language_code: Option<String>,
}

impl From<WrittenContact> for Contact {
    fn from(written: WrittenContact) -> Self {
        Self {
            id: written.id,
            display_name: written.display_name.unwrap_or_default(),
            email: written.email.unwrap_or_default(),
            title: written.title.unwrap_or_default(),
            champion: written.champion.unwrap_or_default(),
            language_code: written.language_code.unwrap_or_default(),
        }
    }
}

/// A JSON list of contacts, with names as the proto has them or as its JSON.
pub(crate) fn contacts(text: &str) -> Result<Vec<Contact>, String> {
    let written: Vec<WrittenContact> = serde_json::from_str(text).map_err(|error| {
        format!("must be a list such as [{{\"id\": \"c-1\", \"email\": \"eve@acme.example\"}}]: {error}")
    })?;
    Ok(written.into_iter().map(Contact::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_a_list_of_objects() {
        let text = "[{\"id\": \"c-1\", \"display_name\": \"Eve\", \"email\": \"eve@acme.example\", \"title\": \"CTO\", \
                    \"champion\": true, \"language_code\": \"de-CH\"}, {\"id\": \"c-2\", \"displayName\": \"Bo\", \"email\": null}]";
        let eve = Contact {
            id: "c-1".to_owned(),
            display_name: "Eve".to_owned(),
            email: "eve@acme.example".to_owned(),
            title: "CTO".to_owned(),
            champion: true,
            language_code: "de-CH".to_owned(),
        };
        let bo = Contact { id: "c-2".to_owned(), display_name: "Bo".to_owned(), ..Contact::default() };
        assert_eq!(contacts(text), Ok(vec![eve, bo]));
        assert_eq!(contacts("[]"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_contact_is_told() {
        for (text, told) in [
            ("eve@acme.example", "must be a list such as"),
            ("{\"id\": \"c-1\"}", "must be a list such as"),
            ("[{\"email\": \"eve@acme.example\"}]", "missing field `id`"),
            ("[{\"id\": \"c-1\", \"mail\": \"x\"}]", "unknown field `mail`"),
        ] {
            let fault = contacts(text).expect_err(text);
            assert!(fault.contains(told), "{fault}");
        }
    }
}
