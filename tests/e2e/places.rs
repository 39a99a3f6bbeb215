//! Where the replicas of a world listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::services::{SERVICES, Service};

/// Most replicas of a service.
const REPLICAS_MAX: usize = 2;

static WORLDS_MADE: AtomicU32 = AtomicU32::new(0);

/// The addresses of one world's replicas, which keep them for as long as the world is.
pub(crate) struct Places {
    rpc: Vec<SocketAddr>,
    pages: Vec<SocketAddr>,
}

impl Places {
    /// Free ports on a loopback address of this world's own.
    ///
    /// A service that is started again binds the port that it had, which is free while it is down. On 127.0.0.1 anybody
    /// may be given it then, who asks for any port or connects to somewhere, and the start fails with "address already
    /// in use". On Linux all of 127.0.0.0/8 is this machine, and connections within it come from 127.0.0.1: on an address that
    /// no other world has, ports are taken by its own services only.
    pub(crate) fn new() -> Self {
        let [_, _, of_process, in_process] = process::id().to_be_bytes();
        let [.., world] = WORLDS_MADE.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let address = Ipv4Addr::new(127, 128 | of_process, in_process, world);
        // All are held until all are known, so that none is given twice.
        let held: Vec<TcpListener> = (0..(SERVICES.len() + 1) * REPLICAS_MAX)
            .map(|_| TcpListener::bind((address, 0)).expect("a port on a loopback address"))
            .collect();
        let mut rpc: Vec<SocketAddr> =
            held.iter().map(|listener| listener.local_addr().expect("its address")).collect();
        let pages = rpc.split_off(SERVICES.len() * REPLICAS_MAX);
        Self { rpc, pages }
    }

    /// Where a replica of a service takes calls.
    pub(crate) fn rpc(&self, service: Service, place: usize) -> SocketAddr {
        self.rpc[service as usize * REPLICAS_MAX + place]
    }

    /// Where a replica of surveys has its answer page.
    pub(crate) fn page(&self, place: usize) -> SocketAddr {
        self.pages[place]
    }
}
