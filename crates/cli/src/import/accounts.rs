//! Accounts from rows.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1::{Account, Owner, OwnerRole};
use mainstay_domain::Violations;

use crate::import::batches::Mapper;
use crate::import::fields::{FieldReader, account_name};
use crate::import::mapping::{Field, Fields, Mapping};
use crate::import::row::Row;
use crate::import::values::{DateReader, lifecycle_stage, segment, whole_number};
use crate::money;

/// All fields of an account.
pub(crate) const FIELDS: Fields = Fields {
    named: &[
        Field::with_aliases("account", &["account_id", "id"]),
        Field::with_aliases("display_name", &["name"]),
        Field::new("segment"),
        Field::new("industry"),
        Field::new("product_line"),
        Field::new("plan"),
        Field::with_aliases("lifecycle_stage", &["stage"]),
        Field::new("arr"),
        Field::new("mrr"),
        Field::new("currency"),
        Field::with_aliases("contract_start_time", &["contract_start_date"]),
        Field::with_aliases("renewal_time", &["renewal_date"]),
        Field::with_aliases("sign_up_time", &["sign_up_date"]),
        Field::with_aliases("activation_time", &["activation_date"]),
        Field::new("seats"),
        Field::new("csm"),
        Field::new("account_manager"),
        Field::new("csm_director"),
        Field::new("finance_contact"),
        Field::new("executive_sponsor"),
        Field::new("parent"),
    ],
    prefixes: &["limit.", "label."],
};

const ROLES: [(&str, OwnerRole); 5] = [
    ("csm", OwnerRole::Csm),
    ("account_manager", OwnerRole::AccountManager),
    ("csm_director", OwnerRole::CsmDirector),
    ("finance_contact", OwnerRole::FinanceContact),
    ("executive_sponsor", OwnerRole::ExecutiveSponsor),
];

/// Makes accounts of rows.
#[derive(Debug)]
pub(crate) struct AccountMapper {
    mapping: Mapping,
    dates: DateReader,
}

impl AccountMapper {
    /// A mapper that reads fields by `mapping` and dates by `dates`.
    pub(crate) fn new(mapping: Mapping, dates: DateReader) -> Self {
        Self { mapping, dates }
    }
}

impl Mapper for AccountMapper {
    type Item = Account;

    fn map(&self, row: &Row) -> Result<Account, Violations> {
        let mut faults = Violations::new();
        let text = |name: &str| self.mapping.value(name, row).unwrap_or_default().to_owned();
        let mut fields = FieldReader { mapping: &self.mapping, row, faults: &mut faults };
        let money = |amount: &str| money::parse(amount, self.mapping.value("currency", row));
        let date = |text: &str| self.dates.read(text);
        let account = Account {
            name: fields.required("account", account_name).unwrap_or_default(),
            display_name: fields.required("display_name", |text| Ok(text.to_owned())).unwrap_or_default(),
            segment: fields.read("segment", segment).unwrap_or_default().into(),
            industry: text("industry"),
            product_line: text("product_line"),
            plan: text("plan"),
            lifecycle_stage: fields.read("lifecycle_stage", lifecycle_stage).unwrap_or_default().into(),
            arr: fields.read("arr", money),
            mrr: fields.read("mrr", money),
            contract_start_time: fields.read("contract_start_time", date),
            renewal_time: fields.read("renewal_time", date),
            sign_up_time: fields.read("sign_up_time", date),
            activation_time: fields.read("activation_time", date),
            seats: fields.read("seats", whole_number),
            plan_limits: fields.numbers_below("limit."),
            owners: ROLES.iter().filter_map(|&(field, role)| fields.read(field, |text| owner(role, text))).collect(),
            parent: fields.read("parent", account_name).unwrap_or_default(),
            labels: labels(&self.mapping, row),
            ..Account::default()
        };
        faults.into_result(account)
    }

