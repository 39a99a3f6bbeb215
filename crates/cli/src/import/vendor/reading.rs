//! Batches of what payloads become, read ahead of what is sent.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::mem;
use std::ops::ControlFlow;

use mainstay_adapters::{Adapter, Mapped, Outcome};
use mainstay_domain::Violations;
use prost::Message;
use serde_json::Value;
use tokio::sync::mpsc;

use super::payloads::{self, Found};
use crate::import::batches::{BATCH_BYTES_MAX, Batch, Item, reason};
use crate::import::row::{ReadError, Reject};

/// Most signals of a batch: what one call takes. A payload becomes a few at most.
const SIGNALS_MAX: usize = 9_000;
/// How many reasons for ignoring payloads are told.
const REASONS_TOLD_MAX: usize = 20;

/// A file of payloads.
pub(super) struct Input {
    /// Its name, when it is not the only one.
    pub(super) name: Option<String>,
    /// Its content.
    pub(super) reader: Box<dyn BufRead + Send>,
}

/// A batch of payloads, and how many of its part of the file mean nothing.
#[derive(Debug, Default)]
pub(super) struct PayloadBatch {
    pub(super) batch: Batch<Mapped>,
    pub(super) ignored: u64,
}

/// Makes batches of payloads.
pub(super) struct PayloadReader {
    pub(super) adapter: Adapter,
    /// Most payloads of a batch.
    pub(super) payloads_max: usize,
    /// Whether what is said of accounts is taken too.
    pub(super) with_accounts: bool,
}

impl PayloadReader {
    /// Reads all files and passes their payloads on in batches; waits while nobody takes them, so that memory does not grow
    /// with the files. Ends early when the receiver is gone.
    pub(super) fn read(&self, inputs: Vec<Input>, batches: &mpsc::Sender<PayloadBatch>) -> Result<(), ReadError> {
        let mut filling = Filling { told: BTreeSet::new(), ..Filling::default() };
        for input in inputs {
            let name = input.name.as_deref();
            let end = payloads::each(input.reader, &mut |found| self.take(found, name, &mut filling, batches));
            match end {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(()),
                Err(error) => {
                    filling.pass_on(batches).is_break();
                    return Err(error);
                }
            }
        }
        // Nobody takes the last batch when the import was given up.
        filling.pass_on(batches).is_break();
        Ok(())
    }

    fn take(
        &self,
        found: Found,
        name: Option<&str>,
        filling: &mut Filling,
        batches: &mpsc::Sender<PayloadBatch>,
    ) -> ControlFlow<()> {
        let (line, mut text) = match found {
            Ok(found) => found,
            Err(unread) => return self.add(Err(unread), name, filling, batches),
        };
        let given = match serde_json::from_str(&text) {
            Ok(given) => self.adapter.payloads(without_reject_columns(given)),
            Err(error) => {
                let reason = format!("is not JSON: {error}");
                return self.add(Err(Reject { line, reason, text }), name, filling, batches);
            }
        };
        given.into_iter().try_for_each(|(path, payload)| {
            // What is set aside of a page is what is wrong there, and not the page.
            let text = if path.is_empty() { mem::take(&mut text) } else { payload.to_string() };
            let mapped = match self.map(&path, &payload) {
                Ok(outcome) => Ok((line, text, outcome)),
                Err(reason) => Err(Reject { line, reason, text }),
            };
            self.add(mapped, name, filling, batches)
        })
    }

    fn add(
        &self,
        mapped: Result<(u64, String, Outcome), Reject>,
        name: Option<&str>,
        filling: &mut Filling,
        batches: &mpsc::Sender<PayloadBatch>,
    ) -> ControlFlow<()> {
        match mapped {
            Err(Reject { line, reason, text }) => {
                let reason = name.map_or(reason.clone(), |name| format!("{name}: {reason}"));
                filling.part.batch.rejects.push(Reject { line, reason, text });
            }
            Ok((_, _, Outcome::Ignored(reason))) => filling.ignore(&reason),
            Ok((line, text, Outcome::Mapped(message))) => {
                let bytes = message.signals.iter().map(Message::encoded_len).sum::<usize>();
                let signals = message.signals.len();
                if !filling.fits(signals, bytes) {
                    filling.pass_on(batches)?;
                }
                filling.signals += signals;
                filling.bytes += bytes;
                filling.part.batch.items.push(Item { message, line, text });
            }
        }
        if filling.payloads() >= self.payloads_max { filling.pass_on(batches) } else { ControlFlow::Continue(()) }
    }

    /// What a payload that lies at `path` becomes, or all that is wrong with it.
    fn map(&self, path: &str, payload: &Value) -> Result<Outcome, String> {
        let outcome = self.adapter.map(payload, None).map_err(|faults| {
            if path.is_empty() {
                return reason(&faults);
            }
            let mut of_page = Violations::new();
            of_page.absorb(path, faults);
            reason(&of_page)
        })?;
        Ok(match outcome {
            Outcome::Mapped(mapped) if !self.with_accounts && mapped.signals.is_empty() => {
                Outcome::Ignored("it speaks of accounts only".into())
            }
            Outcome::Mapped(mapped) if !self.with_accounts => {
                Outcome::Mapped(Mapped { accounts: Vec::new(), ..mapped })
            }
            other => other,
        })
    }
}

/// A payload without what was added when it was set aside, so that its content, which may be its id, is as it was.
fn without_reject_columns(mut payload: Value) -> Value {
    if let Value::Object(fields) = &mut payload {
        for column in crate::import::row::REJECT_COLUMNS {
            fields.remove(column);
        }
    }
    payload
}

/// A batch as it is filled.
#[derive(Default)]
struct Filling {
    part: PayloadBatch,
    signals: usize,
    bytes: usize,
    /// The reasons that were told.
    told: BTreeSet<String>,
}

impl Filling {
    fn payloads(&self) -> usize {
        self.part.batch.items.len() + self.part.batch.rejects.len()
    }

    fn fits(&self, signals: usize, bytes: usize) -> bool {
        self.signals + signals <= SIGNALS_MAX && self.bytes + bytes <= BATCH_BYTES_MAX
    }

    /// Counts a payload that means nothing, and has its reason told when it is a new one.
    fn ignore(&mut self, reason: &str) {
        self.part.ignored += 1;
        if self.told.len() < REASONS_TOLD_MAX && self.told.insert(reason.to_owned()) {
            self.part.batch.notes.push(format!("Ignored: {reason}"));
        }
    }

    fn pass_on(&mut self, batches: &mpsc::Sender<PayloadBatch>) -> ControlFlow<()> {
        if self.payloads() == 0 && self.part.ignored == 0 {
            return ControlFlow::Continue(());
        }
        (self.signals, self.bytes) = (0, 0);
        let part = mem::take(&mut self.part);
        if batches.blocking_send(part).is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
