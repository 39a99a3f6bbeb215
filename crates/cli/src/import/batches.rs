//! Batches of what rows became, read ahead of what is sent.

use std::collections::HashMap;

use mainstay_domain::Violations;
use tokio::sync::mpsc;

use crate::import::mapping::Mapping;
use crate::import::names::NameCheck;
use crate::import::row::{ReadError, Reject, Row, RowSource};

/// Largest batch in encoded bytes: half of what gRPC accepts by default.
pub(crate) const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Makes of rows what is sent.
pub(crate) trait Mapper: Send + 'static {
    /// What a row becomes.
    type Item: Send + 'static;

    /// From which columns it reads.
    fn mapping(&self) -> &Mapping;

    /// What a row says, or all that is wrong with it.
    fn map(&self, row: &Row) -> Result<Self::Item, Violations>;

    /// How large an item is when it is sent, in bytes.
    fn encoded_len(&self, item: &Self::Item) -> usize;

    /// What may stand in a batch only once.
    fn key<'i>(&self, item: &'i Self::Item) -> Option<&'i str>;

    /// How an item comes into a batch; `lookup` finds those that are in it by their key.
    fn place<'b>(&self, item: &Self::Item, lookup: impl Fn(&str) -> Option<&'b Self::Item>) -> Place;
}

/// How an item comes into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Beside those that are in it.
    Beside,
    /// Instead of the one with its key.
    Instead,
    /// Not: it has to come after those that are in it.
    NextBatch,
}

/// Something to send, and the row it came from.
#[derive(Debug)]
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
    /// How many rows are not sent because a later one of the batch stands for them.
    pub(crate) replaced: u64,
    /// What is to be told about the rows.
    pub(crate) notes: Vec<String>,
}

impl<M> Default for Batch<M> {
    fn default() -> Self {
        Self { items: Vec::new(), rejects: Vec::new(), replaced: 0, notes: Vec::new() }
    }
}

impl<M> Batch<M> {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.rejects.is_empty()
    }
}

/// A batch as it is filled.
struct Filling<M> {
    batch: Batch<M>,
    /// Where the items with a key are.
    places: HashMap<String, usize>,
    bytes: usize,
}

impl<M> Default for Filling<M> {
    fn default() -> Self {
        Self { batch: Batch::default(), places: HashMap::new(), bytes: 0 }
    }
}

impl<M> Filling<M> {
    fn lookup(&self, key: &str) -> Option<&M> {
        self.places.get(key).map(|&place| &self.batch.items[place].message)
    }

    fn rows(&self) -> usize {
        self.batch.items.len() + self.batch.rejects.len()
    }

