//! The vendors, and what is done with what they send.

use std::fmt;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use mainstay_domain::Violations;
use serde_json::Value;

use crate::account::DEFAULT_ACCOUNT_KEY;
use crate::body::{Body, Place};
use crate::mapped::Outcome;
use crate::{SignatureError, lago, segment, stripe, tickets, zendesk};

/// A system whose payloads are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Stripe: invoices, disputes, subscriptions, customers.
    Stripe,
    /// Lago: invoices, subscriptions, customers.
    Lago,
    /// Zendesk: tickets.
    Zendesk,
    /// Segment: what users do, and who they are.
    Segment,
    /// Any help desk: tickets in a schema of ours. Not signed, so that it is only imported.
    Tickets,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Stripe, Self::Lago, Self::Zendesk, Self::Segment, Self::Tickets];

    /// Its name in addresses, settings, commands and as the source of its signals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::Lago => "lago",
            Self::Zendesk => "zendesk",
            Self::Segment => "segment",
            Self::Tickets => "tickets",
        }
    }

    /// Checks the signature of a delivery over its raw body. With several secrets, as while one is exchanged for another,
    /// any of them will do.
    ///
    /// # Errors
    /// Why the delivery is not to be believed; always for [`Vendor::Tickets`], which signs nothing.
    pub fn verify(
        self,
        headers: &HeaderMap,
        body: &[u8],
        secrets: &[&[u8]],
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        match self {
            Self::Stripe => stripe::signature::verify(headers, body, secrets, now),
            Self::Lago => lago::signature::verify(headers, body, secrets),
            Self::Zendesk => zendesk::signature::verify(headers, body, secrets, now),
            Self::Segment => segment::signature::verify(headers, body, secrets),
            Self::Tickets => Err(SignatureError::Forged),
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// How the payloads of a vendor are mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Whose payloads.
    pub vendor: Vendor,
    /// The key of metadata (or of traits and properties) that names the account.
    pub account_key: String,
}

impl Adapter {
    /// An adapter that looks for the account under [`DEFAULT_ACCOUNT_KEY`].
    pub fn new(vendor: Vendor) -> Self {
        Self { vendor, account_key: DEFAULT_ACCOUNT_KEY.to_owned() }
    }

    /// Maps the body of a delivery that came at `received_at`: a payload, or a list of them, of which each is taken for itself.
    pub fn map_body(&self, body: &[u8], received_at: DateTime<Utc>) -> Body {
        let mut mapped = Body::default();
        match serde_json::from_slice(body) {
            Err(error) => mapped.faults.add("", format!("is not JSON: {error}")),
            Ok(Value::Array(payloads)) if payloads.is_empty() => mapped.ignored = Some("the list is empty".into()),
            Ok(Value::Array(payloads)) => {
                for (index, payload) in payloads.iter().enumerate() {
                    mapped.add(Place::InList(index), self.map(payload, Some(received_at)));
                }
            }
            Ok(payload) => mapped.add(Place::Whole, self.map(&payload, Some(received_at))),
        }
        mapped
    }

    /// The payloads that a page of the vendor's API lists, each with its path there, to be mapped one by one; of anything else itself,
    /// with an empty path.
    pub fn payloads(&self, given: Value) -> Vec<(String, Value)> {
        let listed = if self.vendor == Vendor::Zendesk { zendesk::tickets_of_page(given) } else { Err(given) };
        listed.unwrap_or_else(|payload| vec![(String::new(), payload)])
    }

    /// Maps one payload. `received_at` is when it came, the time of what happens but does not say when; none when it is not
    /// known, as in a file.
    ///
    /// # Errors
    /// It is malformed: each fault with the path of its field.
    pub fn map(&self, payload: &Value, received_at: Option<DateTime<Utc>>) -> Result<Outcome, Violations> {
        let key = self.account_key.as_str();
        match self.vendor {
            Vendor::Stripe => stripe::map(payload, key),
            Vendor::Lago => lago::map(payload, received_at, key),
            Vendor::Zendesk => zendesk::map(payload, key),
            Vendor::Segment => segment::map(payload, received_at, key),
            Vendor::Tickets => tickets::map(payload),
        }
    }
}
