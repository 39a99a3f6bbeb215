//! A service's outside: server, layers, errors, page tokens, authentication, shutdown.

pub mod auth;
pub mod error;
pub mod field_mask;
pub mod paging;
pub mod settings;

pub use auth::{Caller, caller};
pub use error::ApiError;
pub use paging::PageRequest;
