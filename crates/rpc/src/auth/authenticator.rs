//! Authentication and authorization of a call.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_domain::SharedClock;

use super::key_source::KeySource;
use super::key_store::KeyStore;
use super::token::TokenVerifier;
use super::{AuthSettings, Caller, MethodPermissions, Permissions, Requirement};
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
    /// The key file cannot be read or holds no usable key, or the address of the keys cannot be used.
    #[error("the keys of the token issuer cannot be loaded: {0}")]
    Keys(String),
}

/// The authenticator for these settings: of tokens, or, without any, one that
/// lets everybody call everything.
pub async fn authenticator(
    settings: &AuthSettings,
    methods: MethodPermissions,
    clock: SharedClock,
) -> Result<Arc<dyn Authenticator>, AuthError> {
    let Some(jwt) = &settings.jwt else {
        return Ok(Arc::new(Open { methods }));
    };
    let source = KeySource::open(&jwt.keys).map_err(AuthError::Keys)?;
    let keys = KeyStore::open(source, Arc::clone(&clock)).await.map_err(AuthError::Keys)?;
    Ok(Arc::new(ByToken { methods, verifier: TokenVerifier::new(jwt.clone(), keys, clock) }))
}

#[derive(Debug)]
struct Open {
    methods: MethodPermissions,
}

#[async_trait]
impl Authenticator for Open {
    async fn authorize(&self, path: &str, _bearer_token: Option<&str>) -> Result<Caller, ApiError> {
        requirement(&self.methods, path)?;
        Ok(Caller::anonymous(Permissions::all()))
    }
}

#[derive(Debug)]
struct ByToken {
    methods: MethodPermissions,
    verifier: TokenVerifier,
}

#[async_trait]
impl Authenticator for ByToken {
    async fn authorize(&self, path: &str, bearer_token: Option<&str>) -> Result<Caller, ApiError> {
        let permission = match requirement(&self.methods, path)? {
            Requirement::Public => return Ok(Caller::anonymous(Permissions::none())),
            Requirement::Permission(permission) => permission,
        };
        let token = bearer_token.ok_or_else(|| {
            ApiError::common(ErrorReason::Unauthenticated, "send the metadata `authorization: Bearer <token>`")
        })?;
        let caller = self
            .verifier
            .verify(token)
            .await
            .map_err(|fault| ApiError::common(ErrorReason::Unauthenticated, format!("the token {fault}")))?;
        if caller.permissions.allow(permission) {
            return Ok(caller);
        }
        let message = format!("`{}` lacks the permission `{permission}`", caller.identity);
        Err(ApiError::common(ErrorReason::PermissionDenied, message)
            .with_metadata("permission", permission)
            .with_metadata("caller", caller.identity))
    }
}

fn requirement<'a>(methods: &'a MethodPermissions, path: &str) -> Result<&'a Requirement, ApiError> {
    methods.lookup_requirement(path).ok_or_else(|| {
        let shown: String = path.chars().take(200).collect();
        ApiError::common(ErrorReason::Unimplemented, format!("this server does not have the method {shown}"))
    })
}
