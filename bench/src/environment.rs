//! The machine and the programs of a run.

use std::fs;
use std::thread::available_parallelism;

use crate::database::{SETTINGS, Server};

/// Prints what the figures were measured on and with.
pub(crate) async fn print(server: &Server, scale: &str) -> anyhow::Result<()> {
    let database = server.database("bench_environment").await?;
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&database.pool).await?;
    database.pool.close().await;
    let cores = available_parallelism()?;
    let processor = processor_name().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let build = if cfg!(debug_assertions) {
        "the development profile (not for figures to keep)"
    } else {
        "the release profile"
    };
    let settings: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    println!("* Machine: {cores} cores ({processor}), {}.", std::env::consts::OS);
    println!(
        "* Database: PostgreSQL {version} on the same machine, by TCP on loopback; durable; {}.",
        settings.join(", ")
    );
    println!("* Program: built with {build}; clients, service and database share the cores.");
    println!("* Scale: {scale}.");
    Ok(())
}

fn processor_name() -> Option<String> {
    let information = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = information.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Bytes of memory that this process holds now; `None` where the system does not say so in `/proc`.
pub(crate) fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
