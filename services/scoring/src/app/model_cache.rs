//! The models in memory: they never change, so that only a newer activation costs a look.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::definitions::CutsInForce;
use crate::domain::{Activations, HealthModel, Segment};
use crate::storage::models;

/// Which model scores whom on which day.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ModelBook {
    models: HashMap<ModelId, Arc<HealthModel>>,
    activations: Activations,
}

impl ModelBook {
    /// The model that scores the accounts of a segment on a day.
    pub(crate) fn model_for(&self, segment: Segment, day: NaiveDate) -> Option<Arc<HealthModel>> {
        self.models.get(self.activations.model_for(segment, day)?).map(Arc::clone)
    }

    /// The model that scores all accounts on a day whose segment has no model of its own.
    pub(crate) fn general_model(&self, day: NaiveDate) -> Option<Arc<HealthModel>> {
        self.rule_of(day).map(|(_, model)| Arc::clone(model))
    }

    /// The general model of a day, and the first day from which on it is by the same activation.
    fn rule_of(&self, day: NaiveDate) -> Option<(NaiveDate, &Arc<HealthModel>)> {
        let activation = self.activations.general(day)?;
        Some((activation.from_day, self.models.get(activation.model.as_ref()?)?))
    }

    /// The models that score somebody on a day.
    pub(crate) fn models_on(&self, day: NaiveDate) -> Vec<Arc<HealthModel>> {
        self.activations.models_on(day).into_iter().filter_map(|id| self.models.get(id)).map(Arc::clone).collect()
    }

    /// The cuts between the bands on the day, and the first day since when models with these cuts score without a break. They are
    /// the same for all segments: see [`activate_model`](super::activate_model).
    pub(crate) fn cuts_in_force(&self, day: NaiveDate) -> Option<CutsInForce> {
        let (mut since, model) = self.rule_of(day)?;
        while let Some((from_day, _)) = since
            .pred_opt()
            .and_then(|day_before| self.rule_of(day_before))
            .filter(|(_, before)| before.band_cuts == model.band_cuts)
        {
            since = from_day;
        }
        Some(CutsInForce { cuts: model.band_cuts, model: model.id.clone(), since })
    }

    /// A segment's own model and the general one, when their cuts differ on some day from this one on.
    pub(crate) fn differing_cuts(&self, from_day: NaiveDate) -> Option<(ModelId, ModelId)> {
        let of_day = |day: NaiveDate| {
            let general = self.general_model(day)?;
            let other = self.models_on(day).into_iter().find(|model| model.band_cuts != general.band_cuts)?;
            Some((other.id.clone(), general.id.clone()))
        };
        self.activations.turns_from(from_day).into_iter().find_map(of_day)
    }

    /// All models that score on some day.
    pub(crate) fn models(&self) -> impl Iterator<Item = &HealthModel> {
        self.models.values().map(Arc::as_ref)
    }

    /// What was activated for whom.
    pub(crate) const fn activations(&self) -> &Activations {
        &self.activations
    }
}

/// The models that were asked for so far, and the newest book.
#[derive(Debug, Default)]
pub(crate) struct ModelCache {
    models: RwLock<HashMap<ModelId, Arc<HealthModel>>>,
    book: RwLock<Arc<ModelBook>>,
}

impl ModelCache {
    /// The book as the connection's transaction sees it.
    ///
    /// Asks for the numbers of all activations each time: the newest alone would not tell of another one that was taken back.
    /// Numbers are not given twice, so a book read in a transaction that is rolled back is not taken for a later one.
    pub(crate) async fn book(&self, conn: &mut PgConnection) -> Result<Arc<ModelBook>, ScoringError> {
        let sequences = models::activation_sequences(conn).await?;
        let known = Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner));
        if known.activations.iter().map(|activation| activation.sequence).eq(sequences) {
            return Ok(known);
        }
        let activations = Activations::new(models::activations(conn).await?);
        let mut models = HashMap::new();
        for id in activations.iter().filter_map(|activation| activation.model.as_ref()) {
            if !models.contains_key(id) {
                models.insert(id.clone(), self.model(conn, id).await?);
            }
        }
        let book = Arc::new(ModelBook { models, activations });
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&book);
        Ok(book)
    }

    /// A model that was committed before; an unknown one is [`ScoringError::ModelNotFound`].
    pub(crate) async fn model(&self, conn: &mut PgConnection, id: &ModelId) -> Result<Arc<HealthModel>, ScoringError> {
        let known = self.models.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone);
        if let Some(model) = known {
            return Ok(model);
        }
        let stored = models::lookup(conn, id).await?.ok_or_else(|| ScoringError::ModelNotFound(id.name()))?;
        let model = Arc::new(stored.model);
        self.models.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::clone(&model));
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Activation, ActivationCause, DEFAULT_MODEL, parse_model_file};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn r83_cuts_hold_since_the_first_day_that_was_scored_by_them_without_a_break() {
        let mut models = HashMap::new();
        let mut activations = Vec::new();
        for (sequence, id, from_day, healthy_above) in [
            (1, "first", "1970-01-01", 85),
            (2, "strict", "2026-02-01", 90),
            (3, "second", "2026-03-01", 85),
            (4, "third", "2026-04-01", 85),
            (5, "late", "2026-06-01", 80),
        ] {
            let mut draft = parse_model_file(DEFAULT_MODEL).expect("parses");
            draft.name = format!("models/{id}");
            let mut model = HealthModel::from_draft(draft).expect("valid");
            model.band_cuts.healthy_above = mainstay_domain::Points::whole(healthy_above);
            let cause = ActivationCause::default();
            let (model_id, from_day) = (Some(model.id.clone()), day(from_day));
            activations.push(Activation { sequence, model: model_id, segment: None, from_day, cause });
            models.insert(model.id.clone(), Arc::new(model));
        }
        let book = ModelBook { models, activations: Activations::new(activations) };
        let on = |text| book.cuts_in_force(day(text)).map(|cuts| (cuts.model.to_string(), cuts.since.to_string()));
        let expected = |model: &str, since: &str| Some((model.to_owned(), since.to_owned()));
        assert_eq!(on("1969-12-31"), None);
        assert_eq!(on("2026-01-31"), expected("first", "1970-01-01"));
        assert_eq!(on("2026-02-01"), expected("strict", "2026-02-01"));
        assert_eq!(on("2026-05-31"), expected("third", "2026-03-01"));
        assert_eq!(on("2026-06-01"), expected("late", "2026-06-01"));
    }
}
