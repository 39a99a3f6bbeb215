//! Batches of what rows became, read ahead of what is sent.

use std::collections::HashSet;

use mainstay_domain::Violations;
use prost::Message;
use tokio::sync::mpsc;

use crate::import::row::{ReadError, Reject, Row, RowSource};

/// Largest batch in encoded bytes: half of what gRPC accepts by default.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Makes messages of rows.
pub(crate) trait Mapper: Send + 'static {
    /// What a row becomes.
    type Item: Message + Default + Clone + 'static;

    /// What a row says, or all that is wrong with it.
    fn map(&self, row: &Row) -> Result<Self::Item, Violations>;

    /// What may stand in a batch only once.
    fn distinct_key<'i>(&self, item: &'i Self::Item) -> Option<&'i str>;
}

/// Something to send, and the row it came from.
#[derive(Debug, Clone)]
pub(crate) struct Item<M> {
    /// What to send.
    pub(crate) message: M,
    /// The line of its row.
    pub(crate) line: u64,
    /// The text of its row.
    pub(crate) text: String,
}

impl<M> Item<M> {
    /// The row as one that is not taken in.
    pub(crate) fn reject(&self, reason: String) -> Reject {
        Reject { line: self.line, reason, text: self.text.clone() }
    }
}

/// Rows that are settled together.
#[derive(Debug)]
pub(crate) struct Batch<M> {
    /// What to send.
    pub(crate) items: Vec<Item<M>>,
    /// Rows that could not be read as anything to send.
    pub(crate) rejects: Vec<Reject>,
}

impl<M: Clone> Batch<M> {
    fn new() -> Self {
        Self { items: Vec::new(), rejects: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.rejects.is_empty()
    }

    /// What to send, without the rows.
    pub(crate) fn messages(&self) -> Vec<M> {
        self.items.iter().map(|item| item.message.clone()).collect()
    }
}

/// Reads all rows and passes them on in batches; waits while nobody takes them,
/// so that memory does not grow with the file. Ends early when the receiver is gone.
pub(crate) fn read<M: Mapper>(
    mut rows: Box<dyn RowSource>,
    mapper: &M,
    rows_max: usize,
    batches: &mpsc::Sender<Batch<M::Item>>,
) -> Result<(), ReadError> {
    let mut batch = Batch::new();
    let mut keys: HashSet<String> = HashSet::new();
    let mut bytes = 0;
    let end = loop {
        let read = match rows.next_row() {
            Ok(Some(read)) => read,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let outcome = read.and_then(|row| match mapper.map(&row) {
            Ok(message) => Ok(Item { message, line: row.line, text: row.text }),
            Err(faults) => Err(Reject { line: row.line, reason: reason(&faults), text: row.text }),
        });
        let key = outcome.as_ref().ok().and_then(|item| mapper.distinct_key(&item.message)).map(str::to_owned);
        let size = outcome.as_ref().map_or(0, |item| item.message.encoded_len());
        let is_repeated = key.as_ref().is_some_and(|key| keys.contains(key));
        let is_full = batch.items.len() + batch.rejects.len() >= rows_max || bytes + size > BATCH_BYTES_MAX;
        if !batch.is_empty() && (is_repeated || is_full) {
            if batches.blocking_send(std::mem::replace(&mut batch, Batch::new())).is_err() {
                return Ok(());
            }
            keys.clear();
            bytes = 0;
        }
        bytes += size;
        keys.extend(key);
        match outcome {
            Ok(item) => batch.items.push(item),
            Err(reject) => batch.rejects.push(reject),
        }
    };
    if !batch.is_empty() {
        // Nobody takes the last batch when the import was given up.
        batches.blocking_send(batch).ok();
    }
    end
}

fn reason(faults: &Violations) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::accounts::{AccountMapper, FIELDS};
    use crate::import::csv_rows::CsvRows;
    use crate::import::mapping::Mapping;
    use crate::import::values::DateReader;

    fn batches_of(text: &'static str, rows_max: usize) -> Vec<(Vec<u64>, Vec<u64>)> {
        let mapping = Mapping::new(FIELDS, &[], &[]).expect("nothing mapped");
        let mapper = AccountMapper::new(mapping, DateReader::new(None).expect("the default"));
        let rows = CsvRows::open(text.as_bytes(), b',').expect("readable").expect("a header");
        let (sender, mut receiver) = mpsc::channel(100);
        read(Box::new(rows), &mapper, rows_max, &sender).expect("readable");
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv())
            .map(|batch| {
                let lines = batch.items.iter().map(|item| item.line).collect();
                (lines, batch.rejects.iter().map(|reject| reject.line).collect())
            })
            .collect()
    }

    #[test]
    fn batches_have_at_most_so_many_rows() {
        let text = "id,name\na,A\nb,B\n,C\nd,D\ne,E\n";
        assert_eq!(batches_of(text, 2), [(vec![2, 3], vec![]), (vec![5], vec![4]), (vec![6], vec![])]);
    }

    #[test]
    fn an_account_stands_in_a_batch_only_once_and_the_later_row_comes_later() {
        let text = "id,name\na,A\nb,B\na,A2\nc,C\n";
        assert_eq!(batches_of(text, 100), [(vec![2, 3], vec![]), (vec![4, 5], vec![])]);
    }
}
