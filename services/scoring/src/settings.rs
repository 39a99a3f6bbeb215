//! The service's own settings.

use mainstay_rpc::settings::Reader;
use mainstay_service::WorkerSettings;

/// How the service does its background work.
#[derive(Debug, Clone)]
pub struct ScoringSettings {
    /// Workers that score accounts, in this process.
    pub rescore_workers: u32,
    /// The work behind the RPCs.
    pub workers: WorkerSettings,
}

impl Default for ScoringSettings {
    fn default() -> Self {
        Self { rescore_workers: 2, workers: WorkerSettings::default() }
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
        }
    }
}
