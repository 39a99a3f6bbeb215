//! Signals: each once, on the day it belongs to, in whatever order it comes.

use chrono::Datelike;
use futures::{StreamExt, stream};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_testkit::{idempotency, pagination};
use tonic::{Code, Status};

use crate::harness::{Harness, activity, at, gauge, model_of, shuffled, signal, sum_of, usage};
use crate::refusals::{reason, violated_fields};

fn feature_use(id: &str, time: &str, feature: &str, user_id: &str) -> proto::Signal {
    let payload = proto::FeatureUse { feature: feature.to_owned(), user_id: user_id.to_owned(), count: 0 };
    signal(id, time, Payload::FeatureUse(payload))
}

fn batch(signals: Vec<proto::Signal>) -> proto::BatchRecordSignalsRequest {
    proto::BatchRecordSignalsRequest { signals, ..Default::default() }
}

async fn refused(harness: &Harness, request: proto::BatchRecordSignalsRequest) -> Status {
    harness.signals.clone().batch_record_signals(request).await.expect_err("a refusal")
}

async fn stored_signals(harness: &Harness) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM scoring.signals")
        .fetch_one(harness.database.pool())
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_signal_sent_again_changes_nothing() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 7))).await;
    let signals = vec![usage("acme", "2026-03-01", "emails", 40), usage("acme", "2026-02-28", "emails", 2)];
    let first = harness.record(signals.clone()).await;
    assert_eq!((first.recorded_count, first.duplicate_count), (2, 0));
    harness.settle().await;
    let before = harness.health_of("acme", "").await;

    let mut changed = signals[0].clone();
    changed.payload = Some(Payload::Usage(proto::UsageCount { metric: "emails".to_owned(), quantity: 99 }));
    let again = harness.record(vec![signals[1].clone(), changed, signals[0].clone()]).await;
    assert_eq!((again.recorded_count, again.duplicate_count), (0, 3));
    harness.settle().await;
    assert_eq!(harness.health_of("acme", "").await.score, before.score);
    assert_eq!(before.score, Some(42.0));
}

#[tokio::test]
async fn late_signal_rescores_the_day_it_belongs_to_and_those_after() {
    let mut harness = Harness::start("2026-03-01T12:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.activate("sum", model_of(sum_of("emails", 3))).await;
    harness.record(vec![usage("acme", "2026-03-01", "emails", 10)]).await;
    harness.settle().await;
    harness.pass_days(5).await;

    harness.record(vec![usage("acme", "2026-03-02T23:59:59Z", "emails", 30)]).await;
    harness.settle().await;
    let mut scores = Vec::new();
    for day in 1..=6 {
        scores.push(harness.health_of("acme", &format!("2026-03-0{day}")).await.score.expect("a score"));
    }
    assert_eq!(scores, [10.0, 40.0, 40.0, 30.0, 0.0, 0.0]);
}

#[tokio::test]
async fn signals_in_any_order_give_the_same_health() {
    let mut harness = Harness::start("2026-03-20T00:00:00Z").await;
    let seeds = [1, 20_260_320, 4_000_000_007];
    let ids = ["backward".to_owned()].into_iter().chain(seeds.map(|seed| format!("mixed-{seed}"))).collect::<Vec<_>>();
    harness.create_accounts(&["forward"]).await;
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let signals = |id: &str| {
        let mut signals = Vec::new();
        for day in 1..=20i32 {
            let time = format!("2026-03-{day:02}T{:02}:00:00Z", day % 24);
            signals.push(usage(id, &time, "emails", i64::from(day * 7 % 5)));
            signals.push(gauge(id, &time, "seats", 3.0 + f64::from(day % 4)));
            signals.push(gauge(id, &time, "seats", 2.0));
            signals.push(activity(id, &time, &format!("user-{}", day % 3)));
            signals.push(feature_use(id, &time, &format!("feature-{}", day % 6), "user-9"));
        }
        signals
    };
    harness.record(signals("forward")).await;
    let mut backward = signals("backward");
    backward.reverse();
    harness.record(backward).await;
    for seed in seeds {
        for some in shuffled(signals(&format!("mixed-{seed}")), seed).chunks(7) {
            harness.record(some.to_vec()).await;
            harness.settle().await;
        }
    }
    harness.settle().await;
    for day in ["2026-03-05", "2026-03-13", "2026-03-20"] {
        let forward = harness.health_of("forward", day).await;
        for id in &ids {
            let other = harness.health_of(id, day).await;
            assert_eq!(other.score, forward.score, "{id} on {day}");
            assert_eq!(other.components, forward.components, "{id} on {day}");
        }
        assert!(forward.score.is_some(), "a score on {day}");
    }
}

#[tokio::test]
async fn a_wrong_item_refuses_the_whole_batch_and_every_fault_is_named() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let good = usage("acme", "2026-03-01", "emails", 1);
    let mut bad = gauge("acme", "2026-03-03", "Seats", f64::NAN);
    bad.source = "BILLING".to_owned();
    let mut empty = good.clone();
    empty.account = "acme".to_owned();
    empty.payload = None;
    empty.event_time = None;
    let status = refused(&harness, batch(vec![good, bad, empty])).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        violated_fields(&status),
        [
            "signals[1].source",
            "signals[1].event_time",
            "signals[1].gauge.metric",
            "signals[1].gauge.level",
            "signals[2].account",
            "signals[2].event_time",
            "signals[2].payload",
        ]
    );
    assert_eq!(stored_signals(&harness).await, 0);
}