    /// Adds an item, instead of the one with its key if there is one.
    fn put(&mut self, item: Item<M>, key: Option<String>, size: usize) {
        self.bytes += size;
        if let Some(&place) = key.as_ref().and_then(|key| self.places.get(key)) {
            self.batch.items[place] = item;
            self.batch.replaced += 1;
            return;
        }
        self.places.extend(key.map(|key| (key, self.batch.items.len())));
        self.batch.items.push(item);
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
    let mut names = NameCheck::new(mapper.mapping());
    let mut filling = Filling::default();
    let end = loop {
        let read = match rows.next_row() {
            Ok(Some(read)) => read,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let outcome = read.and_then(|row| match item(mapper, &row, &mut names, &mut filling.batch.notes) {
            Ok(message) => Ok(Item { message, line: row.line, text: row.text }),
            Err(reason) => Err(Reject { line: row.line, reason, text: row.text }),
        });
        let size = outcome.as_ref().map_or(0, |item| mapper.encoded_len(&item.message));
        let place = match &outcome {
            Ok(item) => mapper.place(&item.message, |key| filling.lookup(key)),
            Err(_) => Place::Beside,
        };
        let fits = match place {
            Place::Beside => filling.rows() < rows_max,
            Place::Instead => true,
            Place::NextBatch => false,
        } && filling.bytes + size <= BATCH_BYTES_MAX;
        if !fits && !filling.batch.is_empty() && batches.blocking_send(std::mem::take(&mut filling).batch).is_err() {
            return Ok(());
        }
        match outcome {
            Ok(item) => {
                let key = mapper.key(&item.message).map(str::to_owned);
                filling.put(item, key, size);
            }
            Err(reject) => filling.batch.rejects.push(reject),
        }
    };
    if !filling.batch.is_empty() {
        // Nobody takes the last batch when the import was given up.
        batches.blocking_send(filling.batch).ok();
    }
    end?;
    match names.never_there().as_slice() {
        [] => Ok(()),
        columns => Err(ReadError::NeverThere { columns: columns.join("`, `") }),
    }
}

fn item<M: Mapper>(
    mapper: &M,
    row: &Row,
    names: &mut NameCheck<'_>,
    notes: &mut Vec<String>,
) -> Result<M::Item, String> {
    names.check(row, notes)?;
    mapper.map(row).map_err(|faults| reason(&faults))
}

/// All faults in one line.
pub(crate) fn reason(faults: &Violations) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::accounts::{AccountMapper, FIELDS};
    use crate::import::csv_rows::CsvRows;
    use crate::import::json_rows::JsonRows;
    use crate::import::mapping::tests::pairs;
    use crate::import::values::DateReader;

    /// The lines of the items and of the rejects of each batch, and how many rows were replaced.
    type Found = (Vec<u64>, Vec<u64>, u64);

    fn batches_of(rows: impl RowSource + 'static, rows_max: usize) -> (Vec<Found>, Result<(), ReadError>) {
        let mapping = Mapping::new(FIELDS, &pairs(&[("plan", "plan")]), &[]).expect("fields");
        let mapper = AccountMapper::new(mapping, DateReader::new(None).expect("the default"));
        let (sender, mut receiver) = mpsc::channel(100);
        let end = read(Box::new(rows), &mapper, rows_max, &sender);
        drop(sender);
        let found = std::iter::from_fn(|| receiver.blocking_recv()).map(|batch| {
            let lines = batch.items.iter().map(|item| item.line).collect();
            (lines, batch.rejects.iter().map(|reject| reject.line).collect(), batch.replaced)
        });
        (found.collect(), end)
    }

    fn csv(text: &'static str) -> CsvRows<&'static [u8]> {
        CsvRows::open(text.as_bytes(), b',').expect("readable").expect("a header")
    }

    #[test]
    fn batches_have_at_most_so_many_rows() {
        let (found, _) = batches_of(csv("id,name,plan\na,A,x\nb,B,x\n,C,x\nd,D,x\ne,E,x\n"), 2);
        assert_eq!(found, [(vec![2, 3], vec![], 0), (vec![5], vec![4], 0), (vec![6], vec![], 0)]);
    }

    #[test]
    fn the_later_of_two_rows_of_an_account_stands_in_the_batch_for_both() {
        let (found, _) = batches_of(csv("id,name,plan\na,A,x\nb,B,x\na,A2,x\nc,C,x\na,A3,x\n"), 3);
        assert_eq!(found, [(vec![6, 3, 5], vec![], 2)]);
        let (found, _) = batches_of(csv("id,name,plan\na,A,x\na,,x\n"), 3);
        assert_eq!(found, [(vec![2], vec![3], 0)], "a bad row replaces nothing");
    }

    #[test]
    fn a_row_that_names_other_fields_comes_after_the_earlier_one_of_its_account_and_after_its_parent() {
        let text = "{\"id\":\"a\",\"plan\":\"x\"}\n{\"id\":\"b\",\"seats\":1}\n{\"id\":\"a\",\"seats\":1}\n\
                    {\"id\":\"c\",\"seats\":2,\"parent\":\"a\"}\n{\"id\":\"d\",\"seats\":2,\"parent\":\"c\"}\n";
        let (found, _) = batches_of(JsonRows::new(text.as_bytes()), 100);
        assert_eq!(found, [(vec![1, 2], vec![], 0), (vec![3], vec![], 0), (vec![4, 5], vec![], 0)]);
    }

    #[test]
    fn a_mapped_name_that_no_row_has_is_an_error_at_the_end() {
        let (found, end) = batches_of(JsonRows::new(b"{\"id\":\"a\"}\n".as_slice()), 100);
        assert_eq!(found.len(), 1);
        assert!(end.is_err_and(|error| error.to_string().contains("no row has `plan`")));
        assert!(batches_of(JsonRows::new(b"".as_slice()), 100).1.is_ok(), "nothing to read");
    }
}
