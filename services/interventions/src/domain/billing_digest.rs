//! The daily digest of billing alerts: what was raised and what has ended since the one before, and what is open.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use mainstay_domain::{AccountId, Money, MoneySums};
use uuid::Uuid;

use super::alert::Resolution;

/// Most alerts that a list of a digest names; beyond them it counts.
pub const LISTED_MAX: usize = 50;

/// When the digest is sent that follows on one at `since`: at the next such time of day.
pub fn next_after(since: DateTime<Utc>, time_of_day: NaiveTime) -> DateTime<Utc> {
    let that_day = since.date_naive().and_time(time_of_day).and_utc();
    if that_day > since { that_day } else { that_day + TimeDelta::days(1) }
}

/// A billing alert as a digest tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestEntry {
    /// The alert's id.
    pub alert: Uuid,
    /// Whose.
    pub account: AccountId,
    /// What people call the account.
    pub account_name: String,
    /// The account's annual recurring revenue, if known.
    pub arr: Option<Money>,
    /// What happened, in one line.
    pub headline: String,
    /// Who has to deal with it.
    pub owner_email: String,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// Since when something is overdue that nobody has done.
    pub overdue_since: Option<DateTime<Utc>>,
    /// When something is due next; none once ended.
    pub next_due_at: Option<DateTime<Utc>>,
    /// When and how it ended; none while open.
    pub end: Option<(DateTime<Utc>, Resolution)>,
    /// Whether no digest has told it.
    pub is_new: bool,
}

/// The digest of one person, or of all.
#[derive(Debug, Clone, Default)]
pub struct BillingDigest {
    /// Raised since the digest before, the last first.
    pub new: Shortlist,
    /// Ended since then, the last first.
    pub ended: Shortlist,
    /// Open, what is overdue first, then what is due first.
    pub open: Shortlist,
    /// The annual recurring revenue of accounts with open ones.
    pub arr: MoneySums,
    /// How many accounts with open ones are not in `arr`, because nothing is known of theirs.
    pub unknown_arr_count: usize,
    last_open_account: Option<AccountId>,
}

/// How many there are, and the first of them.
#[derive(Debug, Clone, Default)]
pub struct Shortlist {
    count: usize,
    first: BTreeMap<Rank, Arc<DigestEntry>>,
}

/// What decides the place in a list; the id makes it unique.
type Rank = (bool, i64, Uuid);

impl Shortlist {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first of them in their order, at most [`LISTED_MAX`].
    pub fn first(&self) -> impl Iterator<Item = &DigestEntry> {
        self.first.values().map(AsRef::as_ref)
    }

    fn add(&mut self, is_later: bool, place: i64, entry: &Arc<DigestEntry>) {
        self.count += 1;
        self.first.insert((is_later, place, entry.alert), Arc::clone(entry));
        if self.first.len() > LISTED_MAX {
            self.first.pop_last();
        }
    }
}

impl BillingDigest {
    /// Adds an alert. All of one account come one after the other, so that its revenue is counted once.
    pub fn add(&mut self, entry: &Arc<DigestEntry>) {
        if entry.is_new {
            self.new.add(false, -entry.happened_at.timestamp_micros(), entry);
        }
        if let Some((ended_at, _)) = entry.end {
            self.ended.add(false, -ended_at.timestamp_micros(), entry);
            return;
        }
        let due_at = entry.overdue_since.or(entry.next_due_at).unwrap_or(entry.happened_at);
        self.open.add(entry.overdue_since.is_none(), due_at.timestamp_micros(), entry);
        if self.last_open_account.as_ref() != Some(&entry.account) {
            self.last_open_account = Some(entry.account.clone());
            self.add_arr(entry.arr);
        }
    }

    /// What no sum can hold is no known revenue.
    fn add_arr(&mut self, arr: Option<Money>) {
        let is_added = arr.is_some_and(|arr| self.arr.add(arr).is_ok());
        self.unknown_arr_count += usize::from(!is_added);
    }

    /// Whether it says nothing: nothing new, nothing ended, nothing open.
    pub fn is_empty(&self) -> bool {
        self.new.count + self.ended.count + self.open.count == 0
    }

