//! Stripe: events of invoices, disputes, money given back, subscriptions and customers.
//!
//! | event | what it becomes |
//! |---|---|
//! | `invoice.created` (not a draft), `invoice.finalized` | invoice issued |
//! | `invoice.paid`, `invoice.payment_succeeded` | invoice paid |
//! | `invoice.payment_failed` | payment failed, with the number of the attempt and the time of the next |
//! | `invoice.overdue` | invoice overdue |
//! | `invoice.voided`, `invoice.marked_uncollectible` | invoice voided: nothing is due any more |
//! | `charge.dispute.created`, `.updated`, `.closed` | dispute opened, or closed once its status says so |
//! | `charge.refunded` | a refund, of what it adds to those of before |
//! | `credit_note.created` | a credit note |
//! | `customer.subscription.created`, `.updated` | seats, a change of the plan, and the end of the period as renewal |
//! | `customer.subscription.deleted` | churn, with the reason, feedback and comment |
//! | `customer.created`, `customer.updated` | the account exists |
//!
//! The account is what the object's metadata names, else what the metadata of its subscription names, else the customer's id.
//! Stripe copies neither the metadata of customers to invoices nor any to disputes.
//!
//! # What a subscription brings in a year
//!
//! The sum over its items of list price × quantity × periods in a year, of which a year has 365 of a day, 52 of a week and 12 of a month.
//!
//! | what | counts |
//! |---|---|
//! | metered items | not: what will be used is not known. With nothing but metered items no revenue is told |
//! | prices by tiers or packages, items in several currencies, more items than the event has | no revenue is told, and the plan is |
//! | trials, and what is unpaid | no revenue is told: it is with the first event of the active subscription |
//! | discounts and coupons | are not deducted: events have their ids, but not how much they are and for how long |
//! | taxes | as the price has them: those that it includes are in it |
//!
//! An update whose `previous_attributes` has the items of before says which way the plan went, by what these brought: more is an upgrade, less
//! a downgrade, and as much by another price lateral. Where either is not known, or neither price nor quantity changed, it does not.
//!
//! **One subscription an account.** A payload knows one subscription and nothing of the customer's others. Of a customer who has several, each
//! tells its own seats, plan, revenue and renewal as those of the account, and the newest told counts: they are not added up, and revenue seems
//! to grow and shrink with whichever spoke last. Give each an account of its own by its metadata, or put what is bought into one
//! subscription as items.

mod credit;
mod customer;
mod dispute;
mod event;
mod invoice;
mod plan;
pub(crate) mod signature;
mod subscription;

use mainstay_domain::Violations;
use serde_json::Value;

use crate::mapped::Outcome;
use crate::read::{read, seconds};
use event::{Envelope, Event};

/// Maps an event. `account_key` is the key of metadata that names the account.
pub(crate) fn map(payload: &Value, account_key: &str) -> Result<Outcome, Violations> {
    if payload.get("object").and_then(Value::as_str).is_some_and(|object| object.starts_with("v2.")) {
        return Ok(Outcome::ignored("a thin event says only that something happened: subscribe to snapshot events"));
    }
    let envelope: Envelope = read("", payload)?;
    let at = seconds("created", envelope.created)?;
    let rank = i16::from(!envelope.kind.ends_with(".created"));
    let event = Event { id: &envelope.id, at, rank, account_key };
    let object = &envelope.data.object;
    let previous_attributes = envelope.data.previous_attributes.as_ref();
    match envelope.kind.as_str() {
        "invoice.created" | "invoice.finalized" => invoice::issued(&event, object),
        "invoice.paid" | "invoice.payment_succeeded" => invoice::paid(&event, object),
        "invoice.payment_failed" => invoice::payment_failed(&event, object),
        "invoice.overdue" => invoice::overdue(&event, object),
        "invoice.voided" | "invoice.marked_uncollectible" => invoice::voided(&event, object),
        "charge.dispute.created" | "charge.dispute.updated" | "charge.dispute.closed" => dispute::told(&event, object),
        "customer.subscription.created" | "customer.subscription.updated" => {
            subscription::told(&event, object, previous_attributes)
        }
        "customer.subscription.deleted" => subscription::deleted(&event, object),
        "customer.created" | "customer.updated" => customer::told(&event, object),
        "charge.refunded" => credit::refunded(&event, object, previous_attributes),
        "credit_note.created" => credit::noted(&event, object),
        other => Ok(Outcome::ignored(format!("the event `{other}` says nothing that scoring takes"))),
    }
}
