//! Takes in accounts and signals from files of any size.
//!
//! One thread reads rows and makes batches of them, at most two ahead of what
//! is sent; what is sent is kept until it is acknowledged. So memory is bound by
//! the batches, not by the file, and an import that is cut goes on or may be
//! run again without harm.

mod accounts;
mod batches;
mod contacts;
mod csv_rows;
mod ending;
mod fields;
mod json_rows;
mod ledger;
mod mapping;
mod names;
mod product_signals;
mod rejects;
mod row;
mod send_accounts;
mod send_signals;
mod signals;
mod source;
mod story_signals;
mod values;
mod vendor;

use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::command::import::{ImportArguments, SourceIdFrom};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::accounts::AccountMapper;
use crate::import::batches::{Batch, Mapper};
use crate::import::ending::Ending;
use crate::import::ledger::{Counts, Ledger};
use crate::import::mapping::Mapping;
use crate::import::rejects::Rejects;
use crate::import::row::ReadError;
use crate::import::signals::SignalMapper;
use crate::import::source::Source;
use crate::import::values::DateReader;
use crate::output::Output;
use mainstay_domain::grouped;

/// How many batches are read ahead of what is sent.
const BATCHES_AHEAD: usize = 2;

pub(crate) use vendor::run as run_vendor;

/// What is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportKind<'a> {
    /// Accounts.
    Accounts {
        /// Which system says what is in the file; empty: none.
        source: &'a str,
    },
    /// Signals.
    Signals {
        /// What the ids of rows without one are made from.
        source_id_from: SourceIdFrom,
    },
}

/// Imports a file and gives the exit code.
pub(crate) async fn run(
    kind: ImportKind<'_>,
    arguments: &ImportArguments,
    connection: &Connection,
    output: &mut Output,
) -> Result<u8, Failure> {
    let fields = match kind {
        ImportKind::Accounts { .. } => accounts::FIELDS,
        ImportKind::Signals { .. } => signals::FIELDS,
    };
    let mapping = Mapping::new(fields, &arguments.map, &arguments.constant).map_err(Failure::Usage)?;
    let dates = DateReader::new(arguments.date_format.as_deref()).map_err(Failure::Usage)?;
    let source = source::open(arguments, &mapping)?;
    let rejects = Rejects::new(source.rejects_path.clone(), source.reject_format.clone());
    let mut ledger = Ledger::new(rejects, source.bytes_read.clone(), source.bytes_total);
    let started = Instant::now();
    let rows_max = usize::try_from(arguments.batch_size).unwrap_or(usize::MAX);
    let result = match kind {
        ImportKind::Accounts { source: system } => {
            let (mut batches, reader) = read(source, AccountMapper::new(mapping, dates), rows_max);
            let sent = if arguments.dry_run {
                count(&mut batches, &mut ledger).await
            } else {
                send_accounts::send(connection, system, &mut batches, &mut ledger).await
            };
            both(sent, batches, reader).await
        }
        ImportKind::Signals { source_id_from } => {
            let (mut batches, reader) = read(source, SignalMapper::new(mapping, dates, source_id_from), rows_max);
            let sent = if arguments.dry_run {
                count(&mut batches, &mut ledger).await
            } else {
                send_signals::send(connection, &mut batches, &mut ledger).await
            };
            both(sent, batches, reader).await
        }
    };
    ledger.finish()?;
    let summary = summary(kind, arguments.dry_run, ledger.counts(), ledger.rejects().count());
    let ending = Ending { dry_run: arguments.dry_run, summary, more: serde_json::Map::new() };
    ending.tell(result, &ledger, started, output)
}

type Reader = JoinHandle<Result<(), ReadError>>;

/// Reads in a thread of its own.
fn read<M: Mapper>(source: Source, mapper: M, rows_max: usize) -> (mpsc::Receiver<Batch<M::Item>>, Reader) {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || batches::read(source.rows, &mapper, rows_max, &sender));
    (receiver, reader)
}

/// Sending failed, or else reading did. A reader whose receiver is gone ends.
async fn both<B>(sent: Result<(), Failure>, batches: mpsc::Receiver<B>, reader: Reader) -> Result<(), Failure> {
    drop(batches);
    sent?;
    match reader.await {
        Ok(read) => read.map_err(|error| Failure::Usage(error.to_string())),
        Err(panicked) => Err(std::io::Error::other(panicked).into()),
    }
}

/// Only counts what would be sent.
async fn count<M>(batches: &mut mpsc::Receiver<Batch<M>>, ledger: &mut Ledger) -> Result<(), Failure> {
    while let Some(batch) = batches.recv().await {
        let added = u64::try_from(batch.items.len()).unwrap_or(u64::MAX);
        ledger.settle(&batch, Counts { added, ..Counts::default() }, &[])?;
    }
    Ok(())
}

fn summary(kind: ImportKind<'_>, dry_run: bool, counts: Counts, rejected: u64) -> String {
    let number = |count: u64| grouped(&count.to_string());
    let taken = match (kind, dry_run) {
        (ImportKind::Accounts { .. }, true) => format!("accounts: {} good, none sent", number(counts.added)),
        (ImportKind::Signals { .. }, true) => format!("signals: {} good, none sent", number(counts.added)),
        (ImportKind::Accounts { .. }, false) => format!(
            "accounts: {} new, {} changed, {} unchanged",
            number(counts.added),
            number(counts.changed),
            number(counts.known)
        ),
        (ImportKind::Signals { .. }, false) => {
            format!("signals: {} recorded, {} known already", number(counts.added), number(counts.known))
        }
    };
    let replaced = match counts.replaced {
        0 => String::new(),
        count => format!("; {} replaced by later rows", number(count)),
    };
    format!("{taken}{replaced}; {} rejected", number(rejected))
}
