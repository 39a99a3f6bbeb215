//! Accounts.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_domain::{AccountId, EMAIL_LENGTH_MAX, Violations};

use crate::domain::Segment;
use crate::domain::account::{
    Account, AccountFacts, AccountFilter, BatchItem, Contact, LifecycleStage, Owner, OwnerRole, TEXT_LENGTH_MAX,
    check_labels, check_owners,
};
use mainstay_service::wire::{enum_values, money, money_message, time, timestamp};

/// The fields of an account that callers may change, as the proto names them.
pub(crate) const UPDATABLE_FIELDS: &[&str] = &[
    "display_name",
    "segment",
    "industry",
    "product_line",
    "plan",
    "lifecycle_stage",
    "arr",
    "mrr",
    "contract_start_time",
    "renewal_time",
    "sign_up_time",
    "activation_time",
    "seats",
    "plan_limits",
    "owners",
    "contacts",
    "parent",
    "labels",
];

/// A segment as messages have it.
pub(crate) const fn segment_message(segment: Segment) -> proto::Segment {
    match segment {
        Segment::Unknown => proto::Segment::Unspecified,
        Segment::Enterprise => proto::Segment::Enterprise,
        Segment::MidMarket => proto::Segment::MidMarket,
        Segment::Smb => proto::Segment::Smb,
    }
}

fn segment_of(number: i32) -> Option<Segment> {
    match proto::Segment::try_from(number).ok()? {
        proto::Segment::Unspecified => Some(Segment::Unknown),
        proto::Segment::Enterprise => Some(Segment::Enterprise),
        proto::Segment::MidMarket => Some(Segment::MidMarket),
        proto::Segment::Smb => Some(Segment::Smb),
    }
}

const fn lifecycle_stage_message(stage: LifecycleStage) -> proto::LifecycleStage {
    match stage {
        LifecycleStage::Unknown => proto::LifecycleStage::Unspecified,
        LifecycleStage::Trial => proto::LifecycleStage::Trial,
        LifecycleStage::Onboarding => proto::LifecycleStage::Onboarding,
        LifecycleStage::Active => proto::LifecycleStage::Active,
        LifecycleStage::Renewing => proto::LifecycleStage::Renewing,
        LifecycleStage::Churned => proto::LifecycleStage::Churned,
    }
}

fn lifecycle_stage_of(number: i32) -> Option<LifecycleStage> {
    match proto::LifecycleStage::try_from(number).ok()? {
        proto::LifecycleStage::Unspecified => Some(LifecycleStage::Unknown),
        proto::LifecycleStage::Trial => Some(LifecycleStage::Trial),
        proto::LifecycleStage::Onboarding => Some(LifecycleStage::Onboarding),
        proto::LifecycleStage::Active => Some(LifecycleStage::Active),
        proto::LifecycleStage::Renewing => Some(LifecycleStage::Renewing),
        proto::LifecycleStage::Churned => Some(LifecycleStage::Churned),
    }
}

const fn role_message(role: OwnerRole) -> proto::OwnerRole {
    match role {
        OwnerRole::Csm => proto::OwnerRole::Csm,
        OwnerRole::AccountManager => proto::OwnerRole::AccountManager,
        OwnerRole::CsmDirector => proto::OwnerRole::CsmDirector,
        OwnerRole::FinanceContact => proto::OwnerRole::FinanceContact,
        OwnerRole::ExecutiveSponsor => proto::OwnerRole::ExecutiveSponsor,
    }
}

fn role_of(number: i32) -> Option<OwnerRole> {
    match proto::OwnerRole::try_from(number).ok()? {
        proto::OwnerRole::Unspecified => None,
        proto::OwnerRole::Csm => Some(OwnerRole::Csm),
        proto::OwnerRole::AccountManager => Some(OwnerRole::AccountManager),
        proto::OwnerRole::CsmDirector => Some(OwnerRole::CsmDirector),
        proto::OwnerRole::FinanceContact => Some(OwnerRole::FinanceContact),
        proto::OwnerRole::ExecutiveSponsor => Some(OwnerRole::ExecutiveSponsor),
    }
}

/// The segment that a request is about; none when it names none.
pub(crate) fn named_segment(found: &mut Violations, field: &str, number: i32) -> Option<Segment> {
    match segment_of(number) {
        None => {
            found.add(field, format!("{number} is no segment"));
            None
        }
        Some(Segment::Unknown) => None,
        segment => segment,
    }
}

/// Segments of a filter; empty is any.
pub(crate) fn segments(found: &mut Violations, field: &str, given: &[i32]) -> Vec<Segment> {
    enum_values(found, field, given, "segment", segment_of)
}

