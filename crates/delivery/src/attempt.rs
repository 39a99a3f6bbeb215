//! One attempt: sent outside of any transaction, then recorded.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::FutureExt;
use mainstay_telemetry::propagation::set_parent_from_traceparent;
use tracing::Instrument;

use crate::claim::{Claimed, Ended};
use crate::dispatcher::Shared;
use crate::metric;
use crate::outcome::{AttemptOutcome, Verdict};
use crate::record::MessageState;
use crate::retry::{ATTEMPTS_MAX, next_attempt};

/// For how long at most a receiver's `Retry-After` also holds up other messages to it, in this process.
const PAUSE_MAX: TimeDelta = TimeDelta::minutes(5);

/// How often the outcome of an attempt is written before it is left to the lease's end.
const RECORD_TRIES_MAX: u32 = 5;

/// The wait before it is tried again for the first time; it doubles.
const RECORD_WAIT: Duration = Duration::from_millis(200);

/// Sends a message of which this process holds the lease, and records the outcome; answers whether it was sent.
pub(crate) async fn deliver(shared: &Shared, claimed: &Claimed) -> bool {
    let span = tracing::info_span!(
        "deliver message",
        message = %claimed.id,
        lane = claimed.lane,
        attempt = claimed.attempt,
        otel.kind = "producer",
    );
    if let Some(traceparent) = &claimed.traceparent {
        set_parent_from_traceparent(&span, traceparent);
    }
    attempt(shared, claimed).instrument(span).await
}

async fn attempt(shared: &Shared, claimed: &Claimed) -> bool {
    let started = Instant::now();
    let verdict = if claimed.attempts_in_schedule > ATTEMPTS_MAX {
        // The last attempt's process died, perhaps because of this very message.
        Verdict::refused(None, "its last attempt has no outcome")
    } else {
        send(shared, claimed).await
    };
    let at = shared.clock.now();
    if let Some(pause) = verdict.retry_after.filter(|pause| *pause > TimeDelta::zero()) {
        shared.pause(&claimed.lane, at + pause.min(PAUSE_MAX));
    }
    let due_at = match verdict.outcome {
        AttemptOutcome::Failed if verdict.is_gone => Some(at),
        AttemptOutcome::Failed => {
            let mut random = shared.random.lock().unwrap_or_else(PoisonError::into_inner);
            next_attempt(claimed.attempts_in_schedule, at, verdict.retry_after, &mut *random)
        }
        AttemptOutcome::Sent | AttemptOutcome::Refused => None,
    };
    let state = match (verdict.outcome, due_at) {
        (AttemptOutcome::Sent, _) => MessageState::Sent,
        (_, Some(_)) => MessageState::Pending,
        (_, None) => MessageState::Dead,
    };
    let ended = Ended { state, due_at, duration: started.elapsed(), at };
    if record(shared, claimed, &verdict, &ended).await {
        tell(claimed, &verdict, &ended);
    }
    state == MessageState::Sent
}

async fn send(shared: &Shared, claimed: &Claimed) -> Verdict {
    let sending = AssertUnwindSafe(shared.senders.send(claimed, shared.clock.now())).catch_unwind();
    match tokio::time::timeout(shared.send_timeout, sending).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(panic)) => Verdict::failed(None, format!("sending panicked: {}", panic_text(panic.as_ref()))),
        Err(_) => Verdict::failed(None, format!("not done within {} ms", shared.send_timeout.as_millis())),
    }
}

/// Writes the outcome, again while the database is away, so that a message which was sent is not sent once more.
async fn record(shared: &Shared, claimed: &Claimed, verdict: &Verdict, ended: &Ended) -> bool {
    let mut wait = RECORD_WAIT;
    for tries in 1..=RECORD_TRIES_MAX {
        match shared.delivery.record(&shared.pool, claimed, verdict, ended).await {
            Ok(true) => return true,
            Ok(false) => {
                tracing::warn!("the lease ran out before the attempt ended, and another took the message over");
                return false;
            }
            Err(error) if tries == RECORD_TRIES_MAX => {
                tracing::error!(
                    %error,
                    sent = verdict.outcome == AttemptOutcome::Sent,
                    "the outcome of an attempt cannot be recorded; the message is tried again when its lease ends"
                );
            }
            Err(error) => {
                tracing::debug!(%error, "recording the outcome of an attempt");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
    }
    false
}

fn tell(claimed: &Claimed, verdict: &Verdict, ended: &Ended) {
    let channel = claimed.channel;
    let error = verdict.error.as_deref().unwrap_or_default();
    let was_replayed = claimed.attempts_in_schedule < claimed.attempt;
    if ended.state == MessageState::Sent {
        let latency = (ended.at - claimed.send_at).to_std().ok().filter(|_| !was_replayed);
        metric::sent(channel, latency);
        return;
    }
    metric::failed(channel);
    if ended.state == MessageState::Dead {
        metric::died(channel);
        tracing::error!(attempts = claimed.attempt, error, "a message is dead");
    } else {
        tracing::warn!(error, due_at = ?ended.due_at, "a message was not sent");
    }
    if verdict.is_gone {
        tracing::error!(lane = claimed.lane, error, "a destination is gone and was disabled");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
