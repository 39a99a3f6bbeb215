//! What systems say of the fields of accounts, and on what they disagree. See `docs/adr/0034-who-said-what.md`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Violations, day_of, is_key};

use super::account::{AccountFacts, KEY_RULE, LifecycleStage, OwnerRole};
use super::cohort::segment_key;
use super::data_quality::AccountField;

/// Accounts of each field that are named on which sources disagree.
pub(crate) const DISAGREEING_ACCOUNTS_MAX: i64 = 10;

/// Who says something of accounts, and of which fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Teller {
    /// The system.
    pub source: String,
    /// Fields of accounts as messages name them; what is not among them nothing is said of.
    pub told: BTreeSet<&'static str>,
}

impl Teller {
    /// Of a request's source; none where it names none.
    pub(crate) fn given(found: &mut Violations, source: String, told: &BTreeSet<&'static str>) -> Option<Self> {
        if source.is_empty() {
            return None;
        }
        found.require(is_key(&source), "source", KEY_RULE);
        Some(Self { source, told: told.clone() })
    }

    /// What it says of the fields that it tells of; of one without a value it says nothing any more.
    pub(crate) fn claims(&self, facts: &AccountFacts) -> Vec<(AccountField, Option<String>)> {
        let is_told = |field: AccountField| match field {
            AccountField::Revenue => self.told.contains("arr") || self.told.contains("mrr"),
            AccountField::Csm | AccountField::AccountManager | AccountField::ExecutiveSponsor => {
                self.told.contains("owners")
            }
            // People are not compared: systems know different ones, and are right.
            AccountField::Contacts => false,
            other => self.told.contains(other.name()),
        };
        AccountField::ALL
            .into_iter()
            .filter(|field| is_told(*field))
            .map(|field| (field, self.value(facts, field)))
            .collect()
    }

    fn value(&self, facts: &AccountFacts, field: AccountField) -> Option<String> {
        let day = |time: Option<DateTime<Utc>>| time.map(|time| day_of(time).to_string());
        let owner =
            |role: OwnerRole| facts.owners.iter().find(|owner| owner.role == role).map(|owner| owner.email.clone());
        let value = match field {
            AccountField::Segment => Some(segment_key(facts.segment).to_owned()),
            AccountField::Industry => Some(facts.industry.clone()),
            AccountField::ProductLine => Some(facts.product_line.clone()),
            AccountField::Plan => Some(facts.plan.clone()),
            AccountField::LifecycleStage => Some(stage_word(facts.lifecycle_stage).to_owned()),
            AccountField::Revenue => {
                // What the other of both says may be from another source.
                let told = AccountFacts {
                    arr: facts.arr.filter(|_| self.told.contains("arr")),
                    mrr: facts.mrr.filter(|_| self.told.contains("mrr")),
                    ..facts.clone()
                };
                told.annual_revenue().map(|revenue| revenue.to_string())
            }
            AccountField::ContractStart => day(facts.contract_start_at),
            AccountField::Renewal => day(facts.renewal_at),
            AccountField::SignUp => day(facts.signed_up_at),
            AccountField::Activation => day(facts.activated_at),
            AccountField::Seats => facts.seats.map(|seats| seats.to_string()),
            AccountField::Csm => owner(OwnerRole::Csm),
            AccountField::AccountManager => owner(OwnerRole::AccountManager),
            AccountField::ExecutiveSponsor => owner(OwnerRole::ExecutiveSponsor),
            AccountField::Contacts => None,
        };
        value.filter(|value| !value.trim().is_empty())
    }
}

const fn stage_word(stage: LifecycleStage) -> &'static str {
    match stage {
        LifecycleStage::Unknown => "",
        LifecycleStage::Trial => "trial",
        LifecycleStage::Onboarding => "onboarding",
        LifecycleStage::Active => "active",
        LifecycleStage::Renewing => "renewing",
        LifecycleStage::Churned => "churned",
    }
}

/// What a source said of a field last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldClaim {
    pub field: AccountField,
    pub source: String,
    pub value: String,
    pub told_at: DateTime<Utc>,
    /// Whether another source says something else.
    pub is_disputed: bool,
}

/// An account of whose field sources say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DisagreeingAccount {
    pub account: AccountId,
    pub display_name: String,
    /// Of the field, by source.
    pub claims: Vec<FieldClaim>,
}

/// A field on which sources disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disagreement {
    pub field: AccountField,
    /// Of how many customers.
    pub account_count: i64,
    /// The first of them, by id.
    pub accounts: Vec<DisagreeingAccount>,
}

#[cfg(test)]
mod tests {
    use mainstay_domain::{Currency, Money};

    use super::*;
    use crate::domain::Segment;
    use crate::domain::account::Owner;
    use crate::domain::test_support::facts;

    fn money(minor_units: i64) -> Option<Money> {
        Some(Money { currency: Currency::parse("EUR").expect("a currency"), minor_units })
    }

    fn teller(told: &[&'static str]) -> Teller {
        Teller { source: "crm".to_owned(), told: told.iter().copied().collect() }
    }

    #[test]
    fn r216_a_source_claims_what_it_tells_and_nothing_else() {
        let (email, display_name) = ("mia@example.com".to_owned(), String::new());
        let owner = Owner { role: OwnerRole::Csm, email, display_name };
        let known = AccountFacts {
            segment: Segment::Smb,
            plan: " Pro".to_owned(),
            arr: money(120_000),
            mrr: money(9_000),
            seats: Some(7),
            owners: vec![owner],
            ..facts()
        };
        let said = |told: &[&'static str]| teller(told).claims(&known);
        assert_eq!(said(&[]), []);
        assert_eq!(said(&["plan", "contacts", "labels"]), [(AccountField::Plan, Some(" Pro".to_owned()))]);
        assert_eq!(
            said(&["mrr"]),
            [(AccountField::Revenue, Some("1,080.00 EUR".to_owned()))],
            "not the ARR of another"
        );
        assert_eq!(said(&["arr", "mrr"]), [(AccountField::Revenue, Some("1,200.00 EUR".to_owned()))]);
        let owners = said(&["owners"]);
        assert_eq!(owners[0], (AccountField::Csm, Some("mia@example.com".to_owned())));
        assert_eq!(owners[1], (AccountField::AccountManager, None), "it says that there is none");
    }

    #[test]
    fn a_source_is_named_by_a_key() {
        let mut found = Violations::new();
        let told = BTreeSet::from(["plan"]);
        assert_eq!(Teller::given(&mut found, String::new(), &told), None);
        assert!(Teller::given(&mut found, "crm".to_owned(), &told).is_some() && found.is_empty());
        Teller::given(&mut found, "Our CRM".to_owned(), &told);
        assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["source"]);
    }
}
