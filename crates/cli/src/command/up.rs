//! `mainstay up`: everything in one process.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mainstay_clients::DEFAULT_PORT;
use mainstay_domain::SystemClock;
use mainstay_rpc::server::ADMIN_PORT_OFFSET;
use mainstay_rpc::{Listen, shutdown};
use mainstay_service::WorkerSettings;
use tokio_util::sync::CancellationToken;

use crate::failure::{DONE, Failure};
use crate::output::{Output, note};
use crate::suite::{self, Database, Parts, Running, SERVICES, Service, Surroundings};

/// Where the admin pages of the first service are, or else at a port after it.
const ADMIN_PORT: u16 = DEFAULT_PORT + ADMIN_PORT_OFFSET;

const HELP: &str = "\
PostgreSQL is found on this machine, or else fetched once. It is private: it ends with this
command, and nobody else is let in. Its data is kept for the next start, by default in
$XDG_DATA_HOME/mainstay, else ~/.local/share/mainstay; for root in /var/lib/mainstay.

Only this machine is served, without authentication. To serve others, run each service by
itself: mainstay-scoring --help.

Examples:
  mainstay up
  mainstay up --data-dir /srv/mainstay --listen 127.0.0.1:8000
  mainstay up --mail-port 1025
  mainstay up --database-url postgres://mia:secret@db.example.com/mainstay";

/// Where the data is, and where to listen.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct UpArguments {
    /// The folder of the data, kept between runs
    #[arg(long, value_name = "FOLDER", env = "MAINSTAY_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Use this PostgreSQL database instead of a private one; its schemas are brought up to date
    #[arg(
        long,
        value_name = "URL",
        env = "MAINSTAY_DATABASE_URL",
        hide_env_values = true,
        conflicts_with = "data_dir"
    )]
    database_url: Option<String>,
    /// Where the RPCs are served; port 0 for a free one [default: 127.0.0.1:7461]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where health and metrics are; port 0 for a free one [default: 127.0.0.1:7471, or the next free port]
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Port of a mail relay or mail catcher on this machine; without it nobody is written to
    #[arg(long, value_name = "PORT", env = "MAINSTAY_MAIL_PORT")]
    mail_port: Option<u16>,
    /// What to log, for example `info` or `warn,mainstay_scoring=debug`
    #[arg(long, value_name = "FILTER", env = "MAINSTAY_LOG", default_value = "warn")]
    log: String,
}

/// Runs until Ctrl-C or SIGTERM.
pub(crate) async fn run(arguments: &UpArguments, output: &mut Output) -> Result<u8, Failure> {
    for (option, address) in [("--listen", arguments.listen), ("--admin-listen", arguments.admin_listen)] {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            return Err(Failure::Usage(format!(
                "{option} {address}: only this machine is served, for example at 127.0.0.1:{}; to serve others, run \
                 the services by themselves (mainstay-scoring --help)",
                address.port()
            )));
        }
    }
    let telemetry = suite::start_telemetry(&arguments.log)?;
    let shutdown = shutdown::on_signals()?;
    let data_dir = match (&arguments.database_url, &arguments.data_dir) {
        (Some(_), _) => None,
        (None, Some(folder)) => Some(std::path::absolute(folder)?),
        (None, None) => Some(suite::default_data_dir()?),
    };
    let database = match (&arguments.database_url, &data_dir) {
        (Some(url), _) => Database::Given(url.clone()),
        (None, folder) => {
            let folder = folder.clone().unwrap_or_default();
            note(&format!("Starting PostgreSQL in {} …", folder.display()));
            Database::kept(&folder).await?
        }
    };
    let surroundings = Surroundings { clock: Arc::new(SystemClock), telemetry };
    let served = serve(arguments, &database, &surroundings, data_dir, &shutdown, output).await;
    let stopped = database.stop().await;
    served?;
    stopped?;
    note("Stopped.");
    Ok(DONE)
}

