//! One open subscription: a task that reads pages into a bounded buffer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use mainstay_rpc::ApiError;
use sqlx::PgPool;
use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::log::EventLog;
use crate::page::{FeedExtent, FeedFilter, PageLimit};
use crate::reader::{FeedBatch, FeedSettings, cursor_expired, shutting_down, slow_reader};

/// What a subscription reads.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) log: EventLog,
    pub(crate) pool: PgPool,
    pub(crate) feed: &'static str,
    pub(crate) feed_id: Uuid,
    pub(crate) cancel: CancellationToken,
    pub(crate) settings: FeedSettings,
    pub(crate) filter: FeedFilter,
    /// The offset at which it ends by itself.
    pub(crate) until: Option<i64>,
    /// Whether its reader gets a cursor at once, having none to come back with after a cut.
    pub(crate) begins_with_cursor: bool,
}

/// The batches of a subscription. It ends after an error, or after the last batch
/// of a subscription until now. Dropping it ends the subscription.
#[derive(Debug)]
pub struct FeedStream {
    batches: mpsc::Receiver<FeedBatch>,
    end: Option<oneshot::Receiver<Option<ApiError>>>,
}

impl Stream for FeedStream {
    type Item = Result<FeedBatch, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.batches.poll_recv(context) {
            Poll::Ready(Some(batch)) => Poll::Ready(Some(Ok(batch))),
            Poll::Pending => Poll::Pending,
            // The task says how it ended before it closes the buffer; one that did not say has panicked.
            Poll::Ready(None) => Poll::Ready(self.end.take().and_then(|mut end| match end.try_recv() {
                Ok(None) => None,
                Ok(Some(error)) => Some(Err(error)),
                Err(_) => Some(Err(ApiError::internal("the task of a subscription ended without saying why"))),
            })),
        }
    }
}

/// Why a subscription ends.
enum End {
    /// All was given, or the reader has gone.
    Done,
    /// The reader is told so.
    Failed(ApiError),
}

impl From<ApiError> for End {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// The side of a subscription that gives.
struct Pump {
    subscription: Subscription,
    batches: mpsc::Sender<FeedBatch>,
    head: watch::Receiver<i64>,
    /// The last offset examined.
    after: i64,
    /// The offset of the last cursor given.
    given: i64,
    given_at: Instant,
    /// Whether the reader was told that there is no more: by a sign of life after the last event, given or hidden.
    knows_the_end: bool,
}

impl Subscription {
    /// Starts to read after an offset.
    pub(crate) fn open(self, after: i64) -> FeedStream {
        let (batch_sender, batches) = mpsc::channel(self.settings.batches_buffered_max);
        let (end_sender, end) = oneshot::channel();
        let head = self.log.head().subscribe();
        let mut pump = Pump {
            subscription: self,
            batches: batch_sender,
            head,
            after,
            given: after,
            given_at: Instant::now(),
            knows_the_end: true,
        };
        let task = async move {
            let end = match pump.run().await {
                End::Done => None,
                End::Failed(error) => Some(error),
            };
            // A reader that has gone does not want to know.
            let _ = end_sender.send(end);
            drop(pump);
        };
        tokio::spawn(task.in_current_span());
        FeedStream { batches, end: Some(end) }
    }

    fn cursor(&self, offset: i64) -> String {
        Cursor { feed_id: self.feed_id, offset }.encode(self.feed)
    }
}

impl Pump {
    async fn run(&mut self) -> End {
        if self.subscription.begins_with_cursor
            && let Err(end) = self.give(Vec::new()).await
        {
            return end;
        }
        loop {
            if let Err(end) = self.step().await {
                return end;
            }
        }
    }

    /// Gives a page, or waits for there to be one.
    async fn step(&mut self) -> Result<(), End> {
        let is_caught_up = self.read_and_give().await?;
        if let Some(until) = self.subscription.until
            && self.after >= until
        {
            if self.given < self.after {
                self.give(Vec::new()).await?;
            }
            return Err(End::Done);
        }
        if self.given_at.elapsed() >= self.sign_of_life_after() {
            self.give_sign_of_life()?;
        }
        if is_caught_up {
            self.wait_for_news().await?;
        }
        Ok(())
    }

