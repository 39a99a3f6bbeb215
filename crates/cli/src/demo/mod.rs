//! The demo: real customers, day by day, through the RPCs of a real service.

mod outcome;
mod play;
mod portfolio;
mod progress;
mod sample;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;
use mainstay_api::mainstay::scoring::v1::model_service_client::ModelServiceClient;
use mainstay_api::mainstay::scoring::v1::{ActivateModelRequest, CreateModelRequest, Health};
use mainstay_clients::{ChannelSettings, DEFAULT_PORT, RetryPolicy, connect, retrying};
use mainstay_domain::{ManualClock, start_of_day};
use mainstay_rpc::{Listen, shutdown};
use mainstay_scoring::model_message;
use mainstay_service::{WorkerSettings, Workers};
use tokio_util::sync::CancellationToken;

use crate::command::demo::DemoArguments;
use crate::command::up::server_option;
use crate::connection::Connection;
use crate::demo::outcome::{Customer, GOAL, Outcome, Reference};
use crate::demo::play::{Shop, account_name};
use crate::demo::portfolio::title;
use crate::demo::progress::{Progress, Sent};
use crate::demo::sample::Sample;
use crate::failure::{DONE, Failure, INTERRUPTED};
use crate::output::{Output, note};
use crate::suite::{self, Database, Parts, Running, Surroundings};
use crate::words::id_of;

/// The model, chosen from purchases until the day of the forecast only.
const MODEL: &str = include_str!("../../../../demo/cdnow/model.yaml");

/// The days of the demo.
struct Days {
    /// The first purchases.
    first: NaiveDate,
    /// Health of this day is judged.
    forecast: NaiveDate,
    /// Who bought nothing until then has left.
    last: NaiveDate,
}

impl Days {
    fn new() -> Option<Self> {
        Some(Self {
            first: NaiveDate::from_ymd_opt(1997, 1, 1)?,
            forecast: NaiveDate::from_ymd_opt(1997, 9, 30)?,
            last: NaiveDate::from_ymd_opt(1998, 6, 30)?,
        })
    }
}

/// A service on a loopback socket whose clock is turned by hand, and the data to play.
struct Stage {
    days: Days,
    sample: Sample,
    reference: Reference,
    clock: ManualClock,
    workers: Workers,
    connection: Connection,
    started: Instant,
}

/// Runs the demo and gives the exit code.
pub(crate) async fn run(arguments: &DemoArguments, output: &mut Output) -> Result<u8, Failure> {
    let started = Instant::now();
    let damaged = |what: &str| Failure::Suite(format!("the demo's data is damaged: {what}"));
    let days = Days::new().ok_or_else(|| damaged("its days are no days"))?;
    let sample = Sample::embedded().map_err(|fault| damaged(&fault.to_string()))?;
    let reference = Reference::embedded().map_err(|fault| damaged(&fault.to_string()))?;
    let telemetry = suite::start_telemetry(&arguments.log)?;
    let shutdown = shutdown::on_signals()?;
    note("Starting PostgreSQL and the scoring service …");
    let database = Database::temporary().await?;
    let clock = ManualClock::at(start_of_day(days.first));
    let surroundings = Surroundings { clock: Arc::new(clock.clone()), telemetry };
    let stage = |address, workers| -> Result<Stage, Failure> {
        Ok(Stage { days, sample, reference, clock, workers, connection: connect_to(address)?, started })
    };
    let played = play(arguments, &database, surroundings, stage, &shutdown, output).await;
    let stopped = database.stop().await;
    let exit = played?;
    stopped?;
    Ok(exit)
}

/// Starts the service, has the stage perform, and ends the service.
async fn play(
    arguments: &DemoArguments,
    database: &Database,
    surroundings: Surroundings,
    stage: impl FnOnce(SocketAddr, Workers) -> Result<Stage, Failure>,
    shutdown: &CancellationToken,
    output: &mut Output,
) -> Result<u8, Failure> {
    let (running, workers) = start(arguments, database, surroundings, shutdown).await?;
    let address = running.address;
    let performed = async {
        let stage = stage(address, workers)?;
        stage.perform(arguments.short, output).await?;
        if arguments.keep {
            keep(address, stage.days.end(arguments.short), output)?;
        }
        Ok::<(), Failure>(())
    };
    let performed = shutdown.run_until_cancelled(performed).await;
    if arguments.keep && matches!(performed, Some(Ok(()))) {
        shutdown.cancelled().await;
    }
    shutdown.cancel();
    running.join().await?;
    performed.map_or(Ok(INTERRUPTED), |performed| performed.map(|()| DONE))
}

