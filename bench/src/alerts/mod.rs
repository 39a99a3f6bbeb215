//! From a failed payment acknowledged to the alert stored and to the mail that its owner's relay has taken.

mod path;
mod payments;

use std::time::Duration;

use mainstay_api::mainstay::interventions::v1::AlertKind;

use crate::cpu::CpuUse;
use crate::database::{Database, Server};
use crate::people;
use crate::relay::{Mail, Relay};
use crate::report::{Report, millis, per_second, progress, ratio, seconds, whole};
use crate::samples::Samples;
use crate::spans;
use crate::statements;
use crate::suite::Suite;
use crate::told::AlertsTold;

use path::Path;

/// Alerts a second.
const RATE: u32 = 100;
/// Calls before those that are measured: statements are prepared, connections made.
const WARM_UP: Duration = Duration::from_secs(5);
/// The stream is also looked at in pieces, so that a growing delay is seen.
const WINDOW: Duration = Duration::from_secs(10);
/// Nothing came for so long: nothing more will.
const PATIENCE: Duration = Duration::from_secs(15);
/// The stream is kept up with when the last mail is there so soon after the last call.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(2);
/// Connections to the relay, as many as a service makes by default.
const RELAY_CLIENTS: usize = 8;
const RELAY_DURATION: Duration = Duration::from_secs(2);
/// Statements named one by one.
const STATEMENTS_SHOWN: usize = 16;

/// Measures a steady stream for so long, then so many alerts at once.
pub(crate) async fn run(server: &Server, duration: Duration, burst: u32) -> anyhow::Result<()> {
    progress("the relay alone");
    let relay_rate = Relay::capacity(RELAY_CLIENTS, RELAY_DURATION).await?;
    let database = server.database("bench_alerts").await?;
    let relay = Relay::start().await?;
    let suite = Suite::without_surveys(&database, &relay).await?;
    let scoring = suite.scoring.connect().await?;
    let warm_up = RATE * u32::try_from(WARM_UP.as_secs())?;
    let steady = RATE * u32::try_from(duration.as_secs())?;
    let accounts = warm_up + steady + burst;
    people::create(scoring.clone(), 1..accounts + 1).await?;
    people::wait_for_copy(&database.pool, "interventions", accounts as usize).await?;
    database.run("VACUUM ANALYZE").await?;
    let told = AlertsTold::listen(suite.interventions.connect().await?, AlertKind::PaymentFailed).await?;

    progress("a steady stream of failed payments");
    payments::stream(&scoring, 1..warm_up + 1, RATE).await?;
    // Plans made for empty tables read them whole, until autovacuum looks within a minute.
    database.run("VACUUM ANALYZE").await?;
    statements::reset(&database.pool).await?;
    let (mails_before, connections_before) = (relay.count(), relay.connections());
    let cpu = CpuUse::start();
    let calls = payments::stream(&scoring, warm_up + 1..warm_up + steady + 1, RATE).await?;
    let cpu = cpu.words();
    relay.wait_for((warm_up + steady) as usize, PATIENCE, is_to_owner).await;
    told.wait_for((warm_up + steady) as usize, PATIENCE).await;
    let spent = statements::spent(&database.pool).await?;
    let (mails, connections) = (relay.count() - mails_before, relay.connections() - connections_before);
    let paths = path::of(&database, &relay, &told, calls).await?;
    print_stream(&paths, duration);
    println!("Meanwhile {cpu}.");
    print_windows(&paths);
    print_parts(&paths);
    print_delivery(&database, mails, connections, relay_rate).await?;
    print_spent(&spent, duration);

    progress("many failed payments at once");
    let first = warm_up + steady + 1;
    let cpu = CpuUse::start();
    let calls = payments::all_at_once(&scoring, first..first + burst).await?;
    relay.wait_for(accounts as usize, PATIENCE, is_to_owner).await;
    let cpu = cpu.words();
    print_burst(&path::of(&database, &relay, &told, calls).await?);
    println!("\nMeanwhile {cpu}.");

    drop(told);
    suite.stop().await?;
    database.pool.close().await;
    Ok(())
}

/// The mail that tells an owner of an alert of a payment.
fn is_to_owner(mail: &Mail) -> bool {
    people::account_of_owner(&mail.to).is_some() && mail.subject.contains("payment of invoice")
}

fn samples<'a>(paths: impl IntoIterator<Item = &'a Path>, span: impl Fn(&Path) -> Option<Duration>) -> Samples {
    paths.into_iter().filter_map(span).collect()
}

fn print_stream(paths: &[Path], duration: Duration) {
    let mut report = Report::new(
        format!("Alerts: {RATE} failed payments/s for {} s, an account each, one a call", duration.as_secs()),
        &spans::TITLES,
    );
    for (name, mut samples) in [
        (
            "from call to acknowledgement",
            samples(paths, |path| spans::between(Some(path.sent.called), Some(path.sent.acknowledged))),
        ),
        ("from acknowledgement to the alert stored", samples(paths, Path::to_stored)),
        ("from acknowledgement to `AlertRaised` heard by the feed", samples(paths, |path| path.to(|path| path.heard))),
        ("from acknowledgement to the owner's mail taken", samples(paths, Path::to_mail)),
    ] {
        report.row(spans::row(name, &mut samples));
    }
    report.print();

    let all = paths.len();
    let (stored, mailed) = (
        paths.iter().filter(|path| path.stored.is_some()).count(),
        paths.iter().filter(|path| path.mailed.is_some()).count(),
    );
    let late = paths.iter().map(|path| path.sent.late).max().unwrap_or_default();
    let (first_call, last_call) =
        (paths.iter().map(|path| path.sent.called).min(), paths.iter().map(|path| path.sent.called).max());
    let last_mail = paths.iter().filter_map(|path| path.mailed).max();
    let after = spans::between(last_call, last_mail).unwrap_or_default();
    let whole_time = spans::between(first_call, last_mail).unwrap_or_default();
    let is_kept_up = mailed == all && after <= CAUGHT_UP_WITHIN;
    println!(
        "\nOf {} payments {} became alerts and {} owners' mails, {:.1} a second. The last mail was taken {} after the last call; \
         no call was made later than {} after its time. {RATE} alerts/s are {}.",
        whole(all as f64),
        whole(stored as f64),
        whole(mailed as f64),
        per_second(mailed, whole_time),
        millis(after),
        millis(late),
        if is_kept_up { "sustained" } else { "NOT sustained" },
    );
}

