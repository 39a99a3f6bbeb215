//! Response and request bodies with something around them.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};

use super::Response;

/// One step of a body.
pub(super) type Step = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// Stands around a body and sees, changes or ends it. Dropped when the body ends, or when
/// nobody wants the rest.
pub(super) trait Guard: Send + Unpin + 'static {
    /// Polls `inner`, or answers in its place. Trailers, an error and `None` end the body.
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step;
}

/// A body with a [`Guard`] around it.
struct Guarded<G> {
    inner: Body,
    guard: Option<G>,
}

/// Puts `guard` around `body`.
pub(super) fn guarded<G: Guard>(body: Body, guard: G) -> Body {
    Body::new(Guarded { inner: body, guard: Some(guard) })
}

impl<G: Guard> HttpBody for Guarded<G> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Step {
        let this = &mut *self;
        let Some(guard) = this.guard.as_mut() else { return Poll::Ready(None) };
        let step = guard.poll_frame(&mut this.inner, context);
        let has_ended = match &step {
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers(),
            Poll::Ready(Some(Err(_)) | None) => true,
            Poll::Pending => false,
        };
        if has_ended {
            this.guard = None;
        }
        step
    }

    fn is_end_stream(&self) -> bool {
        self.guard.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// The code of a response whose head says how it ended; `None` while the body is still to come.
pub(super) fn code_of_head(response: &Response) -> Option<Code> {
    code_of(response.headers())
}

/// The code in trailers.
pub(super) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}

/// How a body ended, if this step is its end. A body without trailers was cut off.
pub(super) fn code_at_end(step: &Step) -> Option<Code> {
    match step {
        Poll::Ready(Some(Ok(frame))) => frame.trailers_ref().map(|trailers| code_of(trailers).unwrap_or(Code::Unknown)),
        Poll::Ready(Some(Err(status))) => Some(status.code()),
        Poll::Ready(None) => Some(Code::Unknown),
        Poll::Pending => None,
    }
}

/// Ends a body with `status`.
pub(super) fn end_with(status: &Status) -> Step {
    Poll::Ready(Some(trailers_of(status).map(Frame::trailers)))
}

/// `status` as trailers.
fn trailers_of(status: &Status) -> Result<HeaderMap, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(trailers)
}

/// Polls a body.
pub(super) fn poll(body: &mut Body, context: &mut Context<'_>) -> Step {
    Pin::new(body).poll_frame(context)
}
