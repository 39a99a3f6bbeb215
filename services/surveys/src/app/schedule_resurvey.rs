//! Has a contact asked again a while after the case that an answer had opened was resolved.

use chrono::{DateTime, Utc};
use mainstay_jobs::NewJob;
use serde_json::json;
use sqlx::PgConnection;

use super::queues::{RESURVEYS_QUEUE, ResurveyOrder};
use super::{App, SurveysError};
use crate::domain::invitation::ResponseName;
use crate::domain::occasion::RESURVEY_AFTER;
use crate::storage::responses;

/// A case that an answer had opened was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedCase {
    pub case: String,
    pub response: ResponseName,
    pub resolved_at: DateTime<Utc>,
}

/// Sets the date in the caller's transaction; false when the answer is not known here. Setting it again keeps the earlier.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, case: &ResolvedCase) -> Result<bool, SurveysError> {
    if responses::lookup(conn, &case.response).await?.is_none() {
        return Ok(false);
    }
    let order = ResurveyOrder {
        account: case.response.account.to_string(),
        response: case.response.id,
        case: case.case.clone(),
        resolved_at_micros: case.resolved_at.timestamp_micros(),
    };
    let job = NewJob::due(case.response.name(), case.resolved_at + RESURVEY_AFTER).with_payload(json!(order));
    app.core.jobs.schedule(conn, RESURVEYS_QUEUE, &[job], app.core.clock.now()).await?;
    Ok(true)
}
