//! What the model that ships says of customers.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::RiskTriggerKind::RenewalAtRisk;
use proto::{TicketAction, TicketPriority};

use crate::account_fixtures::time;
use crate::adoption_fixtures::uses;
use crate::harness::{Harness, account, activity};
use crate::risk_fixtures::{Told, invoice, ticket, told_of_account};

/// A day of 2026, by how many days after January 1 it is.
fn day(number: u64) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    (first + chrono::Days::new(number)).to_string()
}

/// Both customers use the product every day, pay, and ask something now and then; one of them until day 60, the other for longer.
async fn one_goes_away() -> Harness {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    harness.create_accounts(&["gone", "stays"]).await;
    harness.turn_to(&day(190)).await;
    for (id, days) in [("gone", 0..60), ("stays", 0..190)] {
        let daily = days.clone().flat_map(|number| {
            let on = day(number);
            let users = ["ann", "bob"].map(|user| activity(id, &on, user));
            let features = ["search", "export"].map(|feature| uses(id, &on, feature, 1));
            users.into_iter().chain(features)
        });
        let monthly = days.step_by(30).flat_map(|number| {
            let asked = ticket(id, &day(number), &format!("t-{number}"), TicketAction::Opened, TicketPriority::Normal);
            let solved =
                ticket(id, &day(number + 1), &format!("t-{number}"), TicketAction::Resolved, TicketPriority::Normal);
            [asked, solved, invoice(id, &day(number), &format!("in-{number}"), proto::InvoiceAction::Paid)]
        });
        harness.record(daily.chain(monthly).collect()).await;
    }
    harness.settle().await;
    harness
}

#[tokio::test]
async fn who_stays_away_does_not_recover_by_it() {
    let mut harness = one_goes_away().await;
    let mut scores = BTreeMap::new();
    for number in (55..190).step_by(3) {
        scores.insert(number, harness.health_of("gone", &day(number)).await.score.expect("a score"));
    }
    assert!(scores[&58] > 80.0, "as long as it is used: {scores:?}");
    let silent: Vec<(u64, f64)> = scores.into_iter().filter(|(number, _)| *number >= 60 + 28).collect();
    for pair in silent.windows(2) {
        assert!(pair[1].1 <= pair[0].1 + 1.0, "from day {} to day {} of {silent:?}", pair[0].0, pair[1].0);
    }
    assert!(silent.iter().all(|(_, score)| *score < 50.0), "{silent:?}");
}

#[tokio::test]
async fn r64_r75_tickets_that_come_back_and_slow_answers_count_in_it() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["again", "slow", "well"]).await;
    harness.turn_to("2026-03-20").await;
    let answered = |id: &str, at: &str| {
        let mut opened = ticket(id, "2026-03-10", "t-1", TicketAction::Opened, TicketPriority::Normal);
        if let Some(Payload::Ticket(told)) = &mut opened.payload {
            told.first_response_time = Some(time(at));
        }
        opened
    };
    let resolved = |id: &str| ticket(id, "2026-03-14", "t-1", TicketAction::Resolved, TicketPriority::Normal);
    let mut told: Vec<proto::Signal> =
        ["again", "well"].into_iter().flat_map(|id| [answered(id, "2026-03-10"), resolved(id)]).collect();
    told.extend([answered("slow", "2026-03-13"), resolved("slow")]);
    for (action, on) in [(TicketAction::Reopened, "2026-03-15"), (TicketAction::Resolved, "2026-03-16")] {
        told.push(ticket("again", on, "t-1", action, TicketPriority::Normal));
    }
    told.extend(["again", "slow", "well"].map(|id| activity(id, "2026-03-19", "ann")));
    harness.record(told).await;
    harness.settle().await;
    let mut score = async |id: &str| harness.health_of(id, "").await.score.expect("a score");
    let (again, slow, well) = (score("again").await, score("slow").await, score("well").await);
    assert!(again < well && slow < well, "again {again}, slow {slow}, well {well}");
}

#[tokio::test]
async fn r63_each_escalation_lowers_the_score_of_who_had_as_many_tickets() {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    let ids = ["never", "once", "thrice"];
    harness.create_accounts(&ids).await;
    harness.turn_to(&day(90)).await;
    for (id, escalation_count) in ids.into_iter().zip([0, 1, 3]) {
        let active = (0..=90).map(|number| activity(id, &day(number), "ann"));
        let tickets = [30, 50, 70].into_iter().enumerate().flat_map(|(place, number)| {
            let ticket_id = format!("t-{number}");
            let on = |after: u64, action| ticket(id, &day(number + after), &ticket_id, action, TicketPriority::Normal);
            let escalated = (place < escalation_count).then(|| on(1, TicketAction::Escalated));
            [Some(on(0, TicketAction::Opened)), escalated, Some(on(3, TicketAction::Resolved))].into_iter().flatten()
        });
        harness.record(active.chain(tickets).collect()).await;
    }
    harness.settle().await;
    let mut scores = Vec::new();
    for id in ids {
        scores.push(harness.health_of(id, "").await.score.expect("a score"));
    }
    assert!(scores[0] > scores[1] && scores[1] > scores[2], "{scores:?}");
}

#[tokio::test]
async fn r71_a_renewal_is_at_risk_by_tickets_and_falling_use_and_not_without_them() {
    let mut harness = Harness::start("2026-01-01T00:00:00Z").await;
    // Whether use falls, and whether tickets are escalated and stay open.
    let customers = [("well", false, false), ("asks", false, true), ("fades", true, false), ("troubled", true, true)];
    let accounts = customers.map(|(id, ..)| proto::Account { renewal_time: Some(time(&day(150))), ..account(id) });
    let request = proto::BatchUpsertAccountsRequest { accounts: accounts.to_vec(), ..Default::default() };
    harness.accounts.batch_upsert_accounts(request).await.expect("accounts");
    harness.turn_to(&day(90)).await;
    for (id, use_falls, asks) in customers {
        let mut told = Vec::new();
        for number in 0..=90 {
            if use_falls && number > 62 && number % 5 > 0 {
                continue;
            }
            let users: &[&str] = if use_falls && number > 62 { &["ann"] } else { &["ann", "bob", "eve"] };
            told.extend(users.iter().map(|user| activity(id, &day(number), user)));
        }
        for number in [75, 80, 85] {
            let on = |after: u64, action, priority| {
                ticket(id, &day(number + after), &format!("t-{number}"), action, priority)
            };
            told.push(on(0, TicketAction::Opened, if asks { TicketPriority::Urgent } else { TicketPriority::Normal }));
            let next = if asks { TicketAction::Escalated } else { TicketAction::Resolved };
            told.push(on(2, next, TicketPriority::Unspecified));
        }
        harness.record(told).await;
    }
    harness.settle().await;
    let mut scores = BTreeMap::new();
    for (id, ..) in customers {
        scores.insert(id, harness.health_of(id, "").await.score.expect("a score"));
    }
    assert!(scores["well"] > 72.0 && scores["troubled"] < 70.0, "{scores:?}");
    let (worse_for_use, worse_for_tickets) =
        (scores["asks"] - scores["troubled"], scores["fades"] - scores["troubled"]);
    assert!(worse_for_use > 5.0 && worse_for_tickets > 5.0, "each tells of the risk: {scores:?}");
    assert_eq!(told_of_account(&harness, "troubled", RenewalAtRisk).await, [Told::Raised]);
    assert_eq!(told_of_account(&harness, "well", RenewalAtRisk).await, []);
}
