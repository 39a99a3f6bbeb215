//! A scoring service that takes webhooks, and what is delivered to it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use mainstay_adapters::Vendor;
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::account_service_client::AccountServiceClient;
use mainstay_api::mainstay::scoring::v1::risk_trigger_service_client::RiskTriggerServiceClient;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_domain::{Clock, ManualClock};
use mainstay_rpc::RpcSettings;
use mainstay_rpc::service_main::{Runnable, ServiceError};
use mainstay_rpc::settings::Secret;
use mainstay_scoring::{Feeds, ScoringParts, ScoringService, ScoringSettings, WebhookSettings, migrator};
use mainstay_testkit::TestDatabase;
use mainstay_testkit::browser::{Answer, send};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;

use crate::harness::{Harness, account};

pub(crate) const STRIPE_SECRET: &str = "whsec_test";
const SEGMENT_SECRET: &str = "shared";
const LAGO_SECRET: &str = "hmac_key";
pub(crate) const ZENDESK_SECRET: &str = "signing_secret";

/// A service that listens.
pub(crate) struct Receiver {
    pub(crate) admin: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) clock: ManualClock,
    pub(crate) database: TestDatabase,
    /// Ends the service.
    shutdown: DropGuard,
    running: JoinHandle<Result<(), ServiceError>>,
}

impl Receiver {
    /// One that takes what any vendor sends.
    pub(crate) async fn start() -> Self {
        Self::start_for(&[Vendor::Stripe, Vendor::Segment, Vendor::Lago, Vendor::Zendesk]).await
    }

    /// One that takes what these vendors send.
    pub(crate) async fn start_for(vendors: &[Vendor]) -> Self {
        let database = mainstay_testkit::database(&migrator()).await;
        let clock = mainstay_testkit::manual_clock("2023-05-01T00:00:00Z");
        let secrets = [
            (Vendor::Stripe, STRIPE_SECRET),
            (Vendor::Segment, SEGMENT_SECRET),
            (Vendor::Lago, LAGO_SECRET),
            (Vendor::Zendesk, ZENDESK_SECRET),
        ];
        let secrets = secrets.into_iter().filter(|(vendor, _)| vendors.contains(vendor));
        let secrets = secrets.map(|(vendor, secret)| (vendor, vec![Secret::new("older"), Secret::new(secret)]));
        let webhooks = WebhookSettings { secrets: secrets.collect(), ..WebhookSettings::default() };
        let parts = ScoringParts {
            settings: ScoringSettings { webhooks, ..ScoringSettings::default() },
            feeds: Feeds::default(),
            rpc: RpcSettings::loopback(),
            database: database.settings(),
            clock: Arc::new(clock.clone()),
            telemetry: None,
        };
        let service = ScoringService::complete(parts).await.expect("the service");
        let (admin, channel) = (service.admin_addr(), service.in_memory_channel());
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(service.run(shutdown.clone()));
        Self { admin, channel, clock, database, shutdown: shutdown.drop_guard(), running }
    }

    /// Delivers an event of Stripe that is signed now.
    pub(crate) async fn stripe(&self, event: &Value) -> Answer {
        self.stripe_signed(event, STRIPE_SECRET, self.clock.now()).await
    }

    pub(crate) async fn stripe_signed(&self, event: &Value, secret: &str, signed_at: DateTime<Utc>) -> Answer {
        let (body, seconds) = (event.to_string(), signed_at.timestamp());
        let signature = hex(&sign::<Hmac<Sha256>>(secret, &format!("{seconds}.{body}")));
        let header = format!("t={seconds},v1={signature}");
        send(self.admin, "POST", "/webhooks/stripe", &[("Stripe-Signature", &header)], &body).await
    }

    /// The header that goes with a body that is delivered now.
    pub(crate) fn stripe_signature(&self, body: &str) -> String {
        let seconds = self.clock.now().timestamp();
        format!("t={seconds},v1={}", hex(&sign::<Hmac<Sha256>>(STRIPE_SECRET, &format!("{seconds}.{body}"))))
    }

    pub(crate) async fn segment(&self, body: &Value) -> Answer {
        let body = body.to_string();
        let signature = hex(&sign::<Hmac<Sha1>>(SEGMENT_SECRET, &body));
        send(self.admin, "POST", "/webhooks/segment", &[("X-Signature", &signature)], &body).await
    }

