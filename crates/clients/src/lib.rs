//! Channels to the services: deadline, retry of what is safe, trace context.
//!
//! [`connect`] makes a [`ServiceChannel`] for the generated clients. It sends the
//! caller's token and trace context, gives every call of one answer a deadline
//! that the server hears of, and says `UNAVAILABLE` whenever the connection was
//! at fault. It never repeats a call by itself: [`retrying`] does that, where the
//! caller knows that repeating is safe. [`ErrorReport`] makes an answered error
//! readable.

mod address;
mod body;
mod channel;
mod credentials;
mod deadline;
mod report;
mod retry;
mod settings;

pub use address::{DEFAULT_PORT, InvalidAddress, ServerAddress};
pub use channel::{ServiceChannel, connect};
pub use credentials::BearerToken;
pub use report::{ErrorReport, FieldFault, UnmetPrecondition};
pub use retry::{RetryPolicy, retrying};
pub use settings::{ChannelSettings, ClientError};
