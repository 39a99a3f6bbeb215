//! No message is larger than the limit, in either direction.
//!
//! The length stands before each message on the wire, so a message that is too large is refused
//! before it is read. Tonic checks the same for services made with [`crate::limited`], there
//! also after decompression; this layer holds for all.

use std::task::{Context, Poll};

use bytes::Bytes;
use mainstay_api::mainstay::common::v1::ErrorReason;
use tonic::body::Body;

use super::body::{Guard, Step, code_of_head, end_with, guarded, poll};
use super::{Handler, Layer, LayerParts, Request, Response};
use crate::ApiError;

/// Bytes before each message: one for compression, four for its length.
const PREFIX_BYTES: usize = 5;

/// Measures messages as they pass.
pub(super) struct MessageSizes {
    bytes_max: usize,
}

impl Layer for MessageSizes {
    const NAME: &'static str = "message_sizes";

    fn from_parts(parts: &LayerParts) -> Self {
        Self { bytes_max: parts.limits.message_bytes_max }
    }

    async fn handle<N: Handler>(&self, request: Request, next: &N) -> Response {
        let measure = || Measure { bytes_max: self.bytes_max, ..Measure::default() };
        let request = request.map(|body| guarded(body, Incoming(measure())));
        let response = next.handle(request).await;
        if code_of_head(&response).is_some() {
            return response;
        }
        response.map(|body| guarded(body, Outgoing(measure())))
    }
}

/// Fails the request's body, which fails the handler's read of it.
struct Incoming(Measure);

impl Guard for Incoming {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = poll(inner, context);
        match self.0.check(&step) {
            Ok(()) => step,
            Err(bytes) => Poll::Ready(Some(Err(too_large("request", bytes, self.0.bytes_max).into()))),
        }
    }
}

/// Ends the response in place of the message.
struct Outgoing(Measure);

impl Guard for Outgoing {
    fn poll_frame(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Step {
        let step = poll(inner, context);
        match self.0.check(&step) {
            Ok(()) => step,
            Err(bytes) => end_with(&too_large("response", bytes, self.0.bytes_max).into()),
        }
    }
}

fn too_large(direction: &str, bytes: usize, bytes_max: usize) -> ApiError {
    let message =
        format!("a message of the {direction} has {bytes} bytes, the limit is {bytes_max}; ask for less at a time");
    ApiError::common(ErrorReason::MessageTooLarge, message)
        .with_metadata("bytes", bytes.to_string())
        .with_metadata("bytes_max", bytes_max.to_string())
}

/// Follows the prefixes through a body that comes in arbitrary pieces.
#[derive(Default)]
struct Measure {
    bytes_max: usize,
    prefix: [u8; PREFIX_BYTES],
    prefix_filled: usize,
    message_left: usize,
}

impl Measure {
    fn check(&mut self, step: &Step) -> Result<(), usize> {
        match step {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(Ok(()), |data| self.pass(data)),
            _ => Ok(()),
        }
    }

    /// Follows one piece; the length of the first message that is too large is the error.
    fn pass(&mut self, data: &Bytes) -> Result<(), usize> {
        let mut rest = data.as_ref();
        while !rest.is_empty() {
            if self.message_left > 0 {
                let skipped = self.message_left.min(rest.len());
                self.message_left -= skipped;
                rest = &rest[skipped..];
                continue;
            }
            self.prefix[self.prefix_filled] = rest[0];
            self.prefix_filled += 1;
            rest = &rest[1..];
            if self.prefix_filled == PREFIX_BYTES {
                self.prefix_filled = 0;
                let [_, length @ ..] = self.prefix;
                self.message_left = u32::from_be_bytes(length) as usize;
                if self.message_left > self.bytes_max {
                    return Err(self.message_left);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(lengths: &[usize]) -> Vec<u8> {
        lengths
            .iter()
            .flat_map(|&length| {
                let prefix = u32::try_from(length).expect("short").to_be_bytes();
                [0].into_iter().chain(prefix).chain(std::iter::repeat_n(7, length))
            })
            .collect()
    }

    #[test]
    fn lengths_are_found_however_the_bytes_are_cut() {
        let bytes = wire(&[0, 3, 10, 11]);
        for piece in 1..=bytes.len() {
            let mut measure = Measure { bytes_max: 10, ..Measure::default() };
            let result = bytes.chunks(piece).try_for_each(|part| measure.pass(&Bytes::copy_from_slice(part)));
            assert_eq!(result, Err(11), "in pieces of {piece}");
        }
    }

    #[test]
    fn messages_up_to_the_limit_pass() {
        let mut measure = Measure { bytes_max: 10, ..Measure::default() };
        assert_eq!(measure.pass(&Bytes::from(wire(&[10, 0, 10]))), Ok(()));
    }
}
