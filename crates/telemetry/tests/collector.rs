//! With a collector that works. A binary of its own: telemetry starts once per process.

use http::HeaderMap;
use mainstay_telemetry::{LogFormat, TelemetrySettings, propagation};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

#[derive(Clone)]
struct Collector {
    traces: mpsc::UnboundedSender<ExportTraceServiceRequest>,
    metrics: mpsc::UnboundedSender<ExportMetricsServiceRequest>,
}

/// What a collector receives.
struct Received {
    traces: mpsc::UnboundedReceiver<ExportTraceServiceRequest>,
    metrics: mpsc::UnboundedReceiver<ExportMetricsServiceRequest>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.send(request.into_inner()).map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.send(request.into_inner()).map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// Serves a collector; its address, and what it receives.
async fn collector() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it has one"));
    let (traces, received_traces) = mpsc::unbounded_channel();
    let (metrics, received_metrics) = mpsc::unbounded_channel();
    let collector = Collector { traces, metrics };
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (address, Received { traces: received_traces, metrics: received_metrics })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_and_metrics_reach_the_collector_and_metrics_are_shown_too() {
    let (endpoint, mut received) = collector().await;
    let settings = TelemetrySettings {
        otlp_endpoint: Some(endpoint),
        log_format: LogFormat::Json,
        log_filter: "warn".to_owned(),
        ..TelemetrySettings::named("test")
    };
    let telemetry = mainstay_telemetry::start(settings).expect("it starts");
    mainstay_telemetry::start(TelemetrySettings::named("again")).expect("a second start gives the first");

    let incoming: HeaderMap = [("traceparent", format!("00-{TRACE}-{PARENT}-01"))]
        .into_iter()
        .map(|(k, v)| (k.parse().expect("a name"), v.parse().expect("a value")))
        .collect();
    let span = tracing::info_span!("work");
    propagation::set_parent(&span, &incoming);
    let (stored, outgoing) = span.in_scope(|| {
        let mut outgoing = HeaderMap::new();
        propagation::inject(&mut outgoing);
        (propagation::current_traceparent().expect("there is a span"), outgoing)
    });
    drop(span);
    assert!(stored.starts_with(&format!("00-{TRACE}-")) && !stored.contains(PARENT), "{stored}");
    assert_eq!(outgoing.get("traceparent").expect("it goes out"), stored.as_str());

    let effect = tracing::info_span!("effect");
    propagation::set_parent_from_traceparent(&effect, &stored);
    drop(effect);
    let untouched = tracing::info_span!("untouched");
    propagation::set_parent_from_traceparent(&untouched, "no traceparent");
    drop(untouched);

    for _ in 0..3 {
        metrics::counter!("things_total", "kind" => "good").increment(1);
    }
    metrics::gauge!("places_free").set(7.0);
    metrics::gauge!("places_free").decrement(2.0);
    metrics::histogram!("waiting_seconds").record(0.003);
    let text = telemetry.prometheus();
    assert!(text.contains("things_total{kind=\"good\"} 3"), "{text}");
    assert!(text.contains("waiting_seconds_bucket{le=\"0.005\"} 1"), "{text}");
    assert!(text.contains("waiting_seconds_bucket{le=\"0.0025\"} 0"), "{text}");

    tokio::task::spawn_blocking(move || telemetry.shutdown()).await.expect("it ends");
    assert_metrics(&received.metrics.recv().await.expect("the metrics arrive before the end"));
    let batch = received.traces.recv().await.expect("the spans arrive before the end");
    let resource = batch.resource_spans.first().expect("a resource");
    let names_the_service = format!("{:?}", resource.resource).contains("test");
    assert!(names_the_service, "{resource:?}");
    let spans: Vec<_> = resource.scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(
        (hex(&named("work").trace_id), hex(&named("work").parent_span_id)),
        (TRACE.to_owned(), PARENT.to_owned())
    );
    assert_eq!(hex(&named("effect").trace_id), TRACE);
    assert_eq!(named("effect").parent_span_id, named("work").span_id);
    assert_ne!(hex(&named("untouched").trace_id), TRACE);
}

fn assert_metrics(batch: &ExportMetricsServiceRequest) {
    let resource = batch.resource_metrics.first().expect("a resource");
    assert!(format!("{:?}", resource.resource).contains("test"), "{resource:?}");
    let metrics: Vec<_> = resource.scope_metrics.iter().flat_map(|scope| &scope.metrics).collect();
    let data_of = |name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
        metric.data.as_ref().expect("data")
    };
    let Data::Sum(things) = data_of("things_total") else { panic!("a counter is a sum") };
    let [things] = things.data_points.as_slice() else { panic!("one kind") };
    assert_eq!(things.value, Some(Value::AsInt(3)));
    assert_eq!(things.attributes.first().expect("a label").key, "kind");
    let Data::Gauge(places) = data_of("places_free") else { panic!("a gauge is one") };
    assert_eq!(places.data_points.first().expect("a point").value, Some(Value::AsDouble(5.0)));
    let Data::Histogram(waits) = data_of("waiting_seconds") else { panic!("a histogram is one") };
    let waits = waits.data_points.first().expect("a point");
    let bucket = waits.explicit_bounds.iter().position(|bound| bound.total_cmp(&0.005).is_eq()).expect("our buckets");
    assert_eq!((waits.count, waits.bucket_counts[bucket]), (1, 1));
}
