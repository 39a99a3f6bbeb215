//! Says something against the computed label of an account's health.

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations};
use mainstay_jobs::NewJob;
use sqlx::PgConnection;

use super::queues::LABELS_QUEUE;
use super::{App, Mutation, Replayable, ScoringError, events, expire_labels};
use crate::domain::label::{Claim, ComputedLabel, Label, LabelMove, SaidLabel};
use crate::storage::{accounts, health_views, labels};

/// Makes a label of what `said` gives for the time now, and has it end when its time is over. `answer` makes of it what the caller is
/// told, and told again.
pub(crate) async fn execute<T: Replayable + Send>(
    app: &App,
    mutation: &Mutation,
    creator: &str,
    said: impl Fn(DateTime<Utc>) -> Result<SaidLabel, Violations> + Sync,
    answer: impl Fn(&Label) -> T + Sync,
) -> Result<T, ScoringError> {
    app.core
        .mutate(mutation, async |conn| {
            let now = app.core.clock.now();
            let said = said(now).map_err(ScoringError::Invalid)?;
            let account = said.account.clone();
            let id = app.core.ids.new_id();
            // Before the account's row, for which the worker of the queue waits.
            let timer = NewJob::due(expire_labels::key(&account, id), said.expires_at);
            app.core.jobs.schedule(conn, LABELS_QUEUE, &[timer], now).await?;
            let locked = accounts::lock(conn, &[account.as_str()]).await?;
            let stored = locked.get(&account).ok_or_else(|| ScoringError::AccountNotFound(account.clone()))?;
            if stored.archived_at.is_some() {
                return Err(ScoringError::AccountArchived(account));
            }
            make_room(app, conn, &said, now).await?;
            let computed = computed_label(conn, &account).await?;
            refuse_same(said.claim, computed.as_ref())?;
            let label = Label::made(id, said, creator.to_owned(), computed, now);
            labels::create(conn, &label).await?;
            app.core.events.append(conn, &[events::label_corrected(app, &label, now)], now).await?;
            Ok(answer(&label))
        })
        .await
}

/// Makes sure that none of this kind is open; one whose time is over ends now, if its timer did not end it yet.
async fn make_room(
    app: &App,
    conn: &mut PgConnection,
    said: &SaidLabel,
    now: DateTime<Utc>,
) -> Result<(), ScoringError> {
    let open = labels::open(conn, &[said.account.as_str()]).await?;
    let Some(open) = open.into_iter().find(|label| label.said.claim.kind() == said.claim.kind()) else {
        return Ok(());
    };
    let Ok(Some(expired)) = open.moved(&LabelMove::Expire, now) else {
        return Err(ScoringError::LabelOpen(said.account.clone(), open.id));
    };
    labels::advance(conn, &expired).await?;
    app.core.events.append(conn, &[events::label_moved(app, &expired, now)], now).await?;
    Ok(())
}

async fn computed_label(conn: &mut PgConnection, account: &AccountId) -> Result<Option<ComputedLabel>, ScoringError> {
    let record = health_views::current_of(conn, account).await?.map(|view| view.record);
    Ok(record.map(|record| ComputedLabel {
        day: record.day,
        score: record.score.zip(record.band),
        model: record.model,
    }))
}

fn refuse_same(claim: Claim, computed: Option<&ComputedLabel>) -> Result<(), ScoringError> {
    let computed_band = computed.and_then(|computed| computed.score).map(|(_, band)| band);
    let mut found = Violations::new();
    let is_other = claim.band().is_none() || claim.band() != computed_band;
    found.require(is_other, "band", "is the computed band: there is nothing to override");
    found.into_result(()).map_err(ScoringError::Invalid)
}
