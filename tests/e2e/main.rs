//! The four services as one: real sockets, a real PostgreSQL, a real mail relay and webhook receiver, on a turned clock.
//!
//! Each path through them is walked in different weather:
//!
//! * calm;
//! * sent twice: each request that changes something is sent again with its id, signals are sent once more by a job that
//!   runs twice, the customer presses the button twice, and at each turn of the path the services read all events of the
//!   others a second time, and nothing is told or sent for it;
//! * restarted: all services, at each turn;
//! * with two replicas of each service, called in turn;
//! * with one service down for a day, on the day on which it matters.
//!
//! The end is the same, and each effect happens once.

mod journeys;
mod paths;
mod places;
mod services;
mod status;
mod steps;
mod world;
