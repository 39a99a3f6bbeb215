//! What systems say of the fields of accounts, and on what they disagree. See `docs/adr/0034-who-said-what.md`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Money, Violations, day_of, is_key};

use super::account::{AccountFacts, KEY_RULE, LifecycleStage, OwnerRole};
use super::cohort::segment_key;
use super::data_quality::AccountField;
use super::lifecycle::ToldContract;

/// Accounts of each field that are named on which sources disagree.
pub(crate) const DISAGREEING_ACCOUNTS_MAX: i64 = 10;
const MONTHS_IN_YEAR: i64 = 12;

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

    /// What it says of the fields that it tells of, by their names; of one without a value it says nothing any more.
    pub(crate) fn claims(&self, facts: &AccountFacts) -> Vec<(&'static str, Option<ClaimedValue>)> {
        let is_told = |field: AccountField| match field {
            AccountField::Csm | AccountField::AccountManager | AccountField::ExecutiveSponsor => {
                self.told.contains("owners")
            }
            // People are not compared: systems know different ones, and are right.
            AccountField::Contacts => false,
            other => self.told.contains(other.name()),
        };
        let fields = AccountField::ALL.into_iter().filter(|field| is_told(*field));
        let mrr = self.told.contains(MRR).then(|| (MRR, facts.mrr.map(|mrr| ClaimedValue::of_revenue(mrr, 1))));
        fields.map(|field| (field.name(), value_of(facts, field))).chain(mrr).collect()
    }
}

/// What a signal says of the contract; of what it does not say it takes nothing back.
pub(crate) fn claims_of_contract(told: ToldContract<'_>) -> impl Iterator<Item = (&'static str, Option<ClaimedValue>)> {
    let text = |text: Option<String>| text.and_then(ClaimedValue::of_text);
    let said = [
        (AccountField::Plan, text(told.plan.map(str::to_owned))),
        (AccountField::Revenue, told.arr.map(|arr| ClaimedValue::of_revenue(arr, MONTHS_IN_YEAR))),
        (AccountField::Seats, text(told.seats.map(|seats| seats.to_string()))),
        (AccountField::Renewal, text(told.renewal_at.map(|renewal_at| day_of(renewal_at).to_string()))),
    ];
    said.into_iter().filter_map(|(field, value)| Some((field.name(), Some(value?))))
}

/// Beside `arr` the other word for revenue; they are compared with each other, and kept each for itself.
const MRR: &str = "mrr";

/// Of which field a claim of this name is.
pub(crate) fn subject_of(name: &str) -> Option<AccountField> {
    let name = if name == MRR { AccountField::Revenue.name() } else { name };
    AccountField::ALL.into_iter().find(|field| field.name() == name)
}

/// What is said of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimedValue {
    /// For people.
    pub shown: String,
    /// Equal where the same is meant.
    pub compared: String,
}

impl ClaimedValue {
    fn of_text(shown: String) -> Option<Self> {
        let compared = shown.trim().to_lowercase();
        (!compared.is_empty()).then_some(Self { shown, compared })
    }

    /// Of so many months; compared by the amount of one, for whoever tells it by month has rounded it.
    fn of_revenue(revenue: Money, months: i64) -> Self {
        let monthly = revenue.minor_units.saturating_add(months / 2).div_euclid(months);
        Self { shown: revenue.to_string(), compared: format!("{monthly} {}", revenue.currency) }
    }
}

fn value_of(facts: &AccountFacts, field: AccountField) -> Option<ClaimedValue> {
    let day = |time: Option<DateTime<Utc>>| time.map(|time| day_of(time).to_string()).unwrap_or_default();
    let owner = |role: OwnerRole| {
        facts.owners.iter().find(|owner| owner.role == role).map(|owner| owner.email.clone()).unwrap_or_default()
    };
    let text = match field {
        AccountField::Revenue => return facts.arr.map(|arr| ClaimedValue::of_revenue(arr, MONTHS_IN_YEAR)),
        AccountField::Segment => segment_key(facts.segment).to_owned(),
        AccountField::Industry => facts.industry.clone(),
        AccountField::ProductLine => facts.product_line.clone(),
        AccountField::Plan => facts.plan.clone(),
        AccountField::LifecycleStage => stage_word(facts.lifecycle_stage).to_owned(),
        AccountField::ContractStart => day(facts.contract_start_at),
        AccountField::Renewal => day(facts.renewal_at),
        AccountField::SignUp => day(facts.signed_up_at),
        AccountField::Activation => day(facts.activated_at),
        AccountField::Seats => facts.seats.map(|seats| seats.to_string()).unwrap_or_default(),
        AccountField::Csm => owner(OwnerRole::Csm),
        AccountField::AccountManager => owner(OwnerRole::AccountManager),
        AccountField::ExecutiveSponsor => owner(OwnerRole::ExecutiveSponsor),
        AccountField::Contacts => String::new(),
    };
    ClaimedValue::of_text(text)
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
    /// Its name.
    pub field: String,
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

    fn money(minor_units: i64) -> Money {
        Money { currency: Currency::parse("EUR").expect("a currency"), minor_units }
    }

    fn teller(told: &[&'static str]) -> Teller {
        Teller { source: "crm".to_owned(), told: told.iter().copied().collect() }
    }

    #[test]
    fn r216_a_source_claims_what_it_tells_and_nothing_else() {
        let (email, display_name) = ("Mia@example.com".to_owned(), String::new());
        let owner = Owner { role: OwnerRole::Csm, email, display_name };
        let known = AccountFacts {
            segment: Segment::Smb,
            plan: " Pro".to_owned(),
            arr: Some(money(100_000)),
            mrr: Some(money(8_333)),
            seats: Some(7),
            owners: vec![owner],
            ..facts()
        };
        let said = |told: &[&'static str]| -> Vec<(&str, Option<(String, String)>)> {
            let claims = teller(told).claims(&known).into_iter();
            claims.map(|(field, value)| (field, value.map(|value| (value.shown, value.compared)))).collect()
        };
        let word = |shown: &str, compared: &str| Some((shown.to_owned(), compared.to_owned()));
        assert_eq!(said(&[]), []);
        assert_eq!(said(&["plan", "contacts", "labels"]), [("plan", word(" Pro", "pro"))]);
        // Twelve times the MRR is 999.96: told by the month, it is the same.
        let revenue = [("arr", word("1,000.00 EUR", "8333 EUR")), ("mrr", word("83.33 EUR", "8333 EUR"))];
        assert_eq!(said(&["arr", "mrr"]), revenue);
        assert_eq!(said(&["mrr"]), revenue[1..], "not the ARR of another");
        let owners = said(&["owners"]);
        assert_eq!(owners[0], ("owners.csm", word("Mia@example.com", "mia@example.com")));
        assert_eq!(owners[1], ("owners.account_manager", None), "it says that there is none");
    }

    #[test]
    fn every_claim_is_of_a_field() {
        let told = ["segment", "arr", "mrr", "owners", "plan", "seats", "renewal_time"];
        for (name, _) in teller(&told).claims(&facts()) {
            assert!(subject_of(name).is_some(), "{name}");
        }
        assert_eq!(subject_of("mrr"), Some(AccountField::Revenue));
        assert_eq!(subject_of("labels"), None);
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
