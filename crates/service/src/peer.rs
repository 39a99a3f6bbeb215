//! Other services, as a service is told of them.

use std::path::PathBuf;
use std::sync::Arc;

use mainstay_clients::{BearerToken, ChannelSettings, ClientError, ServerAddress, ServiceChannel, connect};
use mainstay_events::{EventSource, RemoteSource};
use mainstay_rpc::settings::{Reader, Secret};

/// Where another service is and how to call it. Read with [`crate::peer_settings`].
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// Where it listens.
    pub address: ServerAddress,
    /// Sent with every call.
    pub token: Option<Secret>,
    /// Certificates (PEM) that are trusted besides those of the system, for https.
    pub certificate_authority_file: Option<PathBuf>,
}

/// Keys of a peer's settings.
#[derive(Debug, Clone, Copy)]
pub struct PeerKeys {
    /// Of the address.
    pub address: &'static str,
    /// Of the token.
    pub token: &'static str,
    /// Of the file with certificates.
    pub certificate_authority_file: &'static str,
}

/// Reads the settings `peers.<name>.…` of a peer, which is absent without an address.
#[macro_export]
macro_rules! peer_settings {
    ($reader:expr, $name:literal) => {
        $crate::PeerSettings::read(
            $reader,
            $crate::PeerKeys {
                address: concat!("peers.", $name, ".address"),
                token: concat!("peers.", $name, ".token"),
                certificate_authority_file: concat!("peers.", $name, ".certificate_authority_file"),
            },
        )
    };
}

impl PeerSettings {
    /// Reads them; faults go to the reader.
    pub fn read(reader: &mut Reader, keys: PeerKeys) -> Option<Self> {
        let address = reader.optional_string(
            keys.address,
            "Where the service listens, for example http://127.0.0.1:7461; absent: the work that needs it is left out.",
        );
        let token = reader.optional_secret(keys.token, "Bearer token (JWT) sent with every call of the service.");
        let certificate_authority_file = reader.optional_path(
            keys.certificate_authority_file,
            "Certificates (PEM) to trust besides those of the system, for https.",
        );
        let address = match address?.parse() {
            Ok(address) => Some(address),
            Err(error) => {
                reader.fault(keys.address, error);
                None
            }
        };
        Some(Self { address: address?, token, certificate_authority_file })
    }
}

/// Another service that can be called; nothing is sent before the first call.
#[derive(Debug, Clone)]
pub struct Peer {
    /// For the generated clients.
    pub channel: ServiceChannel,
}

impl Peer {
    /// The service behind an address, called by `caller`.
    ///
    /// # Errors
    /// When the address, the token or the certificates cannot be used.
    pub fn connect(settings: &PeerSettings, caller: &str) -> Result<Self, ClientError> {
        let mut channel = ChannelSettings::new(settings.address.clone());
        channel.token = settings.token.as_ref().map(|token| BearerToken::new(token.expose())).transpose()?;
        channel.certificate_authority_file.clone_from(&settings.certificate_authority_file);
        channel.user_agent = format!("mainstay-{caller}/{}", env!("CARGO_PKG_VERSION"));
        Ok(Self { channel: connect(channel)? })
    }

    /// The event feed of the service of this name, when the settings say where it is.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn feed_of(
        settings: Option<&PeerSettings>,
        caller: &str,
        name: &str,
    ) -> Result<Option<Arc<dyn EventSource>>, ClientError> {
        Ok(settings.map(|settings| Self::connect(settings, caller)).transpose()?.map(|peer| peer.feed(name)))
    }

    /// The service's event feed, which has its name.
    pub fn feed(&self, name: &str) -> Arc<dyn EventSource> {
        Arc::new(RemoteSource::new(name, self.channel.clone()))
    }
}