#[tokio::test]
async fn a_refused_signal_does_not_decide_what_its_metric_is() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let signals = vec![gauge("nobody", "2026-03-01", "emails", 1.0), usage("acme", "2026-03-01", "emails", 1)];
    let request =
        proto::BatchRecordSignalsRequest { signals, mode: proto::BatchMode::PerItem.into(), ..Default::default() };
    let answer = harness.signals.batch_record_signals(request).await.expect("an answer").into_inner();
    assert_eq!(answer.recorded_count, 1, "{:?}", answer.errors);
    assert_eq!(answer.errors.iter().map(|error| error.index).collect::<Vec<_>>(), [0]);
}

#[tokio::test]
async fn per_item_records_the_right_ones_and_names_the_others() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme", "gone"]).await;
    let archive = proto::ArchiveAccountRequest { name: "accounts/gone".to_owned(), ..Default::default() };
    harness.accounts.archive_account(archive).await.expect("archived");
    harness.record(vec![gauge("acme", "2026-02-01", "seats", 5.0)]).await;
    let mut request = batch(vec![
        usage("acme", "2026-03-01", "emails", 1),
        usage("nobody", "2026-03-01", "emails", 1),
        usage("gone", "2026-03-01", "emails", 1),
        usage("acme", "2026-03-01", "seats", 1),
        usage("acme", "2026-03-01", "emails", -1),
    ]);
    request.mode = proto::BatchMode::PerItem.into();
    let answer = harness.signals.batch_record_signals(request.clone()).await.expect("an answer").into_inner();
    assert_eq!((answer.recorded_count, answer.duplicate_count), (1, 0));
    let refusals: Vec<(i32, i32)> =
        answer.errors.iter().map(|error| (error.index, error.status.as_ref().expect("a status").code)).collect();
    assert_eq!(
        refusals,
        [
            (1, Code::NotFound as i32),
            (2, Code::FailedPrecondition as i32),
            (3, Code::InvalidArgument as i32),
            (4, Code::InvalidArgument as i32),
        ]
    );

    request.mode = proto::BatchMode::AllOrNothing.into();
    let status = refused(&harness, request).await;
    assert_eq!(
        violated_fields(&status),
        ["signals[1].account", "signals[2].account", "signals[3].payload", "signals[4].usage.quantity"]
    );
    assert_eq!(stored_signals(&harness).await, 2);
}

#[tokio::test]
async fn a_single_unknown_account_or_metric_of_another_kind_has_its_own_reason() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    harness.record(vec![gauge("acme", "2026-02-01", "seats", 5.0)]).await;
    let status = refused(&harness, batch(vec![usage("nobody", "2026-03-01", "emails", 1)])).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    assert_eq!(violated_fields(&status), ["signals[0].account"]);
    let status = refused(&harness, batch(vec![usage("acme", "2026-03-01", "seats", 1)])).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "METRIC_KIND_MISMATCH"));
    assert_eq!(violated_fields(&status), ["signals[0].payload"]);
}

#[tokio::test]
async fn batches_are_one_to_ten_thousand() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let one = usage("acme", "2026-03-01", "emails", 1);
    for size in [0, 10_001] {
        let status = refused(&harness, batch(vec![one.clone(); size])).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{size} signals");
        assert_eq!(violated_fields(&status), ["signals"], "{size} signals");
    }
    let many = (0..10_000).map(|number| proto::Signal { source_id: format!("many-{number}"), ..one.clone() }).collect();
    assert_eq!(harness.record(many).await.recorded_count, 10_000);
}

