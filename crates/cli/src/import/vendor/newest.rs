//! What was said last of accounts, over a whole import.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use mainstay_adapters::{AccountNews, Stamp};

/// The newest that was seen, by account and subject. Grows with the accounts and people that the files speak of.
#[derive(Debug, Default)]
pub(super) struct Newest(HashMap<(String, String), Stamp>);

impl Newest {
    /// Of the news of a batch, in its order, those that are newer than all before and the newest of the batch.
    pub(super) fn pick(&mut self, all: &[(usize, AccountNews)]) -> Vec<(usize, AccountNews)> {
        let is_newest: Vec<bool> = all.iter().map(|(_, news)| self.is_newer(news)).collect();
        let stands = |place: &usize| {
            let (_, news) = &all[*place];
            is_newest[*place] && self.0.get(&key(news)) == Some(&news.stamp)
        };
        (0..all.len()).filter(stands).map(|place| all[place].clone()).collect()
    }

    fn is_newer(&mut self, news: &AccountNews) -> bool {
        match self.0.entry(key(news)) {
            Entry::Vacant(free) => {
                free.insert(news.stamp.clone());
                true
            }
            Entry::Occupied(mut known) if *known.get() < news.stamp => {
                known.insert(news.stamp.clone());
                true
            }
            Entry::Occupied(_) => false,
        }
    }
}

fn key(news: &AccountNews) -> (String, String) {
    (news.account.as_str().to_owned(), news.subject.clone())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mainstay_adapters::News;
    use mainstay_domain::AccountId;

    use super::*;

    fn news(account: &str, second: i64) -> AccountNews {
        AccountNews {
            account: AccountId::parse(account).expect("an id"),
            subject: "segment/plan".to_owned(),
            stamp: Stamp { at: DateTime::from_timestamp(second, 0).expect("a time"), rank: 0, id: String::new() },
            news: News::Exists(String::new()),
        }
    }

    #[test]
    fn of_several_news_of_one_account_only_the_newest_of_all_batches_stands() {
        let mut newest = Newest::default();
        let mut picked = |all: &[(&str, i64)]| -> Vec<usize> {
            let all: Vec<_> = all.iter().enumerate().map(|(place, (id, at))| (place, news(id, *at))).collect();
            newest.pick(&all).into_iter().map(|(place, _)| place).collect()
        };
        assert_eq!(picked(&[("a", 1), ("b", 5), ("a", 3), ("a", 2)]), [1, 2]);
        assert_eq!(picked(&[("a", 3), ("b", 4), ("c", 1)]), [2]);
        assert_eq!(picked(&[("a", 4)]), [0]);
    }
}
