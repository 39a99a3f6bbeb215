//! The service's own settings.

use mainstay_domain::is_email;
use mainstay_rpc::settings::Reader;
use mainstay_service::{PeerSettings, WorkerSettings, peer_settings};

const DEFAULT_OWNER: &str = "customer-success@localhost";

/// How the service works.
#[derive(Debug, Clone)]
pub struct ExpansionSettings {
    /// The work behind the RPCs.
    pub workers: WorkerSettings,
    /// Who works on opportunities of accounts that nobody looks after.
    pub default_owner_email: String,
    /// Where scoring is, which tells of accounts, usage and risks.
    pub scoring: Option<PeerSettings>,
    /// Where interventions are, which tell of cases and contacts.
    pub interventions: Option<PeerSettings>,
}

impl Default for ExpansionSettings {
    fn default() -> Self {
        Self {
            workers: WorkerSettings::default(),
            default_owner_email: DEFAULT_OWNER.to_owned(),
            scoring: None,
            interventions: None,
        }
    }
}

impl ExpansionSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        let default_owner_email = reader.string(
            "expansion.default_owner_email",
            "Who works on opportunities of accounts that have neither a CSM nor an account manager.",
            DEFAULT_OWNER,
        );
        if !is_email(&default_owner_email) {
            reader.fault("expansion.default_owner_email", "must be a mail address");
        }
        Self {
            workers: WorkerSettings::read(reader),
            default_owner_email,
            scoring: peer_settings!(reader, "scoring"),
            interventions: peer_settings!(reader, "interventions"),
        }
    }
}