#[tokio::test]
async fn twins_from_four_callers_count_once() {
    let mut harness = Harness::start("2026-03-31T00:00:00Z").await;
    let ids: Vec<String> = (0..50).map(|number| format!("account-{number}")).collect();
    harness.create_accounts(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let signals: Vec<proto::Signal> = (0..2_000)
        .map(|number: i64| {
            let id = &ids[usize::try_from(number * 7 % 50).expect("small")];
            let mut one = usage(id, &format!("2026-03-{:02}", number % 28 + 1), "emails", 1);
            one.source_id = format!("twin-{number}");
            one
        })
        .collect();
    let callers = (0..4).map(|caller| {
        let mut client = harness.signals.clone();
        let mut signals = signals.clone();
        signals.rotate_left(caller * 500);
        tokio::spawn(async move {
            let mut recorded = 0;
            for some in signals.chunks(250) {
                let answer = client.batch_record_signals(batch(some.to_vec())).await.expect("recorded");
                recorded += answer.into_inner().recorded_count;
            }
            recorded
        })
    });
    let recorded: Vec<i32> = futures::future::try_join_all(callers).await.expect("callers");
    assert_eq!(recorded.iter().sum::<i32>(), 2_000, "{recorded:?}");
    let sum: i64 = sqlx::query_scalar("SELECT sum(day)::bigint FROM scoring.count_months, unnest(day_sums) AS day")
        .fetch_one(harness.database.pool())
        .await
        .expect("a sum");
    assert_eq!(sum, 2_000);
}

#[tokio::test]
async fn a_stream_is_acknowledged_in_order_and_can_be_resumed() {
    let mut harness = Harness::start("2026-03-31T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let batch_of = |sequence: i64| proto::StreamSignalsRequest {
        sequence,
        signals: (0..20)
            .map(|number| {
                let mut one = usage("acme", "2026-03-30", "emails", 1);
                one.source_id = format!("{sequence}-{number}");
                one
            })
            .collect(),
    };
    let answers = harness.signals.stream_signals(stream::iter((1..=9).map(batch_of))).await.expect("a stream");
    let answers: Vec<_> = answers.into_inner().map(|answer| answer.expect("an acknowledgement")).collect().await;
    assert_eq!(answers.iter().map(|answer| answer.sequence).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| answer.recorded_count == 20 && answer.errors.is_empty()));

    let again = harness.signals.stream_signals(stream::iter((8..=12).map(batch_of))).await.expect("a stream");
    let again: Vec<_> = again.into_inner().map(|answer| answer.expect("an acknowledgement")).collect().await;
    let counts: Vec<_> = again.iter().map(|answer| (answer.recorded_count, answer.duplicate_count)).collect();
    assert_eq!(counts, [(0, 20), (0, 20), (20, 0), (20, 0), (20, 0)]);
    assert_eq!(stored_signals(&harness).await, 240);
}

#[tokio::test]
async fn a_stream_goes_on_after_wrong_items_and_ends_at_a_sequence_that_does_not_rise() {
    let mut harness = Harness::start("2026-03-31T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let good = usage("acme", "2026-03-30", "emails", 1);
    let requests = vec![
        proto::StreamSignalsRequest { sequence: 1, signals: vec![usage("nobody", "2026-03-30", "emails", 1)] },
        proto::StreamSignalsRequest { sequence: 5, signals: vec![good.clone()] },
        proto::StreamSignalsRequest { sequence: 5, signals: vec![good] },
    ];
    let answers = harness.signals.stream_signals(stream::iter(requests)).await.expect("a stream");
    let answers: Vec<_> = answers.into_inner().collect().await;
    let first = answers[0].as_ref().expect("an acknowledgement");
    assert_eq!((first.recorded_count, first.errors.len()), (0, 1));
    assert_eq!(answers[1].as_ref().expect("an acknowledgement").recorded_count, 1);
    let status = answers[2].as_ref().expect_err("an end");
    assert_eq!((status.code(), violated_fields(status)), (Code::InvalidArgument, vec!["sequence".to_owned()]));
}

#[tokio::test]
async fn checking_only_writes_nothing() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let mut request = batch(vec![usage("acme", "2026-03-01", "emails", 1)]);
    request.validate_only = true;
    let answer = harness.signals.batch_record_signals(request).await.expect("an answer").into_inner();
    assert_eq!(answer.recorded_count, 1);
    assert_eq!(stored_signals(&harness).await, 0);
}

#[tokio::test]
async fn recording_may_be_repeated_by_request_id() {
    let mut harness = Harness::start("2026-03-01T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let call = async |request_id: String, content: usize| {
        let mut one = usage("acme", "2026-03-01", "emails", 1);
        one.source_id = format!("content-{content}-{request_id}");
        let request = proto::BatchRecordSignalsRequest { signals: vec![one], request_id, ..Default::default() };
        harness.signals.clone().batch_record_signals(request).await.map(tonic::Response::into_inner)
    };
    let count = async || u64::try_from(stored_signals(&harness).await).expect("a count");
    idempotency::assert_repeatable(call, count).await;
}

