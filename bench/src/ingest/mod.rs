//! Signals recorded by RPC, against COPY of the same rows into a plain table, and where the difference goes.

mod by_rpc;
mod plain;

use std::time::Duration;

use crate::database::Server;
use crate::report::{Report, per_second, ratio, seconds, whole};
use crate::signals::{Mix, SignalRow, batch};
use crate::statements::Spent;

use by_rpc::Way;
use plain::{Insert, PlainTable};

/// Signals of a call or statement.
const BATCH: u64 = 5_000;
/// Callers at once, and connections of those without a service.
const CALLERS: usize = 4;
/// Rows inserted one by one.
const SINGLE_INSERTS: usize = 5_000;

/// Measures with so many batches to these accounts.
pub(crate) async fn run(server: &Server, accounts: u32, batches: u64) -> anyhow::Result<()> {
    for mix in [Mix::Grouped, Mix::Scattered] {
        compare(server, mix, accounts, batches).await?;
    }
    Ok(())
}

async fn compare(server: &Server, mix: Mix, accounts: u32, batches: u64) -> anyhow::Result<()> {
    let rows: Vec<Vec<SignalRow>> = (0..batches).map(|number| batch(mix, accounts, number, BATCH)).collect();
    let count = rows.iter().map(Vec::len).sum::<usize>();

    let mut results: Vec<(String, f64)> = Vec::new();
    let mut add = |name: String, count: usize, elapsed: Duration| results.push((name, per_second(count, elapsed)));

    let single: Vec<SignalRow> = rows.iter().flatten().take(SINGLE_INSERTS).cloned().collect();
    let copied_alone = plain::copy(&PlainTable::create(server).await?, &rows, 1).await?;
    let copied = plain::copy(&PlainTable::create(server).await?, &rows, CALLERS).await?;
    add("COPY BINARY into a plain table, 1 connection".to_owned(), count, copied_alone);
    add(format!("COPY BINARY into a plain table, {CALLERS} connections"), count, copied);
    for (insert, connections) in [
        (Insert::Plain, 1),
        (Insert::Plain, CALLERS),
        (Insert::Returning, 1),
        (Insert::Returning, CALLERS),
        (Insert::SecondIndex, 1),
        (Insert::SecondIndex, CALLERS),
    ] {
        let elapsed = plain::insert(&PlainTable::create(server).await?, &rows, insert, connections).await?;
        add(format!("{}, {connections} connection(s)", insert.name()), count, elapsed);
    }
    let singly = plain::insert_singly(&PlainTable::create(server).await?, &single).await?;
    add("INSERT of one row, 1 connection".to_owned(), single.len(), singly);

    let alone = by_rpc::record(server, accounts, &rows, Way::InMemory, 1).await?;
    let rolled_back = by_rpc::record(server, accounts, &rows, Way::RolledBack, 1).await?;
    let in_memory = by_rpc::record(server, accounts, &rows, Way::InMemory, CALLERS).await?;
    let by_socket = by_rpc::record(server, accounts, &rows, Way::SocketWhileScoring, CALLERS).await?;
    add("BatchRecordSignals, validate_only (rolled back), 1 caller".to_owned(), count, rolled_back.elapsed);
    add("BatchRecordSignals, not scored meanwhile, 1 caller".to_owned(), count, alone.elapsed);
    add(format!("BatchRecordSignals, not scored meanwhile, {CALLERS} callers"), count, in_memory.elapsed);
    add(format!("BatchRecordSignals, scored meanwhile, {CALLERS} callers"), count, by_socket.elapsed);

    let (copy_alone_rate, copy_rate) = (results[0].1, results[1].1);
    let mut report = Report::new(
        format!("Ingest of {} signals, {BATCH} a batch, {}", whole(count as f64), mix.name()),
        &["way", "rows/s", "of COPY, 1 connection", "of COPY, 4 connections"],
    );
    for (name, rate) in results {
        report.row([name, whole(rate), ratio(rate, copy_alone_rate), ratio(rate, copy_rate)]);
    }
    report.print();
    print_spent(mix, count, &alone);
    Ok(())
}

/// Where the time of one caller without anybody else goes.
fn print_spent(mix: Mix, count: usize, alone: &by_rpc::Recorded) {
    let micros = |elapsed: Duration| format!("{:.2} µs", elapsed.as_secs_f64() * 1e6 / count as f64);
    let share = |elapsed: Duration| ratio(elapsed.as_secs_f64(), alone.elapsed.as_secs_f64());
    let mut report = Report::new(
        format!("Where the time goes: one caller, {}", mix.name()),
        &["part", "calls", "time", "a signal", "share"],
    );
    let row = |name: String, calls: String, elapsed: Duration| {
        [name, calls, seconds(elapsed), micros(elapsed), share(elapsed)]
    };
    let mut in_database = Duration::ZERO;
    for Spent { statement, calls, elapsed, .. } in &alone.spent {
        in_database += *elapsed;
        if elapsed.as_secs_f64() >= 0.005 * alone.elapsed.as_secs_f64() {
            report.row(row(statement.clone(), whole(*calls as f64), *elapsed));
        }
    }
    let outside = alone.elapsed.saturating_sub(in_database);
    report.row(row(
        "outside of statements: decode, check, sum up, encode, parse, wire".to_owned(),
        "–".to_owned(),
        outside,
    ));
    report.row(row("all".to_owned(), "–".to_owned(), alone.elapsed));
    report.print();
}
