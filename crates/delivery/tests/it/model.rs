//! Whatever happens, in whatever order: nothing is lost, nothing is sent that is not on record.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use mainstay_delivery::{AttemptOutcome, Channel, Destination, Dispatcher, MessageState};
use mainstay_domain::Clock;
use mainstay_testkit::http::HttpAnswer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::yield_now;
use uuid::Uuid;

use crate::fixture::{Fixture, email_to, slack, webhook};

const STEPS: usize = 60;
const RECIPIENTS: [&str; 3] = ["ok@example.org", "gone@example.org", "slow@example.org"];

struct Story {
    fixture: Fixture,
    dispatchers: [Dispatcher; 2],
    random: StdRng,
    ids: Vec<Uuid>,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let fixture = Fixture::start().await;
        fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
        fixture.smtp.refuse_recipient("slow@example.org", "450 4.2.1 later");
        let dispatchers = [fixture.dispatcher(), fixture.dispatcher()];
        Self { fixture, dispatchers, random: StdRng::seed_from_u64(seed), ids: Vec::new() }
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.random_range(0..choices.len())]
    }

    async fn step(&mut self) {
        match self.random.random_range(0..10) {
            0 | 1 => {
                let to = self.pick(&RECIPIENTS);
                self.ids.push(self.fixture.enqueue_new(email_to(to)).await);
            }
            2 => self.ids.push(self.fixture.enqueue_new(webhook()).await),
            3 => self.ids.push(self.fixture.enqueue_new(slack()).await),
            4 => {
                let answer = HttpAnswer::status(self.pick(&[200, 200, 307, 410, 500]));
                self.fixture.http.answer(answer);
            }
            5 => {
                let minutes = self.pick(&[0, 1, 5, 30, 600]);
                self.fixture.pass(TimeDelta::minutes(minutes) + TimeDelta::seconds(5));
            }
            6 => self.replay_one().await,
            7 => self.die().await,
            _ => {
                let dispatcher = &self.dispatchers[self.random.random_range(0..2)];
                dispatcher.run_due().await.expect("no fault");
            }
        }
    }

    async fn replay_one(&mut self) {
        if self.ids.is_empty() {
            return;
        }
        let ids = self.ids.clone();
        let id = self.pick(&ids);
        let mut connection = self.fixture.database.pool().acquire().await.expect("a connection");
        self.fixture.delivery.replay(&mut connection, id, self.fixture.clock.now()).await.expect("no fault");
    }

    /// A process that ends anywhere in its work.
    async fn die(&mut self) {
        let dispatcher = self.fixture.dispatcher();
        let working = tokio::spawn(async move { dispatcher.run_due().await });
        for _ in 0..self.random.random_range(1..400) {
            yield_now().await;
        }
        working.abort();
        // It may have ended before.
        let _ = working.await;
    }

    /// All receivers are well again, and three days pass.
    async fn end_well(&self) {
        self.fixture.http.answer(HttpAnswer::status(200));
        for recipient in RECIPIENTS {
            self.fixture.smtp.accept_recipient(recipient);
        }
        for channel in [Channel::Slack, Channel::Webhook] {
            for name in ["ops", "crm"] {
                let destination = Destination::named(channel, name).expect("a name");
                let mut connection = self.fixture.database.pool().acquire().await.expect("a connection");
                self.fixture.delivery.enable(&mut connection, &destination).await.expect("no fault");
            }
        }
        self.fixture.pass(TimeDelta::days(3));
        self.dispatchers[0].run_due().await.expect("no fault");
    }

    /// How often each message came.
    fn received(&self) -> BTreeMap<Uuid, usize> {
        let mut received = BTreeMap::new();
        let emails = self.fixture.smtp.emails();
        let email_ids = emails.iter().map(|email| email.message_id.trim_end_matches("@example.com").to_owned());
        for id in email_ids {
            *received.entry(id.parse().expect("an id")).or_default() += 1;
        }
        received
    }

    async fn check(&self) {
        let received = self.received();
        assert_eq!(self.fixture.records().await.len(), self.ids.len(), "none is lost, none is new");
        for id in &self.ids {
            let record = self.fixture.record(*id).await;
            let attempts = self.fixture.attempts(*id).await;
            let numbers: Vec<u32> = attempts.iter().rev().map(|attempt| attempt.attempt).collect();
            assert_eq!(numbers, (1..=record.attempts).collect::<Vec<_>>(), "{record:?}");
            let ended = |wanted: Option<AttemptOutcome>| attempts.iter().filter(|one| one.outcome == wanted).count();
            assert_ne!(record.state, MessageState::Pending, "all receivers were well for long enough: {record:?}");
            if record.state == MessageState::Sent {
                assert!(ended(Some(AttemptOutcome::Sent)) > 0, "{record:?}: {attempts:?}");
            }
            if record.channel == Channel::Email {
                let came = received.get(id).copied().unwrap_or(0);
                let sent = ended(Some(AttemptOutcome::Sent));
                assert!(sent <= came, "{id} was recorded as sent {sent} times, and came {came} times");
                let unknown = ended(None);
                assert!(came <= sent + unknown, "{id} came {came} times, of {sent} sent and {unknown} unknown");
            }
        }
    }
}

#[tokio::test]
async fn whatever_happens_nothing_is_lost_and_nothing_is_sent_that_is_not_on_record() {
    for seed in 0..8 {
        let mut story = Story::begin(seed).await;
        for _ in 0..STEPS {
            story.step().await;
        }
        story.end_well().await;
        println!("seed {seed}: {} messages", story.ids.len());
        story.check().await;
    }
}
