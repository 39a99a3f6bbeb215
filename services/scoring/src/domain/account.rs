//! Accounts: a customer whose health is scored.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mainstay_domain::{AccountId, Etag, Money, Violations, is_email, is_key, is_resource_id};

use super::Segment;

/// Most accounts in one batch.
pub const ACCOUNTS_BATCH_MAX: usize = 10_000;
/// Largest revenue of an account, in minor units, so that the sum over a portfolio stays a number that can be stored.
const AMOUNT_MAX: i64 = 10_000_000_000_000;
/// Most characters of a text such as the industry.
pub const TEXT_LENGTH_MAX: usize = 100;
/// Most contacts of an account.
pub const CONTACTS_MAX: usize = 200;
/// Most labels of an account.
pub const LABELS_MAX: usize = 64;
/// Most plan limits of an account.
pub const PLAN_LIMITS_MAX: usize = 100;
const MONTHS_OF_A_YEAR: i64 = 12;

pub use mainstay_domain::{Contact, LifecycleStage, Owner, OwnerRole};

/// What callers say of an account; see the proto for the ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFacts {
    /// What people call it.
    pub display_name: String,
    /// Size class.
    pub segment: Segment,
    /// Industry in the caller's own words.
    pub industry: String,
    /// The caller's product line.
    pub product_line: String,
    /// The plan the account is on.
    pub plan: String,
    /// Where the account stands in its life as a customer.
    pub lifecycle_stage: LifecycleStage,
    /// Annual recurring revenue.
    pub arr: Option<Money>,
    /// Monthly recurring revenue.
    pub mrr: Option<Money>,
    /// Start of the running contract.
    pub contract_start_at: Option<DateTime<Utc>>,
    /// When the contract is due for renewal.
    pub renewal_at: Option<DateTime<Utc>>,
    /// When the customer signed up.
    pub signed_up_at: Option<DateTime<Utc>>,
    /// When the customer first got value from the product.
    pub activated_at: Option<DateTime<Utc>>,
    /// Seats paid for.
    pub seats: Option<i64>,
    /// Limit of the plan by metric.
    pub plan_limits: BTreeMap<String, f64>,
    /// Who looks after the account on our side.
    pub owners: Vec<Owner>,
    /// People at the customer.
    pub contacts: Vec<Contact>,
    /// The account this one belongs to.
    pub parent: Option<AccountId>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
}

/// Which accounts a list holds; all conditions given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountFilter {
    /// In one of these segments; empty: any.
    pub segments: Vec<Segment>,
    /// In one of these lifecycle stages; empty: any.
    pub lifecycle_stages: Vec<LifecycleStage>,
    /// Looked after by this person, in any role.
    pub owner_email: Option<String>,
    /// Of this product line.
    pub product_line: Option<String>,
    /// With all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Right below this account.
    pub parent: Option<AccountId>,
    /// Archived ones too.
    pub include_archived: bool,
}

/// An account as a caller wants it to be.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenAccount {
    /// Its id.
    pub id: AccountId,
    /// What is to be said of it.
    pub facts: AccountFacts,
}

/// Which account an item of a batch is about.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchItem {
    /// Its id; none when the name given is no name.
    pub id: Option<AccountId>,
    /// The etag that the stored account must have; none: any, or no account.
    pub etag: Option<String>,
    /// What is wrong with the name.
    pub faults: Violations,
}

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What callers say of it.
    pub facts: AccountFacts,
    /// Grows with each change.
    pub version: i64,
    /// First written.
    pub created_at: DateTime<Utc>,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
    /// Archived since.
    pub archived_at: Option<DateTime<Utc>>,
}

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange {
    /// It is new.
    Created,
    /// Some facts changed.
    Updated,
    /// It was archived.
    Archived,
    /// It was taken out of the archive.
    Unarchived,
}

impl AccountChange {
    /// What happened to an account that was `before`, if it was there, and is `after` now.
    pub fn of(before: Option<&Account>, after: &Account) -> Self {
        match before.map(|before| before.archived_at.is_some()) {
            None => Self::Created,
            Some(was_archived) if was_archived == after.archived_at.is_some() => Self::Updated,
            Some(true) => Self::Unarchived,
            Some(false) => Self::Archived,
        }
    }
}

impl Account {
    /// A new account.
    pub fn created(given: &GivenAccount, now: DateTime<Utc>) -> Self {
        Self {
            id: given.id.clone(),
            facts: given.facts.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
            archived_at: None,
        }
    }

