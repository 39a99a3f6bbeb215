//! Who calls, and what they may do.
//!
//! A call is decided before its body is decoded: [`Authenticator::authorize`] finds what the
//! method needs ([`MethodPermissions`], from the protos), verifies the token (signature
//! by the issuer's keys, issuer, audience, times by our clock, subject) and looks whether the
//! token or `auth.grants` gives the permission. The issuer is trusted with permissions:
//! a token that says `*` may do all.

mod authenticator;
mod caller;
mod key_source;
mod key_store;
mod keys;
mod methods;
mod settings;
#[cfg(test)]
mod tests;
mod token;

pub use authenticator::{AuthError, Authenticator, authenticator};
pub use caller::{ANONYMOUS, Caller, Permissions, caller};
pub use methods::{MethodPermissions, MissingPermissions, Requirement};
pub use settings::{AuthSettings, JwksSource, JwtSettings};
