//! From a detractor's answer posted on the answer page to the alert and to the mail that its owner's relay has taken.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use mainstay_api::mainstay::interventions::v1::AlertKind;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::signal_service_client::SignalServiceClient;
use mainstay_api::mainstay::surveys::v1 as surveys;
use mainstay_api::mainstay::surveys::v1::program_service_client::ProgramServiceClient;
use mainstay_domain::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

use crate::database::Server;
use crate::people::{self, account_of_owner, contact_email};
use crate::portfolio::account_id;
use crate::relay::{Mail, Relay};
use crate::report::{Report, millis, progress};
use crate::samples::Samples;
use crate::spans;
use crate::suite::Suite;
use crate::told::AlertsTold;

/// Answers a second.
const RATE: u32 = 5;
/// Answers before those that are measured: statements are prepared, connections made.
const WARM_UP: u32 = 10;
/// What 99 of 100 owners must hear of the answer within.
const WANTED: Duration = Duration::from_secs(5);
/// Nothing came for so long: nothing more will.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer that was posted.
struct Answer {
    account: u32,
    posted: DateTime<Utc>,
    thanked: DateTime<Utc>,
}

/// Measures so many answers.
pub(crate) async fn run(server: &Server, answers: u32) -> anyhow::Result<()> {
    let database = server.database("bench_detractor").await?;
    let relay = Relay::start().await?;
    let suite = Suite::with_surveys(&database, &relay).await?;
    let channel = suite.scoring.connect().await?;
    let surveys = suite.surveys.as_ref().context("surveys run")?;
    let accounts = WARM_UP + answers;
    people::create(channel.clone(), 1..accounts + 1).await?;
    for schema in ["surveys", "interventions"] {
        people::wait_for_copy(&database.pool, schema, accounts as usize).await?;
    }
    publish_programme(surveys.service.connect().await?).await?;
    progress("until all are asked");
    resolve_tickets(channel, 1..accounts + 1).await?;
    let asked = relay.wait_for(accounts as usize, PATIENCE, |mail| mail.answer_path.is_some()).await;
    ensure!(asked == accounts as usize, "{asked} of {accounts} were asked");
    let paths: HashMap<String, String> =
        relay.mails(|_| true).into_iter().filter_map(|mail| Some((mail.to, mail.answer_path?))).collect();

    progress("detractors answer");
    let told = AlertsTold::listen(suite.interventions.connect().await?, AlertKind::Detractor).await?;
    answer_all(surveys.page, &paths, 1..WARM_UP + 1).await?;
    // As autovacuum does within a minute.
    database.run("VACUUM ANALYZE").await?;
    let answered = answer_all(surveys.page, &paths, WARM_UP + 1..accounts + 1).await?;
    relay.wait_for(accounts as usize, PATIENCE, is_to_owner).await;
    told.wait_for(accounts as usize, PATIENCE).await;
    print(&answered, &relay, &told)?;

    drop(told);
    suite.stop().await?;
    database.pool.close().await;
    Ok(())
}

/// The mail that tells an owner of a detractor.
fn is_to_owner(mail: &Mail) -> bool {
    account_of_owner(&mail.to).is_some() && mail.subject.contains("answered 2 of 10")
}

fn print(answered: &[Answer], relay: &Relay, told: &AlertsTold) -> anyhow::Result<()> {
    let mut mailed = HashMap::new();
    for mail in relay.mails(is_to_owner) {
        let is_second = account_of_owner(&mail.to).and_then(|account| mailed.insert(account, mail.at));
        ensure!(is_second.is_none(), "{} was written to twice", mail.to);
    }
    let heard = told.heard();
    let samples = |moment: &dyn Fn(&Answer) -> Option<DateTime<Utc>>| -> Samples {
        answered.iter().filter_map(|answer| spans::between(Some(answer.posted), moment(answer))).collect()
    };
    let mut to_mail = samples(&|answer| mailed.get(&answer.account).copied());
    let mut report =
        Report::new(format!("Detractors: {} answers on the page, {RATE} a second", answered.len()), &spans::TITLES);
    report.row(spans::row("from the POST to the page's thanks", &mut samples(&|answer| Some(answer.thanked))));
    report.row(spans::row(
        "from the POST to `AlertRaised` heard by the feed",
        &mut samples(&|answer| heard.get(&answer.account).copied()),
    ));
    report.row(spans::row("from the POST to the owner's mail taken", &mut to_mail));
    report.print();
    let holds = to_mail.count() == answered.len() && to_mail.percentile(99) < WANTED;
    println!(
        "\n{} of {} owners were written to. That 99 of 100 hear of it within {} {}.",
        to_mail.count(),
        answered.len(),
        millis(WANTED),
        if holds { "holds" } else { "does NOT hold" },
    );
    Ok(())
}

