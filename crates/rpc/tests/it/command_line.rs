//! The command line that all service binaries share.

use std::ffi::OsString;

use async_trait::async_trait;
use mainstay_jobs::Jobs;
use mainstay_rpc::service_main::{Outcome, Runnable, ServiceApp, ServiceContext, ServiceError, run_from};
use mainstay_rpc::settings::Reader;
use mainstay_storage::{MIGRATIONS, Migrator, SchemaName};
use tokio_util::sync::CancellationToken;

use crate::feed;
use mainstay_rpc::RpcSettings;

const SCHEMA: SchemaName = SchemaName::new("sample");

struct App;

/// Ends at once.
struct Done;

#[async_trait]
impl Runnable for Done {
    async fn run(self, _shutdown: CancellationToken) -> Result<(), ServiceError> {
        Ok(())
    }
}

#[async_trait]
impl ServiceApp for App {
    const NAME: &'static str = "sample";
    const PORT: u16 = 7460;
    const ABOUT: &'static str = "Does what a test needs.";
    type Settings = u32;
    type Complete = Done;

    fn read_settings(reader: &mut Reader) -> u32 {
        reader.u32("sample.size", "how much", 7, 1..=10)
    }

    fn migrator() -> Migrator {
        Migrator::new(SCHEMA, vec![&MIGRATIONS, &mainstay_jobs::MIGRATIONS])
    }

    fn jobs() -> Option<Jobs> {
        Some(Jobs::new(&SCHEMA))
    }

    async fn complete(context: ServiceContext<u32>) -> Result<Done, ServiceError> {
        if context.settings == 7 { Ok(Done) } else { Err("the size is not 7".into()) }
    }
}

const URL: &str = "MAINSTAY_SAMPLE__DATABASE__URL";

async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let arguments = ["mainstay-sample"].iter().chain(arguments).map(OsString::from);
    let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    run_from::<App>(arguments, environment).await
}

