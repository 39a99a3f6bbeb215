//! Accounts from rows.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1::{Account, Owner, OwnerRole};
use mainstay_domain::Violations;
use prost::Message;

use crate::import::batches::{Mapper, Place};
use crate::import::contacts::contacts;
use crate::import::fields::{FieldReader, account_name};
use crate::import::mapping::{Field, Fields, Mapping};
use crate::import::row::{Header, Row};
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
        Field::new("contacts"),
        Field::new("parent"),
    ],
    prefixes: &["limit.", "label."],
    required: &["account"],
};

const ROLES: [(&str, OwnerRole); 5] = [
    ("csm", OwnerRole::Csm),
    ("account_manager", OwnerRole::AccountManager),
    ("csm_director", OwnerRole::CsmDirector),
    ("finance_contact", OwnerRole::FinanceContact),
    ("executive_sponsor", OwnerRole::ExecutiveSponsor),
];

/// What a row says of an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccountRow {
    /// The account; fields of which the row says nothing are empty.
    pub(crate) account: Account,
    /// The fields of which the row says something, as the proto names them.
    pub(crate) fields: Vec<&'static str>,
}

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

    /// The fields of an account of which rows with these columns say something.
    fn account_fields(&self, header: &Header) -> Vec<&'static str> {
        let named = FIELDS.named.iter().map(|field| field.name).filter(|name| self.mapping.names(name, header));
        let mut fields: Vec<&'static str> = named.filter_map(account_field).collect();
        fields.dedup();
        let below = [("limit.", "plan_limits"), ("label.", "labels")];
        fields.extend(
            below.iter().filter(|(prefix, _)| self.mapping.names_below(prefix, header)).map(|(_, field)| field),
        );
        fields
    }
}

/// The field of an account that a field of rows is for; none for those that only serve others.
fn account_field(name: &'static str) -> Option<&'static str> {
    match name {
        "account" | "currency" => None,
        role if ROLES.iter().any(|(field, _)| *field == role) => Some("owners"),
        same => Some(same),
    }
}

impl Mapper for AccountMapper {
    type Item = AccountRow;

    fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    fn map(&self, row: &Row) -> Result<AccountRow, Violations> {
        let mut faults = Violations::new();
        let text = |name: &str| self.mapping.value(name, row).unwrap_or_default().to_owned();
        let mut fields = FieldReader { mapping: &self.mapping, row, faults: &mut faults };
        let money = |amount: &str| money::parse(amount, self.mapping.value("currency", row));
        let date = |text: &str| self.dates.read(text);
        let account = Account {
            name: fields.required("account", account_name).unwrap_or_default(),
            display_name: fields.filled_if_named("display_name", |text| Ok(text.to_owned())).unwrap_or_default(),
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
            contacts: fields.read("contacts", contacts).unwrap_or_default(),
            parent: fields.read("parent", account_name).unwrap_or_default(),
            labels: labels(&self.mapping, row),
            ..Account::default()
        };
        faults.into_result(AccountRow { account, fields: self.account_fields(&row.header) })
    }

    fn encoded_len(&self, row: &AccountRow) -> usize {
        row.account.encoded_len()
    }

    fn key<'i>(&self, row: &'i AccountRow) -> Option<&'i str> {
        Some(&row.account.name)
    }

    /// Rows that name the same fields are sent together; of the others, an account comes after its
    /// parent and after an earlier row of its own.
    fn place<'b>(&self, row: &AccountRow, lookup: impl Fn(&str) -> Option<&'b AccountRow>) -> Place {
        let earlier = lookup(&row.account.name);
        let before_it = [earlier, lookup(&row.account.parent)];
        if before_it.into_iter().flatten().any(|other| other.fields != row.fields) {
            return Place::NextBatch;
        }
        if earlier.is_some() { Place::Instead } else { Place::Beside }
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
    use mainstay_api::mainstay::scoring::v1::{Contact, LifecycleStage, Segment};

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
            ("contacts", "[{\"id\": \"c-1\", \"name\": \"Eve\"}]"),
            ("parent", "acme-group"),
            ("limit.emails", "100000"),
            ("label.region", "EMEA"),
        ]);
        let AccountRow { account, fields } = mapper(&[], &[]).map(&row).expect("a good row");
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
            contacts: vec![Contact { id: "c-1".to_owned(), display_name: "Eve".to_owned(), ..Contact::default() }],
            parent: "accounts/acme-group".to_owned(),
            plan_limits: BTreeMap::from([("emails".to_owned(), 100_000.0)]),
            labels: BTreeMap::from([("region".to_owned(), "EMEA".to_owned())]),
            ..Account::default()
        };
        assert_eq!(account, expected);
        let named = [
            "display_name",
            "segment",
            "lifecycle_stage",
            "arr",
            "mrr",
            "renewal_time",
            "seats",
            "owners",
            "contacts",
            "parent",
            "plan_limits",
            "labels",
        ];
        assert_eq!(fields, named);
    }

    #[test]
    fn a_row_may_say_something_of_a_few_fields_only() {
        let columns = [("account", "nr"), ("owners", "x")];
        assert!(Mapping::new(FIELDS, &pairs(&columns), &[]).is_err(), "owners are given by role");
        let row = row(&[("id", "acme"), ("plan", ""), ("csm_director", "bo@example.com")]);
        let row = mapper(&[], &[("label.tier", "a")]).map(&row).expect("a good row");
        assert_eq!(row.fields, ["plan", "owners", "labels"]);
        assert_eq!(row.account.display_name, "");
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
