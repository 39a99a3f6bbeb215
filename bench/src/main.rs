//! Measures how fast Mainstay is, against the simplest program that does the same.

mod database;
mod duckdb;
mod environment;
mod layouts;
mod portfolio;
mod report;
mod samples;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = database::Server::start().await?;
    environment::print(&server, "quick").await?;
    layouts::run(&server, std::env::args().nth(1).map_or(2000, |n| n.parse().unwrap_or(2000))).await?;
    server.stop().await
}
