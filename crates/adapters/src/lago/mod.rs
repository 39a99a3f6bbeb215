//! Lago: invoices, credit notes, subscriptions and customers.
//!
//! | webhook | what it becomes |
//! |---|---|
//! | `invoice.created`, `.one_off_created`, `.add_on_added`, `.paid_credit_added` | invoice issued |
//! | `invoice.payment_status_updated`, when it says `succeeded` | invoice paid |
//! | `invoice.payment_failure` | payment failed, with the provider's error |
//! | `invoice.payment_overdue` | invoice overdue |
//! | `invoice.voided` | invoice voided |
//! | `invoice.payment_dispute_lost` | dispute closed: Lago does not say when one is opened |
//! | `credit_note.created` | a credit note of what it sets off against later invoices, a refund of what it pays back |
//! | `subscription.started` | a change of the plan, and the end of the period or contract as renewal |
//! | `subscription.trial_ended` | a change of the plan, with what it brings from then on |
//! | `subscription.terminated` | churn, unless another plan follows |
//! | `customer.created`, `.updated` | the account exists |
//!
//! The account is what metadata names, else the customer's external id, which is the caller's own.
//!
//! A webhook has no id in its body, and what the headers say is not signed: it is known by its content, which stays the same each
//! time it is tried. Failures do not say when they were, so that the time of receipt is theirs; nor does `subscription.updated`, of
//! which nothing is taken, since it could come again when the subscription has long changed again.
//!
//! # What a plan brings in a year
//!
//! Its amount (`plan_amount_cents`) × the periods of its `interval` in a year: 52 weeks, 12 months, 4 quarters, 2 half-years. Not in it are
//! charges for use, fixed charges, commitments, coupons and taxes. It is not told during a trial, and of a payload without the plan's
//! interval: the billing period that it has is that of the charges. Which way the plan went is not told, since a payload has the code of the plan
//! before, and not its amount; the revenue before and after tells it.
//!
//! **One subscription an account.** A payload knows one subscription and nothing of the customer's others. Of a customer who has several, each
//! tells its own plan, revenue and renewal as those of the account, and the newest told counts: they are not added up. Give each a customer of its
//! own in Lago.

mod credit_note;
mod customer;
mod invoice;
pub(crate) mod signature;
mod subscription;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations};
use serde::Deserialize;
use serde_json::Value;

use crate::Vendor;
use crate::account::Metadata;
use crate::mapped::{Outcome, Told};
use crate::read::{fault, read};
use crate::text::content_id;

#[derive(Debug, Deserialize)]
struct Envelope {
    webhook_type: String,
    object_type: String,
}

/// A webhook as its object is mapped.
struct Webhook<'a> {
    /// Where the object is.
    path: &'a str,
    object: &'a Value,
    id: String,
    received_at: Option<DateTime<Utc>>,
    account_key: &'a str,
}

impl Webhook<'_> {
    /// What is told of an account by this webhook.
    fn of<'t>(&'t self, account: &'t AccountId, at: DateTime<Utc>) -> Told<'t> {
        Told { account, vendor: Vendor::Lago, id: &self.id, at, rank: 0 }
    }

    /// The path of a field of the object.
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// An entry of metadata, which Lago has as lists.
#[derive(Debug, Deserialize)]
struct Entry {
    key: String,
    value: Option<String>,
}

fn as_metadata(entries: Vec<Entry>) -> Metadata {
    entries.into_iter().filter_map(|entry| Some((entry.key, Value::String(entry.value?)))).collect()
}

/// Maps a webhook. `account_key` is the key of metadata that names the account.
pub(crate) fn map(
    payload: &Value,
    received_at: Option<DateTime<Utc>>,
    account_key: &str,
) -> Result<Outcome, Violations> {
    let Envelope { webhook_type, object_type } = read("", payload)?;
    let mapping = match webhook_type.as_str() {
        "invoice.created" | "invoice.one_off_created" | "invoice.add_on_added" | "invoice.paid_credit_added" => {
            invoice::issued
        }
        "invoice.payment_status_updated" => invoice::payment_status,
        "invoice.payment_failure" => invoice::payment_failed,
        "invoice.payment_overdue" => invoice::overdue,
        "invoice.voided" => invoice::voided,
        "invoice.payment_dispute_lost" => invoice::dispute_lost,
        "credit_note.created" => credit_note::issued,
        "subscription.started" => subscription::started,
        "subscription.trial_ended" => subscription::trial_ended,
        "subscription.updated" => return Ok(Outcome::undated()),
        "subscription.terminated" => subscription::terminated,
        "customer.created" | "customer.updated" => customer::told,
        other => {
            return Ok(Outcome::ignored(format!("the webhook `{other}` says nothing that scoring takes")));
        }
    };
    let object = payload.get(&object_type).ok_or_else(|| fault(object_type.clone(), "is missing"))?;
    mapping(&Webhook { path: &object_type, object, id: content_id(payload), received_at, account_key })
}
