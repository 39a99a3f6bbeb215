//! Accounts with all that is needed to score them again as of days of the past.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use mainstay_domain::AccountId;
use sqlx::PgConnection;

use super::ScoringError;
use super::account_series::load_series;
use super::day_contexts::{pulsed_by, pulses_on};
use crate::domain::backtest::{ReplayedAccount, Tenure};
use crate::domain::{
    AccountGroup, AccountSeries, DayContext, GroupDistributions, HealthModel, Pulses, ScoringFacts, ScoringFactsByDay,
};
use crate::storage::{group_distributions, scoring_facts};

/// Accounts and what is known of them.
pub(super) struct ReplayedAccounts {
    accounts: Vec<(AccountId, Tenure)>,
    series: HashMap<String, AccountSeries>,
    facts: HashMap<String, ScoringFactsByDay>,
    /// Stand for what is not there.
    no_series: AccountSeries,
    no_facts: ScoringFactsByDay,
}

impl ReplayedAccounts {
    pub(super) async fn load(
        conn: &mut PgConnection,
        accounts: Vec<(AccountId, Tenure)>,
    ) -> Result<Self, ScoringError> {
        let ids: Vec<&str> = accounts.iter().map(|(account, _)| account.as_str()).collect();
        let series = load_series(conn, &ids).await?;
        let facts = scoring_facts::load(conn, &ids).await?;
        let (no_series, no_facts) = (AccountSeries::default(), ScoringFactsByDay::default());
        Ok(Self { accounts, series, facts, no_series, no_facts })
    }

    /// Each account, in the order given.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&AccountId, ReplayedAccount<'_>)> {
        self.accounts.iter().map(|(account, tenure)| {
            let series = self.series.get(account.as_str()).unwrap_or(&self.no_series);
            let facts = self.facts.get(account.as_str()).unwrap_or(&self.no_facts);
            (account, ReplayedAccount { series, facts, tenure })
        })
    }

    /// The groups that any of them ever was in.
    fn groups(&self) -> BTreeSet<AccountGroup> {
        self.facts.values().flat_map(ScoringFactsByDay::all).flat_map(ScoringFacts::groups).collect()
    }
}

/// A model with what all accounts together tell about the days as of which it scores them.
pub(super) struct ReplayedDays<'a> {
    pub model: &'a HealthModel,
    pulses: Vec<(NaiveDate, Pulses)>,
    /// How measures are spread on days for which that is not kept.
    made: BTreeMap<NaiveDate, GroupDistributions>,
}

impl<'a> ReplayedDays<'a> {
    pub(super) async fn load(
        conn: &mut PgConnection,
        model: &'a HealthModel,
        days: &[NaiveDate],
        made: BTreeMap<NaiveDate, GroupDistributions>,
    ) -> Result<Self, ScoringError> {
        let pulses = pulses_on(conn, &pulsed_by([model]), &days.iter().copied().collect()).await?;
        Ok(Self { model, pulses, made })
    }

    /// The context of each day for these accounts. What is kept counts, so that an account has what it had when it was scored; not
    /// where it is kept only since it was made: accounts that are replayed sooner or later have the same.
    pub(super) async fn contexts(
        &self,
        conn: &mut PgConnection,
        accounts: &ReplayedAccounts,
    ) -> Result<BTreeMap<NaiveDate, DayContext>, ScoringError> {
        let mut kept = BTreeMap::new();
        if self.model.compares_accounts() {
            let days: Vec<NaiveDate> = self.pulses.iter().map(|(day, _)| *day).collect();
            kept = group_distributions::load(conn, &self.model.id, &days, &accounts.groups()).await?;
        }
        let context = |(day, pulses): &(NaiveDate, Pulses)| {
            let distributions = self.made.get(day).cloned().or_else(|| kept.remove(day)).unwrap_or_default();
            (*day, DayContext { pulses: pulses.clone(), distributions })
        };
        Ok(self.pulses.iter().map(context).collect())
    }
}
