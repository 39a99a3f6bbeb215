//! Tells that another model scores accounts from now on.

use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::get_model::view;
use super::mark_all_accounts::mark_all_soon;
use super::model_cache::ModelBook;
use super::{App, ScoringError, events};
use crate::domain::Activation;
use crate::storage::models;

/// Tells of the activation of this number, whose day has begun, unless it was called off.
pub(crate) async fn execute(app: &App, conn: &mut PgConnection, sequence: i64) -> Result<(), ScoringError> {
    let activations = models::activations(conn).await?;
    match activations.iter().find(|activation| activation.sequence == sequence) {
        Some(activation) => announce(app, conn, activation).await,
        None => Ok(()),
    }
}

/// Tells of the activation and has all accounts scored.
pub(super) async fn announce(app: &App, conn: &mut PgConnection, activation: &Activation) -> Result<(), ScoringError> {
    let now = app.core.clock.now();
    let book = app.models.book(conn).await?;
    if let Some(model) = in_force(&book, activation) {
        let (view, previous) = (view(app, conn, &model).await?, before(&book, activation));
        let event = events::model_activated(app, &view, previous.as_ref(), activation, now);
        app.core.events.append(conn, &[event], now).await?;
    }
    mark_all_soon(app, conn, activation.from_day, now).await
}

/// The model that scores the accounts by the activation.
fn in_force(book: &ModelBook, activation: &Activation) -> Option<ModelId> {
    let general = || book.general_model(activation.from_day).map(|model| model.id.clone());
    activation.model.clone().or_else(general)
}

/// The model that would score the accounts without the activation.
fn before(book: &ModelBook, activation: &Activation) -> Option<ModelId> {
    let others = book.activations().without(activation.sequence);
    let model = match activation.segment {
        Some(segment) => others.model_for(segment, activation.from_day),
        None => others.general(activation.from_day).and_then(|general| general.model.as_ref()),
    };
    model.cloned()
}
