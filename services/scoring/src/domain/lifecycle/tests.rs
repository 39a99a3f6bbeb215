//! Contracts in any order.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mainstay_domain::AccountId;
use proptest::prelude::*;

use super::super::Segment;
use super::super::account::GivenAccount;
use super::*;

fn minute(number: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
}

fn account(stage: LifecycleStage) -> Account {
    let facts = AccountFacts {
        display_name: "Acme".to_owned(),
        segment: Segment::Smb,
        industry: String::new(),
        product_line: String::new(),
        plan: String::new(),
        lifecycle_stage: stage,
        arr: None,
        mrr: None,
        contract_start_at: None,
        renewal_at: None,
        signed_up_at: None,
        activated_at: None,
        seats: None,
        plan_limits: BTreeMap::new(),
        owners: Vec::new(),
        contacts: Vec::new(),
        parent: None,
        labels: BTreeMap::new(),
    };
    Account::created(&GivenAccount { id: AccountId::parse("acme").expect("an id"), facts }, minute(0))
}

fn stamp(at: i64, number: usize, told: &LifecycleSignal) -> Stamp {
    Stamp { at: minute(at), rank: told.rank(), source: "crm".to_owned(), source_id: number.to_string() }
}

fn any_told() -> impl Strategy<Value = LifecycleSignal> {
    prop_oneof![
        Just(LifecycleSignal::Activation),
        Just(LifecycleSignal::Milestone { milestone: "first".to_owned() }),
        (100..110i64).prop_map(|at| LifecycleSignal::Renewal { renewal_at: minute(at) }),
        Just(LifecycleSignal::Churn { reason: String::new() }),
        (0..5i64).prop_map(|seats| LifecycleSignal::SeatChange { seats }),
    ]
}

/// The account after these, each applied as it comes.
fn after<'a>(account: &Account, told: impl IntoIterator<Item = &'a (i64, usize, LifecycleSignal)>) -> AccountFacts {
    let mut lifecycle = Lifecycle::of(account);
    let mut facts = account.facts.clone();
    for (at, number, signal) in told {
        lifecycle.absorb(&stamp(*at, *number, signal), signal);
        facts = lifecycle.applied(&facts);
    }
    facts
}

proptest! {
    #[test]
    fn signals_of_a_contract_make_the_same_account_in_any_order(
        told in proptest::collection::vec((1..8i64, any_told()), 0..10),
        stage in prop::sample::select(vec![
            LifecycleStage::Unknown, LifecycleStage::Onboarding, LifecycleStage::Churned,
        ]),
    ) {
        let account = account(stage);
        let told: Vec<_> = told.into_iter().enumerate().map(|(number, (at, told))| (at, number, told)).collect();
        let mut by_time = told.clone();
        by_time.sort_by_key(|(at, number, told)| stamp(*at, *number, told));
        let expected = after(&account, &by_time);
        prop_assert_eq!(&after(&account, &told), &expected);
        prop_assert_eq!(&after(&account, told.iter().rev().chain(&told)), &expected);
    }
}

#[test]
fn a_churned_customer_is_brought_back_by_a_later_renewal_only() {
    let account = account(LifecycleStage::Onboarding);
    let churn = (5, 1, LifecycleSignal::Churn { reason: String::new() });
    let renewal = |at| (at, 2, LifecycleSignal::Renewal { renewal_at: minute(100) });
    assert_eq!(after(&account, [&churn]).lifecycle_stage, LifecycleStage::Churned);
    assert_eq!(after(&account, [&churn, &renewal(4)]).lifecycle_stage, LifecycleStage::Churned);
    assert_eq!(after(&account, [&churn, &renewal(6)]).lifecycle_stage, LifecycleStage::Active);
}

#[test]
fn what_a_caller_said_later_is_kept() {
    let account = account(LifecycleStage::Active);
    let mut lifecycle = Lifecycle::of(&account);
    let given = AccountFacts { seats: Some(20), ..account.facts.clone() };
    lifecycle.note_given(&account.facts, &given, minute(10));
    for (at, seats, expected) in [(9, 5, 20), (11, 7, 7)] {
        let told = LifecycleSignal::SeatChange { seats };
        lifecycle.absorb(&stamp(at, 1, &told), &told);
        assert_eq!(lifecycle.applied(&given).seats, Some(expected));
    }
}

#[test]
fn a_time_that_contradicts_the_account_is_left_out() {
    let mut account = account(LifecycleStage::Active);
    account.facts.signed_up_at = Some(minute(50));
    account.facts.contract_start_at = Some(minute(200));
    let renewal = LifecycleSignal::Renewal { renewal_at: minute(100) };
    let facts = after(&account, &[(5, 1, LifecycleSignal::Activation), (6, 2, renewal)]);
    assert_eq!((facts.activated_at, facts.renewal_at), (None, None));
}
