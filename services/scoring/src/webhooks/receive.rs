//! A delivery, from its receipt to its answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use mainstay_storage::within_deadline;
use mainstay_telemetry::propagation;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::answer::Answer;
use super::take_in::take_in;
use super::{BODY_TIME_MAX, DELIVERY_TIME_MAX, Receiver, Source};

/// The vendor's label of those that are not configured: whoever asks must not make labels.
const OTHER: &str = "other";

/// Takes a delivery; tells it and counts it.
pub(super) async fn receive(
    State(receiver): State<Arc<Receiver>>,
    Path(vendor): Path<String>,
    request: Request,
) -> impl IntoResponse {
    let source = receiver.sources.get(vendor.as_str());
    let vendor = source.map_or(OTHER, |source| source.adapter.vendor.as_str());
    let span = tracing::info_span!("webhook", otel.kind = "server", vendor);
    propagation::set_parent(&span, request.headers());
    async {
        let answer = match source {
            None => Answer::NotConfigured,
            Some(source) => {
                let headers = request.headers().clone();
                match read(request).await {
                    Ok(body) => deliver(&receiver, source, &headers, &body).await,
                    Err(answer) => answer,
                }
            }
        };
        let outcome = answer.outcome();
        metrics::counter!("mainstay_scoring_webhooks_total", "vendor" => vendor, "outcome" => outcome).increment(1);
        match answer.fault() {
            None => tracing::info!(vendor, outcome, "webhook"),
            Some(fault) => tracing::warn!(vendor, outcome, fault, "webhook not taken in"),
        }
        answer
    }
    .instrument(span)
    .await
}

/// The body, if all of it comes in time.
async fn read(request: Request) -> Result<Bytes, Answer> {
    match tokio::time::timeout(BODY_TIME_MAX, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Answer::TooLong),
        Ok(Err(_)) => Err(Answer::Unavailable),
        Err(_) => Err(Answer::TooSlow),
    }
}

/// Checks a delivery before anything of it is parsed, maps it, and takes it in.
async fn deliver(receiver: &Receiver, source: &Source, headers: &HeaderMap, body: &[u8]) -> Answer {
    let now = receiver.app.core.clock.now();
    let vendor = source.adapter.vendor;
    let secrets: Vec<&[u8]> = source.secrets.iter().map(Vec::as_slice).collect();
    if let Err(error) = vendor.verify(headers, body, &secrets, now) {
        return Answer::Forged(error.to_string());
    }
    let body = source.adapter.map_body(body, now);
    if body.mapped.is_empty() {
        let nothing = body.ignored.unwrap_or_default();
        return if body.faults.is_empty() {
            Answer::Ignored(nothing.into_owned())
        } else {
            Answer::Malformed(body.faults)
        };
    }
    let Ok(_place) = receiver.places.try_acquire() else { return Answer::Unavailable };
    let end = Instant::now() + DELIVERY_TIME_MAX;
    let taking = within_deadline(end, take_in(&receiver.app, body, now));
    tokio::time::timeout_at(end, taking).await.unwrap_or(Answer::Unavailable)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tokio_stream::StreamExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_to_its_end_is_not_waited_for() {
        let begun = tokio_stream::once(Ok::<_, std::convert::Infallible>(Bytes::from_static(b"{")));
        let body = Body::from_stream(begun.chain(tokio_stream::pending()));
        assert!(matches!(read(Request::new(body)).await, Err(Answer::TooSlow)));
        assert!(read(Request::new(Body::from("{}"))).await.is_ok_and(|body| *body == *b"{}"));
    }
}