    /// What it says, in one line: `3 new, 1 ended, 5 open; 120,000.00 EUR of ARR`.
    pub fn head(&self) -> String {
        let counts = format!("{} new, {} ended, {} open", self.new.count, self.ended.count, self.open.count);
        let sums: Vec<String> = self.arr.iter().map(|sum| sum.to_string()).collect();
        if sums.is_empty() { counts } else { format!("{counts}; {} of ARR", sums.join(" and ")) }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_domain::Currency;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn entry(number: u128, account: &str, arr: Option<(&str, i64)>) -> DigestEntry {
        DigestEntry {
            alert: Uuid::from_u128(number),
            account: AccountId::parse(account).expect("an id"),
            account_name: account.to_owned(),
            arr: arr
                .map(|(code, minor_units)| Money { currency: Currency::parse(code).expect("a currency"), minor_units }),
            headline: "The payment failed".to_owned(),
            owner_email: "mia@example.com".to_owned(),
            happened_at: at("2026-03-01T00:00:00Z"),
            overdue_since: None,
            next_due_at: Some(at("2026-03-02T00:00:00Z")),
            end: None,
            is_new: false,
        }
    }

    fn digest(entries: Vec<DigestEntry>) -> BillingDigest {
        let mut digest = BillingDigest::default();
        for entry in entries {
            digest.add(&Arc::new(entry));
        }
        digest
    }

    fn ids(list: &Shortlist) -> Vec<u128> {
        list.first().map(|entry| entry.alert.as_u128()).collect()
    }

    #[test]
    fn r185_the_next_digest_is_at_the_next_such_time_of_day() {
        let seven = NaiveTime::from_hms_opt(7, 0, 0).expect("a time");
        for (since, next) in [
            ("2026-03-01T06:59:59Z", "2026-03-01T07:00:00Z"),
            ("2026-03-01T07:00:00Z", "2026-03-02T07:00:00Z"),
            ("2026-03-01T23:00:00Z", "2026-03-02T07:00:00Z"),
        ] {
            assert_eq!(next_after(at(since), seven), at(next), "{since}");
        }
        assert_eq!(next_after(at("2026-03-01T00:00:00Z"), NaiveTime::MIN), at("2026-03-02T00:00:00Z"));
    }

    #[test]
    fn r185_each_accounts_revenue_counts_once_and_currencies_stay_apart() {
        let ended = (at("2026-03-01T01:00:00Z"), Resolution::NoAction);
        let digest = digest(vec![
            entry(1, "a", Some(("EUR", 100))),
            entry(2, "a", Some(("EUR", 100))),
            entry(3, "b", Some(("USD", 250))),
            DigestEntry { end: Some(ended), is_new: true, ..entry(4, "c", Some(("EUR", 900))) },
            entry(5, "d", None),
            entry(6, "e", Some(("EUR", i64::MAX))),
        ]);
        assert_eq!(digest.head(), "1 new, 1 ended, 5 open; 1.00 EUR and 2.50 USD of ARR");
        assert_eq!(digest.unknown_arr_count, 2, "what overflows is not known");
        assert!(!digest.is_empty() && BillingDigest::default().is_empty());
        assert_eq!(BillingDigest::default().head(), "0 new, 0 ended, 0 open");
    }

    #[test]
    fn r185_what_is_overdue_comes_first_and_the_newest_of_the_news() {
        let later = |number, hour| DigestEntry {
            happened_at: at(&format!("2026-03-01T{hour:02}:00:00Z")),
            is_new: true,
            ..entry(number, "a", None)
        };
        let overdue = |number, day| DigestEntry {
            overdue_since: Some(at(&format!("2026-02-{day}T00:00:00Z"))),
            next_due_at: Some(at("2026-04-01T00:00:00Z")),
            ..entry(number, "a", None)
        };
        let soon = DigestEntry { next_due_at: Some(at("2026-03-01T03:00:00Z")), ..entry(3, "a", None) };
        let digest = digest(vec![later(1, 5), later(2, 6), soon, overdue(4, 20), overdue(5, 10)]);
        assert_eq!(ids(&digest.open), [5, 4, 3, 1, 2]);
        assert_eq!(ids(&digest.new), [2, 1]);
    }

    #[test]
    fn r185_a_list_holds_no_more_than_it_shows_and_counts_all() {
        let many = (1..=120).rev().map(|number| entry(number, "a", None));
        let digest = digest(many.collect());
        assert_eq!(digest.open.count(), 120);
        assert_eq!(ids(&digest.open), (1..=50).collect::<Vec<_>>());
    }
}