    /// Delivers a webhook of Lago under an id that is not signed.
    pub(crate) async fn lago(&self, webhook: &Value, delivery_id: &str) -> Answer {
        let body = webhook.to_string();
        let signature = STANDARD.encode(sign::<Hmac<Sha256>>(LAGO_SECRET, &body));
        let headers = [
            ("X-Lago-Signature", signature.as_str()),
            ("X-Lago-Signature-Algorithm", "hmac"),
            ("X-Lago-Unique-Key", delivery_id),
        ];
        send(self.admin, "POST", "/webhooks/lago", &headers, &body).await
    }

    /// Delivers what a trigger of Zendesk sends, signed now.
    pub(crate) async fn zendesk(&self, trigger: &Value) -> Answer {
        self.zendesk_signed(&trigger.to_string(), ZENDESK_SECRET, self.clock.now()).await
    }

    pub(crate) async fn zendesk_signed(&self, body: &str, secret: &str, signed_at: DateTime<Utc>) -> Answer {
        let timestamp = signed_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let signature = STANDARD.encode(sign::<Hmac<Sha256>>(secret, &format!("{timestamp}{body}")));
        let headers = [
            ("X-Zendesk-Webhook-Signature", signature.as_str()),
            ("X-Zendesk-Webhook-Signature-Timestamp", timestamp.as_str()),
        ];
        send(self.admin, "POST", "/webhooks/zendesk", &headers, body).await
    }

    pub(crate) async fn create(&self, id: &str) {
        let request =
            proto::CreateAccountRequest { account_id: id.to_owned(), account: Some(account(id)), ..Default::default() };
        AccountServiceClient::new(self.channel.clone()).create_account(request).await.expect("an account");
    }

    pub(crate) async fn account(&self, id: &str) -> Option<proto::Account> {
        let request = proto::GetAccountRequest { name: format!("accounts/{id}") };
        let got = AccountServiceClient::new(self.channel.clone()).get_account(request).await;
        got.ok().map(tonic::Response::into_inner)
    }

    pub(crate) async fn signals(&self, id: &str) -> Vec<proto::Signal> {
        let request = proto::ListSignalsRequest { parent: format!("accounts/{id}"), ..Default::default() };
        let got = SignalServiceClient::new(self.channel.clone()).list_signals(request).await;
        got.expect("signals").into_inner().signals
    }

    /// Ends the service in order, and begins one that does what is due when it is told to.
    pub(crate) async fn end(self) -> Harness {
        drop(self.shutdown);
        self.running.await.expect("no panic").expect("an end in order");
        Harness::on(self.database, self.clock).await
    }

    /// What puts an account at risk: kind and how often it happened.
    pub(crate) async fn risks(&self, id: &str) -> Vec<(proto::RiskTriggerKind, i32)> {
        let request = proto::ListRiskTriggersRequest {
            account: format!("accounts/{id}"),
            lasting_only: true,
            ..Default::default()
        };
        let got = RiskTriggerServiceClient::new(self.channel.clone()).list_risk_triggers(request).await;
        // What the score says of it comes beside, when it is scored.
        let is_of_a_story = |trigger: &proto::RiskTrigger| !trigger.subject.is_empty();
        let triggers = got.expect("risks").into_inner().risk_triggers.into_iter().filter(is_of_a_story);
        triggers.map(|trigger| (trigger.kind(), trigger.occurrence_count)).collect()
    }
}

fn sign<M: Mac + KeyInit>(secret: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

/// A payload of the adapters' tests.
pub(crate) fn payload(name: &str) -> Value {
    let path = format!("{}/../../crates/adapters/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

/// An event of another id, kind and time, of an account.
pub(crate) fn event(name: &str, id: &str, kind: &str, created: i64, account: &str) -> Value {
    let mut event = payload(name);
    event["id"] = json!(id);
    event["type"] = json!(kind);
    event["created"] = json!(created);
    event["data"]["object"]["metadata"] = json!({"mainstay_account": account});
    event
}

#[track_caller]
pub(crate) fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

#[track_caller]
pub(crate) fn assert_outcome(answer: &Answer, status: u16, outcome: &str) {
    assert_eq!((answer.status, &body(answer)["outcome"]), (status, &json!(outcome)), "{}", answer.body);
}
