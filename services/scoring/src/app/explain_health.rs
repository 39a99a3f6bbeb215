//! Why an account's health is what it is, and what moved it since an earlier day.

use chrono::NaiveDate;
use mainstay_domain::{AccountId, Violations};

use super::get_health;
use super::health_scored::ScoredView;
use super::{App, ScoringError};
use crate::domain::{HealthExplanation, Snapshot, explain};

/// Health with its explanation.
#[derive(Debug)]
pub(crate) struct Explained {
    pub now: ScoredView,
    pub earlier: Option<ScoredView>,
    pub explanation: HealthExplanation,
}

/// Explains the health of `day`, the newest without one, beside that of `compare_day`, which must
/// be before the day that is explained.
pub(crate) async fn execute(
    app: &App,
    account: &AccountId,
    day: Option<NaiveDate>,
    compare_day: Option<NaiveDate>,
) -> Result<Explained, ScoringError> {
    let mut conn = app.core.pool.acquire().await?;
    let now = get_health::one(app, &mut conn, account, day).await?;
    if let Some(compare_day) = compare_day {
        check_compare_day(compare_day, now.view.record.day)?;
    }
    let earlier = match compare_day {
        Some(day) => Some(get_health::one(app, &mut conn, account, Some(day)).await?),
        None => None,
    };
    let explanation = explain(snapshot(&now), earlier.as_ref().map(snapshot));
    Ok(Explained { now, earlier, explanation })
}

/// What the request asks for need not be the day that is explained: the newest, when it names none
/// or one to come, and for an account that is not scored any more its last.
fn check_compare_day(compare_day: NaiveDate, explained_day: NaiveDate) -> Result<(), ScoringError> {
    let mut found = Violations::new();
    found.require(
        compare_day < explained_day,
        "compare_day",
        format!("must be before {explained_day}, the day that is explained"),
    );
    found.into_result(()).map_err(ScoringError::Invalid)
}

fn snapshot(view: &ScoredView) -> Snapshot<'_> {
    Snapshot { model: &view.model, scored: &view.scored, day: view.view.record.day }
}
