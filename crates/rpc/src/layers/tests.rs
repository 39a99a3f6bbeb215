//! The order of the layers, observed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mainstay_domain::{IdSource, SystemClock};
use tonic::body::Body;

use super::*;
use crate::auth::{Caller, Permissions};

/// Collects the names of the layers that a request meets.
#[derive(Debug, Clone, Default)]
struct Probe(Arc<Mutex<Vec<&'static str>>>);

pub(super) fn entered(name: &'static str, request: &Request) {
    if let Some(probe) = request.extensions().get::<Probe>() {
        probe.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }
}

#[derive(Debug)]
struct Anybody;

#[async_trait]
impl Authenticator for Anybody {
    async fn authorize(&self, _path: &str, _bearer_token: Option<&str>) -> Result<Caller, ApiError> {
        Ok(Caller::anonymous(Permissions::all()))
    }
}

#[tokio::test]
async fn a_request_meets_the_layers_in_the_order_that_is_written_down() {
    let methods = Methods::from_descriptors(&[], &HashSet::new(), &HashSet::new()).expect("no methods");
    let parts = LayerParts {
        limits: Limits::default(),
        ids: Arc::new(IdSource::seeded(Arc::new(SystemClock), 1)),
        methods: Arc::new(methods),
        authenticator: Arc::new(Anybody),
    };
    let chain = around_routes(Routes::default(), &parts);
    let probe = Probe::default();
    let request = http::Request::builder().uri("/a.Service/Method").extension(probe.clone()).body(Body::empty());
    chain.answer(request.expect("a request")).await;
    let met = probe.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(met, ORDER);
    assert_eq!(
        met,
        [
            "request_ids",
            "spans",
            "call_metrics",
            "panic_guard",
            "error_mapping",
            "deadlines",
            "load_shedding",
            "authentication",
            "message_sizes",
        ]
    );
}
