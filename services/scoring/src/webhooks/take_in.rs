//! What a delivery says, through the use cases of the RPCs: accounts first, since signals need them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mainstay_adapters::{AccountField, AccountNews, Body, News, Place, Stamp};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, Violations, with_causes};
use mainstay_storage::StorageError;

use super::answer::Answer;
use crate::app::record_signals::{self, Item};
use crate::app::tell_accounts::{self, ToldAccount, ToldAccounts};
use crate::app::{App, ScoringError};
use crate::convert;
use crate::domain::NewsKey;
use crate::domain::account::AccountFacts;
use crate::domain::field_claim::Teller;
use crate::domain::signal::{BATCH_MAX, check_event_time};

/// What became of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Signals that are new.
    pub(super) recorded: usize,
    /// Signals that were known.
    pub(super) known: usize,
    /// What became of accounts.
    pub(super) accounts: ToldAccounts,
}

impl Taken {
    /// Whether all was known before.
    pub(super) const fn is_repeat(&self) -> bool {
        self.recorded == 0 && self.accounts.created == 0 && self.accounts.changed == 0
    }
}

/// Takes in what a delivery says, and answers when it is durable. What can be taken in of a list is; the rest decides the answer, and
/// what was taken in is recognised when the delivery comes again.
pub(super) async fn take_in(app: &App, body: Body, now: DateTime<Utc>) -> Answer {
    let mut taken = Taken::default();
    let mut refusals = Vec::new();
    if !body.faults.is_empty() {
        refusals.push(Answer::Malformed(body.faults));
    }
    let mut by_account: BTreeMap<AccountId, Vec<(Place, AccountNews)>> = BTreeMap::new();
    let mut signals = Vec::new();
    for (place, mapped) in body.mapped {
        // What lies ahead would stay the newest until then. All that a payload says is of one time.
        let mut found = Violations::new();
        mapped.accounts.first().into_iter().for_each(|news| check_event_time(&mut found, news.stamp.at, now));
        if !found.is_empty() {
            refusals.push(Answer::Malformed(place.faults(found)));
            continue;
        }
        for news in mapped.accounts {
            by_account.entry(news.account.clone()).or_default().push((place, news));
        }
        signals.extend(mapped.signals.into_iter().map(|signal| (place, signal)));
    }
    for mut news in by_account.into_values() {
        news.sort_by_key(|(_, news)| news.news.turn());
        match tell(app, &news).await {
            Ok(accounts) => taken.accounts.add(accounts),
            Err(error) => refusals.push(refused(error)),
        }
    }
    match record(app, signals, now).await {
        Ok((recorded, known, errors)) => {
            (taken.recorded, taken.known) = (recorded, known);
            refusals.extend(errors.into_iter().map(|(place, error)| at(place, refused(error))));
        }
        Err(error) => refusals.push(refused(error)),
    }
    answer(taken, refusals)
}

/// What may go better when it comes again is said before what will not, and of that all; that something means nothing, only when nothing
/// else was there.
fn answer(taken: Taken, refusals: Vec<Answer>) -> Answer {
    let weight = |answer: &Answer| match answer {
        Answer::Unavailable => 0,
        Answer::Failed => 1,
        Answer::UnknownAccount(_) => 2,
        Answer::Malformed(_) => 3,
        _ => 4,
    };
    let mut faults = Violations::new();
    let mut others = Vec::new();
    for refusal in refusals {
        match refusal {
            Answer::Malformed(found) => faults.extend(found),
            other => others.push(other),
        }
    }
    if !faults.is_empty() {
        others.push(Answer::Malformed(faults));
    }
    let is_empty = taken == Taken::default();
    let heaviest = others.into_iter().min_by_key(weight);
    heaviest.filter(|answer| is_empty || weight(answer) < 4).unwrap_or(Answer::Taken(taken))
}

