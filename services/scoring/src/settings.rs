//! The service's own settings.

use std::collections::BTreeMap;

use mainstay_adapters::{DEFAULT_ACCOUNT_KEY, Vendor};
use mainstay_rpc::settings::{Reader, Secret};
use mainstay_service::{PeerSettings, WorkerSettings, peer_settings};

/// How the service does its background work.
#[derive(Debug, Clone)]
pub struct ScoringSettings {
    /// Workers that score accounts, in this process.
    pub rescore_workers: u32,
    /// The work behind the RPCs.
    pub workers: WorkerSettings,
    /// The webhooks of vendors.
    pub webhooks: WebhookSettings,
    /// Surveys; without it answers come by RPC only.
    pub surveys: Option<PeerSettings>,
    /// Interventions; without it contacts and outcomes come by RPC only.
    pub interventions: Option<PeerSettings>,
}

/// Whose webhooks are taken.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// The key of metadata, traits or properties that names the account.
    pub account_key: String,
    /// The signing secrets of those that are taken, the present one first; any of them will do.
    pub secrets: BTreeMap<Vendor, Vec<Secret>>,
}

impl Default for WebhookSettings {
    /// Nobody's.
    fn default() -> Self {
        Self { account_key: DEFAULT_ACCOUNT_KEY.to_owned(), secrets: BTreeMap::new() }
    }
}

impl Default for ScoringSettings {
    fn default() -> Self {
        Self {
            rescore_workers: 2,
            workers: WorkerSettings::default(),
            webhooks: WebhookSettings::default(),
            surveys: None,
            interventions: None,
        }
    }
}

impl ScoringSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        Self {
            rescore_workers: reader.u32(
                "scoring.rescore_workers",
                "Workers that score accounts, in this process; each holds a database connection while it works.",
                Self::default().rescore_workers,
                1..=32,
            ),
            workers: WorkerSettings::read(reader),
            webhooks: WebhookSettings::read(reader),
            surveys: peer_settings!(reader, "surveys"),
            interventions: peer_settings!(reader, "interventions"),
        }
    }
}

impl WebhookSettings {
    fn read(reader: &mut Reader) -> Self {
        let account_key = reader.string(
            "webhooks.account_key",
            "The key of the vendors' metadata, traits or properties that names the account.",
            DEFAULT_ACCOUNT_KEY,
        );
        let mut secrets = BTreeMap::new();
        for vendor in Vendor::ALL.into_iter().filter(|vendor| *vendor != Vendor::Tickets) {
            let present = reader.optional_secret(
                &format!("webhooks.{vendor}.secret"),
                "The vendor's signing secret: with it, POST /webhooks/<vendor> on the admin port is taken.",
            );
            let previous_key = format!("webhooks.{vendor}.previous_secret");
            let previous = reader.optional_secret(
                &previous_key,
                "The signing secret before, while deliveries may still be signed with it.",
            );
            if present.is_none() && previous.is_some() {
                reader.fault(&previous_key, format!("is of no use without webhooks.{vendor}.secret"));
            }
            if let Some(present) = present {
                secrets.insert(vendor, std::iter::once(present).chain(previous).collect());
            }
        }
        Self { account_key, secrets }
    }
}
