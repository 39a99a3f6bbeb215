//! The channel that the global options ask for.

use mainstay_clients::{BearerToken, ChannelSettings, RetryPolicy, ServerAddress, ServiceChannel, connect};

use crate::arguments::GlobalOptions;
use crate::failure::Failure;

/// A service that commands call. On one machine each listens on the port after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceName {
    /// Accounts, signals, health.
    Scoring,
    /// Programmes, invitations, answers.
    Surveys,
    /// Alerts, cases, tasks.
    Interventions,
    /// Plans, qualification, opportunities.
    Expansion,
}

impl ServiceName {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Scoring, Self::Surveys, Self::Interventions, Self::Expansion];

    /// Its name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Scoring => "scoring",
            Self::Surveys => "surveys",
            Self::Interventions => "interventions",
            Self::Expansion => "expansion",
        }
    }

    /// The option that says where it is.
    const fn option(self) -> &'static str {
        match self {
            Self::Scoring => "--server",
            Self::Surveys => "--surveys-server",
            Self::Interventions => "--interventions-server",
            Self::Expansion => "--expansion-server",
        }
    }

    /// Where the options say that it listens; else where `mainstay up` has it, given where scoring is.
    fn address(self, options: &GlobalOptions) -> Result<ServerAddress, Failure> {
        let given = match self {
            Self::Scoring => Some(&options.server),
            Self::Surveys => options.surveys_server.as_ref(),
            Self::Interventions => options.interventions_server.as_ref(),
            Self::Expansion => options.expansion_server.as_ref(),
        };
        let parse = |text: &str| text.parse().map_err(|error| Failure::Usage(format!("{}: {error}", self.option())));
        if let Some(given) = given {
            return parse(given);
        }
        let scoring: ServerAddress =
            options.server.parse().map_err(|error| Failure::Usage(format!("--server: {error}")))?;
        let sibling = scoring.with_port_offset(self as u16);
        sibling.ok_or_else(|| Failure::Usage(format!("{} is needed: it says where the service listens", self.option())))
    }
}

/// A channel to the server and how calls on it are repeated.
pub(crate) struct Connection {
    pub(crate) channel: ServiceChannel,
    pub(crate) retries: RetryPolicy,
}

impl Connection {
    /// A channel to a service, where the options say that it is; nothing is sent yet.
    pub(crate) fn to(options: &GlobalOptions, service: ServiceName) -> Result<Self, Failure> {
        let mut settings = ChannelSettings::new(service.address(options)?);
        settings.deadline = options.timeout;
        settings.connect_timeout = settings.connect_timeout.min(options.timeout);
        settings.certificate_authority_file.clone_from(&options.ca_file);
        settings.user_agent = format!("mainstay-cli/{}", env!("CARGO_PKG_VERSION"));
        settings.token = match (&options.token, &options.token_file) {
            (Some(token), _) => Some(BearerToken::new(token)?),
            (None, Some(path)) => Some(BearerToken::from_file(path)?),
            (None, None) => None,
        };
        Ok(Self { channel: connect(settings)?, retries: RetryPolicy::new() })
    }
}
