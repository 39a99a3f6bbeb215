//! The channel that the global options ask for.

use mainstay_clients::{BearerToken, ChannelSettings, RetryPolicy, ServerAddress, ServiceChannel, connect};

use crate::arguments::GlobalOptions;
use crate::failure::Failure;

/// A channel to the server and how calls on it are repeated.
pub(crate) struct Connection {
    pub(crate) channel: ServiceChannel,
    pub(crate) retries: RetryPolicy,
}

impl Connection {
    /// The channel that the options ask for; nothing is sent yet.
    pub(crate) fn new(options: &GlobalOptions) -> Result<Self, Failure> {
        let address: ServerAddress =
            options.server.parse().map_err(|error| Failure::Usage(format!("--server: {error}")))?;
        let mut settings = ChannelSettings::new(address);
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
