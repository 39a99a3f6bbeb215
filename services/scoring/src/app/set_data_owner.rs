//! Says who answers for a field or a source.

use mainstay_domain::Violations;
use sqlx::PgConnection;

use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::data_quality::{DataOwner, DataSubject};
use crate::domain::data_source::DataSource;
use crate::storage::{data_quality, system_days};

/// Keeps it; `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    owner: &DataOwner,
    answer: impl Fn(&DataOwner) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            check(conn, &owner.subject).await?;
            data_quality::set_owner(conn, owner, app.core.clock.now()).await?;
            Ok::<_, ScoringError>(answer(owner))
        })
        .await
}

/// Refuses a metric or system of which nothing came in: it may be typed wrong, and the report would never name who answers for it.
async fn check(conn: &mut PgConnection, subject: &DataSubject) -> Result<(), ScoringError> {
    let unknown = match subject {
        DataSubject::Source(DataSource::Metric(metric)) => {
            let is_known = data_quality::metrics(conn).await?.contains(metric);
            (!is_known).then(|| format!("no signal of the metric `{metric}` came in"))
        }
        DataSubject::Source(DataSource::System { system, told }) => {
            let is_known = system_days::exists(conn, system, *told).await?;
            (!is_known).then(|| format!("`{system}` told nothing of the kind `{}`", told.word()))
        }
        DataSubject::Field(_)
        | DataSubject::Source(DataSource::Users | DataSource::Features | DataSource::Stories(_)) => None,
    };
    let Some(unknown) = unknown else { return Ok(()) };
    let mut found = Violations::new();
    found.add("subject", unknown);
    Err(ScoringError::Invalid(found))
}
