//! Scores of the days before today, with which today's is compared.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, TimeDelta};
use mainstay_domain::{AccountId, Points};
use sqlx::PgConnection;

use super::ScoringError;
use crate::domain::{Announced, Changes};
use crate::storage::health::{self, KnownHealth};

/// How many days before today are kept beside it.
const RECENT_DAYS: usize = 30;

/// Of an account, as its row said before it was written today.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub score: Option<Points>,
    pub last_activity_day: Option<NaiveDate>,
}

/// What is known of accounts before today's row is written.
pub(super) struct RecentScores {
    known: HashMap<String, KnownHealth>,
    /// Of those whose stored row does not know them.
    looked_up: HashMap<String, Vec<Option<Points>>>,
    today: NaiveDate,
}

impl RecentScores {
    /// Takes the scores from the row of today or yesterday, where nothing before today was scored
    /// since (`scored_before_today`), else from the history.
    pub(super) async fn load(
        conn: &mut PgConnection,
        known: HashMap<String, KnownHealth>,
        scored_before_today: &HashSet<AccountId>,
        ids: &[&str],
        today: NaiveDate,
    ) -> Result<Self, ScoringError> {
        let changed: HashSet<&str> = scored_before_today.iter().map(AccountId::as_str).collect();
        let is_in_row = |id: &str| {
            let row = known.get(id).filter(|_| !changed.contains(id));
            row.is_some_and(|row| row.recent_scores.is_some() && row.day + TimeDelta::days(1) >= today)
        };
        let wanted: Vec<&str> = ids.iter().copied().filter(|id| !is_in_row(id)).collect();
        let mut looked_up: HashMap<String, Vec<Option<Points>>> =
            wanted.iter().map(|id| ((*id).to_owned(), vec![None; RECENT_DAYS])).collect();
        if !wanted.is_empty() {
            let first = today - TimeDelta::days(i64::try_from(RECENT_DAYS).unwrap_or(0));
            let yesterday = today - TimeDelta::days(1);
            for (account, day, score) in health::scores_between(conn, &wanted, first, yesterday).await? {
                let place = usize::try_from((yesterday - day).num_days()).unwrap_or(RECENT_DAYS);
                if let Some(kept) = looked_up.get_mut(&account).and_then(|scores| scores.get_mut(place)) {
                    *kept = Some(score);
                }
            }
        }
        Ok(Self { known, looked_up, today })
    }

    /// What the last event said of an account.
    pub(super) fn announced(&self, account: &AccountId) -> Announced {
        self.known.get(account.as_str()).map(|known| known.announced).unwrap_or_default()
    }

    /// What was written last, of today or an earlier day.
    pub(super) fn before(&self, account: &AccountId) -> Before {
        let known = self.known.get(account.as_str());
        let last_activity_day = known.and_then(|known| known.last_activity_day);
        Before { score: known.and_then(|known| known.score), last_activity_day }
    }

    /// The scores of the 30 days before today, yesterday's first.
    pub(super) fn scores(&self, account: &AccountId) -> Vec<Option<Points>> {
        if let Some(scores) = self.looked_up.get(account.as_str()) {
            return scores.clone();
        }
        let Some(row) = self.known.get(account.as_str()) else { return vec![None; RECENT_DAYS] };
        let yesterdays = (row.day < self.today).then_some(row.score);
        yesterdays.into_iter().chain(row.recent_scores.iter().flatten().copied()).take(RECENT_DAYS).collect()
    }
}

/// Today's score against those of the days before.
pub(super) fn changes(score: Option<Points>, recent_scores: &[Option<Points>]) -> Changes {
    Changes::of(score, |days| recent_scores.get(usize::from(days) - 1).copied().flatten())
}