#[tokio::test]
async fn signals_are_listed_newest_first_in_pages() {
    let mut harness = Harness::start("2026-03-31T00:00:00Z").await;
    harness.create_accounts(&["acme", "other"]).await;
    let signals: Vec<_> = (0..30)
        .map(|number| {
            let mut one = usage("acme", &format!("2026-03-{:02}", 1 + number / 3), "emails", 1);
            one.source_id = format!("{number:02}");
            one
        })
        .collect();
    harness.record(signals).await;
    harness.record(vec![usage("other", "2026-03-15", "emails", 1)]).await;
    let mut expected: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    expected.sort_by_key(|id| {
        let number: i32 = id.parse().expect("a number");
        (-(number / 3), number)
    });
    let list = async |page_size: i32, page_token: String, source: &str| {
        let request = proto::ListSignalsRequest {
            parent: "accounts/acme".to_owned(),
            page_size,
            page_token,
            source: source.to_owned(),
            ..Default::default()
        };
        let page = harness.signals.clone().list_signals(request).await?.into_inner();
        Ok((page.signals.into_iter().map(|signal| signal.source_id).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| list(size, token, "").await,
        async |size, token| list(size, token, "test").await,
        &expected,
    )
    .await;
}

#[tokio::test]
async fn signals_are_found_by_time_source_and_kind() {
    let mut harness = Harness::start("2026-03-31T00:00:00Z").await;
    harness.create_accounts(&["acme"]).await;
    let from = |source: &str, mut signal: proto::Signal| {
        source.clone_into(&mut signal.source);
        signal
    };
    harness
        .record(vec![
            from("billing", usage("acme", "2026-03-01", "emails", 1)),
            from("billing", gauge("acme", "2026-03-02", "seats", 1.0)),
            from("product", activity("acme", "2026-03-03", "ada")),
            from("product", feature_use("acme", "2026-03-04", "export", "ada")),
        ])
        .await;
    let all = proto::ListSignalsRequest { parent: "accounts/acme".to_owned(), ..Default::default() };
    let list = async |request: proto::ListSignalsRequest| -> Result<Vec<u32>, Status> {
        let page = harness.signals.clone().list_signals(request).await?.into_inner();
        let day = |signal: &proto::Signal| {
            let seconds = signal.event_time.expect("a time").seconds;
            chrono::DateTime::from_timestamp(seconds, 0).expect("a time").day()
        };
        Ok(page.signals.iter().map(day).collect())
    };
    let time = |text: &str| Some(prost_types::Timestamp { seconds: at(text).timestamp(), nanos: 0 });
    let between = |start: &str, end: &str| proto::ListSignalsRequest {
        start_time: time(start),
        end_time: time(end),
        ..all.clone()
    };
    assert_eq!(list(between("2026-03-02", "2026-03-04")).await.expect("signals"), [3, 2], "the end is not included");
    let since = proto::ListSignalsRequest { start_time: time("2026-03-03"), ..all.clone() };
    assert_eq!(list(since).await.expect("signals"), [4, 3]);
    let before = proto::ListSignalsRequest { end_time: time("2026-03-03"), ..all.clone() };
    assert_eq!(list(before).await.expect("signals"), [2, 1]);

    let of_source = proto::ListSignalsRequest { source: "product".to_owned(), ..all.clone() };
    assert_eq!(list(of_source).await.expect("signals"), [4, 3]);
    for (kind, day) in (1..=4).zip([1, 2, 3, 4]) {
        let of_kind = proto::ListSignalsRequest { kinds: vec![kind, kind], ..all.clone() };
        assert_eq!(list(of_kind).await.expect("signals"), [day]);
    }
    let of_kinds = proto::ListSignalsRequest { source: "billing".to_owned(), kinds: vec![1, 3], ..all.clone() };
    assert_eq!(list(of_kinds).await.expect("signals"), [1]);

    let wrong = proto::ListSignalsRequest {
        parent: "acme".to_owned(),
        source: "BILLING".to_owned(),
        kinds: vec![1, 0, 99],
        ..between("2026-03-04", "2026-03-04")
    };
    let status = list(wrong).await.expect_err("a refusal");
    assert_eq!(violated_fields(&status), ["parent", "kinds[1]", "kinds[2]", "end_time", "source"]);
    let unknown = proto::ListSignalsRequest { parent: "accounts/nobody".to_owned(), ..Default::default() };
    assert_eq!(reason(&list(unknown).await.expect_err("a refusal")), "ACCOUNT_NOT_FOUND");
}