fn print_windows(paths: &[Path]) {
    let Some(start) = paths.iter().map(|path| path.sent.called).min() else { return };
    let mut report = Report::new(
        "The same by the time of the call, from acknowledgement",
        &["call in second", "alerts", "stored, p50", "stored, p99", "mail taken, p50", "mail taken, p99"],
    );
    let window_of = |path: &Path| {
        spans::between(Some(start), Some(path.sent.called)).unwrap_or_default().as_secs() / WINDOW.as_secs()
    };
    for window in 0..=paths.iter().map(window_of).max().unwrap_or(0) {
        let inside: Vec<&Path> = paths.iter().filter(|path| window_of(path) == window).collect();
        let mut stored = samples(inside.iter().copied(), Path::to_stored);
        let mut mailed = samples(inside.iter().copied(), Path::to_mail);
        let from = window * WINDOW.as_secs();
        report.row([
            format!("{from} to {}", from + WINDOW.as_secs()),
            whole(inside.len() as f64),
            millis(stored.median()),
            millis(stored.percentile(99)),
            millis(mailed.median()),
            millis(mailed.percentile(99)),
        ]);
    }
    report.print();
}

fn print_parts(paths: &[Path]) {
    let mut report = Report::new("What it is made of", &spans::TITLES);
    for (name, mut samples) in [
        ("acknowledged → given its place in scoring's feed", samples(paths, |path| path.to(|path| path.fed))),
        ("→ the alert and its mails committed", samples(paths, |path| spans::between(path.fed, path.stored))),
        ("→ the mail claimed by the dispatcher", samples(paths, |path| spans::between(path.stored, path.claimed))),
        ("→ the mail taken by the relay", samples(paths, |path| spans::between(path.claimed, path.mailed))),
    ] {
        report.row(spans::row(name, &mut samples));
    }
    report.print();
}

async fn print_delivery(database: &Database, mails: usize, connections: usize, relay_rate: f64) -> anyhow::Result<()> {
    let (claims, mean, most): (i64, f64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(avg(size), 0)::float8, coalesce(max(size), 0)
           FROM (SELECT count(*) AS size FROM interventions.delivery_attempts GROUP BY started_at) AS claim",
    )
    .fetch_one(&database.pool)
    .await?;
    let (mean_ms, most_ms, attempts): (f64, i64, i64) = sqlx::query_as(
        "SELECT coalesce(avg(duration_ms), 0)::float8, coalesce(max(duration_ms), 0), coalesce(max(attempt), 0)::bigint
           FROM interventions.delivery_attempts",
    )
    .fetch_one(&database.pool)
    .await?;
    println!(
        "\nMeanwhile the relay took {} mails (an owner's and one to the contact in finance for each alert) over {connections} new \
         connections. The dispatcher claimed {mean:.1} at a time in {} claims, {most} at most; a send took {mean_ms:.1} ms, {most_ms} ms \
         at most, in {attempts} attempt(s). The relay by itself takes {} mails/s over {RELAY_CLIENTS} connections.",
        whole(mails as f64),
        whole(claims as f64),
        whole(relay_rate),
    );
    Ok(())
}

fn print_spent(spent: &[statements::Spent], duration: Duration) {
    let mut report =
        Report::new("Where the database's time goes meanwhile", &["statement", "calls", "rows", "time", "of one core"]);
    for spent in spent.iter().take(STATEMENTS_SHOWN) {
        report.row([
            spent.statement.clone(),
            whole(spent.calls as f64),
            whole(spent.rows as f64),
            seconds(spent.elapsed),
            ratio(spent.elapsed.as_secs_f64(), duration.as_secs_f64()),
        ]);
    }
    report.print();
}

fn print_burst(paths: &[Path]) {
    let first_call = paths.iter().map(|path| path.sent.called).min();
    let mut report = Report::new(
        format!("{} failed payments at once: how fast it goes", whole(paths.len() as f64)),
        &["what", "of them", "the last after", "a second"],
    );
    for (name, moments) in [
        ("acknowledged", paths.iter().map(|path| path.sent.acknowledged).collect::<Vec<_>>()),
        ("alerts stored", paths.iter().filter_map(|path| path.stored).collect()),
        ("owners' mails taken", paths.iter().filter_map(|path| path.mailed).collect()),
    ] {
        let elapsed = spans::between(first_call, moments.iter().max().copied()).unwrap_or_default();
        report.row([
            name.to_owned(),
            whole(moments.len() as f64),
            seconds(elapsed),
            whole(per_second(moments.len(), elapsed)),
        ]);
    }
    report.print();
}
