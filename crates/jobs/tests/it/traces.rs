//! In whose trace jobs run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use mainstay_jobs::{Job, NewJob, Outcome};
use mainstay_telemetry::TelemetrySettings;
use mainstay_telemetry::propagation::current_traceparent;

use crate::fixture::{Answers, Fixture, QUEUE};

const FIRST: &str = "00-11111111111111111111111111111111-aaaaaaaaaaaaaaaa-01";
const SECOND: &str = "00-22222222222222222222222222222222-bbbbbbbbbbbbbbbb-01";

fn trace_of(traceparent: Option<String>) -> String {
    traceparent.map(|traceparent| traceparent[3..35].to_owned()).unwrap_or_default()
}

/// Runs what is due in batches of a size; answers each key with the trace in which its part was done.
async fn traces(fixture: &Fixture, batch: i64) -> Vec<(String, String)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = Answers(batch, {
        let seen = Arc::clone(&seen);
        move |job: &Job| {
            let inside = if batch == 1 { current_traceparent() } else { job.span(QUEUE).in_scope(current_traceparent) };
            seen.lock().expect("not poisoned").push((job.key.clone(), trace_of(inside)));
            Ok(Outcome::Done)
        }
    });
    fixture.runner(fixture.pool(), 1).with(Arc::new(handler)).run_due().await.expect("run");
    let mut seen = seen.lock().expect("not poisoned").clone();
    seen.sort();
    seen
}

#[tokio::test]
async fn a_job_is_done_in_the_trace_of_whoever_made_it_due_then() {
    mainstay_telemetry::start(TelemetrySettings::named("test")).expect("it starts");
    let fixture = Fixture::new().await;
    let now = fixture.now();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    for batch in [1, 10] {
        let (later, latest) = (now + TimeDelta::hours(1), now + TimeDelta::hours(2));
        for job in [
            NewJob::due("earlier", later).caused_by(Some(FIRST)),
            NewJob::due("earlier", now).caused_by(Some(SECOND)),
            NewJob::due("later", now).caused_by(Some(FIRST)),
            NewJob::due("later", latest).caused_by(Some(SECOND)),
        ] {
            fixture.jobs.schedule(&mut connection, QUEUE, &[job], now).await.expect("scheduled");
        }
        let expected = [("earlier", &SECOND[3..35]), ("later", &FIRST[3..35])];
        let expected = expected.map(|(key, trace)| (key.to_owned(), trace.to_owned()));
        assert_eq!(traces(&fixture, batch).await, expected, "in batches of {batch}");
    }
}

#[tokio::test]
async fn whoever_made_jobs_due_can_be_asked_for_without_running_them() {
    let fixture = Fixture::new().await;
    let now = fixture.now();
    let mut connection = fixture.pool().acquire().await.expect("a connection");
    let untraced = NewJob::due("untraced", now);
    let jobs = [NewJob::due("traced", now).caused_by(Some(FIRST)), untraced, NewJob::due("other", now)];
    fixture.jobs.schedule(&mut connection, QUEUE, &jobs, now).await.expect("scheduled");
    let known =
        fixture.jobs.traceparents(&mut connection, QUEUE, &["traced", "untraced", "missing"]).await.expect("read");
    assert_eq!(known, HashMap::from([("traced".to_owned(), FIRST.to_owned())]));
}
