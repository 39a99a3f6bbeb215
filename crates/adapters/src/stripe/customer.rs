//! Customers.

use mainstay_domain::Violations;
use serde::Deserialize;
use serde_json::Value;

use super::event::{Event, OBJECT, Reference};
use crate::account::Metadata;
use crate::mapped::Outcome;
use crate::news::News;
use crate::read::read;
use crate::text::{NAME_LENGTH_MAX, cut, filled};

#[derive(Debug, Deserialize)]
struct Customer {
    id: String,
    name: Option<String>,
    email: Option<String>,
    metadata: Option<Metadata>,
}

/// There is such a customer.
pub(super) fn told(event: &Event<'_>, object: &Value) -> Result<Outcome, Violations> {
    let Customer { id, name, email, metadata } = read(OBJECT, object)?;
    let display_name = [name.as_deref(), email.as_deref()].into_iter().find_map(filled).unwrap_or(&id).to_owned();
    let Some(account) = event.account(&[("metadata", metadata.as_ref())], Some(&Reference::Id(id)))? else {
        return Ok(Outcome::ignored("the customer has no id"));
    };
    let told = event.of(&account);
    let exists = News::Exists(cut(&display_name, NAME_LENGTH_MAX));
    Ok(Outcome::news(vec![told.news("customer", exists)]))
}
