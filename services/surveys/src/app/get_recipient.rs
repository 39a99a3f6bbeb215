//! What is known of the person behind a mail address.

use super::{App, SurveysError};
use crate::domain::eligibility::RecipientState;
use crate::storage::recipients;

/// Reads it; nothing is known of who was never asked.
pub(crate) async fn execute(app: &App, address: &str) -> Result<RecipientState, SurveysError> {
    let mut conn = app.core.pool.acquire().await?;
    Ok(recipients::states(&mut conn, &[address]).await?.remove(address).unwrap_or_default())
}
