//! How an import ended.

use std::time::Instant;

use mainstay_domain::grouped;
use serde_json::{Map, Value};

use crate::failure::{FAILED, Failure, WRONG_USE, describe};
use crate::import::ledger::Ledger;
use crate::output::{Output, note};

/// What is told at the end of an import.
pub(crate) struct Ending {
    /// Nothing was sent.
    pub(crate) dry_run: bool,
    /// What became of the rows, for people.
    pub(crate) summary: String,
    /// What programs are told beyond what all imports tell.
    pub(crate) more: Map<String, Value>,
}

impl Ending {
    /// Tells what became of the rows, and how it ended; gives the exit code.
    pub(crate) fn tell(
        self,
        result: Result<(), Failure>,
        ledger: &Ledger,
        started: Instant,
        output: &mut Output,
    ) -> Result<u8, Failure> {
        let counts = ledger.counts();
        let rejected = ledger.rejects().count();
        let path = ledger.rejects().path().map(|path| path.display().to_string());
        if output.is_json() {
            let mut summary = serde_json::json!({
                "dryRun": self.dry_run,
                "complete": result.is_ok(),
                "added": counts.added,
                "changed": counts.changed,
                "known": counts.known,
                "replaced": counts.replaced,
                "rejected": rejected,
                "rejectsFile": path,
            });
            if let Value::Object(fields) = &mut summary {
                fields.extend(self.more);
            }
            output.line(&summary.to_string())?;
        } else {
            output.line(&self.summary)?;
            let seconds = started.elapsed().as_secs_f64();
            let rate = (counts.taken() + rejected) as f64 / seconds.max(0.001);
            note(&format!("{seconds:.1} s, {} rows a second", grouped(&format!("{rate:.0}"))));
            if let Some(path) = path {
                note(&format!("Bad rows are in {path}: correct and import them."));
            }
        }
        output.flush()?;
        let Err(failure) = result else { return Ok(ledger.exit_code()) };
        match &failure {
            Failure::Call(status) => note(&describe(status, output.format())),
            other => note(&format!("mainstay: {other}")),
        }
        if counts.taken() == 0 {
            return Ok(WRONG_USE);
        }
        note(
            "Not all is taken in. Run the same command again once that is put right: what is there already changes nothing.",
        );
        Ok(FAILED)
    }
}