#[tokio::test]
async fn help_teaches_the_way_to_a_running_service() {
    let help = run(&["--help"], &[]).await;
    assert_eq!(help.code, 0);
    for word in ["serve", "migrate", "config", "healthcheck", "jobs", "Exit codes", URL, App::ABOUT] {
        assert!(help.output.contains(word), "{word} in {}", help.output);
    }
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_misuse() {
    for arguments in [&["dance"][..], &["serve", "--fast"], &["config"]] {
        let outcome = run(arguments, &[]).await;
        assert_eq!(outcome.code, 2, "{arguments:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn config_check_shows_all_settings_and_no_secret() {
    let url = "postgres://sample:hunter2@127.0.0.1/mainstay";
    let outcome = run(&["config", "check"], &[(URL, url), ("MAINSTAY_SAMPLE__RPC__LISTEN", "127.0.0.1:7999")]).await;
    assert_eq!((outcome.code, outcome.faults.as_str()), (0, ""));
    for text in ["127.0.0.1:7999", "MAINSTAY_SAMPLE__RPC__LISTEN", "size"] {
        assert!(outcome.output.contains(text), "{text} in {}", outcome.output);
    }
    assert!(!outcome.output.contains("hunter2"), "{}", outcome.output);
}

#[tokio::test]
async fn config_check_tells_all_faults_at_once() {
    let environment = [
        ("MAINSTAY_SAMPLE__RPC__LISTEN", "everywhere"),
        ("MAINSTAY_SAMPLE__TELEMETRY__OTLP_ENDPOINT", "collector:4317"),
        ("MAINSTAY_SAMPLE__TELEMETRY__LOG_FILTER", "a=b=c"),
        ("MAINSTAY_SAMPLE__SAMPLE__SIZE", "11"),
        ("MAINSTAY_SAMPLE__RPC__TLS__KEY_FILE", "key.pem"),
        ("MAINSTAY_SAMPLE__RPC__LISTENN", "127.0.0.1:1"),
    ];
    let outcome = run(&["config", "check"], &environment).await;
    assert_eq!(outcome.code, 2);
    let keys = [
        "rpc.listen",
        "telemetry.otlp_endpoint",
        "sample.size",
        "rpc.tls.certificate_file",
        "rpc.listenn",
        "database.url",
    ];
    for key in keys {
        assert!(outcome.faults.contains(key), "{key} in {}", outcome.faults);
    }
    let served = run(&["serve"], &environment).await;
    assert_eq!((served.code, served.faults), (2, outcome.faults), "serve refuses for the same reasons");
}

#[tokio::test]
async fn the_configuration_file_may_come_from_either_place() {
    let missing = "/there/is/no/such.toml";
    for outcome in [
        run(&["config", "check", "--config", missing], &[]).await,
        run(&["config", "check"], &[("MAINSTAY_SAMPLE_CONFIG", missing)]).await,
    ] {
        assert_eq!(outcome.code, 2);
        assert!(outcome.faults.contains(missing), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_refuses_a_schema_that_is_behind_and_names_the_command() {
    let empty = Migrator::new(SchemaName::new("unrelated"), vec![]);
    let database = mainstay_testkit::database(&empty).await;
    let environment = [(URL, database.url())];

    let behind = run(&["serve"], &environment).await;
    assert_eq!(behind.code, 1);
    assert!(behind.faults.contains("behind") && behind.faults.contains("mainstay-sample migrate"), "{behind:?}");

    let migrated = run(&["migrate"], &environment).await;
    assert_eq!((migrated.code, migrated.faults.as_str()), (0, ""));
    assert!(migrated.output.contains("idempotency"), "{migrated:?}");
    let again = run(&["migrate"], &environment).await;
    assert!(again.output.contains("nothing to apply"), "{again:?}");

    let served = run(&["serve"], &environment).await;
    assert_eq!((served.code, served.faults.as_str()), (0, ""));
    let failed = run(&["serve"], &[environment[0], ("MAINSTAY_SAMPLE__SAMPLE__SIZE", "8")]).await;
    assert_eq!((failed.code, failed.faults.as_str()), (1, "error: the size is not 7\n"));
}

#[tokio::test]
async fn dead_jobs_are_seen_and_brought_back() {
    let database = mainstay_testkit::database(&App::migrator()).await;
    let environment = [(URL, database.url())];
    let jobs = async |arguments: &[&str]| run(&[&["jobs"], arguments].concat(), &environment).await;
    let rows = "INSERT INTO sample.jobs (queue, key, due_at, attempts, last_error, dead_at, created_at, updated_at)
        SELECT queue, key, '1997-01-01', 3, error, dead_at, '1997-01-01', '1997-01-01' FROM (VALUES
            ('rescore', 'acme', E'no\nmodel', timestamptz '1997-01-02 03:04:05Z'),
            ('rescore', 'bolt', 'no model', timestamptz '1997-01-02'),
            ('rescore', 'cog', 'no model', timestamptz '1997-01-02'),
            ('mail', 'dot', NULL, NULL)) AS given (queue, key, error, dead_at)";
    sqlx::raw_sql(rows).execute(database.pool()).await.expect("jobs");

    let all = jobs(&["list"]).await;
    assert_eq!((all.code, all.faults.as_str()), (0, ""));
    for line in [
        "QUEUE    DUE  LATER  DEAD  OLDEST DUE",
        "mail     1    0      0     1997-01-01T00:00:00Z",
        "rescore  0    0      3     -",
        "rescore  acme  1997-01-01T00:00:00Z  3       1997-01-02T03:04:05Z  no model",
    ] {
        assert!(all.output.lines().any(|shown| shown == line), "{line} is not in:\n{}", all.output);
    }
    let dead = jobs(&["list", "--dead", "--limit", "1"]).await.output;
    assert!(dead.contains("acme") && dead.contains("and 2 more") && !dead.contains("dot"), "{dead}");
    assert!(jobs(&["list", "--dead", "--queue", "mail"]).await.output.contains("no such jobs"));

    assert_eq!(jobs(&["requeue", "rescore", "acme"]).await.output, "requeued 1\n");
    let again = jobs(&["requeue", "rescore", "acme", "bolt"]).await;
    assert_eq!(again.code, 1);
    assert!(again.faults.contains("requeued 1;") && again.faults.contains("key acme"), "{again:?}");
    assert_eq!(jobs(&["requeue", "rescore", "--all-dead"]).await.output, "requeued 1\n");
    assert!(jobs(&["list", "--dead"]).await.output.contains("no such jobs"));

    for misuse in [&["requeue"][..], &["requeue", "rescore"], &["requeue", "rescore", "acme", "--all-dead"], &[]] {
        assert_eq!(jobs(misuse).await.code, 2, "{misuse:?}");
    }
    let help = jobs(&["--help"]).await.output;
    assert!(help.contains("requeue rescore --all-dead"), "{help}");
}

#[tokio::test]
async fn healthcheck_tells_whether_a_server_serves() {
    let (server, _fake) = feed::server(&RpcSettings::loopback()).await;
    let shutdown = CancellationToken::new();
    let handle = server.run(shutdown.clone());
    let ask = async |service: &str| {
        let address = format!("http://{}", handle.admin_addr());
        run(&["healthcheck", "--address", &address, "--service", service], &[]).await
    };
    // The server tells so in a task of its own.
    while ask("").await.code != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask("mainstay.events.v1.EventFeedService").await.output, "SERVING\n");
    let unknown = ask("mainstay.events.v1.Unknown").await;
    assert_eq!(unknown.code, 1, "{unknown:?}");

    let nobody = run(&["healthcheck", "--address", "http://127.0.0.1:1"], &[]).await;
    assert_eq!(nobody.code, 1);
    assert!(nobody.faults.contains("cannot be reached"), "{nobody:?}");
}
