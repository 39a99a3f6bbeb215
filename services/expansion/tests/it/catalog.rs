//! Plans, their versions and what a change of plan costs.

use mainstay_api::mainstay::common::v1::Money;
use mainstay_api::mainstay::expansion::v1 as proto;
use mainstay_testkit::idempotency::assert_repeatable;
use mainstay_testkit::pagination::assert_pages_cover;
use proto::{PriceBasis, PricePeriod};

use crate::harness::{Harness, account, euros, limit};
use crate::refusals::{fields, missing, reason};

const START: &str = "1997-03-02T12:00:00Z";

fn price(period: PricePeriod, basis: PriceBasis, amount: Money) -> proto::Price {
    proto::Price { period: period.into(), basis: basis.into(), amount: Some(amount) }
}

/// A plan with a flat price and one for each seat beyond five, by month and by year, in euros.
fn plan(flat: i64, seat: i64, emails: f64, upgrade: &str) -> proto::Plan {
    let features =
        if upgrade.is_empty() { vec!["mail".to_owned(), "automation".to_owned()] } else { vec!["mail".to_owned()] };
    proto::Plan {
        display_name: "Plan".to_owned(),
        limits: vec![proto::PlanLimit { metric: "emails".to_owned(), limit: emails }],
        included_seats: 5,
        features,
        prices: vec![
            price(PricePeriod::Month, PriceBasis::Flat, euros(flat)),
            price(PricePeriod::Month, PriceBasis::PerSeat, euros(seat)),
            price(PricePeriod::Year, PriceBasis::Flat, euros(flat * 10)),
            price(PricePeriod::Year, PriceBasis::PerSeat, euros(seat * 10)),
        ],
        upgrade_plan: upgrade.to_owned(),
        ..Default::default()
    }
}

fn creation(id: &str, plan: proto::Plan) -> proto::CreatePlanRequest {
    proto::CreatePlanRequest { plan_id: id.to_owned(), plan: Some(plan), ..Default::default() }
}

async fn publish(harness: &mut Harness, id: &str, plan: proto::Plan) -> proto::Plan {
    let created = harness.catalog.create_plan(creation(id, plan)).await.expect("created").into_inner();
    let request = proto::PublishPlanRequest { name: created.name, ..Default::default() };
    harness.catalog.publish_plan(request).await.expect("published").into_inner()
}

async fn publish_two(harness: &mut Harness) {
    publish(harness, "team", plan(10_000, 1_999, 10_000.0, "plans/business")).await;
    publish(harness, "business", plan(25_000, 2_999, 50_000.0, "")).await;
}

