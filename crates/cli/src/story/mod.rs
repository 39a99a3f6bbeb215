//! One customer through all four services, told by the commands that people use, on a turned clock.

mod chapters;
mod stage;
mod usage;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use mainstay_domain::{ManualClock, start_of_day};
use mainstay_rpc::{Listen, shutdown};
use mainstay_service::WorkerSettings;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::due;
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::output::{Output, note};
use crate::story::stage::Stage;
use crate::suite::{self, Database, Parts, Running, SERVICES, Surroundings};

/// How long a worker that found nothing due waits: the story has them work whenever it has turned the clock.
const POLL_INTERVAL: Duration = Duration::from_hours(1);

/// Where the story begins: a Monday.
const FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 1, 5);

/// Tells the story and gives the exit code.
pub(crate) async fn run(log: &str, output: &mut Output) -> Result<u8, Failure> {
    let first = FIRST_DAY.ok_or_else(|| Failure::Suite("the story's first day is none".to_owned()))?;
    let telemetry = suite::start_telemetry(log)?;
    let shutdown = shutdown::on_signals()?;
    note("Starting PostgreSQL and four services …");
    let folder = tempfile::tempdir()?;
    chapters::write_files(folder.path())?;
    let database = Database::temporary().await?;
    let clock = ManualClock::at(start_of_day(first));
    due::tell_time_by(Arc::new(clock.clone()));
    let surroundings = Surroundings { clock: Arc::new(clock.clone()), telemetry };
    let told = tell(&database, surroundings, &clock, &folder, &shutdown, output).await;
    let stopped = database.stop().await;
    let exit = told?;
    stopped?;
    Ok(exit)
}

/// Starts the services, tells the story, and ends them.
async fn tell(
    database: &Database,
    surroundings: Surroundings,
    clock: &ManualClock,
    folder: &TempDir,
    shutdown: &CancellationToken,
    output: &mut Output,
) -> Result<u8, Failure> {
    let held = SERVICES.iter().map(|service| Ok((service.name, Listen::held(suite::loopback(0))?)));
    let listens: BTreeMap<_, _> = held.collect::<io::Result<_>>()?;
    let mut running: Vec<Running> = Vec::new();
    let parts = |service: &suite::Service| {
        Ok(Parts {
            rpc: suite::rpc_settings(listens[service.name].clone(), suite::loopback(0).into()),
            database_url: database.url(),
            surroundings: surroundings.clone(),
            mail_port: None,
            peers: suite::addresses(&listens),
            data_dir: Some(folder.path().to_owned()),
            workers: WorkerSettings { poll_interval: POLL_INTERVAL, ..WorkerSettings::default() },
        })
    };
    let told = shutdown
        .run_until_cancelled(async {
            suite::start_services(database, parts, shutdown, &mut running).await?;
            chapters::tell(&mut Stage::new(clock, &running, folder.path(), output)?).await
        })
        .await;
    shutdown.cancel();
    for service in running {
        service.join().await?;
    }
    told.map_or(Ok(INTERRUPTED), |told| told.map(|()| DONE))
}
