//! The four services as one: real sockets, a real PostgreSQL, a real mail relay and webhook receiver, on a turned clock.
//!
//! Each path through them is walked in different weather: calm, with every request sent twice, with all services
//! restarted in its middle, with two replicas of each, and with one service down for a day. The end is the same, and
//! each effect happens once.

mod journeys;
mod paths;
mod places;
mod services;
mod status;
mod steps;
mod world;
