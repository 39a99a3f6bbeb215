//! The body of an answer: ends at the deadline, and blames a broken connection
//! by its name.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use crate::ServerAddress;
use crate::channel::innermost_cause;

/// Wraps the body of an answer. tonic's own deadline ends with the answer's
/// head, so that a server which stalls in the middle would hold a caller for
/// ever; and what it says of a lost connection varies with how it was lost.
pub(crate) struct AnswerBody {
    inner: Body,
    deadline: Option<Pin<Box<Sleep>>>,
    address: ServerAddress,
}

impl AnswerBody {
    pub(crate) fn wrap(inner: Body, deadline: Option<Instant>, address: ServerAddress) -> Body {
        Body::new(Self { inner, deadline: deadline.map(|at| Box::pin(sleep_until(at))), address })
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            let address = &self.address;
            return Poll::Ready(frame.map(|part| {
                part.map_err(|broken| {
                    Status::unavailable(format!("the connection to {address} broke: {}", innermost_cause(&broken)))
                })
            }));
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Status::deadline_exceeded("the answer did not end within the deadline"))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
