//! A service that sends messages, without the rest of it.

use std::sync::{Arc, Once};
use std::time::Duration;

use chrono::TimeDelta;
use mainstay_delivery::{
    AttemptRecord, Content, Delivery, DeliverySettings, Dispatcher, Email, Enqueued, MIGRATIONS, MessageFilter,
    MessageRecord, NewMessage, SigningKey, Slack, SmtpSettings, Webhook,
};
use mainstay_domain::{Clock, IdSource, ManualClock};
use mainstay_storage::{MigrationSet, Migrator, SchemaName};
use mainstay_testkit::TestDatabase;
use mainstay_testkit::http::HttpReceiver;
use mainstay_testkit::smtp::SmtpReceiver;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

pub(crate) const SCHEMA: SchemaName = SchemaName::new("alerting");
pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static DELIVERY: MigrationSet = MIGRATIONS;
static STORAGE: MigrationSet = mainstay_storage::MIGRATIONS;

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) delivery: Delivery,
    pub(crate) smtp: SmtpReceiver,
    pub(crate) http: HttpReceiver,
    ids: IdSource,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        trace_once();
        let migrator = Migrator::new(SCHEMA, vec![&STORAGE, &DELIVERY]);
        let clock = mainstay_testkit::manual_clock("2026-03-01T00:00:00Z");
        Self {
            database: mainstay_testkit::database(&migrator).await,
            delivery: Delivery::new(&SCHEMA),
            smtp: SmtpReceiver::start().await,
            http: HttpReceiver::start().await,
            ids: IdSource::seeded(Arc::new(clock.clone()), 7),
            clock,
        }
    }

    /// The relay, the Slack address `ops` and the webhook `crm`, all of them receivers of this test.
    pub(crate) fn settings(&self) -> DeliverySettings {
        let from = "Mainstay <care@example.com>".parse().expect("a mailbox");
        let settings = DeliverySettings {
            smtp: Some(SmtpSettings::local(self.smtp.port(), from)),
            allow_private_addresses: true,
            // So that nothing depends on polling where a test wakes.
            poll_interval: Duration::from_millis(20),
            ..DeliverySettings::default()
        };
        settings.with_slack("ops", self.http.url("/slack")).with_webhook(
            "crm",
            self.http.url("/hooks"),
            vec![SigningKey::parse(KEY).expect("a key")],
        )
    }

    pub(crate) fn dispatcher(&self) -> Dispatcher {
        self.dispatcher_with(&self.settings())
    }

    pub(crate) fn dispatcher_with(&self, settings: &DeliverySettings) -> Dispatcher {
        let pool = self.database.pool().clone();
        Dispatcher::new(self.delivery.clone(), pool, Arc::new(self.clock.clone()), settings).expect("settings")
    }

    pub(crate) fn new_id(&self) -> Uuid {
        self.ids.new_id()
    }

    pub(crate) fn message(&self, content: impl Into<Content>) -> NewMessage {
        NewMessage::new(self.new_id(), "alert_raised", content)
    }

    pub(crate) async fn enqueue(&self, message: &NewMessage) -> Enqueued {
        let mut transaction = self.database.pool().begin().await.expect("a transaction");
        let enqueued =
            self.delivery.enqueue(&mut transaction, message, self.clock.now()).await.expect("an enqueued message");
        transaction.commit().await.expect("a commit");
        enqueued
    }

    /// Enqueues what is about no account and has no key; answers its id.
    pub(crate) async fn enqueue_new(&self, content: impl Into<Content>) -> Uuid {
        self.enqueue(&self.message(content)).await.id
    }

    pub(crate) async fn record(&self, id: Uuid) -> MessageRecord {
        let mut connection = self.database.pool().acquire().await.expect("a connection");
        self.delivery.lookup(&mut connection, id).await.expect("a look-up").expect("the message")
    }

    pub(crate) async fn records(&self) -> Vec<MessageRecord> {
        let all = MessageFilter::default();
        self.delivery.list(self.database.pool(), &all, None, 1_000).await.expect("a list")
    }

    /// The newest first.
    pub(crate) async fn attempts(&self, id: Uuid) -> Vec<AttemptRecord> {
        let mut connection = self.database.pool().acquire().await.expect("a connection");
        self.delivery.attempts(&mut connection, id).await.expect("attempts")
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }
}

/// For all tests of the process: a subscriber of one test alone would miss spans whose call sites others met first.
fn trace_once() {
    static TRACED: Once = Once::new();
    TRACED.call_once(|| {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tests"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).expect("the first");
    });
}

pub(crate) fn email() -> Email {
    Email {
        to: "Ann Example <ann@example.org>".to_owned(),
        subject: "Acme fell silent".to_owned(),
        text: "No sign of life for 14 days.\n".to_owned(),
        ..Email::default()
    }
}

pub(crate) fn email_to(to: &str) -> Email {
    Email { to: to.to_owned(), ..email() }
}

pub(crate) fn slack() -> Slack {
    Slack { destination: "ops".to_owned(), text: "*Acme* fell silent".to_owned(), blocks: None }
}

pub(crate) fn webhook() -> Webhook {
    webhook_to("crm")
}

pub(crate) fn webhook_to(destination: &str) -> Webhook {
    Webhook {
        destination: destination.to_owned(),
        event_type: "alert.raised".to_owned(),
        data: json!({ "account": "accounts/acme", "days_silent": 14 }),
    }
}
