//! The service's own settings.

use std::net::{Ipv4Addr, SocketAddr};

use axum::http::HeaderName;
use mainstay_delivery::DeliverySettings;
use mainstay_rpc::Listen;
use mainstay_rpc::settings::{Reader, Secret};
use mainstay_service::{PeerSettings, WorkerSettings, peer_settings};

/// Where the answer page listens unless told otherwise.
const PAGE_PORT: u16 = 7482;
/// Characters that a secret must have: 32 of hexadecimal are 128 bits.
const LINK_SECRET_LENGTH_MIN: usize = 32;

/// How the service works, beside what all services have.
#[derive(Debug, Clone)]
pub struct SurveysSettings {
    /// The answer page.
    pub page: PageSettings,
    /// How mails leave.
    pub delivery: DeliverySettings,
    /// The work behind the RPCs.
    pub workers: WorkerSettings,
    /// Scoring, whose accounts and tickets are asked about.
    pub scoring: Option<PeerSettings>,
    /// Interventions, whose resolved cases are followed by a resurvey.
    pub interventions: Option<PeerSettings>,
}

/// The answer page.
#[derive(Debug, Clone)]
pub struct PageSettings {
    /// Where it listens.
    pub listen: Listen,
    /// Where customers reach it, without a slash at the end.
    pub public_url: String,
    /// Signs the links.
    pub link_secret: Secret,
    /// The secret before, with which links may still be signed that are out.
    pub previous_link_secret: Option<Secret>,
    /// Requests that one address may make in a minute.
    pub requests_per_minute: u32,
    /// In which header the proxy in front says the customer's address; absent: there is none.
    pub client_address_header: Option<HeaderName>,
    /// Connections at once.
    pub connections_max: u32,
}

impl SurveysSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader) -> Self {
        Self {
            page: PageSettings::read(reader),
            delivery: DeliverySettings::read(reader),
            workers: WorkerSettings::read(reader),
            scoring: peer_settings!(reader, "scoring"),
            interventions: peer_settings!(reader, "interventions"),
        }
    }
}

impl PageSettings {
    /// On any port of the loopback address, for tests and programs that put their settings together themselves.
    pub fn local(link_secret: Secret) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into(),
            public_url: format!("http://127.0.0.1:{PAGE_PORT}"),
            link_secret,
            previous_link_secret: None,
            requests_per_minute: 120,
            client_address_header: None,
            connections_max: 512,
        }
    }

    fn read(reader: &mut Reader) -> Self {
        let listen = reader.socket_address(
            "page.listen",
            "Where the answer page listens; a proxy in front of it does the TLS.",
            SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT)),
        );
        let link_secret = reader.required_secret(
            "page.link_secret",
            "Signs the links of mails: at least 32 characters, for example of `openssl rand -hex 32`.",
        );
        let previous_link_secret = reader.optional_secret(
            "page.previous_link_secret",
            "The link secret before, for as long as links signed with it are out; see docs/how-to/rotate-link-secrets.md.",
        );
        check_length(reader, "page.link_secret", Some(&link_secret));
        check_length(reader, "page.previous_link_secret", previous_link_secret.as_ref());
        let defaults = Self::local(link_secret);
        let public_url = reader.string(
            "page.public_url",
            "Where customers reach the answer page, for example https://survey.example.com; links in mails begin with it.",
            &defaults.public_url,
        );
        let is_url = public_url.starts_with("https://") || public_url.starts_with("http://");
        if !is_url || public_url.contains(|character: char| !character.is_ascii_graphic()) {
            reader.fault("page.public_url", "must begin with https:// or http:// and be of printable ASCII");
        }
        let requests_per_minute = reader.u32(
            "page.requests_per_minute",
            "Requests that one address may make of the answer page in a minute.",
            defaults.requests_per_minute,
            1..=1_000_000,
        );
        let client_address_header = reader.optional_string(
            "page.client_address_header",
            "The header in which the proxy in front adds the customer's address, for example x-forwarded-for; only when \
             there is one, for whoever comes without it could say anything.",
        );
        let connections_max = reader.u32(
            "page.connections_max",
            "Connections to the answer page at once.",
            defaults.connections_max,
            1..=100_000,
        );
        Self {
            listen: listen.into(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            previous_link_secret,
            requests_per_minute,
            client_address_header: header(reader, client_address_header),
            connections_max,
            ..defaults
        }
    }

    /// The secrets of links: the first signs, all are good for checking.
    pub(crate) fn link_secrets(&self) -> Vec<Vec<u8>> {
        let secrets = std::iter::once(&self.link_secret).chain(&self.previous_link_secret);
        secrets.map(|secret| secret.expose().as_bytes().to_vec()).collect()
    }
}

fn check_length(reader: &mut Reader, key: &'static str, secret: Option<&Secret>) {
    // An absent one is a fault of its own.
    let is_short = |secret: &Secret| (1..LINK_SECRET_LENGTH_MIN).contains(&secret.expose().len());
    if secret.is_some_and(is_short) {
        reader.fault(key, format!("must have at least {LINK_SECRET_LENGTH_MIN} characters"));
    }
}

fn header(reader: &mut Reader, name: Option<String>) -> Option<HeaderName> {
    let name = name?;
    let header = name.parse().ok();
    if header.is_none() {
        reader.fault("page.client_address_header", format!("must be the name of a header, not `{name}`"));
    }
    header
}