/// Asks by mail, on a scale of 0 to 10, when any ticket was resolved.
async fn publish_programme(channel: Channel) -> anyhow::Result<()> {
    let when = surveys::trigger::When::SupportInteraction(surveys::SupportInteractionTrigger {});
    let program = surveys::Program {
        display_name: "After tickets".to_owned(),
        kind: surveys::SurveyKind::Nps.into(),
        trigger: Some(surveys::Trigger { when: Some(when) }),
        ..Default::default()
    };
    let mut programs = ProgramServiceClient::new(channel);
    let request = surveys::CreateProgramRequest {
        program_id: "tickets".to_owned(),
        program: Some(program),
        ..Default::default()
    };
    let name = programs.create_program(request).await?.into_inner().name;
    programs.publish_program(surveys::PublishProgramRequest { name, ..Default::default() }).await?;
    Ok(())
}

/// A ticket of each account, opened an hour ago and resolved now.
async fn resolve_tickets(channel: Channel, accounts: Range<u32>) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut client = SignalServiceClient::new(channel);
    for (action, at) in
        [(scoring::TicketAction::Opened, now - TimeDelta::hours(1)), (scoring::TicketAction::Resolved, now)]
    {
        let signals = accounts.clone().map(|account| ticket(account, action, at)).collect();
        client.batch_record_signals(scoring::BatchRecordSignalsRequest { signals, ..Default::default() }).await?;
    }
    Ok(())
}

fn ticket(account: u32, action: scoring::TicketAction, at: DateTime<Utc>) -> scoring::Signal {
    let ticket = scoring::TicketSignal {
        ticket_id: format!("T-{account}"),
        action: action.into(),
        priority: scoring::TicketPriority::Normal.into(),
        subject: "Exports fail".to_owned(),
        requester_email: contact_email(account),
        ..Default::default()
    };
    scoring::Signal {
        account: format!("accounts/{}", account_id(account)),
        source: "helpdesk".to_owned(),
        source_id: format!("{account}-{}", action.as_str_name()),
        event_time: Some(prost_types::Timestamp {
            seconds: at.timestamp(),
            nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
        }),
        payload: Some(scoring::signal::Payload::Ticket(ticket)),
        record_time: None,
        withdrawal: None,
    }
}

/// Posts an answer for each account, so many a second, whether those before were thanked for or not.
async fn answer_all(
    page: SocketAddr,
    paths: &HashMap<String, String>,
    accounts: Range<u32>,
) -> anyhow::Result<Vec<Answer>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut posts = JoinSet::new();
    for account in accounts {
        let path = paths.get(&contact_email(account)).with_context(|| format!("no link for {account}"))?.clone();
        ticks.tick().await;
        posts.spawn(async move {
            let posted = SystemClock.now();
            post(page, &path).await?;
            anyhow::Ok(Answer { account, posted, thanked: SystemClock.now() })
        });
    }
    let mut answered = Vec::new();
    while let Some(post) = posts.join_next().await {
        answered.push(post??);
    }
    Ok(answered)
}

/// As a browser does, on a connection of its own.
async fn post(page: SocketAddr, path: &str) -> anyhow::Result<()> {
    let form = "score=2&comment=Exports+are+broken";
    let mut stream = TcpStream::connect(page).await?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: survey.example.com\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "the page answered {status}");
    Ok(())
}
