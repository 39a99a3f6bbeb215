//! With a collector that accepts and never answers. A binary of its own: telemetry starts once per process.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mainstay_telemetry::{FLUSH_TIMEOUT_MAX, LogFormat, TelemetrySettings};

/// What the machine may take on top.
const SLACK: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_collector_blocks_nothing_and_delays_the_end_by_at_most_the_flush() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let settings = TelemetrySettings {
        otlp_endpoint: Some(format!("http://{}", dead.local_addr().expect("it has one"))),
        log_format: LogFormat::Json,
        log_filter: "off".to_owned(),
        ..TelemetrySettings::named("test")
    };
    let telemetry = mainstay_telemetry::start(settings).expect("a dead collector is no reason not to start");
    let started = Instant::now();
    for number in 0..20_000 {
        drop(tracing::info_span!("work", number));
        metrics::counter!("work_total").increment(1);
    }
    assert!(started.elapsed() < FLUSH_TIMEOUT_MAX, "more spans than the queue holds are dropped, not waited for");

    let ending = Instant::now();
    tokio::task::spawn_blocking(move || telemetry.shutdown()).await.expect("it ends");
    let took = ending.elapsed();
    assert!(took < FLUSH_TIMEOUT_MAX + SLACK, "{took:?}");
}
