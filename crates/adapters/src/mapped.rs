//! What a payload comes to.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use mainstay_api::mainstay::scoring::v1::Signal;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_domain::AccountId;

use crate::Vendor;
use crate::news::News;
use crate::read::timestamp;
use crate::text;

/// What a payload means to us.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This is to be taken in.
    Mapped(Mapped),
    /// Nothing; the text says why, for people.
    Ignored(Cow<'static, str>),
}

/// What is to be taken in: first what is said of accounts, then the signals.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapped {
    /// What is said of accounts and of people there.
    pub accounts: Vec<AccountNews>,
    /// What was seen, each with an id of its own.
    pub signals: Vec<Signal>,
}

/// What a vendor says of an account. Of two that are about the same thing, the one with the greater stamp counts, whichever
/// comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountNews {
    /// Whose.
    pub account: AccountId,
    /// What it is about, for example `segment/plan` or `segment/contact/u1/email`; with the account it says which news replace which.
    pub subject: String,
    /// How new it is.
    pub stamp: Stamp,
    /// What is said.
    pub news: News,
}

/// Which of two is the newer: by time, then by what usually comes later, then by id, so that there is an order between any two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When it was so.
    pub at: DateTime<Utc>,
    /// Rises with what usually comes later.
    pub rank: i16,
    /// The vendor's id of the event.
    pub id: String,
}

impl Outcome {
    /// Only signals.
    pub(crate) fn signals(signals: Vec<Signal>) -> Self {
        Self::Mapped(Mapped { accounts: Vec::new(), signals })
    }

    /// Only news of an account.
    pub(crate) fn news(news: Vec<AccountNews>) -> Self {
        Self::Mapped(Mapped { accounts: news, signals: Vec::new() })
    }

    /// Nothing, because it does not say when it happened, and nobody knows when it came.
    pub(crate) fn timeless() -> Self {
        Self::ignored("the payload does not say when it happened, and a file does not say when it came")
    }

    /// Nothing, because it is of something that holds from a time on.
    pub(crate) fn undated() -> Self {
        Self::ignored("the payload does not say since when it is so: sent again later, it would undo what is newer")
    }

    /// Nothing, because of this.
    pub(crate) fn ignored(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Ignored(reason.into())
    }
}

/// What is told of an account by one event.
pub(crate) struct Told<'a> {
    /// Whose.
    pub(crate) account: &'a AccountId,
    /// By whom.
    pub(crate) vendor: Vendor,
    /// The vendor's id of the event.
    pub(crate) id: &'a str,
    /// When it happened.
    pub(crate) at: DateTime<Utc>,
    /// Which of two events of one time usually comes later: the one of the higher rank.
    pub(crate) rank: i16,
}

impl Told<'_> {
    /// The signal of an event that tells of nothing else.
    pub(crate) fn signal(&self, payload: Payload) -> Signal {
        self.signal_under(self.id, payload)
    }

    /// One signal of several of an event, told apart by a word.
    pub(crate) fn part(&self, word: &str, payload: Payload) -> Signal {
        self.signal_under(&format!("{}/{word}", self.id), payload)
    }

    fn signal_under(&self, id: &str, payload: Payload) -> Signal {
        Signal {
            account: self.account.name(),
            source: self.vendor.as_str().to_owned(),
            source_id: text::id(id),
            event_time: Some(timestamp(self.at)),
            payload: Some(payload),
            record_time: None,
            withdrawal: None,
        }
    }

    /// What the event says of the account, in this respect.
    pub(crate) fn news(&self, respect: &str, news: News) -> AccountNews {
        AccountNews {
            account: self.account.clone(),
            subject: text::id(&format!("{}/{respect}", self.vendor)),
            stamp: Stamp { at: self.at, rank: self.rank, id: text::id(self.id) },
            news,
        }
    }
}
