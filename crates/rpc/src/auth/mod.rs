//! Who calls, and what they may do.

mod authenticator;
mod caller;
mod methods;
mod settings;

pub use authenticator::{AuthError, Authenticator, authenticator};
pub use caller::{ANONYMOUS, Caller, Permissions, caller};
pub use methods::{MethodPermissions, MissingPermissions, Requirement};
pub use settings::{AuthSettings, JwksSource, JwtSettings};
