//! The server, in two steps: [`ServerBuilder::complete`] does all that can fail, [`Server::run`] serves.

mod builder;
mod connections;
mod error;
mod limited;
mod listen;
mod reflection;
mod rewound;
mod running;
mod settings;

pub use builder::ServerBuilder;
pub use error::{ServeError, StartError};
#[doc(hidden)]
pub use limited::CompressionEncoding;
pub use listen::Listen;
pub use running::{Server, ServerHandle};
pub use settings::{ADMIN_PORT_OFFSET, ConnectionSettings, DrainSettings, Limits, RpcSettings};
