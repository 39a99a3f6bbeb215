//! Contracts in any order.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mainstay_domain::{AccountId, Money};
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
        (prop::sample::select(vec!["", "free", "pro"]), proptest::option::of((0..5i64, any_currency())))
            .prop_map(|(plan, arr)| plan_change(plan, arr.map(|(minor_units, currency)| money(minor_units, currency)))),
    ]
}

fn any_currency() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["EUR", "USD"])
}

fn money(minor_units: i64, currency: &str) -> Money {
    Money { currency: Currency::parse(currency).expect("a currency"), minor_units }
}

fn plan_change(plan: &str, arr: Option<Money>) -> LifecycleSignal {
    LifecycleSignal::PlanChange { plan: plan.to_owned(), arr: arr.map(Amount), direction: None }
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
fn of_plan_and_revenue_each_is_what_was_said_of_it_last() {
    let account = account(LifecycleStage::Active);
    let told = [
        (5, 1, plan_change("pro", Some(money(900, "EUR")))),
        (6, 2, plan_change("team", None)),
        (4, 3, plan_change("free", Some(money(0, "EUR")))),
    ];
    let facts = after(&account, &told);
    assert_eq!((facts.plan.as_str(), facts.arr), ("team", Some(money(900, "EUR"))));
}

#[test]
fn plan_and_revenue_that_a_caller_said_later_are_kept() {
    let mut account = account(LifecycleStage::Active);
    account.facts.mrr = Some(money(100, "EUR"));
    let early = plan_change("pro", Some(money(900, "EUR")));
    let at_creation = after(&account, &[(0, 1, early.clone())]);
    assert_eq!((at_creation.plan.as_str(), at_creation.arr), ("pro", None), "what it brings was said by the month");

    let mut lifecycle = Lifecycle::of(&account);
    let given = AccountFacts { plan: "team".to_owned(), mrr: Some(money(200, "EUR")), ..account.facts.clone() };
    assert!(Lifecycle::is_concerned(&account.facts, &given));
    lifecycle.note_given(&account.facts, &given, minute(10));
    lifecycle.absorb(&stamp(9, 1, &early), &early);
    assert_eq!(lifecycle.applied(&given), given);
    lifecycle.absorb(&stamp(11, 2, &early), &early);
    let later = lifecycle.applied(&given);
    assert_eq!((later.plan.as_str(), later.arr, later.mrr), ("pro", Some(money(900, "EUR")), given.mrr));
}

#[test]
fn a_contract_stored_before_plans_were_told_of_is_read() {
    let mut stored = serde_json::to_value(Lifecycle::default()).expect("JSON");
    for part in ["plan", "arr"] {
        stored.as_object_mut().expect("an object").remove(part);
    }
    let given = stored["given"].as_object_mut().expect("an object");
    for part in ["plan", "revenue"] {
        given.remove(part);
    }
    assert_eq!(serde_json::from_value::<Lifecycle>(stored).expect("a contract"), Lifecycle::default());
}

#[test]
fn revenue_in_another_currency_than_the_monthly_one_is_left_out() {
    let mut account = account(LifecycleStage::Active);
    account.facts.mrr = Some(money(100, "USD"));
    let facts = after(&account, &[(5, 1, plan_change("pro", Some(money(900, "EUR"))))]);
    assert_eq!((facts.plan.as_str(), facts.arr), ("pro", None));
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
