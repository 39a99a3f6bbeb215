//! Streams batches of signals, and goes on after a cut.

use std::collections::VecDeque;

use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::scoring::v1::{Signal, StreamSignalsRequest, StreamSignalsResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::import::batches::Batch;
use crate::import::ledger::{Counts, Ledger};

/// How many batches may be under way; the server takes no more at once.
const WINDOW: usize = 4;

/// A batch and its number in the stream.
struct Numbered {
    sequence: i64,
    batch: Batch<Signal>,
}

impl Numbered {
    fn request(&self) -> StreamSignalsRequest {
        StreamSignalsRequest {
            sequence: self.sequence,
            signals: self.batch.items.iter().map(|item| item.message.clone()).collect(),
        }
    }
}

/// The import as it stands: what is sent but not acknowledged, and what is to come.
struct Sender<'a> {
    batches: &'a mut mpsc::Receiver<Batch<Signal>>,
    ledger: &'a mut Ledger,
    unacknowledged: VecDeque<Numbered>,
    last_sequence: i64,
    more: bool,
}

/// Streams all batches. When the connection is cut, connects again and sends
/// from the first batch that was not acknowledged; what the server had recorded
/// of it is recognised there and changes nothing.
pub(crate) async fn send(
    connection: &Connection,
    batches: &mut mpsc::Receiver<Batch<Signal>>,
    ledger: &mut Ledger,
) -> Result<(), Failure> {
    let mut sender = Sender { batches, ledger, unacknowledged: VecDeque::new(), last_sequence: 0, more: true };
    let mut attempt = 1;
    loop {
        let acknowledged_before = sender.acknowledged();
        let status = match sender.stream(connection).await {
            Ok(()) => return Ok(()),
            Err(Failure::Call(status)) => *status,
            Err(failure) => return Err(failure),
        };
        if sender.acknowledged() > acknowledged_before {
            attempt = 1;
        }
        let Some(pause) = connection.retries.pause_after(attempt, &status) else { return Err(status.into()) };
        sender.ledger.note(&format!("{}; connecting again", status.message()));
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

impl Sender<'_> {
    /// The newest batch that is acknowledged.
    fn acknowledged(&self) -> i64 {
        self.unacknowledged.front().map_or(self.last_sequence, |first| first.sequence - 1)
    }

    /// Opens a stream and sends until all is acknowledged or the stream breaks.
    async fn stream(&mut self, connection: &Connection) -> Result<(), Failure> {
        // A server may answer only after the first request: have one ready.
        while self.unacknowledged.is_empty() && self.more {
            let next = self.batches.recv().await;
            self.take(next)?;
        }
        if self.unacknowledged.is_empty() {
            return Ok(());
        }
        // As long as the window: what is unacknowledged always fits.
        let (requests, outbound) = mpsc::channel(WINDOW);
        for numbered in &self.unacknowledged {
            requests.try_send(numbered.request()).ok();
        }
        let mut requests = Some(requests);
        let mut client = SignalServiceClient::new(connection.channel.clone());
        let mut answers = client.stream_signals(ReceiverStream::new(outbound)).await?.into_inner();
        loop {
            if !self.more {
                requests = None;
            }
            tokio::select! {
                next = self.batches.recv(), if self.more && self.unacknowledged.len() < WINDOW => {
                    if let (Some(numbered), Some(requests)) = (self.take(next)?, &requests) {
                        // When the call has ended, the answers say why.
                        requests.try_send(numbered.request()).ok();
                    }
                }
                answer = answers.message() => match answer? {
                    Some(answer) => self.settle(&answer)?,
                    None if self.unacknowledged.is_empty() && !self.more => return Ok(()),
                    None => return Err(Status::unavailable("the server ended the stream early").into()),
                }
            }
        }
    }

    /// Numbers a batch, unless it has nothing to send.
    fn take(&mut self, next: Option<Batch<Signal>>) -> Result<Option<&Numbered>, Failure> {
        let Some(batch) = next else {
            self.more = false;
            return Ok(None);
        };
        if batch.items.is_empty() {
            self.ledger.settle(&batch, Counts::default(), &[])?;
            return Ok(None);
        }
        self.last_sequence += 1;
        self.unacknowledged.push_back(Numbered { sequence: self.last_sequence, batch });
        Ok(self.unacknowledged.back())
    }

    fn settle(&mut self, answer: &StreamSignalsResponse) -> Result<(), Failure> {
        let Some(first) = self.unacknowledged.pop_front().filter(|first| first.sequence == answer.sequence) else {
            let message = format!("the server acknowledged batch {}, which was not the next", answer.sequence);
            return Err(Status::internal(message).into());
        };
        let count = |count: i32| u64::try_from(count).unwrap_or(0);
        let counts =
            Counts { added: count(answer.recorded_count), known: count(answer.duplicate_count), ..Counts::default() };
        Ok(self.ledger.settle(&first.batch, counts, &answer.errors)?)
    }
}
