//! No call goes on for ever, and none beyond what its caller waits for.
//!
//! The limit is the smaller of the caller's and the server's, which has one for unary and one
//! for streaming methods. It covers the whole answer, body included: when it passes, the handler
//! is dropped, and the database ends what its transactions are doing, since it was told the limit
//! ([`mainstay_storage::within_deadline`]). Open-ended streams must begin within the unary limit and have
//! no end of ours, only the caller's, if it gave one.
//!
//! Streams of health and reflection, which know nothing of the server's end, end with it here; the
//! services' own watch [`crate::ServerBuilder::streams_cancelled`] and say more.
//!
//! A body is polled only while the caller takes what was sent, so a caller that stops reading holds
//! its stream until it reads on or goes away; then the limit takes effect.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use mainstay_api::mainstay::common::v1::ErrorReason;
use mainstay_storage::within_deadline;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;

use super::body::{Guard, Step, code_of_head, end_with, guarded, poll};
use super::grpc_timeout::timeout_of;
use super::methods::{Pace, method_of};
use super::{Handler, Layer, LayerParts, Request, Response, refusal};
use crate::ApiError;

/// Ends calls at their deadline.
pub(super) struct Deadlines {
    unary_max: Duration,
    stream_max: Duration,
    streams_cancelled: CancellationToken,
}

impl Layer for Deadlines {
    const NAME: &'static str = "deadlines";

    fn from_parts(parts: &LayerParts) -> Self {
        Self {
            unary_max: parts.limits.deadline_max,
            stream_max: parts.limits.stream_deadline_max,
            streams_cancelled: parts.streams_cancelled.clone(),
        }
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let asked = match timeout_of(request.headers()) {
            Ok(asked) => asked,
            Err(malformed) => {
                let message = format!(
                    "the header `grpc-timeout` is `{}`; give up to 8 digits and one of H, M, S, m, u, n",
                    malformed.0
                );
                return refusal(ApiError::common(ErrorReason::InvalidTimeout, message));
            }
        };
        let started = Instant::now();
        let at_most = |limit: Duration| started + asked.map_or(limit, |asked| asked.min(limit));
        let method = method_of(&request);
        let (head_by, end_by) = match method.pace {
            Pace::Unary => (at_most(self.unary_max), Some(at_most(self.unary_max))),
            Pace::Streaming => (at_most(self.stream_max), Some(at_most(self.stream_max))),
            Pace::OpenEnded => (at_most(self.unary_max), asked.map(|asked| started + asked)),
        };
        let Ok(response) = timeout_at(head_by, within_deadline(head_by, next.handle(request))).await else {
            return refusal(exceeded(head_by - started));
        };
        if code_of_head(&response).is_some() {
            return response;
        }
        let response = if method.is_foreign && method.pace != Pace::Unary {
            let cancelled = Box::pin(self.streams_cancelled.clone().cancelled_owned());
            response.map(|body| guarded(body, UntilShutdown { cancelled }))
        } else {
            response
        };
        match end_by {
            Some(end_by) => response.map(|body| {
                let limit = end_by - started;
                guarded(body, BodyDeadline { limit, passed: Box::pin(sleep_until(end_by)) })
            }),
            None => response,
        }
    }
}

/// Ends a stream with the server.
struct UntilShutdown {
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Guard for UntilShutdown {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = poll(inner, context);
        if step.is_pending() && self.cancelled.as_mut().poll(context).is_ready() {
            let error = ApiError::common(ErrorReason::ShuttingDown, "the server is shutting down; connect again");
            return end_with(&error.into());
        }
        step
    }
}

fn exceeded(limit: Duration) -> ApiError {
    let message = format!("the call took longer than its deadline of {limit:?}; ask for less, or wait longer");
    ApiError::common(ErrorReason::DeadlineExceeded, message)
}

struct BodyDeadline {
    limit: Duration,
    passed: Pin<Box<Sleep>>,
}

impl Guard for BodyDeadline {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = poll(inner, context);
        if step.is_pending() && self.passed.as_mut().poll(context).is_ready() {
            return end_with(&exceeded(self.limit).into());
        }
        step
    }
}
