//! What the customers of the story do with the product.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use mainstay_api::mainstay::scoring::v1 as proto;
use mainstay_api::mainstay::scoring::v1::signal::Payload;
use mainstay_domain::start_of_day;

const FEATURES: [&str; 5] = ["reports", "exports", "alerts", "sharing", "api"];

/// How much an account does on a working day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// People who are active.
    pub users: usize,
    /// Features that they use.
    pub features: usize,
    /// Calls of the API.
    pub api_calls: i64,
}

impl Usage {
    /// Of Globex, as ever.
    pub(super) const STEADY: Self = Self { users: 18, features: 4, api_calls: 700 };
    /// Of Globex, when more and more is built on the product.
    pub(super) const GROWING: Self = Self { users: 19, features: 5, api_calls: 850 };
    /// Nothing at all.
    pub(super) const SILENT: Self = Self { users: 0, features: 0, api_calls: 0 };
    /// Of Initech, all the while.
    pub(super) const SMALL: Self = Self { users: 5, features: 3, api_calls: 60 };

    /// The signals of an account on a day; none on a weekend.
    pub(super) fn signals(self, account: &str, day: NaiveDate) -> Vec<proto::Signal> {
        if self.users == 0 || matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            return Vec::new();
        }
        let at = start_of_day(day) + TimeDelta::hours(9);
        let signal = |id: String, payload| signal(account, &format!("{day}/{id}"), at, payload);
        let activity = |user: usize| {
            let activity = proto::UserActivity { user_id: format!("user-{user}"), ..Default::default() };
            signal(format!("user-{user}"), Payload::Activity(activity))
        };
        let feature = |feature: &&str| {
            let used = proto::FeatureUse { feature: (*feature).to_owned(), count: 1, ..Default::default() };
            signal(format!("feature-{feature}"), Payload::FeatureUse(used))
        };
        let calls = proto::UsageCount { metric: "api_calls".to_owned(), quantity: self.api_calls };
        let seats = proto::Gauge { metric: "seats".to_owned(), level: self.users as f64 };
        let mut signals: Vec<proto::Signal> = (0..self.users).map(activity).collect();
        signals.extend(FEATURES.iter().take(self.features).map(feature));
        signals.push(signal("calls".to_owned(), Payload::Usage(calls)));
        signals.push(signal("seats".to_owned(), Payload::Gauge(seats)));
        signals
    }
}

fn signal(account: &str, id: &str, at: DateTime<Utc>, payload: Payload) -> proto::Signal {
    proto::Signal {
        account: format!("accounts/{account}"),
        source: "product".to_owned(),
        source_id: id.to_owned(),
        event_time: Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 }),
        payload: Some(payload),
        record_time: None,
        withdrawal: None,
    }
}
