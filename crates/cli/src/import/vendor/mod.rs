//! Takes in what vendors send: payloads of their webhooks, kept in files.
//!
//! One thread reads payloads, maps them and makes batches, at most two ahead of what is sent. Of each batch first what is said of accounts
//! is sent, then the signals.

mod accounts;
mod newest;
mod payloads;
mod reading;
mod said;
mod sending;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use mainstay_adapters::{Adapter, Vendor};
use mainstay_domain::grouped;
use serde_json::json;
use tokio::sync::mpsc;

use crate::command::import::PayloadArguments;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::ending::Ending;
use crate::import::ledger::{Counts, Ledger};
use crate::import::rejects::{RejectFormat, Rejects};
use crate::import::source::Counted;
use crate::import::{BATCHES_AHEAD, both};
use crate::output::Output;
use reading::{Input, PayloadReader};

const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Imports files of payloads and gives the exit code.
pub(crate) async fn run(
    vendor: Vendor,
    arguments: &PayloadArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<u8, Failure> {
    let Opened { inputs, bytes_read, bytes_total } = open(&arguments.files)?;
    let rejects_path = rejects_path(arguments)?;
    let mut ledger = Ledger::new(Rejects::new(rejects_path, RejectFormat::JsonLines), bytes_read, bytes_total);
    let started = Instant::now();
    let reader = PayloadReader {
        adapter: Adapter { vendor, account_key: arguments.account_key.clone() },
        payloads_max: usize::try_from(arguments.batch_size).unwrap_or(usize::MAX),
        with_accounts: !arguments.signals_only,
    };
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || reader.read(inputs, &sender));
    let sent = if arguments.dry_run {
        sending::count(&mut batches, &mut ledger).await
    } else {
        sending::send(connection, vendor, &mut batches, &mut ledger).await
    };
    let result = both(sent, batches, reading).await;
    ledger.finish()?;
    let counts = ledger.counts();
    let accounts = json!({
        "added": counts.accounts.added, "changed": counts.accounts.changed, "known": counts.accounts.known,
    });
    let more = [("accounts".to_owned(), accounts), ("ignored".to_owned(), json!(counts.ignored))].into_iter().collect();
    let summary = summary(vendor, arguments.dry_run, counts, ledger.rejects().count());
    Ending { dry_run: arguments.dry_run, summary, more }.tell(result, &ledger, started, output)
}

/// The files, and what is known of them.
struct Opened {
    inputs: Vec<Input>,
    /// How much of them was read, in bytes.
    bytes_read: Arc<AtomicU64>,
    /// Their size together, when it is known.
    bytes_total: Option<u64>,
}

/// Opens all files before anything of the first is sent, so that a misspelt name is told at once.
fn open(files: &[PathBuf]) -> Result<Opened, Failure> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    let mut bytes_total = Some(0_u64);
    let mut inputs = Vec::with_capacity(files.len());
    for path in files {
        let unreadable = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
        let (inner, size): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(|error| unreadable(&error))?;
            let metadata = file.metadata().map_err(|error| unreadable(&error))?;
            if metadata.is_dir() {
                return Err(unreadable(&"is a folder"));
            }
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        };
        bytes_total = bytes_total.zip(size).map(|(total, size)| total + size);
        let name = (files.len() > 1).then(|| path.display().to_string());
        let reader = BufReader::with_capacity(READ_BUFFER_BYTES, Counted::new(inner, bytes_read.clone()));
        inputs.push(Input { name, reader: Box::new(reader) });
    }
    Ok(Opened { inputs, bytes_read, bytes_total })
}

/// Where bad payloads go: as given, else beside the first file, else nowhere.
fn rejects_path(arguments: &PayloadArguments) -> Result<Option<PathBuf>, Failure> {
    if let Some(rejects) = &arguments.rejects {
        if arguments.files.contains(rejects) {
            return Err(Failure::Usage("--rejects names a file that is imported".to_owned()));
        }
        return Ok(Some(rejects.clone()));
    }
    let first = arguments.files.first().filter(|path| path.as_path() != Path::new("-"));
    Ok(first.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".rejected");
        PathBuf::from(name)
    }))
}

fn summary(vendor: Vendor, dry_run: bool, counts: Counts, rejected: u64) -> String {
    let number = |count: u64| grouped(&count.to_string());
    let told = if dry_run {
        format!("{} signals and {} accounts good, none sent", number(counts.added), number(counts.accounts.added))
    } else {
        format!(
            "{} signals recorded, {} known already; accounts: {} new, {} changed, {} unchanged",
            number(counts.added),
            number(counts.known),
            number(counts.accounts.added),
            number(counts.accounts.changed),
            number(counts.accounts.known)
        )
    };
    format!("{vendor}: {told}; {} ignored; {} rejected", number(counts.ignored), number(rejected))
}
