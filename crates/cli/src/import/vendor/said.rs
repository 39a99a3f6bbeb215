//! What the payloads of a batch say of one account, so that it is sent as one change.

use std::collections::BTreeSet;

use mainstay_adapters::{AccountField, News};
use mainstay_api::mainstay::scoring::v1::Account;

/// What is said of an account, each thing with the place of its payload in the batch.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// That there is one: the name under which it is to be created.
    pub(super) exists: Option<(usize, String)>,
    /// Its fields.
    pub(super) fields: Fields,
    /// News of people there.
    pub(super) people: Vec<(usize, News)>,
}

/// What is said of the fields of an account.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Which fields.
    pub(super) which: BTreeSet<AccountField>,
    /// Their values.
    pub(super) account: Account,
    /// Where it is said.
    pub(super) places: Vec<usize>,
}

impl Said {
    /// Adds what a payload says.
    pub(super) fn add(&mut self, place: usize, news: News) {
        match news {
            News::Exists(name) => self.exists = Some((place, name)),
            News::Field(field, _) => {
                self.fields.which.insert(field);
                self.fields.places.push(place);
                news.apply(&mut self.fields.account);
            }
            News::Contact { .. } => self.people.push((place, news)),
        }
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.exists.is_none() && self.fields.which.is_empty() && self.people.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_several_payloads_speak_of_become_one_change() {
        let mut said = Said::default();
        assert!(said.is_empty());
        said.add(3, News::Field(AccountField::Plan, "team".to_owned()));
        said.add(1, News::Field(AccountField::DisplayName, "Initech".to_owned()));
        let Fields { which, account, places } = said.fields;
        assert_eq!(which, BTreeSet::from([AccountField::DisplayName, AccountField::Plan]));
        assert_eq!((account.display_name.as_str(), account.plan.as_str()), ("Initech", "team"));
        assert_eq!(places, [3, 1]);
    }
}
