//! The surveys service through its RPCs and its answer page, on a real PostgreSQL and a real receiver of mails.

mod answer_page;
mod cadence;
mod channels;
mod eligibility;
mod harness;
mod invitations;
mod programs;
mod refusals;
mod replicas;
mod reports;
mod responses;
mod resurveys;
mod tickets;
