//! Webhooks of vendors, on the admin port: `POST /webhooks/{stripe|lago|zendesk|segment}`.
//!
//! A delivery is checked, mapped by [`mainstay_adapters`], and taken in by the use cases that the RPCs call. Nothing of a body is
//! parsed before its signature is found right, and success is answered only once all of it is durable, so that a vendor who
//! hears nothing else sends it again. A delivery that comes again, late or in another order changes nothing.
//!
//! What is answered when, and why: `docs/adr/0023-webhooks-from-vendors.md`.

mod answer;
mod receive;
mod take_in;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use mainstay_adapters::{Adapter, Vendor};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::settings::WebhookSettings;

/// Longest body that is read: vendors send less than a tenth of it, lists of calls of Segment up to half a megabyte.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Deliveries at once, of all vendors together; more are asked to come again.
const DELIVERIES_MAX: usize = 16;
/// The longest that a body may take to come: whoever sends it more slowly holds a connection of a port that has others to serve.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// The longest that a delivery may take; vendors wait for 5 to 30 seconds.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(4);

/// A vendor whose deliveries are taken.
struct Source {
    adapter: Adapter,
    /// The signing secrets: any of them will do.
    secrets: Vec<Vec<u8>>,
}

/// What deliveries are taken in with.
struct Receiver {
    app: App,
    sources: BTreeMap<&'static str, Source>,
    places: Semaphore,
}

/// The receiver's routes.
pub(crate) fn router(app: App, settings: &WebhookSettings) -> Router {
    let source = |(vendor, secrets): (&Vendor, &Vec<_>)| {
        let adapter = Adapter { vendor: *vendor, account_key: settings.account_key.clone() };
        let secrets = secrets.iter().map(|secret: &mainstay_rpc::settings::Secret| secret.expose().as_bytes().to_vec());
        (vendor.as_str(), Source { adapter, secrets: secrets.collect() })
    };
    let sources = settings.secrets.iter().map(source).collect();
    let receiver = Arc::new(Receiver { app, sources, places: Semaphore::new(DELIVERIES_MAX) });
    Router::new()
        .route("/webhooks/{vendor}", post(receive::receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(receiver)
}