/// Starts all services, says where they are, and waits until they have ended.
async fn serve(
    arguments: &UpArguments,
    database: &Database,
    surroundings: &Surroundings,
    data_dir: Option<PathBuf>,
    shutdown: &CancellationToken,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut running: Vec<Running> = Vec::new();
    let started = shutdown
        .run_until_cancelled(async {
            // All before the first starts: services call each other.
            let listens = hold(arguments.listen.unwrap_or(suite::loopback(DEFAULT_PORT)), "--listen")?;
            let admin_listens = arguments.admin_listen.map(|first| hold(first, "--admin-listen")).transpose()?;
            let parts = |service: &Service| {
                let admin_listen = match &admin_listens {
                    Some(listens) => listens[service.name].clone(),
                    None => suite::free_from(suite::loopback(ADMIN_PORT))?,
                };
                Ok(Parts {
                    rpc: suite::rpc_settings(listens[service.name].clone(), admin_listen),
                    database_url: database.url(),
                    surroundings: surroundings.clone(),
                    mail_port: arguments.mail_port,
                    peers: suite::addresses(&listens),
                    data_dir: data_dir.clone(),
                    workers: WorkerSettings::default(),
                })
            };
            suite::start_services(database, parts, shutdown, &mut running).await?;
            announce(&running, data_dir, output)
        })
        .await;
    match started {
        Some(Ok(())) => {
            shutdown.cancelled().await;
            note("Stopping …");
        }
        Some(Err(_)) | None => shutdown.cancel(),
    }
    for service in running {
        service.join().await?;
    }
    started.unwrap_or(Ok(()))
}

/// Holds where each service is to listen: as far from the given port as their own ports lie apart, or at free ports when
/// that is 0.
fn hold(first: SocketAddr, option: &str) -> Result<BTreeMap<&'static str, Listen>, Failure> {
    let hold = |service: &Service| {
        let address = at_port_of(service, first).ok_or_else(|| {
            Failure::Usage(format!("{option} {first}: each service takes a port after it, and there are none for all"))
        })?;
        let listen = Listen::held(address).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => Failure::Suite(format!(
                "{address} is taken, perhaps by another `mainstay up`: stop that, or choose another with {option}"
            )),
            _ => Failure::Suite(format!("{address} cannot be listened on: {error}")),
        })?;
        Ok((service.name, listen))
    };
    SERVICES.iter().map(hold).collect()
}

/// The address of a service, given that of the first; a free port when its port is 0. None beyond the last port.
fn at_port_of(service: &Service, first: SocketAddr) -> Option<SocketAddr> {
    let port = if first.port() == 0 { 0 } else { first.port().checked_add(service.port - DEFAULT_PORT)? };
    Some(SocketAddr::new(first.ip(), port))
}

/// Says where everything is, and what to do next.
fn announce(running: &[Running], data_dir: Option<PathBuf>, output: &mut Output) -> Result<(), Failure> {
    let Some(first) = running.first() else { return Ok(()) };
    if output.is_json() {
        let services: serde_json::Map<_, _> = running
            .iter()
            .map(|service| {
                let addresses = serde_json::json!({
                    "server": format!("http://{}", service.address),
                    "admin": format!("http://{}", service.admin_address),
                });
                (service.name.to_owned(), addresses)
            })
            .collect();
        output.line(&serde_json::json!({ "services": services, "dataDir": data_dir }).to_string())?;
        return Ok(output.flush()?);
    }
    output.line("Mainstay is up. Ctrl-C stops it; the data stays.\n")?;
    for service in running {
        let (address, admin) = (service.address, service.admin_address);
        output.line(&format!(
            "  {:13}  http://{address}  admin http://{admin} (/livez, /readyz, /metrics)",
            service.name
        ))?;
    }
    if let Some(folder) = data_dir {
        output.line(&format!("  {:13}  {}", "data", folder.display()))?;
    }
    let server = server_option(first.address);
    output.line("\nTry, in another terminal:\n")?;
    output.line(&format!("  mainstay import accounts customers.csv{server}"))?;
    output.line(&format!("  mainstay import signals usage.csv{server}"))?;
    output.line(&format!("  mainstay health list{server}"))?;
    output.line(&format!("  mainstay alerts list{server}"))?;
    Ok(output.flush()?)
}

/// What a command needs to find the server, when it is not where it looks by itself.
pub(crate) fn server_option(address: SocketAddr) -> String {
    let is_default = address == suite::loopback(DEFAULT_PORT);
    if is_default { String::new() } else { format!(" --server {address}") }
}

#[cfg(test)]
mod tests {
    use mainstay_rpc::service_main::ServiceApp;
    use mainstay_scoring::ScoringMain;

    use super::*;

    #[test]
    fn the_command_looks_where_scoring_listens_by_itself_too() {
        assert_eq!(ScoringMain::PORT, DEFAULT_PORT);
    }
}