    fn distinct_key<'i>(&self, account: &'i Account) -> Option<&'i str> {
        Some(&account.name)
    }
}

fn labels(mapping: &Mapping, row: &Row) -> BTreeMap<String, String> {
    mapping.values_below("label.", row).into_iter().map(|(key, value)| (key, value.to_owned())).collect()
}

/// `mia@example.com` or `Mia Lee <mia@example.com>`.
fn owner(role: OwnerRole, text: &str) -> Result<Owner, String> {
    let (display_name, email) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, email)) => (name.trim(), email.trim()),
        None => ("", text),
    };
    if !email.contains('@') || email.contains(char::is_whitespace) {
        return Err(format!("`{text}` is not an address such as mia@example.com or Mia Lee <mia@example.com>"));
    }
    Ok(Owner { role: role.into(), email: email.to_owned(), display_name: display_name.to_owned() })
}

#[cfg(test)]
mod tests {
    use mainstay_api::mainstay::common::v1::Money;
    use mainstay_api::mainstay::scoring::v1::{LifecycleStage, Segment};

    use super::*;
    use crate::import::mapping::tests::{pairs, row};

    fn mapper(columns: &[(&str, &str)], constants: &[(&str, &str)]) -> AccountMapper {
        let mapping = Mapping::new(FIELDS, &pairs(columns), &pairs(constants)).expect("fields of ours");
        AccountMapper::new(mapping, DateReader::new(None).expect("the default"))
    }

    #[test]
    fn a_full_row_becomes_an_account() {
        let row = row(&[
            ("id", "Acme-1"),
            ("name", "Acme Inc"),
            ("segment", "Mid-Market"),
            ("stage", "active"),
            ("arr", "12000.5"),
            ("mrr", "1000.04 EUR"),
            ("currency", "EUR"),
            ("renewal_date", "1970-01-02"),
            ("seats", "25"),
            ("csm", "Mia Lee <mia@example.com>"),
            ("finance contact", "bo@example.com"),
            ("parent", "acme-group"),
            ("limit.emails", "100000"),
            ("label.region", "EMEA"),
        ]);
        let account = mapper(&[], &[]).map(&row).expect("a good row");
        let money = |minor_units| Some(Money { currency_code: "EUR".to_owned(), minor_units });
        let person = |role: OwnerRole, email: &str, name: &str| Owner {
            role: role.into(),
            email: email.to_owned(),
            display_name: name.to_owned(),
        };
        let expected = Account {
            name: "accounts/Acme-1".to_owned(),
            display_name: "Acme Inc".to_owned(),
            segment: Segment::MidMarket.into(),
            lifecycle_stage: LifecycleStage::Active.into(),
            arr: money(1_200_050),
            mrr: money(100_004),
            renewal_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 }),
            seats: Some(25),
            owners: vec![
                person(OwnerRole::Csm, "mia@example.com", "Mia Lee"),
                person(OwnerRole::FinanceContact, "bo@example.com", ""),
            ],
            parent: "accounts/acme-group".to_owned(),
            plan_limits: BTreeMap::from([("emails".to_owned(), 100_000.0)]),
            labels: BTreeMap::from([("region".to_owned(), "EMEA".to_owned())]),
            ..Account::default()
        };
        assert_eq!(account, expected);
    }

    #[test]
    fn all_faults_of_a_row_are_told_at_once() {
        let row = row(&[
            ("id", "a b"),
            ("name", ""),
            ("segment", "huge"),
            ("arr", "12.345"),
            ("seats", "many"),
            ("csm", "Mia"),
            ("renewal_time", "soon"),
            ("limit.emails", "NaN"),
        ]);
        let faults = mapper(&[], &[("currency", "EUR")]).map(&row).expect_err("a bad row");
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected = ["account", "display_name", "segment", "arr", "renewal_time", "seats", "limit.emails", "csm"];
        assert_eq!(fields, expected);
    }
}
