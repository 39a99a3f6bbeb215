//! What the model that ships says of customers.

use std::collections::BTreeMap;

use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use proto::{TicketAction, TicketPriority};

use crate::account_fixtures::time;
use crate::adoption_fixtures::uses;
use crate::harness::{Harness, activity};
use crate::risk_fixtures::{invoice, ticket};

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
