//! Says who answers for a field or a source.

use mainstay_domain::Violations;

use super::{App, Mutation, Replayable, ScoringError};
use crate::domain::data_quality::{DataOwner, DataSource, DataSubject};
use crate::storage::data_quality;

/// Keeps it; `answer` makes of it what the caller is told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    owner: &DataOwner,
    answer: impl Fn(&DataOwner) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            if let DataSubject::Source(DataSource::Metric(metric)) = &owner.subject
                && !data_quality::metrics(conn).await?.contains(metric)
            {
                let mut found = Violations::new();
                found.add("subject", format!("no signal of the metric `{metric}` came in"));
                return Err(ScoringError::Invalid(found));
            }
            data_quality::set_owner(conn, owner, app.core.clock.now()).await?;
            Ok::<_, ScoringError>(answer(owner))
        })
        .await
}
