//! The settings, section `delivery`: how messages leave, and to whom.

mod destinations;
mod smtp;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_rpc::settings::{Reader, Secret};

pub use destinations::{DestinationSettings, SigningKey, WebhookSettings};
pub use smtp::{SmtpSettings, SmtpTls};

use crate::lane::{Channel, Destination};

const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// One after the other: Slack takes about one message a second for an address, and asks for a pause beyond that.
const SLACK_CONCURRENCY: u32 = 1;
const WEBHOOK_CONCURRENCY: u32 = 4;

/// How messages leave, and to whom. Without any setting nothing can leave: messages wait, and are tried again, until
/// their destinations are configured or they are dead.
#[derive(Debug, Clone)]
pub struct DeliverySettings {
    /// The relay for email; `None` when there is none.
    pub smtp: Option<SmtpSettings>,
    /// Slack addresses by name.
    pub slack: BTreeMap<String, DestinationSettings>,
    /// Webhooks by name.
    pub webhooks: BTreeMap<String, WebhookSettings>,
    /// How long one attempt may take, by the machine's clock; 30 s by default.
    pub send_timeout: Duration,
    /// How long a dispatcher that found nothing due waits before it looks again, unless woken; 250 ms by default.
    pub poll_interval: Duration,
    /// Whether Slack addresses and webhooks may lie on private, loopback and link-local addresses, and be `http`. For
    /// tests, development and receivers inside the cluster: whoever can change the settings then reaches what the
    /// service reaches.
    pub allow_private_addresses: bool,
    /// Certificate authorities (PEM) that Slack addresses and webhooks are checked with instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            smtp: None,
            slack: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            send_timeout: SEND_TIMEOUT,
            poll_interval: POLL_INTERVAL,
            allow_private_addresses: false,
            ca_file: None,
        }
    }
}

impl DeliverySettings {
    /// Reads the section `delivery`; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        let allow_private_addresses = reader.bool(
            "delivery.allow_private_addresses",
            "whether webhooks may lie on private, loopback and link-local addresses, and be http",
            false,
        );
        Self {
            smtp: SmtpSettings::read(reader),
            slack: destinations::read_slack(reader, allow_private_addresses),
            webhooks: destinations::read_webhooks(reader, allow_private_addresses),
            send_timeout: reader.duration(
                "delivery.send_timeout",
                "how long one attempt at sending a message may take",
                SEND_TIMEOUT,
                Duration::from_millis(100)..=Duration::from_mins(5),
            ),
            poll_interval: reader.duration(
                "delivery.poll_interval",
                "how long to wait before looking again for messages that are due, unless woken",
                POLL_INTERVAL,
                Duration::from_millis(10)..=Duration::from_mins(1),
            ),
            allow_private_addresses,
            ca_file: reader.optional_path(
                "delivery.ca_file",
                "certificate authorities (PEM) for Slack addresses and webhooks instead of the system's",
            ),
        }
    }

    /// All destinations to which something can be sent, sorted.
    pub fn destinations(&self) -> Vec<Destination> {
        let email = self.smtp.iter().map(|_| Destination::email());
        let slack = self.slack.keys().filter_map(|name| Destination::named(Channel::Slack, name));
        let webhooks = self.webhooks.keys().filter_map(|name| Destination::named(Channel::Webhook, name));
        email.chain(slack).chain(webhooks).collect()
    }

    /// Adds a Slack address, for tests and programs that put their settings together themselves.
    #[must_use]
    pub fn with_slack(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.slack.insert(name.into(), DestinationSettings { url: Secret::new(url), concurrency: SLACK_CONCURRENCY });
        self
    }

    /// Adds a webhook, for tests and programs that put their settings together themselves.
    #[must_use]
    pub fn with_webhook(mut self, name: impl Into<String>, url: impl Into<String>, keys: Vec<SigningKey>) -> Self {
        let target = DestinationSettings { url: Secret::new(url), concurrency: WEBHOOK_CONCURRENCY };
        self.webhooks.insert(name.into(), WebhookSettings { target, keys });
        self
    }
}
