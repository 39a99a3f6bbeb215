//! The relay: connections that are used again, and what its answers mean.
//!
//! The connections are kept here, and not by lettre's transport, because a send that runs out of time must not leave a
//! connection behind in the middle of a conversation: its next user would take the old answers for its own.

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

/// `service not available, closing transmission channel`.
const CLOSING: u16 = 421;

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
                Err((Step::Sender, error)) if !error.is_permanent() => {
                    tracing::debug!(error = with_causes(&error), "an idle connection to the relay was closed");
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

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        email: &Composed,
    ) -> Result<u16, (Step, SmtpError)> {
        let is_international = |address: &lettre::Address| !AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if (is_international(&email.from) || is_international(&email.to))
            && connection.server_info().supports_feature(Extension::SmtpUtfEight)
        {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let at = |step| move |error| (step, error);
        connection.command(Mail::new(Some(email.from.clone()), parameters)).await.map_err(at(Step::Sender))?;
        connection.command(Rcpt::new(email.to.clone(), Vec::new())).await.map_err(at(Step::Recipient))?;
        connection.command(Data).await.map_err(at(Step::Content))?;
        let response = connection.message(&email.bytes).await.map_err(at(Step::Content))?;
        Ok(number(response.code()))
    }

    /// A connection is used again after a success only: then both sides know where they stand.
    fn conclude(&self, connection: AsyncSmtpConnection, ended: Result<u16, (Step, SmtpError)>) -> Verdict {
        let (step, error) = match ended {
            Ok(code) => {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                idle.push(Idle { connection, since: Instant::now() });
                return Verdict::sent(Some(code));
            }
            Err(fault) => fault,
        };
        let code = code_of(&error);
        let text = with_causes(&error);
        match step {
            Step::Recipient if error.is_permanent() => {
                Verdict::refused(code, format!("the recipient is refused: {text}"))
            }
            Step::Content if error.is_permanent() => Verdict::refused(code, format!("the message is refused: {text}")),
            Step::Sender if code != Some(CLOSING) => Verdict::failed(code, format!("the sender is refused: {text}")),
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
