//! What is measured.

use chrono::TimeDelta;
use mainstay_testkit::http::HttpAnswer;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::fixture::{Fixture, email, email_to, slack, webhook};

#[tokio::test]
async fn what_was_sent_failed_died_and_waits_is_counted_by_channel() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    // This test's runtime has one thread, so that all its tasks record here.
    let _recording = metrics::set_default_local_recorder(&recorder);
    let fixture = Fixture::start().await;
    fixture.smtp.refuse_recipient("gone@example.org", "550 5.1.1 no such user");
    fixture.http.answer_next([HttpAnswer::status(500)]);
    let dispatcher = fixture.dispatcher();
    fixture.enqueue_new(webhook()).await;
    dispatcher.run_due().await.expect("no fault");
    for _ in 0..2 {
        fixture.enqueue_new(email()).await;
    }
    fixture.enqueue_new(email_to("gone@example.org")).await;
    fixture.pass(TimeDelta::seconds(2));
    dispatcher.run_due().await.expect("no fault");
    fixture.enqueue_new(slack()).await;
    fixture.pass(TimeDelta::seconds(7));
    dispatcher.observe().await.expect("no fault");

    let text = page.render();
    for line in [
        r#"mainstay_delivery_sent_total{channel="email"} 2"#,
        r#"mainstay_delivery_failed_total{channel="email"} 1"#,
        r#"mainstay_delivery_failed_total{channel="webhook"} 1"#,
        r#"mainstay_delivery_dead_total{channel="email"} 1"#,
        r#"mainstay_delivery_latency_seconds_sum{channel="email"} 4"#,
        r#"mainstay_delivery_pending{channel="email"} 0"#,
        r#"mainstay_delivery_pending{channel="slack"} 1"#,
        r#"mainstay_delivery_pending{channel="webhook"} 1"#,
        r#"mainstay_delivery_dead{channel="email"} 1"#,
        r#"mainstay_delivery_lag_seconds{channel="email"} 0"#,
        r#"mainstay_delivery_lag_seconds{channel="slack"} 7"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
