//! How far the data behind scores can be trusted.

use mainstay_storage::begin;

use super::{App, ScoringError};
use crate::domain::Input;
use crate::domain::data_quality::{DataQuality, InputMatch};
use crate::storage::{data_quality, field_claims, system_days};

/// As of now.
pub(crate) async fn execute(app: &App) -> Result<DataQuality, ScoringError> {
    let mut conn = begin(&app.core.pool).await?;
    let conn = &mut *conn;
    let today = app.core.clock.today();
    let models = app.models.book(conn).await?.models_on(today);
    let features: Vec<&str> = models
        .iter()
        .flat_map(|model| model.measures())
        .filter_map(|(_, measure)| match &measure.input {
            Input::Feature(feature) => Some(feature.as_str()),
            Input::Metric(_) | Input::AnyFeature | Input::AnyUser | Input::Story(_) => None,
        })
        .collect();
    let metrics = data_quality::metrics(conn).await?;
    let used_features = data_quality::used_features(conn, &features).await?;
    let mut sources = data_quality::kinds_of_signals(conn, today).await?;
    sources.extend(system_days::sources(conn, today).await?);
    sources.sort_by_cached_key(|source| (!source.is_silent(today), source.source.name()));
    Ok(DataQuality {
        as_of: app.core.clock.now(),
        today,
        coverage: data_quality::coverage(conn, today).await?,
        fields: data_quality::missing_fields(conn).await?,
        sources,
        inputs: InputMatch::of(&models, &metrics, &used_features),
        duplicates: data_quality::duplicate_names(conn).await?,
        disagreements: field_claims::disagreements(conn).await?,
        owners: data_quality::owners(conn).await?,
    })
}