impl Days {
    /// The day on which the clock stands in the end.
    fn end(&self, is_short: bool) -> NaiveDate {
        if is_short { self.forecast } else { self.last }
    }
}

async fn start(
    arguments: &DemoArguments,
    database: &Database,
    surroundings: Surroundings,
    shutdown: &CancellationToken,
) -> Result<(Running, Workers), Failure> {
    database.migrate(&mainstay_scoring::migrator(), surroundings.clock.as_ref()).await?;
    // Whoever looks around afterwards finds it where commands look by themselves, if that is free.
    let wanted = suite::loopback(DEFAULT_PORT);
    let any = Listen::at(suite::loopback(0));
    let listen = if arguments.keep { suite::free_from(wanted)? } else { any.clone() };
    let parts = Parts {
        rpc: suite::rpc_settings(listen, any),
        database_url: database.url(),
        surroundings,
        mail_port: None,
        peers: BTreeMap::new(),
        data_dir: None,
        workers: WorkerSettings::default(),
    };
    let service = suite::complete_scoring(parts).await?;
    let workers = service.workers();
    let addresses = (service.local_addr(), service.admin_addr());
    let name = mainstay_scoring::SERVICE_NAME;
    Ok((Running::start(name, addresses, workers.clone(), service, shutdown), workers))
}

fn connect_to(address: SocketAddr) -> Result<Connection, Failure> {
    let address = format!("http://{address}").parse().map_err(|error| Failure::Suite(format!("{error}")))?;
    Ok(Connection { channel: connect(ChannelSettings::new(address))?, retries: RetryPolicy::new() })
}

impl Stage {
    async fn perform(&self, is_short: bool, output: &mut Output) -> Result<(), Failure> {
        let Days { first, forecast, last } = self.days;
        let model = self.activate_model().await?;
        let accounts: Vec<String> = self.sample.customers().iter().map(|customer| account_name(customer)).collect();
        note(&format!("Playing {first} to {forecast}, scored by {model} …"));
        let mut shop = Shop {
            sample: &self.sample,
            connection: &self.connection,
            clock: &self.clock,
            workers: &self.workers,
            sent: Sent::default(),
        };
        shop.play(first, forecast, &self.progress(first, forecast)).await?;
        if !output.is_json() {
            portfolio::show(&self.connection, forecast, output).await?;
            output.line("")?;
            output.flush()?;
        }
        if !is_short {
            note(&format!("Playing on to {last} …"));
            let next = forecast + chrono::Days::new(1);
            shop.play(next, last, &self.progress(next, last)).await?;
        }
        let customers = self.judged(&accounts, is_short).await?;
        let outcome = Outcome::of(&customers);
        let outcome = outcome.ok_or_else(|| Failure::Suite("nobody left, or nobody stayed".to_owned()))?;
        if output.is_json() {
            output.line(&self.json(&outcome, shop.sent, is_short))?;
        } else {
            self.tell(&outcome, shop.sent, is_short, output)?;
        }
        Ok(output.flush()?)
    }

    fn progress(&self, first: NaiveDate, last: NaiveDate) -> Progress {
        Progress::over(usize::try_from((last - first).num_days() + 1).unwrap_or(0), self.started)
    }

