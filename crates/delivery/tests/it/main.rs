//! Messages as a service sends them: on a real PostgreSQL, to receivers on real sockets, on a turned clock.

mod destinations;
mod email;
mod fixture;
mod lanes;
mod leases;
mod metrics;
mod model;
mod replicas;
mod retries;
mod server;
mod slack;
mod storing;
mod throughput;
mod webhooks;
