//! Use that declines and days with activity that become fewer, against peers who do not.

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::RiskTriggerKind::{LoginDrop, UsageDecline};
use proto::risk_trigger::Cause;

use crate::account_fixtures::archive;
use crate::harness::{Harness, activity, at, usage};
use crate::risk_fixtures::{Told, lasting, risk_events, told_of_account};

/// Mondays of four weeks that make a base, and of three that follow.
const MONDAYS: [&str; 7] =
    ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06", "2026-04-13"];

fn weeks(id: &str, sums: [i64; 7]) -> Vec<proto::Signal> {
    MONDAYS.iter().zip(sums).map(|(monday, sum)| usage(id, monday, "emails", sum)).collect()
}

const FALLING: [i64; 7] = [1000, 1000, 1000, 1000, 900, 800, 700];
const STEADY: [i64; 7] = [500, 510, 490, 505, 495, 500, 498];

#[tokio::test]
async fn r60_a_decline_is_told_once_with_its_weeks_and_ends_with_the_first_week_near_its_base() {
    let mut harness = Harness::start("2026-04-20T09:00:00Z").await;
    harness.create_accounts(&["acme", "tiny"]).await;
    let mut signals = weeks("acme", FALLING);
    signals.extend(weeks("tiny", FALLING.map(|sum| sum / 20)));
    // As sources do that come late and out of order.
    signals.reverse();
    harness.record(signals).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "acme", UsageDecline).await, [], "Sunday's may still come");
    harness.turn_to("2026-04-21").await;
    assert_eq!(told_of_account(&harness, "acme", UsageDecline).await, [Told::Raised]);
    let all = lasting(&harness, "acme").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == UsageDecline).expect("a decline");
    let Some(Cause::UsageDecline(cause)) = &trigger.cause else { panic!("a decline") };
    let series = proto::input::Series::Metric("emails".to_owned());
    assert_eq!(cause.input, Some(proto::Input { series: Some(series) }));
    assert_eq!((cause.base, cause.base_week.as_str()), (1000.0, "2026-03-23"));
    let told: Vec<_> = cause.weeks.iter().map(|week| (week.week.as_str(), week.total)).collect();
    assert_eq!(told, [("2026-03-30", 900), ("2026-04-06", 800), ("2026-04-13", 700)]);

    harness.record(vec![usage("acme", "2026-04-21", "emails", 849)]).await;
    harness.pass_days(7).await;
    assert_eq!(told_of_account(&harness, "acme", UsageDecline).await.len(), 2, "it moved by more than a tenth");
    harness.record(vec![usage("acme", "2026-04-22", "emails", 1)]).await;
    harness.settle().await;
    let all = told_of_account(&harness, "acme", UsageDecline).await;
    assert_eq!(all, [Told::Raised, Told::Updated, Told::Cleared]);
    assert_eq!(told_of_account(&harness, "tiny", UsageDecline).await, [], "chance moves few as much");
}

#[tokio::test]
async fn a_fall_of_most_accounts_is_nobodys_and_one_among_others_is() {
    for (others, expected) in [(STEADY, vec![Told::Raised]), (FALLING, Vec::new())] {
        let mut harness = Harness::start("2026-04-21T09:00:00Z").await;
        let ids = ["a", "b", "c", "d", "e", "f", "zeta"];
        harness.create_accounts(&ids).await;
        let others = ids[..6].iter().flat_map(|id| weeks(id, others));
        harness.record(others.chain(weeks("zeta", FALLING)).collect()).await;
        harness.settle().await;
        assert_eq!(told_of_account(&harness, "zeta", UsageDecline).await, expected);
        let told = risk_events(&harness).await;
        assert_eq!(told.iter().filter(|(_, trigger)| trigger.kind() == UsageDecline).count(), expected.len());
    }
}

/// Activity of somebody on so many days of each of these weeks.
fn visits(id: &str, mondays: &[&str], days_each: i64) -> Vec<proto::Signal> {
    let day = |monday: &str, day: i64| (at(monday) + chrono::TimeDelta::days(day)).date_naive().to_string();
    let all = mondays.iter().flat_map(|monday| (0..days_each).map(move |place| day(monday, place)));
    all.map(|day| activity(id, &day, "ada")).collect()
}

#[tokio::test]
async fn r69_half_as_many_days_with_logins_are_told_once_and_end_at_three_quarters() {
    let mut harness = Harness::start("2026-04-24T09:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(visits("acme", &MONDAYS[..4], 5)).await;
    harness.record(visits("acme", &MONDAYS[4..6], 5)).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "acme", LoginDrop).await, [], "11 of 19");
    harness.turn_to("2026-04-27").await;
    assert_eq!(told_of_account(&harness, "acme", LoginDrop).await, [Told::Raised]);
    let all = lasting(&harness, "acme").await;
    let trigger = all.iter().find(|trigger| trigger.kind() == LoginDrop).expect("a drop");
    let Some(Cause::LoginDrop(cause)) = &trigger.cause else { panic!("a drop") };
    assert_eq!((cause.active_days, cause.earlier_active_days, cause.last_day.as_str()), (10, 20, "2026-04-26"));
    // What came late.
    harness.record(visits("acme", &MONDAYS[6..], 4)).await;
    harness.settle().await;
    assert_eq!(told_of_account(&harness, "acme", LoginDrop).await, [Told::Raised, Told::Updated], "14 of 20");
    harness.record(visits("acme", &["2026-04-20"], 1)).await;
    harness.settle().await;
    let all = told_of_account(&harness, "acme", LoginDrop).await;
    assert_eq!(all, [Told::Raised, Told::Updated, Told::Cleared]);
}

#[tokio::test]
async fn a_holiday_of_everybody_makes_nobody_come_less_often() {
    let mut harness = Harness::start("2026-04-27T09:00:00Z").await;
    let ids = ["a", "b", "c", "d", "e", "f"];
    harness.create_accounts(&ids).await;
    harness.record(ids.iter().flat_map(|id| visits(id, &MONDAYS[..6], 5)).collect()).await;
    harness.settle().await;
    let told = risk_events(&harness).await;
    assert_eq!(told.iter().filter(|(_, trigger)| trigger.kind() == LoginDrop).count(), 0);
}

#[tokio::test]
async fn a_decline_ends_with_the_account() {
    let mut harness = Harness::start("2026-04-21T09:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(weeks("acme", FALLING)).await;
    harness.settle().await;
    archive(&harness, "acme", "").await.expect("archived");
    let told = risk_events(&harness).await;
    let seen: Vec<_> = told.iter().filter(|(_, trigger)| trigger.kind() == UsageDecline).collect();
    assert_eq!(seen.iter().map(|(told, _)| *told).collect::<Vec<_>>(), [Told::Raised, Told::Cleared]);
    assert_eq!(seen[1].1.clear_reason(), proto::RiskTriggerClearReason::AccountGone);
}