    /// Reads on and gives what was found; says whether that was all there is.
    async fn read_and_give(&mut self) -> Result<bool, End> {
        let page_limit = self.subscription.settings.page;
        let examined_max = match self.subscription.until {
            Some(until) => page_limit.examined_max.min(until - self.after),
            None => page_limit.examined_max,
        };
        let Subscription { log, pool, filter, cancel, feed, feed_id, .. } = &self.subscription;
        let limit = PageLimit { examined_max, ..page_limit };
        let page = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(self.shut_down()),
            () = self.batches.closed() => return Err(End::Done),
            page = log.read(pool, self.after, filter, limit) => page.map_err(ApiError::from)?,
        };
        if self.after < page.pruned_through {
            let extent =
                FeedExtent { feed_id: *feed_id, pruned_through: page.pruned_through, last_offset: page.last_offset };
            return Err(cursor_expired(feed, &extent).into());
        }
        self.knows_the_end &= page.through == self.after;
        self.after = page.through;
        if !page.events.is_empty() {
            self.give(page.events).await?;
        }
        Ok(page.through >= page.last_offset)
    }

    /// Puts a batch into the buffer, for which the reader has to make room in time.
    async fn give(&mut self, events: Vec<crate::Event>) -> Result<(), End> {
        let batch = FeedBatch { events, cursor: self.subscription.cursor(self.after), through: self.after };
        let patience = self.subscription.settings.slow_reader_after;
        let sent = tokio::select! {
            biased;
            () = self.subscription.cancel.cancelled() => return Err(self.shut_down()),
            sent = self.batches.send_timeout(batch, patience) => sent,
        };
        match sent {
            Ok(()) => {
                self.given = self.after;
                self.given_at = Instant::now();
                Ok(())
            }
            Err(SendTimeoutError::Closed(_)) => Err(End::Done),
            Err(SendTimeoutError::Timeout(_)) => {
                metrics::counter!("mainstay_feed_slow_readers_total").increment(1);
                Err(slow_reader().with_metadata("cursor", self.subscription.cursor(self.given)).into())
            }
        }
    }

    /// Gives an empty batch, which also moves the reader past what its filter hides. A reader with a full buffer needs
    /// no sign of life.
    fn give_sign_of_life(&mut self) -> Result<(), End> {
        let batch = FeedBatch { events: Vec::new(), cursor: self.subscription.cursor(self.after), through: self.after };
        match self.batches.try_send(batch) {
            Ok(()) => {
                self.given = self.after;
                self.knows_the_end = true;
            }
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Closed(_)) => return Err(End::Done),
        }
        self.given_at = Instant::now();
        Ok(())
    }

    /// How long after the last batch the next sign of life is due.
    fn sign_of_life_after(&self) -> Duration {
        let settings = &self.subscription.settings;
        let heartbeat = settings.heartbeat_interval;
        if self.knows_the_end { heartbeat } else { heartbeat.min(settings.caught_up_after) }
    }

    async fn wait_for_news(&mut self) -> Result<(), End> {
        let after = self.after;
        let next_sign_of_life = self.given_at + self.sign_of_life_after();
        let is_cancelled = tokio::select! {
            biased;
            () = self.subscription.cancel.cancelled() => true,
            () = self.batches.closed() => return Err(End::Done),
            // The sender lives in the log that this task holds, so that waiting cannot fail.
            _ = self.head.wait_for(|head| *head > after) => false,
            () = tokio::time::sleep_until(next_sign_of_life) => false,
        };
        if is_cancelled { Err(self.shut_down()) } else { Ok(()) }
    }

    fn shut_down(&self) -> End {
        End::Failed(shutting_down().with_metadata("cursor", self.subscription.cursor(self.given)))
    }
}
