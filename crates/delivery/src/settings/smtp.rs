//! The relay for email.

use std::net::IpAddr;
use std::path::PathBuf;

use lettre::message::Mailbox;
use mainstay_rpc::settings::{Reader, Secret};

const CONNECTIONS: u32 = 8;
const CONNECTIONS_MAX: u32 = 64;

/// How the connection to the relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// By STARTTLS, without which nothing is sent.
    StartTls,
    /// From the first byte on.
    Implicit,
}

impl SmtpTls {
    const WORDS: [(&'static str, Self); 3] =
        [("starttls", Self::StartTls), ("implicit", Self::Implicit), ("none", Self::None)];

    fn default_port(self) -> u32 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Implicit => 465,
        }
    }
}

/// The relay through which all email goes.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port; 587 with STARTTLS, 465 with implicit TLS, 25 without by default.
    pub port: u16,
    /// How the connection is protected; STARTTLS by default.
    pub tls: SmtpTls,
    /// Certificate authorities (PEM) to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// User and password, if the relay wants them.
    pub credentials: Option<(String, Secret)>,
    /// Whom messages come from.
    pub from: Mailbox,
    /// The name that is given in `EHLO`; the domain of `from` by default.
    pub hello_name: String,
    /// Most connections that are open at once, in this process, and so the emails that are sent at once; 8 by default.
    pub connections: u32,
}

impl SmtpSettings {
    /// A relay on this machine, without TLS and password, for tests and development.
    pub fn local(port: u16, from: Mailbox) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            tls: SmtpTls::None,
            ca_file: None,
            credentials: None,
            hello_name: from.email.domain().to_owned(),
            from,
            connections: CONNECTIONS,
        }
    }

    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let host = reader.optional_string("delivery.smtp.host", "the relay for email");
        let tls = read_tls(reader);
        let port = reader.u32("delivery.smtp.port", "the relay's port", tls.default_port(), 1..=u32::from(u16::MAX));
        let allow_plaintext = reader.bool(
            "delivery.smtp.allow_plaintext",
            "whether tls = none is allowed to a relay that is not on this machine",
            false,
        );
        let ca_file = reader.optional_path(
            "delivery.smtp.ca_file",
            "certificate authorities (PEM) for the relay instead of the system's",
        );
        let user = reader.optional_string("delivery.smtp.user", "the user at the relay");
        let password = reader.optional_secret("delivery.smtp.password", "the user's password at the relay");
        let from = read_from(reader);
        let hello_name = reader.optional_string("delivery.smtp.hello_name", "the name given in EHLO");
        let connections = reader.u32(
            "delivery.smtp.connections",
            "most connections to the relay at once, in this process",
            CONNECTIONS,
            1..=CONNECTIONS_MAX,
        );
        let Some(host) = host else {
            if from.is_some() || user.is_some() || password.is_some() {
                reader.fault("delivery.smtp.host", "must be given, because other settings of delivery.smtp are");
            }
            return None;
        };
        if tls == SmtpTls::None && !is_loopback(&host) {
            if !allow_plaintext {
                reader.fault(
                    "delivery.smtp.tls",
                    "must not be none, except to this machine or with delivery.smtp.allow_plaintext",
                );
            }
            if password.is_some() {
                reader.fault("delivery.smtp.password", "must not travel without TLS");
            }
        }
        if user.is_some() != password.is_some() {
            reader.fault("delivery.smtp.user", "and delivery.smtp.password must be given together");
        }
        let Some(from) = from else {
            reader.fault("delivery.smtp.from", "must be given, because delivery.smtp.host is");
            return None;
        };
        let hello_name = hello_name.unwrap_or_else(|| from.email.domain().to_owned());
        let credentials = user.zip(password);
        let port = u16::try_from(port).unwrap_or(u16::MAX);
        Some(Self { host, port, tls, ca_file, credentials, from, hello_name, connections })
    }
}

fn read_tls(reader: &mut Reader) -> SmtpTls {
    let words = SmtpTls::WORDS.map(|(word, _)| word);
    let given = reader.choice("delivery.smtp.tls", "how the connection to the relay is protected", words[0], &words);
    SmtpTls::WORDS.into_iter().find(|(word, _)| *word == given).map_or(SmtpTls::StartTls, |(_, tls)| tls)
}

fn read_from(reader: &mut Reader) -> Option<Mailbox> {
    let key = "delivery.smtp.from";
    let given = reader.optional_string(key, "whom email comes from, such as `Mainstay <care@example.com>`")?;
    let mailbox = given.parse().ok();
    if mailbox.is_none() {
        reader.fault(key, format!("must be an address such as `Mainstay <care@example.com>`, not `{given}`"));
    }
    mailbox
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
