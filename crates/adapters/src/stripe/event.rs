//! What all events of Stripe have in common.

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::common::v1::Money;
use mainstay_domain::{AccountId, Currency, Violations};
use serde::Deserialize;
use serde_json::Value;

use crate::Vendor;
use crate::account::{Candidate, Metadata, account};
use crate::mapped::Told;
use crate::read::{Amount, times};

/// Where the object of an event is.
pub(super) const OBJECT: &str = "data.object";

/// An event as it is sent.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) created: i64,
    pub(super) data: Data,
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub(super) struct Data {
    pub(super) object: Value,
    /// Of the fields that changed, what they were.
    pub(super) previous_attributes: Option<Value>,
}

/// Another object: its id, or the object itself where the sender expanded it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an id, or an object with an `id`")]
pub(super) enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

/// An event as its object is mapped.
pub(super) struct Event<'a> {
    pub(super) id: &'a str,
    pub(super) at: DateTime<Utc>,
    /// Stripe tells times in seconds, in which much happens.
    pub(super) rank: i16,
    pub(super) account_key: &'a str,
}

impl Event<'_> {
    /// What is told of an account by this event.
    pub(super) fn of<'t>(&'t self, account: &'t AccountId) -> Told<'t> {
        Told { account, vendor: Vendor::Stripe, id: self.id, at: self.at, rank: self.rank }
    }

    /// The account that metadata names, looked for in the order given, else the customer's id.
    pub(super) fn account(
        &self,
        metadata: &[(&str, Option<&Metadata>)],
        customer: Option<&Reference>,
    ) -> Result<Option<AccountId>, Violations> {
        let named = metadata
            .iter()
            .map(|(path, metadata)| Candidate::of_metadata(&format!("{OBJECT}.{path}"), *metadata, self.account_key));
        let customer = Candidate::new(format!("{OBJECT}.customer"), customer.map(Reference::id));
        account(named.chain([customer]))
    }
}

/// An amount of Stripe's, which stands in this field of the object. Stripe counts some currencies in other units than ISO 4217 does.
///
/// <https://docs.stripe.com/currencies#special-cases>
pub(super) fn amount(code: &str, field: &str, given: i64) -> Result<Option<Money>, Violations> {
    let within = format!("{OBJECT}.");
    let amount = Amount { within: &within, currency: ("currency", code), counted: (field, given) };
    amount.money(|currency, given| {
        let (units, of) = minor_units_in(currency);
        let counted = times(given, units)?;
        if counted % of != 0 {
            return Err(format!("{given} is no whole number of {currency}, which Stripe sends in hundredths"));
        }
        Ok(counted / of)
    })
}

/// What one of Stripe's units of a currency is: so many minor units of ISO 4217, of so many parts.
pub(super) fn minor_units_in(currency: Currency) -> (i64, i64) {
    match currency.as_str() {
        // Without decimals, and yet sent in hundredths.
        "ISK" | "UGX" => (1, 100),
        // Sent whole, and counted in hundredths.
        "MGA" => (100, 1),
        _ => (1, 1),
    }
}
