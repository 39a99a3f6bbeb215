//! How measures are spread over groups of accounts: made of each day once all accounts have come through it, and kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use mainstay_domain::{ModelId, day_of};
use sqlx::PgConnection;

use super::model_cache::ModelBook;
use super::queues::{RECOMPUTE_QUEUE, RESCORE_QUEUE};
use super::rescore_accounts::WAIT;
use super::{App, ScoringError};
use crate::domain::{
    AccountGroup, Distribution, GroupDistributions, GroupStatistic, HealthModel, MEDIAN_ACCOUNTS_MIN,
    RANK_ACCOUNTS_MIN, ScoringFacts, day_number,
};
use crate::storage::accounts;
use crate::storage::group_distributions::{self, Remaking};

/// One in so many accounts may still have to come through a day when the distributions are made of it: some always have late signals.
const BEHIND_SHARE: i64 = 20;

/// The days with which accounts begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginnings<'a> {
    /// As their jobs say, which may name days before there was anything to score.
    pub marked_days: &'a [NaiveDate],
    /// As they are scored.
    pub first_days: &'a [NaiveDate],
}

impl Beginnings<'_> {
    /// How many more of these accounts are behind a day than by their jobs.
    fn correction(self, day: NaiveDate) -> i64 {
        let before = |days: &[NaiveDate]| days.iter().filter(|first| **first < day).fold(0, |count, _| count + 1);
        before(self.first_days) - before(self.marked_days)
    }
}

/// What stands between accounts and later days.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    remaking: Option<Remaking>,
    today: Option<NaiveDate>,
    /// Days on which a model compares accounts and whose distributions are not made yet.
    unmade: HashSet<NaiveDate>,
    /// Those of them that have to wait until accounts have come through the day before.
    waiting: HashSet<NaiveDate>,
}

impl Steps {
    /// The steps of accounts that are scored up to now.
    pub(crate) async fn find(
        app: &App,
        conn: &mut PgConnection,
        book: &ModelBook,
        beginnings: Beginnings<'_>,
        remaking: Option<Remaking>,
        now: DateTime<Utc>,
    ) -> Result<Self, ScoringError> {
        let today = day_of(now);
        let comparing: Vec<&str> =
            book.models().filter(|model| model.compares_accounts()).map(|model| model.id.as_str()).collect();
        let first_days: BTreeSet<NaiveDate> = beginnings.first_days.iter().copied().collect();
        let Some(&first) = first_days.first().filter(|_| !comparing.is_empty()) else { return Ok(Self::default()) };
        let made = group_distributions::made_days(conn, &comparing, first, today, remaking).await?;
        let is_unmade = |day: &NaiveDate| {
            let models = book.models_on(*day);
            models.into_iter().any(|model| model.compares_accounts() && !made.contains(&(model.id.clone(), *day)))
        };
        let unmade: HashSet<NaiveDate> = first.iter_days().take_while(|day| *day <= today).filter(is_unmade).collect();
        let mut waiting = HashSet::new();
        for day in first_days.iter().filter(|day| unmade.contains(day)) {
            // A recomputation may take hours: who is scored beside it goes by the scores that there are.
            let queues: &[&str] = if remaking.is_some() { &[RESCORE_QUEUE, RECOMPUTE_QUEUE] } else { &[RESCORE_QUEUE] };
            // Those that wait count, too: they are due soon.
            let due = app.core.jobs.count_behind(conn, queues, i64::from(day_number(*day)), now + WAIT).await?;
            let behind = due + beginnings.correction(*day);
            if behind > 0 && behind * BEHIND_SHARE > accounts::count_unarchived_up_to(conn, i64::MAX).await? {
                waiting.insert(*day);
            }
        }
        Ok(Self { remaking, unmade, waiting, today: Some(today) })
    }

    /// Whether an account that has come to this day has to wait for others.
    pub(crate) fn is_waiting(&self, day: NaiveDate) -> bool {
        self.waiting.contains(&day)
    }