/// Takes in what is said of one account.
async fn tell(app: &App, news: &[(Place, AccountNews)]) -> Result<ToldAccounts, ScoringError> {
    let told: Vec<ToldAccount> = news.iter().map(|(_, news)| told_account(news)).collect();
    let facts = |index: usize, known: Option<&AccountFacts>| {
        let (place, AccountNews { account: id, news, .. }) = &news[index];
        facts(id, news, known).map(|facts| facts.map_err(|faults| place.faults(faults)))
    };
    tell_accounts::execute(app, &told, facts).await
}

fn told_account(news: &AccountNews) -> ToldAccount {
    let AccountNews { account, subject, stamp: Stamp { at, rank, id }, news } = news;
    let key =
        NewsKey { account: account.clone(), subject: subject.clone(), at: *at, rank: *rank, event_id: id.clone() };
    // The subject is the vendor and what it speaks of, as `stripe/plan`.
    let teller = match (news, subject.split_once('/')) {
        (News::Field(field, _), Some((vendor, _))) => {
            Some(Teller { source: vendor.to_owned(), told: BTreeSet::from([field.as_str()]) })
        }
        _ => None,
    };
    ToldAccount { key, is_only_existence: matches!(news, News::Exists(_)), teller }
}

/// What an account is once this is told of it; none when it is not enough for a new one.
fn facts(id: &AccountId, news: &News, known: Option<&AccountFacts>) -> Option<Result<AccountFacts, Violations>> {
    match (news, known) {
        (_, Some(known)) => Some(convert::account::changed(id, known, |account| news.apply(account))),
        (News::Exists(name) | News::Field(AccountField::DisplayName, name), None) => {
            let account = proto::Account { display_name: name.clone(), ..proto::Account::default() };
            Some(convert::account::new_facts(id, account))
        }
        (_, None) => None,
    }
}

/// How many signals were new and how many known, and why others were refused.
async fn record(
    app: &App,
    signals: Vec<(Place, proto::Signal)>,
    now: DateTime<Utc>,
) -> Result<(usize, usize, Vec<(Place, ScoringError)>), ScoringError> {
    let (mut recorded, mut known, mut refused) = (0, 0, Vec::new());
    let (places, signals): (Vec<Place>, Vec<proto::Signal>) = signals.into_iter().unzip();
    let items: Vec<Item> = signals.into_iter().map(|signal| convert::signal::signal(signal, now)).enumerate().collect();
    for batch in items.chunks(BATCH_MAX) {
        let outcome = record_signals::record_each(app, batch).await?;
        recorded += outcome.recorded;
        known += outcome.duplicates;
        refused.extend(outcome.refused.into_iter().map(|(index, error)| (places[index], error)));
    }
    Ok((recorded, known, refused))
}

/// A refusal that tells which payload of the body it is about.
fn at(place: Place, refusal: Answer) -> Answer {
    match refusal {
        Answer::Malformed(faults) => Answer::Malformed(place.faults(faults)),
        other => other,
    }
}

/// What a vendor is answered when a use case refuses something.
fn refused(error: ScoringError) -> Answer {
    match error {
        ScoringError::AccountNotFound(id) => Answer::UnknownAccount(id.name()),
        ScoringError::AccountArchived(id) => Answer::Ignored(format!("{} is archived", id.name())),
        ScoringError::Invalid(found) => Answer::Malformed(found),
        ScoringError::MetricKindMismatch { metric, known } => {
            let mut found = Violations::new();
            let kind = known.metric_word();
            found.add("event", format!("the metric `{metric}` is known as a {kind}: call the event by another name"));
            Answer::Malformed(found)
        }
        ScoringError::Storage(
            error @ (StorageError::Unavailable(_) | StorageError::Conflict | StorageError::Timeout),
        ) => {
            tracing::warn!(error = %with_causes(&error), "the database did not take in a webhook");
            Answer::Unavailable
        }
        other => {
            tracing::error!(error = %with_causes(&other), "a webhook was not taken in");
            Answer::Failed
        }
    }
}
