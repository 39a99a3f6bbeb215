//! The admin port: liveness, readiness, metrics, and health for Kubernetes' gRPC probes.
//!
//! Never encrypted and never authenticated; it speaks HTTP/1.1 and HTTP/2 without TLS, so that the
//! same port takes HTTP and gRPC probes. It stays up until the last call has been drained.
//!
//! | what | answers |
//! |---|---|
//! | `GET /livez` | 200 while the process can answer; asks nothing else |
//! | `GET /readyz` | 200, or 503 with the reason in the body |
//! | `GET /metrics` | the text format of Prometheus |
//! | `grpc.health.v1.Health` | as on the RPC port |
//!
//! A service may add routes of its own, which must then see for themselves who may call them.

mod readiness;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use mainstay_telemetry::Telemetry;
use tonic_health::pb::health_server::{Health, HealthServer};

pub use readiness::Readiness;
pub(crate) use readiness::{Gate, READINESS_SERVICE, watch};

/// What the pages answer from.
#[derive(Clone)]
struct Pages {
    gate: Arc<Gate>,
    telemetry: Option<Telemetry>,
}

/// The pages and the health service.
pub(crate) fn router<H: Health>(gate: Arc<Gate>, telemetry: Option<Telemetry>, health: HealthServer<H>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Pages { gate, telemetry })
        .route_service("/grpc.health.v1.Health/{method}", health)
}

async fn readyz(State(pages): State<Pages>) -> impl IntoResponse {
    match pages.gate.state() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    let text = pages.telemetry.map(|telemetry| telemetry.prometheus()).unwrap_or_default();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
