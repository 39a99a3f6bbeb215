//! What the inside of a service is built on.
//!
//! * [`Core`]: what every use case works with, and [`Core::mutate`], by which a mutation that is sent twice has one effect.
//! * [`Workers`]: the work behind the RPCs: due jobs, the sequencer of events, consumers of other services' feeds,
//!   housekeeping; each with connections of its own.
//! * [`StatusRpc`]: how the service is doing, for those who run it.
//! * [`wire`] and [`request`]: times, money, enums, pages and request ids, between messages and the domain.
//!
//! A service adds what is its own: rules, rows, use cases, RPCs.

mod core;
mod delivery;
mod mutation;
mod peer;
mod readiness;
pub mod request;
mod status;
pub mod wire;
mod workers;

pub use core::Core;
pub use delivery::DeliveryWork;
pub use mutation::{Mutation, Replayable, RequestIdReused, Work};
pub use peer::{Peer, PeerKeys, PeerSettings};
pub use readiness::DatabaseReadiness;
pub use status::StatusRpc;
pub use workers::{Background, WorkerSettings, Workers, WorkersBuilder};