    /// The account with other facts.
    #[must_use]
    pub fn changed(&self, facts: AccountFacts, now: DateTime<Utc>) -> Self {
        Self { facts, version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The account out of use.
    #[must_use]
    pub fn archived(&self, now: DateTime<Utc>) -> Self {
        Self { archived_at: Some(now), ..self.changed(self.facts.clone(), now) }
    }

    /// The account in use again.
    #[must_use]
    pub fn unarchived(&self, now: DateTime<Utc>) -> Self {
        Self { archived_at: None, ..self.changed(self.facts.clone(), now) }
    }

    /// Whether it is a customer no more: archived, or churned. Such a one cannot be at risk.
    pub fn is_gone(&self) -> bool {
        self.archived_at.is_some() || self.facts.lifecycle_stage == LifecycleStage::Churned
    }

    /// The version as callers see it.
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.version)
    }
}

impl AccountFacts {
    /// What it pays in a year: ARR, else twelve times MRR. `annual_minor_units` says the same in the database.
    pub fn annual_revenue(&self) -> Option<Money> {
        let of_months = |mrr: Money| Money { minor_units: mrr.minor_units.saturating_mul(MONTHS_OF_A_YEAR), ..mrr };
        self.arr.or_else(|| self.mrr.map(of_months))
    }

    /// The contacts who are champions.
    pub fn champions(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.iter().filter(|contact| contact.champion)
    }

    /// All that is wrong with the facts of account `id` by the rules in the
    /// proto, save for what other accounts decide: see [`super::parent_faults`].
    pub fn violations(&self, id: Option<&AccountId>) -> Violations {
        let mut found = Violations::new();
        self.check_texts(&mut found);
        self.check_money(&mut found);
        self.check_times(&mut found);
        check_owners(
            &mut found,
            self.owners.iter().map(|owner| (Some(owner.role), owner.email.as_str(), owner.display_name.as_str())),
        );
        self.check_contacts(&mut found);
        self.check_maps(&mut found);
        found.require(self.seats.is_none_or(|seats| seats >= 0), "seats", "must be 0 or more");
        let own_parent = self.parent.is_some() && self.parent.as_ref() == id;
        found.require(!own_parent, "parent", "an account cannot be its own parent");
        found
    }

    fn check_texts(&self, found: &mut Violations) {
        found.require(!self.display_name.trim().is_empty(), "display_name", "is required");
        found.check_text("display_name", &self.display_name, 200);
        for (field, text) in [("industry", &self.industry), ("product_line", &self.product_line), ("plan", &self.plan)]
        {
            found.check_text(field, text, TEXT_LENGTH_MAX);
        }
    }

    fn check_money(&self, found: &mut Violations) {
        for (field, amount) in [("arr", self.arr), ("mrr", self.mrr)] {
            if let Some(amount) = amount {
                check_revenue(found, field, amount);
            }
        }
        if let (Some(arr), Some(mrr)) = (self.arr, self.mrr) {
            found.require(
                arr.currency == mrr.currency,
                "mrr.currency_code",
                format!("is {} but arr is in {}: one account has one currency", mrr.currency, arr.currency),
            );
        }
    }

    fn check_times(&self, found: &mut Violations) {
        if let (Some(start), Some(renewal)) = (self.contract_start_at, self.renewal_at) {
            found.require(renewal > start, "renewal_time", "must be after contract_start_time");
        }
        if let (Some(sign_up), Some(activation)) = (self.signed_up_at, self.activated_at) {
            found.require(activation >= sign_up, "activation_time", "must not be before sign_up_time");
        }
    }

    fn check_contacts(&self, found: &mut Violations) {
        found.require(
            self.contacts.len() <= CONTACTS_MAX,
            "contacts",
            format!("has {} entries, at most {CONTACTS_MAX} are allowed", self.contacts.len()),
        );
        let mut ids = BTreeSet::new();
        for (index, contact) in self.contacts.iter().enumerate() {
            let field = format!("contacts[{index}]");
            found.require(
                is_resource_id(&contact.id),
                format!("{field}.id"),
                "must be 1 to 64 characters of letters, digits and `._~-`, the first a letter or digit",
            );
            found.require(ids.insert(&contact.id), format!("{field}.id"), "is given twice");
            found.require(contact.email.is_empty() || is_email(&contact.email), format!("{field}.email"), EMAIL_RULE);
            found.check_text(&format!("{field}.display_name"), &contact.display_name, 200);
            found.check_text(&format!("{field}.title"), &contact.title, TEXT_LENGTH_MAX);
            found.check_text(&format!("{field}.language_code"), &contact.language_code, 35);
        }
    }

