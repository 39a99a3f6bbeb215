//! The methods a server knows, for labels of bounded number and for deadlines.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use metrics::{Counter, Gauge, Histogram};
use prost_reflect::{DescriptorError, DescriptorPool};
use tonic::Code;

use super::Request;

/// Codes that gRPC has, 0 to 16.
const CODES: usize = 17;

/// What the layers need to know of a method.
pub(crate) struct Method {
    /// `package.Service`, or `unknown`.
    pub(crate) service: Arc<str>,
    /// `Method`, or `unknown`.
    pub(crate) name: Arc<str>,
    /// How long it may take.
    pub(crate) pace: Pace,
    /// Whether it must be answered under overload: health.
    pub(crate) is_vital: bool,
    /// Whether its streams know nothing of the server's end: health and reflection, which are not ours.
    pub(crate) is_foreign: bool,
    started: Counter,
    in_flight: Gauge,
    seconds: Histogram,
    handled: [OnceLock<Counter>; CODES],
}

/// How long a method's answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// One message there and one back.
    Unary,
    /// Several messages, with an end in sight.
    Streaming,
    /// Messages until one side has enough.
    OpenEnded,
}

/// All methods of a server.
pub(crate) struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
}

impl Methods {
    /// The methods of `services` (full names) in encoded descriptor sets.
    pub(crate) fn from_descriptors(
        sets: &[&[u8]],
        services: &HashSet<&str>,
        open_ended: &HashSet<&str>,
    ) -> Result<Self, DescriptorError> {
        let mut by_path = HashMap::new();
        for set in sets {
            let pool = DescriptorPool::decode(*set)?;
            for service in pool.services().filter(|service| services.contains(service.full_name())) {
                for method in service.methods() {
                    let path = format!("/{}/{}", service.full_name(), method.name());
                    let pace = if open_ended.contains(path.as_str()) {
                        Pace::OpenEnded
                    } else if method.is_client_streaming() || method.is_server_streaming() {
                        Pace::Streaming
                    } else {
                        Pace::Unary
                    };
                    by_path.insert(path, Arc::new(Method::new(service.full_name(), method.name(), pace)));
                }
            }
        }
        Ok(Self { by_path, unknown: Arc::new(Method::new("unknown", "unknown", Pace::Unary)) })
    }

    /// The method at `path`, or the one that stands for all that are not served.
    pub(crate) fn get(&self, path: &str) -> Arc<Method> {
        self.by_path.get(path).unwrap_or(&self.unknown).clone()
    }

    /// Whether a method is served at `path`.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }
}

impl Method {
    fn new(service: &str, name: &str, pace: Pace) -> Self {
        let (service, name) = (Arc::<str>::from(service), Arc::<str>::from(name));
        let labels = [("grpc_service", service.clone()), ("grpc_method", name.clone())];
        Self {
            pace,
            is_vital: &*service == "grpc.health.v1.Health",
            is_foreign: service.starts_with("grpc."),
            started: metrics::counter!("grpc_server_started_total", &labels),
            in_flight: metrics::gauge!("grpc_server_in_flight", &labels),
            seconds: metrics::histogram!("grpc_server_handling_seconds", &labels),
            handled: [const { OnceLock::new() }; CODES],
            service,
            name,
        }
    }

    /// Counts a call that begins.
    pub(super) fn count_start(&self) {
        self.started.increment(1);
        self.in_flight.increment(1.0);
    }

    /// Counts a call that has ended.
    pub(super) fn count_end(&self, code: Code, seconds: f64) {
        self.in_flight.decrement(1.0);
        self.seconds.record(seconds);
        let handled = self.handled[code as usize].get_or_init(|| {
            metrics::counter!(
                "grpc_server_handled_total",
                "grpc_service" => self.service.clone(),
                "grpc_method" => self.name.clone(),
                "grpc_code" => code_name(code),
            )
        });
        handled.increment(1);
    }
}

/// The method of a request, as [`super::around_routes`] found it.
pub(super) fn method_of(request: &Request) -> Arc<Method> {
    request.extensions().get::<Arc<Method>>().expect("the method is looked up before the first layer").clone()
}

/// A code as gRPC's documents write it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
