//! When a service is ready.

use async_trait::async_trait;
use mainstay_rpc::Readiness;
use sqlx::PgPool;

/// Ready while the database answers.
#[derive(Debug, Clone)]
pub struct DatabaseReadiness(pub PgPool);

#[async_trait]
impl Readiness for DatabaseReadiness {
    async fn check(&self) -> Result<(), String> {
        sqlx::query("SELECT 1").execute(&self.0).await.map(drop).map_err(|error| error.to_string())
    }
}
