//! The models in memory: they never change, so that only a newer activation costs a look.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use mainstay_domain::ModelId;
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::definitions::CutsInForce;
use crate::domain::{Activation, HealthModel};
use crate::storage::models;

/// Which model scores which day.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ModelBook {
    models: HashMap<ModelId, Arc<HealthModel>>,
    /// In the order of their sequences.
    activations: Vec<Activation>,
}

impl ModelBook {
    /// The model that scores the day: of all that were activated for it or an
    /// earlier day, the one activated last.
    pub(crate) fn model_for(&self, day: NaiveDate) -> Option<Arc<HealthModel>> {
        self.rule_of(day).map(|(_, model)| Arc::clone(model))
    }

    /// The model that scores the day, and the first day from which it does by the same activation.
    fn rule_of(&self, day: NaiveDate) -> Option<(NaiveDate, &Arc<HealthModel>)> {
        let activation = self.activations.iter().rev().find(|activation| activation.from_day <= day)?;
        Some((activation.from_day, self.models.get(&activation.model)?))
    }

    /// The cuts between the bands on the day, and the first day since when models with these cuts score without a break.
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

    /// All models that score some day.
    pub(crate) fn models(&self) -> impl Iterator<Item = &HealthModel> {
        self.models.values().map(Arc::as_ref)
    }

    fn sequence(&self) -> Option<i64> {
        self.activations.last().map(|activation| activation.sequence)
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
    /// Asks for the newest activation each time. Numbers are not given twice,
    /// so a book read in a transaction that is rolled back is not taken for a later one.
    pub(crate) async fn book(&self, conn: &mut PgConnection) -> Result<Arc<ModelBook>, ScoringError> {
        let newest = models::newest_activation(conn).await?;
        let known = Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner));
        if known.sequence() == newest {
            return Ok(known);
        }
        let mut book = ModelBook { models: HashMap::new(), activations: models::activations(conn).await? };
        for activation in &book.activations {
            if !book.models.contains_key(&activation.model) {
                let model = self.model(conn, &activation.model).await?;
                book.models.insert(activation.model.clone(), model);
            }
        }
        let book = Arc::new(book);
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
    use crate::domain::{ActivationCause, DEFAULT_MODEL, parse_model_file};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn r83_cuts_hold_since_the_first_day_that_was_scored_by_them_without_a_break() {
        let mut book = ModelBook::default();
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
            let activation = Activation { sequence, model: model.id.clone(), from_day: day(from_day), cause };
            book.models.insert(model.id.clone(), Arc::new(model));
            book.activations.push(activation);
        }
        let on = |text| book.cuts_in_force(day(text)).map(|cuts| (cuts.model.to_string(), cuts.since.to_string()));
        let expected = |model: &str, since: &str| Some((model.to_owned(), since.to_owned()));
        assert_eq!(on("1969-12-31"), None);
        assert_eq!(on("2026-01-31"), expected("first", "1970-01-01"));
        assert_eq!(on("2026-02-01"), expected("strict", "2026-02-01"));
        assert_eq!(on("2026-05-31"), expected("third", "2026-03-01"));
        assert_eq!(on("2026-06-01"), expected("late", "2026-06-01"));
    }

    #[test]
    fn of_several_activations_that_reach_a_day_the_last_holds() {
        let mut book = ModelBook::default();
        for (sequence, id, from_day) in [
            (1, "first", "1970-01-01"),
            (4, "second", "2026-03-01"),
            (5, "third", "2026-03-01"),
            (9, "first", "2026-02-01"),
        ] {
            let mut draft = parse_model_file(DEFAULT_MODEL).expect("parses");
            draft.name = format!("models/{id}");
            let model = HealthModel::from_draft(draft).expect("valid");
            let cause = ActivationCause::default();
            let activation = Activation { sequence, model: model.id.clone(), from_day: day(from_day), cause };
            book.models.insert(model.id.clone(), Arc::new(model));
            book.activations.push(activation);
        }
        let model_on = |text| book.model_for(day(text)).map(|model| model.id.to_string());
        assert_eq!(model_on("1969-12-31"), None);
        assert_eq!(model_on("1970-01-01").as_deref(), Some("first"));
        assert_eq!(model_on("2026-03-02").as_deref(), Some("first"));
        book.activations.pop();
        let model_on = |text| book.model_for(day(text)).map(|model| model.id.to_string());
        assert_eq!(model_on("2026-02-28").as_deref(), Some("first"));
        assert_eq!(model_on("2026-03-01").as_deref(), Some("third"));
    }
}
