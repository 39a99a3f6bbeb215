//! A delivery, from its receipt to its answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use mainstay_storage::within_deadline;
use mainstay_telemetry::propagation;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::answer::Answer;
use super::take_in::take_in;
use super::{DELIVERY_TIME_MAX, Receiver, Source};

/// The vendor's label of those that are not configured: whoever asks must not make labels.
const OTHER: &str = "other";

/// Takes a delivery; tells it and counts it.
pub(super) async fn receive(
    State(receiver): State<Arc<Receiver>>,
    Path(vendor): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> impl IntoResponse {
    let source = receiver.sources.get(vendor.as_str());
    let vendor = source.map_or(OTHER, |source| source.adapter.vendor.as_str());
    let span = tracing::info_span!("webhook", otel.kind = "server", vendor);
    propagation::set_parent(&span, &headers);
    async {
        let answer = match (source, body) {
            (None, _) => Answer::NotConfigured,
            (Some(_), Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Answer::TooLong,
            (Some(_), Err(_)) => Answer::Unavailable,
            (Some(source), Ok(body)) => deliver(&receiver, source, &headers, &body).await,
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