    fn check_maps(&self, found: &mut Violations) {
        let count = self.plan_limits.len();
        found.require(
            count <= PLAN_LIMITS_MAX,
            "plan_limits",
            format!("has {count} entries, at most {PLAN_LIMITS_MAX} are allowed"),
        );
        for (metric, limit) in &self.plan_limits {
            let field = format!("plan_limits[{}]", shortened(metric));
            found.require(is_key(metric), &field, KEY_RULE);
            found.require(limit.is_finite() && *limit > 0.0, &field, "must be above 0 and finite");
        }
        check_labels(found, "labels", &self.labels);
    }
}

/// Notes revenue that no account can have.
pub(super) fn check_revenue(found: &mut Violations, field: &str, amount: Money) {
    found.require(
        (0..=AMOUNT_MAX).contains(&amount.minor_units),
        format!("{field}.minor_units"),
        format!("must be 0 to {AMOUNT_MAX}"),
    );
}

/// Notes all that is wrong with labels.
pub fn check_labels(found: &mut Violations, field: &str, labels: &BTreeMap<String, String>) {
    let count = labels.len();
    found.require(count <= LABELS_MAX, field, format!("has {count} entries, at most {LABELS_MAX} are allowed"));
    for (key, value) in labels {
        let field = format!("{field}[{}]", shortened(key));
        found.require(is_key(key), &field, KEY_RULE);
        found.check_text(&field, value, 200);
    }
}

/// Notes all that is wrong with owners, given as role, mail address and name; a
/// role that is not known is left to the caller.
pub fn check_owners<'a>(found: &mut Violations, owners: impl Iterator<Item = (Option<OwnerRole>, &'a str, &'a str)>) {
    let mut roles = BTreeSet::new();
    for (index, (role, email, display_name)) in owners.enumerate() {
        let field = format!("owners[{index}]");
        found.require(is_email(email), format!("{field}.email"), EMAIL_RULE);
        found.check_text(&format!("{field}.display_name"), display_name, 200);
        found.require(
            role.is_none_or(|role| roles.insert(role)),
            format!("{field}.role"),
            "is given twice: one person for each role",
        );
    }
}

/// What a key must be, for messages.
pub const KEY_RULE: &str =
    "must be 1 to 63 characters of lower-case letters, digits and `_.-`, the first a letter or digit";
const EMAIL_RULE: &str = "must be a mail address such as `ada@example.com`, at most 254 characters";

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use mainstay_domain::{Currency, start_of_day};

    use super::super::test_support::facts;
    use super::*;

    fn fields(facts: &AccountFacts) -> Vec<String> {
        let id = AccountId::parse("acme").expect("an id");
        facts.violations(Some(&id)).into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn a_plain_account_has_no_violations() {
        assert_eq!(fields(&facts()), Vec::<String>::new());
    }

    #[test]
    fn every_offending_field_is_named_at_once() {
        let start = start_of_day(chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day"));
        let money = |code| Money { currency: Currency::parse(code).expect("a currency"), minor_units: -1 };
        let owner = |email: &str| Owner { role: OwnerRole::Csm, email: email.to_owned(), display_name: String::new() };
        let mut bad = facts();
        bad.display_name = "  ".to_owned();
        bad.arr = Some(money("EUR"));
        bad.mrr = Some(money("USD"));
        bad.contract_start_at = Some(start);
        bad.renewal_at = Some(start - TimeDelta::days(1));
        bad.seats = Some(-1);
        bad.owners = vec![owner("ada@example.com"), owner("not an address")];
        bad.parent = AccountId::parse("acme").ok();
        bad.plan_limits.insert("Emails".to_owned(), f64::NAN);
        assert_eq!(
            fields(&bad),
            [
                "display_name",
                "arr.minor_units",
                "mrr.minor_units",
                "mrr.currency_code",
                "renewal_time",
                "owners[1].email",
                "owners[1].role",
                "plan_limits[Emails]",
                "plan_limits[Emails]",
                "seats",
                "parent",
            ]
        );
    }
}
