//! Where the story is told: the clock, the services, and the command line that people type into.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Parser;
use mainstay_api::mainstay::scoring::v1::BatchRecordSignalsRequest;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::status::v1::status_service_client::StatusServiceClient;
use mainstay_api::mainstay::status::v1::{GetStatusRequest, ServiceStatus};
use mainstay_clients::ServiceChannel;
use mainstay_domain::{Clock, ManualClock, start_of_day};
use mainstay_service::Workers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::usage::Usage;
use crate::arguments::Arguments;
use crate::command;
use crate::connection::{Connection, ServiceName};
use crate::failure::Failure;
use crate::output::{Output, OutputFormat};
use crate::suite::Running;

/// Rounds in a row in which nothing was to do, after which nothing more will.
const QUIET_ROUNDS: u32 = 2;
const EVENING: TimeDelta = TimeDelta::hours(20);
/// Longer than all that becomes due on a day takes.
const SETTLE_TIME_MAX: Duration = Duration::from_mins(2);

/// The clock, the services and the command line.
pub(super) struct Stage<'a> {
    clock: &'a ManualClock,
    addresses: BTreeMap<&'static str, SocketAddr>,
    folder: &'a Path,
    output: &'a mut Output,
    connections: Vec<Connection>,
    workers: Vec<Workers>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        clock: &'a ManualClock,
        running: &[Running],
        folder: &'a Path,
        output: &'a mut Output,
    ) -> Result<Self, Failure> {
        let addresses = running.iter().map(|service| (service.name, service.address)).collect();
        let workers = running.iter().map(|service| service.workers.clone()).collect();
        let mut stage = Self { clock, addresses, folder, output, connections: Vec::new(), workers };
        let options = stage.parse(&["status"])?.global;
        stage.connections =
            ServiceName::ALL.iter().map(|service| Connection::to(&options, *service)).collect::<Result<_, _>>()?;
        Ok(stage)
    }

    /// A channel to a service.
    pub(super) fn channel(&self, service: ServiceName) -> ServiceChannel {
        self.connections[service as usize].channel.clone()
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    fn parse(&self, typed: &[&str]) -> Result<Arguments, Failure> {
        let mut words = vec!["mainstay".to_owned()];
        words.extend(typed.iter().map(|word| (*word).to_owned()));
        for (service, option) in [
            ("scoring", "--server"),
            ("surveys", "--surveys-server"),
            ("interventions", "--interventions-server"),
            ("expansion", "--expansion-server"),
        ] {
            words.extend([option.to_owned(), format!("http://{}", self.addresses[service])]);
        }
        Arguments::try_parse_from(words).map_err(|error| Failure::Suite(error.to_string()))
    }

    /// A heading.
    pub(super) fn chapter(&mut self, text: &str) -> Result<(), Failure> {
        let now = self.clock.now().format("%A %-d %B %Y, %H:%M");
        Ok(self.output.line(&format!("\n── {now}: {text} ──"))?)
    }

    /// A sentence of the story.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.output.line(&format!("\n{text}"))?)
    }

    /// Somebody types a command, which must succeed.
    pub(super) async fn run(&mut self, typed: &[&str]) -> Result<(), Failure> {
        self.type_command(typed).await?;
        self.settle().await
    }

    /// Somebody types a command that is refused; the answer says why.
    pub(super) async fn run_refused(&mut self, typed: &[&str]) -> Result<(), Failure> {
        match self.type_command(typed).await {
            Ok(()) => Err(Failure::Suite(format!("`mainstay {}` should have been refused", typed.join(" ")))),
            Err(Failure::Call(status)) => {
                Ok(self.output.line(&crate::failure::describe(&status, OutputFormat::Table))?)
            }
            Err(other) => Err(other),
        }
    }

    async fn type_command(&mut self, typed: &[&str]) -> Result<(), Failure> {
        let shown: Vec<String> = typed.iter().map(|word| quoted(word)).collect();
        self.output.line(&format!("\n$ mainstay {}", shown.join(" ")))?;
        self.output.flush()?;
        // Files are in the story's folder, wherever the reader stands.
        let in_folder: Vec<String> = typed
            .iter()
            .map(|word| {
                let path = self.folder.join(word);
                if path.is_file() { path.display().to_string() } else { (*word).to_owned() }
            })
            .collect();
        let words: Vec<&str> = in_folder.iter().map(String::as_str).collect();
        let arguments = self.parse(&words)?;
        Box::pin(command::run(&arguments)).await.map(drop)
    }

    /// Both customers do what they do on these days, the last of them included. Time passes from evenings to mornings: a
    /// deadline of a day has been warned of before it is over.
    pub(super) async fn live_until(&mut self, last: NaiveDate, globex: Usage) -> Result<(), Failure> {
        while self.clock.today() < last {
            self.turn_to(start_of_day(self.clock.today()) + EVENING).await?;
            self.turn_to(start_of_day(self.clock.today().succ_opt().unwrap_or(last))).await?;
            self.use_product([self.clock.today()], globex).await?;
        }
        self.turn_to(start_of_day(last) + TimeDelta::hours(9)).await
    }

    /// What the product tells of both customers on some days.
    pub(super) async fn use_product(
        &self,
        days: impl IntoIterator<Item = NaiveDate>,
        globex: Usage,
    ) -> Result<(), Failure> {
        let mut signals = Vec::new();
        for day in days {
            signals.extend(globex.signals("globex", day));
            signals.extend(Usage::SMALL.signals("initech", day));
        }
        if signals.is_empty() {
            return Ok(());
        }
        let request = BatchRecordSignalsRequest { signals, ..Default::default() };
        SignalServiceClient::new(self.channel(ServiceName::Scoring)).batch_record_signals(request).await?;
        Ok(())
    }

    /// Turns the clock on to a moment, and waits until what is due then is done.
    pub(super) async fn turn_to(&mut self, moment: DateTime<Utc>) -> Result<(), Failure> {
        self.clock.advance((moment - self.clock.now()).max(TimeDelta::zero()));
        self.settle().await
    }

    /// Turns the clock on by so much.
    pub(super) async fn pass(&mut self, time: TimeDelta) -> Result<(), Failure> {
        self.turn_to(self.clock.now() + time).await
    }

    /// Does what is due and heard of in all services, until no service has anything to do any more. They work by themselves
    /// meanwhile: what is under way is waited for.
    pub(super) async fn settle(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < QUIET_ROUNDS {
            if begun.elapsed() > SETTLE_TIME_MAX {
                return Err(Failure::Suite("the services do not come to rest".to_owned()));
            }
            let mut done = 0;
            for workers in &self.workers {
                done += workers.settle().await.map_err(|error| Failure::Suite(error.to_string()))?;
            }
            quiet = if done > 0 || self.is_anything_due().await? { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    async fn is_anything_due(&self) -> Result<bool, Failure> {
        for connection in &self.connections {
            let mut client = StatusServiceClient::new(connection.channel.clone());
            if is_busy(&client.get_status(GetStatusRequest {}).await?.into_inner()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A customer opens a link of a mail, fills in the form and sends it.
    pub(super) async fn answer_page(&self, link: &str, score: i32, comment: &str) -> Result<(), Failure> {
        let fault = |what: &str| Failure::Suite(format!("the answer page {what}"));
        let (address, path) = link
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| fault("has no address"))?;
        let form = format!("score={score}&comment={}", comment.replace(' ', "+"));
        let request = format!(
            "POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        match answer.split_whitespace().nth(1) {
            Some("200" | "303") => self.settle().await,
            code => Err(fault(&format!("answered {code:?}"))),
        }
    }
}

/// Whether a service has work that is due, or news to tell.
fn is_busy(status: &ServiceStatus) -> bool {
    status.outbox_size > 0 || status.queues.iter().any(|queue| queue.due_count > 0)
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./:@,…".contains(letter);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{word}'") }
}
