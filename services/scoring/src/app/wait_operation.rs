//! Waits until an operation has ended.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::get_operation::{self, OperationView};
use super::{App, ScoringError};

/// How long between two looks.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The operation once it has ended, or as it is after `at_most`.
pub(crate) async fn execute(app: &App, id: Uuid, at_most: Duration) -> Result<OperationView, ScoringError> {
    let give_up_at = Instant::now() + at_most;
    loop {
        let view = get_operation::execute(app, id).await?;
        let now = Instant::now();
        if view.is_done() || now >= give_up_at {
            return Ok(view);
        }
        tokio::time::sleep_until(give_up_at.min(now + POLL_INTERVAL)).await;
    }
}
