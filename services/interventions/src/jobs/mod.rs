//! What happens because time passes, or because another service said something.

mod clocks;
mod feeds;

pub(crate) use clocks::Clocks;
pub(crate) use feeds::{ScoringFeed, SurveysFeed};
