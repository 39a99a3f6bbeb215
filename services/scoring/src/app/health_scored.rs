//! Health with its parts: what is stored are the readings, the model makes the points again. Beside it what people say against it.

use std::collections::HashMap;
use std::sync::Arc;

use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::{App, ScoringError};
use crate::domain::label::Label;
use crate::domain::{HealthModel, HealthView, Scored, score_readings};
use crate::storage::labels;

/// A day's health with the model that made it and the points of its parts.
#[derive(Debug, Clone)]
pub(crate) struct ScoredView {
    pub view: HealthView,
    pub model: Arc<HealthModel>,
    pub scored: Scored,
    /// What is open now against the computed label, overrides first.
    pub corrections: Vec<Label>,
}

impl ScoredView {
    pub(crate) async fn of(app: &App, conn: &mut PgConnection, view: HealthView) -> Result<Self, ScoringError> {
        let corrections = open_labels(app, conn, std::slice::from_ref(&view)).await?;
        Self::made(app, conn, view, &corrections).await
    }

    /// All of `views`, in their order.
    pub(crate) async fn of_all(
        app: &App,
        conn: &mut PgConnection,
        views: Vec<HealthView>,
    ) -> Result<Vec<Self>, ScoringError> {
        let corrections = open_labels(app, conn, &views).await?;
        let mut scored = Vec::with_capacity(views.len());
        for view in views {
            scored.push(Self::made(app, conn, view, &corrections).await?);
        }
        Ok(scored)
    }

    async fn made(
        app: &App,
        conn: &mut PgConnection,
        view: HealthView,
        open: &HashMap<AccountId, Vec<Label>>,
    ) -> Result<Self, ScoringError> {
        let model = app.models.model(conn, &view.record.model).await?;
        let scored = score_readings(&model, view.record.readings.clone(), view.record.last_signal_day);
        debug_assert_eq!(scored.score, view.record.score, "the readings make another score than is stored");
        let corrections = open.get(&view.record.account).cloned().unwrap_or_default();
        Ok(Self { view, model, scored, corrections })
    }
}

/// What is open now against the labels of these accounts, asked for only where there is something.
async fn open_labels(
    app: &App,
    conn: &mut PgConnection,
    views: &[HealthView],
) -> Result<HashMap<AccountId, Vec<Label>>, ScoringError> {
    let corrected = views.iter().filter(|view| view.is_corrected);
    let ids: Vec<&str> = corrected.map(|view| view.record.account.as_str()).collect();
    let mut by_account: HashMap<AccountId, Vec<Label>> = HashMap::new();
    if ids.is_empty() {
        return Ok(by_account);
    }
    let now = app.core.clock.now();
    for label in labels::open(conn, &ids).await? {
        if label.is_open_at(now) {
            by_account.entry(label.said.account.clone()).or_default().push(label);
        }
    }
    Ok(by_account)
}
