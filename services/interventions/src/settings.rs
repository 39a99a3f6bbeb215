//! The service's own settings.

use chrono::NaiveTime;
use mainstay_delivery::DeliverySettings;
use mainstay_domain::is_email;
use mainstay_rpc::settings::Reader;
use mainstay_service::{PeerSettings, WorkerSettings, peer_settings};

use crate::domain::owners::DefaultOwners;

/// Who is asked when nobody is known and nothing is set.
const DEFAULT_OWNER: &str = "customer-success@localhost";

/// When the digest of billing alerts is sent if nothing is set.
const BILLING_DIGEST_AT: Option<NaiveTime> = NaiveTime::from_hms_opt(7, 0, 0);

/// How the service works, and with whom.
#[derive(Debug, Clone)]
pub struct InterventionsSettings {
    /// The work behind the RPCs.
    pub workers: WorkerSettings,
    /// Workers that look after clocks, in this process.
    pub clock_workers: u32,
    /// Who is asked when nobody is known.
    pub default_owners: DefaultOwners,
    /// The time of day, in UTC, at which billing alerts are summed up for who owns or is told of them; none: never.
    pub billing_digest_at: Option<NaiveTime>,
    /// Slack destinations that hear of alerts and breaches, and get the digest of billing alerts.
    pub slack: Vec<String>,
    /// Webhooks that hear of alerts and breaches.
    pub webhooks: Vec<String>,
    /// How messages leave.
    pub delivery: DeliverySettings,
    /// Scoring; without it nothing is heard of accounts.
    pub scoring: Option<PeerSettings>,
    /// Surveys; without it nothing is heard of answers.
    pub surveys: Option<PeerSettings>,
}

impl Default for InterventionsSettings {
    fn default() -> Self {
        Self {
            workers: WorkerSettings::default(),
            clock_workers: 2,
            default_owners: DefaultOwners { everyone: DEFAULT_OWNER.to_owned(), director: None, finance: None },
            billing_digest_at: BILLING_DIGEST_AT,
            slack: Vec::new(),
            webhooks: Vec::new(),
            delivery: DeliverySettings::default(),
            scoring: None,
            surveys: None,
        }
    }
}

impl InterventionsSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        let defaults = Self::default();
        let everyone = reader.string(
            "interventions.default_owner",
            "Mail address of whoever is asked when nobody is known who looks after an account.",
            DEFAULT_OWNER,
        );
        let director = reader.optional_string(
            "interventions.default_director",
            "Who is asked instead of a director or executive sponsor; absent: the default owner.",
        );
        let finance = reader.optional_string(
            "interventions.default_finance",
            "Who is asked instead of a contact in finance; absent: the default owner.",
        );
        for (key, email) in [
            ("interventions.default_owner", Some(&everyone)),
            ("interventions.default_director", director.as_ref()),
            ("interventions.default_finance", finance.as_ref()),
        ] {
            if let Some(email) = email.filter(|email| !is_email(email)) {
                reader.fault(key, format!("must be a mail address, not `{email}`"));
            }
        }
        let slack = reader.list(
            "interventions.slack",
            "Names of Slack destinations in delivery.slack that hear of alerts, of deadlines that were missed, and of how cases end, and get the digest of billing alerts.",
            &[],
        );
        let webhooks = reader.list(
            "interventions.webhooks",
            "Names of webhooks in delivery.webhook that hear of alerts, their plans and ends, of deadlines that were missed, and of how cases end.",
            &[],
        );
        let delivery = DeliverySettings::read(reader);
        for name in slack.iter().filter(|name| !delivery.slack.contains_key(*name)) {
            reader.fault("interventions.slack", format!("`{name}` is not in delivery.slack"));
        }
        for name in webhooks.iter().filter(|name| !delivery.webhooks.contains_key(*name)) {
            reader.fault("interventions.webhooks", format!("`{name}` is not in delivery.webhook"));
        }
        Self {
            workers: WorkerSettings::read(reader),
            clock_workers: reader.u32(
                "interventions.clock_workers",
                "Workers that look after clocks, in this process; each holds a database connection while it works.",
                defaults.clock_workers,
                1..=32,
            ),
            default_owners: DefaultOwners { everyone, director, finance },
            billing_digest_at: reader.time_of_day(
                "interventions.billing_digest_at",
                "Time of day in UTC, such as 07:00, at which a digest of alerts on payments and disputes goes to who owns or is told of them, by mail, and to interventions.slack; off, or an empty text in the file: never.",
                defaults.billing_digest_at,
            ),
            slack,
            webhooks,
            delivery,
            scoring: peer_settings!(reader, "scoring"),
            surveys: peer_settings!(reader, "surveys"),
        }
    }
}