/// Which accounts a list holds, or all that is wrong with the filter.
pub(crate) fn filter(given: proto::AccountFilter) -> Result<AccountFilter, Violations> {
    let mut found = Violations::new();
    found.check_text("filter.owner_email", &given.owner_email, EMAIL_LENGTH_MAX);
    found.check_text("filter.product_line", &given.product_line, TEXT_LENGTH_MAX);
    check_labels(&mut found, "filter.labels", &given.labels);
    let filter = AccountFilter {
        segments: segments(&mut found, "filter.segments", &given.segments),
        lifecycle_stages: enum_values(
            &mut found,
            "filter.lifecycle_stages",
            &given.lifecycle_stages,
            "lifecycle stage",
            lifecycle_stage_of,
        ),
        owner_email: (!given.owner_email.is_empty()).then_some(given.owner_email),
        product_line: (!given.product_line.is_empty()).then_some(given.product_line),
        labels: given.labels,
        parent: parent(&mut found, "filter.parent", &given.parent),
        include_archived: given.include_archived,
    };
    found.into_result(filter)
}

/// An account as messages have it.
pub(crate) fn message(account: &Account) -> proto::Account {
    proto::Account {
        name: account.id.name(),
        create_time: Some(timestamp(account.created_at)),
        update_time: Some(timestamp(account.updated_at)),
        archive_time: account.archived_at.map(timestamp),
        etag: account.etag().to_string(),
        ..facts_message(&account.facts)
    }
}

fn facts_message(facts: &AccountFacts) -> proto::Account {
    proto::Account {
        display_name: facts.display_name.clone(),
        segment: segment_message(facts.segment).into(),
        industry: facts.industry.clone(),
        product_line: facts.product_line.clone(),
        plan: facts.plan.clone(),
        lifecycle_stage: lifecycle_stage_message(facts.lifecycle_stage).into(),
        arr: facts.arr.map(money_message),
        mrr: facts.mrr.map(money_message),
        contract_start_time: facts.contract_start_at.map(timestamp),
        renewal_time: facts.renewal_at.map(timestamp),
        sign_up_time: facts.signed_up_at.map(timestamp),
        activation_time: facts.activated_at.map(timestamp),
        seats: facts.seats,
        plan_limits: facts.plan_limits.clone(),
        owners: facts.owners.iter().map(owner_message).collect(),
        contacts: facts.contacts.iter().map(contact_message).collect(),
        parent: facts.parent.as_ref().map(AccountId::name).unwrap_or_default(),
        labels: facts.labels.clone(),
        ..proto::Account::default()
    }
}

/// An owner as messages have it.
pub(crate) fn owner_message(owner: &Owner) -> proto::Owner {
    proto::Owner {
        role: role_message(owner.role).into(),
        email: owner.email.clone(),
        display_name: owner.display_name.clone(),
    }
}

fn contact_message(contact: &Contact) -> proto::Contact {
    proto::Contact {
        id: contact.id.clone(),
        display_name: contact.display_name.clone(),
        email: contact.email.clone(),
        title: contact.title.clone(),
        champion: contact.champion,
        language_code: contact.language_code.clone(),
    }
}

/// Which accounts the items of a batch are about; a name that stands there twice is wrong the second time.
pub(crate) fn batch_items(accounts: &[proto::Account]) -> Vec<BatchItem> {
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(accounts.len());
    let mut items = Vec::with_capacity(accounts.len());
    for (place, account) in accounts.iter().enumerate() {
        let mut faults = Violations::new();
        match places.entry(&account.name) {
            Entry::Vacant(free) => {
                free.insert(place);
            }
            Entry::Occupied(first) if !account.name.is_empty() => {
                faults.add("name", format!("is given twice: accounts[{}] has it already", first.get()));
            }
            Entry::Occupied(_) => {}
        }
        let id = faults.take("name", AccountId::parse_name(&account.name));
        items.push(BatchItem { id, etag: (!account.etag.is_empty()).then(|| account.etag.clone()), faults });
    }
    items
}

/// What is said of an account once it is upserted, or all that is wrong with that: of a new one all
/// that is given, of a stored one `fields` as in `given`.
pub(crate) fn upserted(
    id: Option<&AccountId>,
    stored: Option<&Account>,
    given: &proto::Account,
    fields: &BTreeSet<&'static str>,
) -> Result<AccountFacts, Violations> {
    if let Some(stored) = stored {
        return patched(stored, given, fields);
    }
    let mut found = Violations::new();
    let facts = facts(&mut found, id, given.clone());
    found.into_result(facts)
}