#[tokio::test]
async fn versions_never_change_and_the_newest_published_is_in_force() {
    let mut harness = Harness::start(START).await;
    let first = publish(&mut harness, "team", plan(1, 1, 10.0, "")).await;
    assert_eq!((first.name.as_str(), first.in_force), ("plans/team/versions/1", true));
    let second = harness.catalog.create_plan(creation("team", plan(2, 2, 20.0, ""))).await.expect("draft").into_inner();
    assert_eq!((second.version, second.in_force, second.publish_time), (2, false, None));
    let third = publish(&mut harness, "team", plan(3, 3, 30.0, "")).await;
    let get = |name: &str| proto::GetPlanRequest { name: name.to_owned() };
    let in_force = harness.catalog.get_plan(get("plans/team")).await.expect("it").into_inner();
    assert_eq!(in_force, third);
    let first = harness.catalog.get_plan(get("plans/team/versions/1")).await.expect("it").into_inner();
    assert_eq!((first.limits[0].limit, first.in_force), (10.0, false));
    let late = proto::PublishPlanRequest { name: second.name, ..Default::default() };
    let refused = harness.catalog.publish_plan(late).await.expect_err("an older one");
    assert_eq!(reason(&refused), "PLAN_SUPERSEDED");
    for name in ["plans/none", "plans/team/versions/9"] {
        assert_eq!(reason(&harness.catalog.get_plan(get(name)).await.expect_err("none")), "PLAN_NOT_FOUND", "{name}");
    }
    harness.settle().await;
    assert_eq!(harness.count_of("PlanPublished").await, 2);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_plan_is_named_at_once() {
    let mut harness = Harness::start(START).await;
    let wrong = proto::Plan {
        limits: vec![proto::PlanLimit { metric: "E".to_owned(), limit: 0.0 }],
        included_seats: -1,
        features: vec![String::new()],
        prices: vec![
            price(PricePeriod::Unspecified, PriceBasis::Flat, euros(1)),
            price(PricePeriod::Year, PriceBasis::Flat, euros(-1)),
            price(PricePeriod::Year, PriceBasis::Flat, euros(2)),
            proto::Price {
                period: 1,
                basis: 1,
                amount: Some(Money { currency_code: "eur".to_owned(), minor_units: 1 }),
            },
        ],
        upgrade_plan: "business".to_owned(),
        ..Default::default()
    };
    let refused = harness.catalog.create_plan(creation("team", wrong)).await.expect_err("wrong");
    assert_eq!(
        fields(&refused),
        [
            "plan.upgrade_plan",
            "plan.prices[0].period",
            "plan.prices[3].amount.currency_code",
            "plan.display_name",
            "plan.included_seats",
            "plan.limits[0].metric",
            "plan.limits[0].limit",
            "plan.features[0]",
            "plan.prices[0].amount.minor_units",
            "plan.prices[1]",
        ]
    );
    let refused = harness.catalog.create_plan(creation("a b", proto::Plan::default())).await.expect_err("wrong");
    assert_eq!(fields(&refused), ["plan_id"]);
}

#[tokio::test]
async fn a_change_of_plan_is_compared_in_the_open_and_exactly() {
    let mut harness = Harness::start(START).await;
    publish_two(&mut harness).await;
    harness.tell_account("acme").await;
    harness.tell_usage_as("acme", "1997-02", vec![limit("emails", Some(9_000.0), 10_000.0)], 8, Some(10)).await;
    harness.settle().await;
    let request = proto::ComparePlansRequest { account: "accounts/acme".to_owned(), ..Default::default() };
    let compared = harness.catalog.compare_plans(request.clone()).await.expect("it").into_inner();
    assert_eq!(compared.seats, 10);
    let prices: Vec<_> = compared
        .prices
        .iter()
        .map(|price| (price.period(), price.from_amount.clone(), price.to_amount.clone(), price.difference.clone()))
        .collect();
    let (from, to) = (100_000 + 5 * 19_990, 250_000 + 5 * 29_990);
    let (monthly_from, monthly_to) = (12 * (10_000 + 5 * 1_999), 12 * (25_000 + 5 * 2_999));
    assert_eq!(
        prices,
        [
            (PricePeriod::Year, Some(euros(from)), Some(euros(to)), Some(euros(to - from))),
            (
                PricePeriod::Month,
                Some(euros(monthly_from)),
                Some(euros(monthly_to)),
                Some(euros(monthly_to - monthly_from))
            ),
        ]
    );
    let emails = &compared.limits[0];
    assert_eq!((emails.from_limit, emails.to_limit, emails.used), (Some(10_000.0), Some(50_000.0), Some(9_000.0)));
    assert_eq!((compared.added_features, compared.removed_features), (vec!["automation".to_owned()], vec![]));

    let dollars = proto::ComparePlansRequest { currency_code: "USD".to_owned(), ..request };
    let refused = harness.catalog.compare_plans(dollars).await.expect_err("no prices in dollars");
    assert_eq!(reason(&refused), "PLANS_NOT_COMPARABLE");
    assert_eq!(missing(&refused)[0].0, "PRICES");
}

#[tokio::test]
async fn what_is_not_known_for_a_comparison_is_named_all_of_it() {
    let mut harness = Harness::start(START).await;
    publish_two(&mut harness).await;
    let mut bare = account("bare");
    (bare.plan, bare.seats) = ("business".to_owned(), None);
    harness.tell_account_as("bare", bare).await;
    harness.settle().await;
    let request = proto::ComparePlansRequest { account: "accounts/bare".to_owned(), ..Default::default() };
    let refused = harness.catalog.compare_plans(request).await.expect_err("not known");
    let kinds: Vec<String> = missing(&refused).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["UPGRADE", "SEATS"]);
}

#[tokio::test]
async fn an_opportunity_expects_what_the_next_plan_costs_more() {
    let mut harness = Harness::start(START).await;
    publish_two(&mut harness).await;
    harness.tell_ripe("acme").await;
    harness.turn_to("1997-03-03").await;
    let opportunity = harness.opportunity_of("acme").await;
    assert_eq!((opportunity.current_plan.as_str(), opportunity.target_plan.as_str()), ("plans/team", "plans/business"));
    assert_eq!(opportunity.expected_gain, Some(euros(150_000 + 5 * 10_000)));
}

#[tokio::test]
async fn plans_are_listed_in_pages_and_created_once() {
    let mut harness = Harness::start(START).await;
    for id in ["b", "a", "b", "c"] {
        publish(&mut harness, id, plan(1, 1, 10.0, "")).await;
    }
    let list = |in_force_only| {
        let catalog = harness.catalog.clone();
        async move |page_size: i32, page_token: String| {
            let request = proto::ListPlansRequest { in_force_only, page_size, page_token };
            let page = catalog.clone().list_plans(request).await?.into_inner();
            Ok((page.plans.into_iter().map(|plan| plan.name).collect::<Vec<String>>(), page.next_page_token))
        }
    };
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let all = names(&["plans/a/versions/1", "plans/b/versions/2", "plans/b/versions/1", "plans/c/versions/1"]);
    assert_pages_cover(list(false), list(true), &all).await;
    let in_force = names(&["plans/a/versions/1", "plans/b/versions/2", "plans/c/versions/1"]);
    assert_pages_cover(list(true), list(false), &in_force).await;

    let count = async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM expansion.plan_versions")
            .fetch_one(harness.database.pool())
            .await
            .expect("a count");
        u64::try_from(count).expect("not negative")
    };
    let call = async |request_id: String, content: usize| {
        let request =
            proto::CreatePlanRequest { request_id, ..creation(["x", "y", "z"][content], plan(1, 1, 10.0, "")) };
        Ok(harness.catalog.clone().create_plan(request).await?.into_inner())
    };
    assert_repeatable(call, count).await;
}
