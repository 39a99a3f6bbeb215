//! The relay: connections that are used again, and what its answers mean.
//!
//! The connections are kept here, and not by lettre's transport, because a send that runs out of time must not leave a
//! connection behind in the middle of a conversation: its next user would take the old answers for its own.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use mainstay_domain::with_causes;

use crate::email::Composed;
use crate::outcome::Verdict;
use crate::settings::{SmtpSettings, SmtpTls};

/// Relays close connections that lie idle for some minutes, some after much less.
const IDLE_MAX: Duration = Duration::from_secs(20);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// `250`, or `251` of a relay that forwards.
const TAKEN: RangeInclusive<u16> = 250..=251;

/// `start mail input`.
const GO_ON: RangeInclusive<u16> = 354..=354;

/// The relay of the settings.
pub(crate) struct SmtpRelay {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// Why an email was not taken.
#[derive(Debug)]
struct Fault {
    step: Step,
    code: Option<u16>,
    is_permanent: bool,
    text: String,
}

impl Fault {
    fn new(step: Step, error: &SmtpError) -> Self {
        Self { step, code: code_of(error), is_permanent: error.is_permanent(), text: with_causes(error) }
    }
}

/// At which step a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Before anything was said about the message: what is wrong is not the message's fault.
    Sender,
    /// What was said of the recipient.
    Recipient,
    /// What was said of the content.
    Content,
}

impl SmtpRelay {
    /// # Errors
    /// What is wrong with the certificates.
    pub(crate) fn new(settings: SmtpSettings) -> Result<Self, String> {
        let tls = match settings.tls {
            SmtpTls::None => None,
            SmtpTls::StartTls | SmtpTls::Implicit => Some(tls_parameters(&settings)?),
        };
        let hello = ClientId::Domain(settings.hello_name.clone());
        Ok(Self { settings, tls, hello, idle: Mutex::default() })
    }

    /// Hands an email over. Dropped half way, its connection is closed.
    pub(crate) async fn send(&self, email: &Composed) -> Verdict {
        if let Some(mut connection) = self.take_idle() {
            match self.hand_over(&mut connection, email).await {
                // The relay had closed it: nothing was said of this message yet.
                Err(Fault { step: Step::Sender, is_permanent: false, text, .. }) => {
                    tracing::debug!(text, "an idle connection to the relay was closed");
                }
                ended => return self.conclude(connection, ended),
            }
        }
        match self.connect().await {
            Ok(mut connection) => {
                let ended = self.hand_over(&mut connection, email).await;
                self.conclude(connection, ended)
            }
            Err(error) => Verdict::failed(code_of(&error), format!("connecting to the relay: {}", with_causes(&error))),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let server = (self.settings.host.as_str(), self.settings.port);
        let implicit = self.tls.clone().filter(|_| self.settings.tls == SmtpTls::Implicit);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.hello, implicit, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.settings.tls == SmtpTls::StartTls) {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some((user, password)) = &self.settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, email: &Composed) -> Result<u16, Fault> {
        let is_international = |address: &lettre::Address| !AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if (is_international(&email.from) || is_international(&email.to))
            && connection.server_info().supports_feature(Extension::SmtpUtfEight)
        {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        say(connection, Step::Sender, Mail::new(Some(email.from.clone()), parameters), TAKEN).await?;
        say(connection, Step::Recipient, Rcpt::new(email.to.clone(), Vec::new()), TAKEN).await?;
        say(connection, Step::Content, Data, GO_ON).await?;
        // In one write: an end that is written by itself waits for the acknowledgement of what comes before it (Nagle), which
        // the other side delays by 40 ms.
        say(connection, Step::Content, &email.transfer, TAKEN).await
    }

    /// A connection is used again after a success only: then both sides know where they stand.
    fn conclude(&self, connection: AsyncSmtpConnection, ended: Result<u16, Fault>) -> Verdict {
        let Fault { step, code, is_permanent, text } = match ended {
            Ok(code) => {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                idle.push(Idle { connection, since: Instant::now() });
                return Verdict::sent(Some(code));
            }
            Err(fault) => fault,
        };
        match step {
            Step::Recipient if is_permanent => Verdict::refused(code, format!("the recipient is refused: {text}")),
            Step::Content if is_permanent => Verdict::refused(code, format!("the message is refused: {text}")),
            Step::Sender if is_permanent => Verdict::failed(code, format!("the sender is refused: {text}")),
            Step::Sender | Step::Recipient | Step::Content => Verdict::failed(code, text),
        }
    }

    /// The connection that was used last, which is the one most likely to be still open.
    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < IDLE_MAX);
        idle.pop().map(|idle| idle.connection)
    }
}

/// Says something, and looks whether the answer is one to that: after one that belongs elsewhere nothing is known of what
/// the relay took.
async fn say(
    connection: &mut AsyncSmtpConnection,
    step: Step,
    command: impl Display,
    expected: RangeInclusive<u16>,
) -> Result<u16, Fault> {
    let response = connection.command(command).await.map_err(|error| Fault::new(step, &error))?;
    let code = number(response.code());
    if expected.contains(&code) {
        return Ok(code);
    }
    let text = format!("the relay answered {code} out of turn");
    Err(Fault { step, code: Some(code), is_permanent: false, text })
}

fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|error| format!("{}: {}", path.display(), with_causes(&error)))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| with_causes(&error))
}

fn code_of(error: &SmtpError) -> Option<u16> {
    error.status().map(number)
}

fn number(code: lettre::transport::smtp::response::Code) -> u16 {
    code.into()
}
