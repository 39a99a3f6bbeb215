//! What the systems of others send, as what scoring takes in.
//!
//! Pure: no I/O, no clock, no state. For each vendor there is the check of a delivery's signature, over the raw body and
//! before anything of it is parsed ([`Vendor::verify`]), and the mapping of a payload ([`Adapter::map`]). `mainstay import`
//! and the webhook receiver of scoring are the two that do something with the result.
//!
//! | vendor | signature | checked with |
//! |---|---|---|
//! | Stripe | `Stripe-Signature`, HMAC-SHA256 of `t.body` | API version `2026-10-28.endive` (types of stripe-python 16.1.0), and invoices of `2024-06-20` |
//! | Lago | `X-Lago-Signature`, HMAC-SHA256, algorithm `hmac` | the serializers of lago-api, read in November 2026 |
//! | Zendesk | `X-Zendesk-Webhook-Signature`, HMAC-SHA256 of timestamp and body | event version `2022-11-06`; our trigger template; tickets of API v2 |
//! | Segment | `X-Signature`, HMAC-SHA1 | the Spec's track, identify, group, page and screen |
//! | tickets | none: only imported | our own schema, [`Adapter::map`] |
//!
//! What holds:
//!
//! * **A repeat is a duplicate.** The id of a signal is made of the vendor's id of the event, or of the content where the body has
//!   none ([ADR 0008](../../../docs/adr/0008-identity-of-a-signal.md)); never of a header, which no signature covers. What exports say of
//!   a ticket has the ticket's id with what it says.
//! * **What is so from a time on says itself since when.** Else a payload that is sent again would be the newest once more. What happens
//!   but does not say when, as a payment that failed, has the time of its receipt; in a file it has none, and is ignored.
//! * **Order does not matter.** Signals carry the time of the event, and stories do not depend on the order
//!   ([ADR 0017](../../../docs/adr/0017-risk-triggers.md)). What is said of accounts, one field
//!   at a time, carries a [`Stamp`], and the newest counts.
//! * **What means nothing to us is [`Outcome::Ignored`]** with the reason; what is malformed is an error naming the field's path.

mod account;
mod body;
mod lago;
mod mapped;
mod news;
mod read;
mod segment;
mod signature;
mod stripe;
mod text;
mod ticket_words;
mod tickets;
mod vendor;
mod zendesk;

pub use account::DEFAULT_ACCOUNT_KEY;
pub use body::{Body, Place};
pub use mapped::{AccountNews, Mapped, Outcome, Stamp};
pub use news::{AccountField, ContactField, News};
pub use signature::{SIGNATURE_AGE_MAX, SignatureError};
pub use ticket_words::{ticket_action, ticket_priority};
pub use vendor::{Adapter, Vendor};
