//! Customers.

use chrono::{DateTime, Utc};
use mainstay_domain::Violations;
use serde::Deserialize;

use super::{Entry, Webhook, as_metadata};
use crate::account::{Candidate, account};
use crate::mapped::Outcome;
use crate::news::News;
use crate::read::read;
use crate::text::{NAME_LENGTH_MAX, cut, filled};

#[derive(Debug, Deserialize)]
struct Customer {
    external_id: String,
    name: Option<String>,
    legal_name: Option<String>,
    email: Option<String>,
    created_at: Option<DateTime<Utc>>,
    metadata: Option<Vec<Entry>>,
}

/// There is such a customer.
pub(super) fn told(webhook: &Webhook<'_>) -> Result<Outcome, Violations> {
    let customer: Customer = read(webhook.path, webhook.object)?;
    let metadata = customer.metadata.map(as_metadata);
    let named = account([
        Candidate::of_metadata(&webhook.field("metadata"), metadata.as_ref(), webhook.account_key),
        Candidate::new(webhook.field("external_id"), Some(customer.external_id.as_str())),
    ])?;
    let Some(account) = named else {
        return Ok(Outcome::ignored("the customer has no external id"));
    };
    let names = [&customer.name, &customer.legal_name, &customer.email];
    let display_name = names.into_iter().find_map(|name| filled(name.as_deref())).unwrap_or(&customer.external_id);
    let Some(at) = customer.created_at.or(webhook.received_at) else { return Ok(Outcome::timeless()) };
    let told = webhook.of(&account, at);
    let exists = News::Exists(cut(display_name, NAME_LENGTH_MAX));
    Ok(Outcome::news(vec![told.news("customer", exists)]))
}