/// What a message says of account `id`; notes all that is wrong with it. A
/// value that cannot be read counts as absent, so that no fault follows from it.
pub(crate) fn facts(found: &mut Violations, id: Option<&AccountId>, given: proto::Account) -> AccountFacts {
    let segment = segment_of(given.segment);
    found.require(segment.is_some(), "segment", format!("{} is no segment", given.segment));
    let stage = lifecycle_stage_of(given.lifecycle_stage);
    found.require(stage.is_some(), "lifecycle_stage", format!("{} is no lifecycle stage", given.lifecycle_stage));
    let facts = AccountFacts {
        display_name: given.display_name,
        segment: segment.unwrap_or_default(),
        industry: given.industry,
        product_line: given.product_line,
        plan: given.plan,
        lifecycle_stage: stage.unwrap_or_default(),
        arr: money(found, "arr", given.arr.as_ref()),
        mrr: money(found, "mrr", given.mrr.as_ref()),
        contract_start_at: time(found, "contract_start_time", given.contract_start_time.as_ref()),
        renewal_at: time(found, "renewal_time", given.renewal_time.as_ref()),
        signed_up_at: time(found, "sign_up_time", given.sign_up_time.as_ref()),
        activated_at: time(found, "activation_time", given.activation_time.as_ref()),
        seats: given.seats,
        plan_limits: given.plan_limits,
        owners: owners(found, given.owners),
        contacts: given.contacts.into_iter().map(contact).collect(),
        parent: parent(found, "parent", &given.parent),
        labels: given.labels,
    };
    for violation in facts.violations(id) {
        found.add(violation.field, violation.description);
    }
    facts
}

fn parent(found: &mut Violations, field: &str, given: &str) -> Option<AccountId> {
    if given.is_empty() { None } else { found.take(field, AccountId::parse_name(given)) }
}

/// Owners; when a role is wrong, their other faults are noted here and there are none.
fn owners(found: &mut Violations, given: Vec<proto::Owner>) -> Vec<Owner> {
    let roles: Vec<Option<OwnerRole>> = given.iter().map(|owner| role_of(owner.role)).collect();
    if roles.contains(&None) {
        for (index, (owner, role)) in given.iter().zip(&roles).enumerate() {
            let said = if owner.role == 0 { "is required".to_owned() } else { format!("{} is no role", owner.role) };
            found.require(role.is_some(), format!("owners[{index}].role"), said);
        }
        let parts = given.iter().zip(&roles);
        check_owners(found, parts.map(|(owner, role)| (*role, owner.email.as_str(), owner.display_name.as_str())));
        return Vec::new();
    }
    let owner = |(given, role): (proto::Owner, Option<OwnerRole>)| {
        Some(Owner { role: role?, email: given.email, display_name: given.display_name })
    };
    given.into_iter().zip(roles).filter_map(owner).collect()
}

fn contact(given: proto::Contact) -> Contact {
    Contact {
        id: given.id,
        display_name: given.display_name,
        email: given.email,
        title: given.title,
        champion: given.champion,
        language_code: given.language_code,
    }
}

/// The fields that a message has set.
pub(crate) fn set_fields(given: &proto::Account) -> Vec<&'static str> {
    let is_set = |field: &str| {
        let mut blank = proto::Account::default();
        copy_field(&mut blank, given, field);
        blank != proto::Account::default()
    };
    UPDATABLE_FIELDS.iter().copied().filter(|field| is_set(field)).collect()
}

/// What is said of a stored account once `fields` are as in `given`, or all that is wrong with that.
pub(crate) fn patched(
    stored: &Account,
    given: &proto::Account,
    fields: &BTreeSet<&'static str>,
) -> Result<AccountFacts, Violations> {
    changed(&stored.id, &stored.facts, |account| fields.iter().for_each(|field| copy_field(account, given, field)))
}

/// What is said of account `id` once the message of what is known is changed so, or all that is wrong with that.
pub(crate) fn changed(
    id: &AccountId,
    known: &AccountFacts,
    change: impl FnOnce(&mut proto::Account),
) -> Result<AccountFacts, Violations> {
    let mut account = facts_message(known);
    change(&mut account);
    new_facts(id, account)
}

/// What a message says of account `id`, or all that is wrong with that.
pub(crate) fn new_facts(id: &AccountId, given: proto::Account) -> Result<AccountFacts, Violations> {
    let mut found = Violations::new();
    let facts = facts(&mut found, Some(id), given);
    found.into_result(facts)
}

/// Copies one of [`UPDATABLE_FIELDS`].
fn copy_field(to: &mut proto::Account, from: &proto::Account, field: &str) {
    match field {
        "display_name" => to.display_name.clone_from(&from.display_name),
        "segment" => to.segment = from.segment,
        "industry" => to.industry.clone_from(&from.industry),
        "product_line" => to.product_line.clone_from(&from.product_line),
        "plan" => to.plan.clone_from(&from.plan),
        "lifecycle_stage" => to.lifecycle_stage = from.lifecycle_stage,
        "arr" => to.arr.clone_from(&from.arr),
        "mrr" => to.mrr.clone_from(&from.mrr),
        "contract_start_time" => to.contract_start_time = from.contract_start_time,
        "renewal_time" => to.renewal_time = from.renewal_time,
        "sign_up_time" => to.sign_up_time = from.sign_up_time,
        "activation_time" => to.activation_time = from.activation_time,
        "seats" => to.seats = from.seats,
        "plan_limits" => to.plan_limits.clone_from(&from.plan_limits),
        "owners" => to.owners.clone_from(&from.owners),
        "contacts" => to.contacts.clone_from(&from.contacts),
        "parent" => to.parent.clone_from(&from.parent),
        "labels" => to.labels.clone_from(&from.labels),
        _ => {}
    }
}