    /// Makes the model for these customers the one that scores; gives its id.
    async fn activate_model(&self) -> Result<String, Failure> {
        let draft = mainstay_scoring::domain::parse_model_file(MODEL)
            .map_err(|fault| Failure::Suite(format!("the demo's model is damaged: {fault}")))?;
        let name = draft.name.clone();
        let model_id = id_of(&name).to_owned();
        let create = CreateModelRequest {
            model_id: model_id.clone(),
            model: Some(model_message(draft)),
            request_id: "create-model".to_owned(),
            ..CreateModelRequest::default()
        };
        let activate =
            ActivateModelRequest { name, request_id: "activate-model".to_owned(), ..ActivateModelRequest::default() };
        let Connection { channel, retries } = &self.connection;
        let models = || ModelServiceClient::new(channel.clone());
        retrying(retries, async || models().create_model(create.clone()).await).await?;
        retrying(retries, async || models().activate_model(activate.clone()).await).await?;
        Ok(model_id)
    }

    /// Each customer's health on the day of the forecast, and whether nothing was bought afterwards:
    /// by what the service knows in the end, or in short by the data.
    async fn judged(&self, accounts: &[String], is_short: bool) -> Result<Vec<Customer>, Failure> {
        let Days { forecast, last, .. } = self.days;
        let on_forecast = portfolio::health_on(&self.connection, accounts, forecast).await?;
        let in_the_end: HashMap<String, Health> = if is_short {
            HashMap::new()
        } else {
            let health = portfolio::health_on(&self.connection, accounts, last).await?;
            health.into_iter().map(|health| (health.account.clone(), health)).collect()
        };
        let buyers = self.sample.buyers_between(forecast, last);
        let has_left = |health: &Health| match in_the_end.get(&health.account) {
            Some(end) => end.last_signal_day == health.last_signal_day,
            None => !buyers.contains(id_of(&health.account)),
        };
        Ok(on_forecast.iter().filter_map(|health| Customer::of(health, forecast, has_left(health))).collect())
    }

    fn tell(&self, outcome: &Outcome, sent: Sent, is_short: bool, output: &mut Output) -> Result<(), Failure> {
        let Days { forecast, last, .. } = self.days;
        title(&format!("How well the health of {forecast} found who left"), output)?;
        if is_short {
            output.line("Short form: the days since were not played; who bought is read from the data.")?;
        }
        output.line(&format!(
            "{} of {} customers bought nothing in the 39 weeks from then to {last}.\n",
            outcome.left, outcome.customers
        ))?;
        output.table(outcome.methods_table(&self.reference))?;
        output.line(&format!("AUC: the share of pairs of one who left and one who stayed that are told apart rightly.\nFigures not of this run: {}.\n", self.reference.source))?;
        output.table(outcome.bands_table())?;
        output.line("")?;
        output.line(&outcome.verdict())?;
        note(&format!(
            "{} accounts and {} signals in {} s.",
            sent.accounts,
            sent.signals,
            self.started.elapsed().as_secs()
        ));
        Ok(())
    }

    fn json(&self, outcome: &Outcome, sent: Sent, is_short: bool) -> String {
        let bands: Vec<_> = outcome
            .bands
            .iter()
            .map(|(band, customers, left)| {
                serde_json::json!({ "band": band.as_str_name(), "customers": customers, "left": left })
            })
            .collect();
        serde_json::json!({
            "forecastDay": self.days.forecast,
            "outcomeDay": self.days.last,
            "outcomePlayed": !is_short,
            "accounts": sent.accounts,
            "signals": sent.signals,
            "customers": outcome.customers,
            "left": outcome.left,
            "auc": { "health": outcome.health_auc, "recency": outcome.recency_auc },
            "goal": GOAL,
            "goalReached": outcome.is_goal_reached(),
            "bands": bands,
            "seconds": self.started.elapsed().as_secs_f64(),
        })
        .to_string()
    }
}

/// Says how to look around.
fn keep(address: SocketAddr, day: NaiveDate, output: &mut Output) -> Result<(), Failure> {
    let server = server_option(address);
    output.line(&format!(
        "\nThe server goes on at http://{address}; its clock stands on {day}. Try, in another terminal:\n"
    ))?;
    output.line(&format!("  mainstay status{server}"))?;
    output.line(&format!("  mainstay health list --order falling --limit 20{server}"))?;
    output.line(&format!("  mainstay health history 0001{server}"))?;
    output.line("\nCtrl-C ends it; nothing is kept.")?;
    Ok(output.flush()?)
}
