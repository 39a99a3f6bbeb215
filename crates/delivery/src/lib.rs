//! Messages that leave a service: email by SMTP, Slack incoming webhooks, signed webhooks. Durable, retried, listed,
//! replayable.
//!
//! ```text
//! use case ── enqueue ──▶ delivery_messages ── Dispatcher ──▶ SMTP relay, Slack, receivers of webhooks
//! (in its transaction)          ▲                  └─ each attempt ─▶ delivery_attempts
//!                        DeliveryServer: list, get, replay; destinations
//! ```
//!
//! This crate owns the tables of [`MIGRATIONS`] in the schema of each service. A service
//!
//! 1. adds [`MIGRATIONS`] to its migrator, and reads [`DeliverySettings`] with its own settings (section `delivery`);
//! 2. makes one [`Delivery`] for its schema, and in a use case's transaction calls [`Delivery::enqueue`], then, after the
//!    commit, [`Delivery::wake`];
//! 3. runs a [`Dispatcher`] beside its RPCs: [`Dispatcher::run`] until shutdown; with a turned clock, in tests and the
//!    demo, [`Dispatcher::run_due`];
//! 4. serves [`DeliveryServer`], and calls [`Delivery::prune`] from its housekeeping.
//!
//! `docs/how-to/send-a-message.md` has this as code, `docs/adr` why it is so.
//!
//! # What holds
//!
//! * **Nothing is lost.** A message is a row in the transaction of what it tells of; it stays until it is sent, or dead and
//!   seen, and is thrown away only when it was sent long ago.
//! * **At least once.** A message is leased by a short transaction, sent outside of any, and its outcome recorded by another
//!   statement. A process that dies between sending and recording leaves a lease that runs out: the message is sent
//!   again, with the same `Message-ID` or `webhook-id`, by which a receiver knows it. Slack has no such mark.
//! * **Not twice at once.** While a lease holds nobody else takes the message; its attempt's number tells whose outcome
//!   counts. A lease is longer than a send may take.
//! * **Enqueued once.** The same id, or the same [`NewMessage::dedupe_key`], again changes nothing.
//! * **A dead destination holds up no other.** Each has its own lane with its own bound on concurrent sends; one that asks
//!   for a pause (`Retry-After`) gets it, up to five minutes for other messages and up to a day for the one it refused.
//! * **Bounded failure.** Retries follow [`RETRY_WAITS`], then the message is dead: listed, and brought back by a replay.
//! * **No secret in the database.** A message stores the name of its destination; addresses of Slack, signing keys and
//!   passwords are in the settings.
//! * **No way inside.** Webhooks go to addresses of the public internet only, checked after resolving and at the connection,
//!   unless a setting says otherwise; redirects are not followed.
//!
//! # Metrics
//!
//! By `channel` (`email`, `slack`, `webhook`): the counters `mainstay_delivery_sent_total`,
//! `mainstay_delivery_failed_total` (attempts) and `mainstay_delivery_dead_total`, the histogram
//! `mainstay_delivery_latency_seconds` (from the time a message was due first to its being sent), the gauges
//! `mainstay_delivery_pending`, `mainstay_delivery_dead` and `mainstay_delivery_lag_seconds` (how long the longest due
//! message has been due).

mod address;
mod attempt;
mod claim;
mod dispatcher;
mod email;
mod endpoint;
mod http_client;
mod lane;
mod message;
mod metric;
mod operate;
mod outcome;
mod record;
mod retry;
mod schema;
mod senders;
mod server;
mod settings;
mod signature;
mod smtp;
mod statements;
mod store;

pub use dispatcher::Dispatcher;
pub use lettre::message::Mailbox;

pub use lane::{Channel, Destination};
pub use message::{Content, Email, EmailHeader, NewMessage, Slack, Webhook};
pub use operate::{DestinationState, MessageCounts, MessageFilter, MessagePosition, Replayed};
pub use outcome::AttemptOutcome;
pub use record::{AttemptRecord, MessageRecord, MessageState};
pub use retry::{ATTEMPTS_MAX, RETRY_WAITS};
pub use schema::MIGRATIONS;
pub use server::DeliveryServer;
pub use settings::{DeliverySettings, DestinationSettings, SigningKey, SmtpSettings, SmtpTls, WebhookSettings};
pub use signature::sign;
pub use store::{Delivery, EnqueueError, Enqueued};
