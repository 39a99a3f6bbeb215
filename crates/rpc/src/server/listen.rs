//! Where a service listens.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;

use tokio::net::TcpListener;

/// Where a service listens: bound when it starts, or held before. Who tells others of an address before its service is
/// complete holds it, for else another process may take it in between.
#[derive(Debug, Clone)]
pub struct Listen {
    address: SocketAddr,
    held: Option<Arc<StdTcpListener>>,
}

impl Listen {
    /// At this address from when the service starts; port 0 for a free one.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, held: None }
    }

    /// At this address from now on; port 0 for a free one. Connections wait until the service accepts them.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn held(address: SocketAddr) -> io::Result<Self> {
        let listener = StdTcpListener::bind(address)?;
        Ok(Self { address: listener.local_addr()?, held: Some(Arc::new(listener)) })
    }

    /// The address; with a port when it is held.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The listener to accept connections from.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(&self) -> io::Result<TcpListener> {
        let Some(held) = &self.held else { return TcpListener::bind(self.address).await };
        let listener = held.try_clone()?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::at(address)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpStream;

    use super::*;

    const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

    #[tokio::test]
    async fn nobody_else_gets_a_held_address_and_who_connects_early_is_accepted_later() {
        let listen = Listen::held(ANY.into()).expect("a free port");
        let taken = Listen::held(listen.address()).expect_err("it is held");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        let early = TcpStream::connect(listen.address()).await.expect("connects");
        let (_, from) = listen.bind().await.expect("binds").accept().await.expect("accepts");
        assert_eq!(from, early.local_addr().expect("connected"));
    }
}
