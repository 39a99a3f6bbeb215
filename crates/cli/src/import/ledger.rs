//! What became of each row.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use mainstay_api::mainstay::scoring::v1::ItemError;
use mainstay_clients::ErrorReport;

use crate::failure::{DONE, FAILED, WRONG_USE};
use crate::import::batches::Batch;
use crate::import::rejects::{Rejects, TOLD_MAX};
use crate::import::row::Reject;
use crate::output::note;
use mainstay_domain::grouped;

/// How many rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// New accounts or signals.
    pub(crate) added: u64,
    /// Accounts that were changed.
    pub(crate) changed: u64,
    /// What was known already.
    pub(crate) known: u64,
    /// Rows for which a later one was sent.
    pub(crate) replaced: u64,
    /// What payloads of vendors said of accounts, beside their signals.
    pub(crate) accounts: AccountCounts,
    /// Payloads that mean nothing here.
    pub(crate) ignored: u64,
}

/// What became of the accounts that payloads of vendors speak of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AccountCounts {
    /// New ones.
    pub(crate) added: u64,
    /// Those that were changed.
    pub(crate) changed: u64,
    /// Those that were so already, or of which something newer is known.
    pub(crate) known: u64,
}

impl AccountCounts {
    fn sum(&self) -> u64 {
        self.added + self.changed + self.known
    }
}

impl Counts {
    /// Rows that were taken in.
    pub(crate) fn taken(&self) -> u64 {
        self.added + self.changed + self.known + self.replaced + self.accounts.sum() + self.ignored
    }
}

/// Keeps count of rows, sets bad ones aside, and shows how far the import is.
pub(crate) struct Ledger {
    counts: Counts,
    rejects: Rejects,
    bar: ProgressBar,
    bytes_read: Arc<AtomicU64>,
}

impl Ledger {
    /// An empty ledger. `bytes_total` is the file's size, when it is known.
    pub(crate) fn new(rejects: Rejects, bytes_read: Arc<AtomicU64>, bytes_total: Option<u64>) -> Self {
        Self { counts: Counts::default(), rejects, bar: bar(bytes_total), bytes_read }
    }

    /// How many rows came to what.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// The rows set aside.
    pub(crate) fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// Settles a batch: `counts` of it were taken in, and the items of `errors` refused.
    pub(crate) fn settle<M>(&mut self, batch: &Batch<M>, counts: Counts, errors: &[ItemError]) -> io::Result<()> {
        let refused = errors.iter().filter_map(|error| {
            let item = batch.items.get(usize::try_from(error.index).ok()?)?;
            let status = error.status.as_ref();
            Some(item.reject(status.map_or_else(|| "refused".to_owned(), |status| item_reason(status, error.index))))
        });
        let refused = refused.collect();
        self.settle_with(batch, counts, refused)
    }

    /// Settles a batch: `counts` of it were taken in, and `refused` not.
    pub(crate) fn settle_with<M>(&mut self, batch: &Batch<M>, counts: Counts, refused: Vec<Reject>) -> io::Result<()> {
        batch.notes.iter().for_each(|text| self.note(text));
        let mut rejects: Vec<Reject> = batch.rejects.iter().cloned().chain(refused).collect();
        rejects.sort_by_key(|reject| reject.line);
        for reject in &rejects {
            self.reject(reject)?;
        }
        self.counts.added += counts.added;
        self.counts.changed += counts.changed;
        self.counts.known += counts.known;
        self.counts.replaced += batch.replaced;
        self.counts.accounts.added += counts.accounts.added;
        self.counts.accounts.changed += counts.accounts.changed;
        self.counts.accounts.known += counts.accounts.known;
        self.counts.ignored += counts.ignored;
        self.bar.set_position(self.bytes_read.load(Ordering::Relaxed));
        self.bar.set_message(format!("{} rows", grouped(&(self.counts.taken() + self.rejects.count()).to_string())));
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> io::Result<()> {
        self.rejects.add(reject)?;
        if self.rejects.count() <= TOLD_MAX {
            self.note(&format!("line {}: {}", reject.line, reject.reason));
        } else if self.rejects.count() == TOLD_MAX + 1 {
            self.note("… further bad rows are not told one by one");
        }
        Ok(())
    }

    /// Tells something without spoiling the progress bar.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| note(text));
    }

    /// Takes the progress bar away and writes out the rows set aside.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.rejects.finish()
    }

    /// The exit code: all taken in, some, or none. Of no rows all are taken in.
    pub(crate) fn exit_code(&self) -> u8 {
        match (self.counts.taken(), self.rejects.count()) {
            (_, 0) => DONE,
            (0, _) => WRONG_USE,
            _ => FAILED,
        }
    }
}

/// Why an item was refused. Its fields are told without their place in the
/// batch, which says nothing to the owner of the file.
pub(crate) fn item_reason(status: &mainstay_api::google::rpc::Status, index: i32) -> String {
    let mut report = ErrorReport::from(status);
    for fault in &mut report.fields {
        for prefix in ["signals", "accounts"] {
            if let Some(field) = fault.field.strip_prefix(&format!("{prefix}[{index}].")) {
                fault.field = field.to_owned();
            }
        }
    }
    report.one_line()
}

fn bar(bytes_total: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes_total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3}%  {msg}  {elapsed}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("█▌░")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::google::rpc::Status;
    use mainstay_api::mainstay::scoring::v1::Account;

    use super::*;
    use crate::import::batches::Item;
    use crate::import::rejects::RejectFormat;

    #[test]
    fn rows_refused_by_the_server_are_set_aside_by_their_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rejected");
        let rejects = Rejects::new(Some(path.clone()), RejectFormat::JsonLines);
        let mut ledger = Ledger::new(rejects, Arc::default(), None);
        assert_eq!(ledger.exit_code(), DONE, "no rows, all of them taken in");
        let item = |line, text: &str| Item { message: Account::default(), line, text: text.to_owned() };
        let bad = Reject { line: 3, reason: "unread".to_owned(), text: "x".to_owned() };
        let items = vec![item(2, "{\"a\":2}"), item(4, "{\"a\":4}")];
        let batch = Batch { items, rejects: vec![bad], ..Batch::default() };
        let status = Status { code: 9, message: "the account is archived".to_owned(), details: Vec::new() };
        let errors = [ItemError { index: 1, status: Some(status) }];
        ledger.settle(&batch, Counts { added: 1, ..Counts::default() }, &errors).expect("written");
        ledger.finish().expect("written");
        assert_eq!((ledger.counts().taken(), ledger.rejects().count(), ledger.exit_code()), (1, 2, FAILED));
        let expected = "{\"rejected_line\":3,\"rejected_reason\":\"unread\",\"rejected_text\":\"x\"}\n\
                        {\"rejected_line\":4,\"rejected_reason\":\"the account is archived\",\"a\":4}\n";
        assert_eq!(std::fs::read_to_string(path).expect("there"), expected);
    }
}
