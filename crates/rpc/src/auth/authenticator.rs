//! Authentication and authorization of a call.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use mainstay_domain::SharedClock;

use super::{AuthSettings, Caller, MethodPermissions};
use crate::ApiError;

/// Decides about a call before its body is decoded.
#[async_trait]
pub trait Authenticator: Debug + Send + Sync {
    /// The caller of the method at `path` (`/package.Service/Method`), if the
    /// bearer token holds and grants what the method needs.
    ///
    /// `UNAUTHENTICATED` without a token that holds, `PERMISSION_DENIED` without
    /// the permission, `UNIMPLEMENTED` for a path that is not served.
    async fn authorize(&self, path: &str, bearer_token: Option<&str>) -> Result<Caller, ApiError>;
}

/// Why authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The key file cannot be read or holds no usable key.
    #[error("the keys of the token issuer cannot be loaded: {0}")]
    Keys(String),
    /// A setting does not make sense.
    #[error("{0}")]
    Setting(String),
}

/// The authenticator for these settings.
pub async fn authenticator(
    settings: &AuthSettings,
    methods: MethodPermissions,
    clock: SharedClock,
) -> Result<Arc<dyn Authenticator>, AuthError> {
    let _ = (settings, methods, clock);
    todo!()
}
