//! A service's outside: server, layers, errors, page tokens, authentication, shutdown.

pub mod admin;
pub mod auth;
pub mod error;
pub mod field_mask;
pub mod layers;
pub mod paging;
pub mod server;
pub mod service_main;
pub mod settings;
pub mod shutdown;
pub mod tls;

pub use admin::Readiness;
pub use auth::{Caller, caller};
pub use error::ApiError;
pub use layers::{RequestId, asked_timeout, request_id_of};
pub use paging::PageRequest;
pub use server::{Listen, RpcSettings, Server, ServerBuilder, ServerHandle};
