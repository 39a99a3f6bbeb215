//! The admin port: liveness, readiness, metrics, health for probes.

use async_trait::async_trait;

/// Whether a service can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks what the service depends on, for example its database.
    ///
    /// # Errors
    /// What is missing, for the operator.
    async fn check(&self) -> Result<(), String>;
}