    /// Whether an account that is scored on the day before may be scored on this one in the same transaction: what this one is compared
    /// with is not made of it.
    pub(crate) fn may_go_on_to(&self, day: NaiveDate) -> bool {
        !self.unmade.contains(&day)
    }

    /// What the models are compared with on their days, of these groups. Those days that are steps are made now, of the day before; of
    /// others what is kept counts, so that a late signal does not move everybody's score. There are none on the day of a model's
    /// activation, and while most accounts that it scores have no score on the day before, as when accounts come in one after the other:
    /// what the first few have says nothing of all.
    pub(crate) async fn distributions(
        &self,
        conn: &mut PgConnection,
        book: &ModelBook,
        days_by_model: BTreeMap<&ModelId, (&HealthModel, Vec<NaiveDate>)>,
        groups: &BTreeSet<AccountGroup>,
    ) -> Result<HashMap<(ModelId, NaiveDate), GroupDistributions>, ScoringError> {
        let mut distributions = HashMap::new();
        for (id, (model, days)) in days_by_model {
            for day in days.iter().filter(|day| self.unmade.contains(day)) {
                self.make(conn, book, model, *day).await?;
            }
            for (day, of_day) in group_distributions::load(conn, id, &days, groups).await? {
                distributions.insert((id.clone(), day), of_day);
            }
        }
        Ok(distributions)
    }

    async fn make(
        &self,
        conn: &mut PgConnection,
        book: &ModelBook,
        model: &HealthModel,
        day: NaiveDate,
    ) -> Result<(), ScoringError> {
        let day_before = day.pred_opt().unwrap_or(day);
        let scored_segments = book.activations().segments_scored_by(&model.id, day_before);
        let can_be_made = !scored_segments.is_empty() && {
            let scored_count = group_distributions::count_scored(conn, &model.id, day_before).await?;
            scored_count * 2 >= accounts::count_customers(conn, &scored_segments).await?
        };
        if !can_be_made {
            // A past day is one for good, but for a recomputation: else each late signal would come to it as to a step, one by one.
            if self.remaking.is_none() && Some(day) < self.today {
                group_distributions::keep(conn, &model.id, day, &GroupDistributions::default(), None).await?;
            }
            return Ok(());
        }
        let rows = group_distributions::raw_values(conn, &model.id, day_before).await?;
        let operation_id = self.remaking.map(|remaking| remaking.operation_id);
        Ok(group_distributions::keep(conn, &model.id, day, &distributions(model, &rows), operation_id).await?)
    }
}

/// How the model's measures that are compared with groups are spread over those that are large enough, by what accounts had in each
/// measure. Of those that are compared by their median, it is all that is kept.
pub(super) fn distributions(model: &HealthModel, rows: &[(ScoringFacts, Vec<Option<f64>>)]) -> GroupDistributions {
    let mut distributions = GroupDistributions::default();
    for (place, (_, measure)) in model.measures().enumerate() {
        let Some((kind, statistic)) = measure.comparison.with_group() else { continue };
        let mut numbers: BTreeMap<AccountGroup, Vec<f64>> = BTreeMap::new();
        for (facts, values) in rows {
            if let (Some(group), Some(value)) = (facts.group(kind), values.get(place).copied().flatten()) {
                numbers.entry(group).or_default().push(value);
            }
        }
        for (group, numbers) in numbers {
            let spread = Distribution::of(numbers);
            let kept = match statistic {
                GroupStatistic::Median => spread
                    .filter(|spread| spread.account_count() >= MEDIAN_ACCOUNTS_MIN)
                    .map(|spread| spread.to_median()),
                GroupStatistic::Rank => spread.filter(|spread| spread.account_count() >= RANK_ACCOUNTS_MIN),
            };
            if let Some(kept) = kept {
                distributions.insert(group, &measure.id, kept);
            }
        }
    }
    distributions
}
