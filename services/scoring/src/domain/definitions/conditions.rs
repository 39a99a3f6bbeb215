//! The terms of conditions that put an account at risk, of which no other service has the numbers: they are constants of the code that
//! judges by them.

use chrono::NaiveDate;

use super::super::{
    billing, champions, feature_adoption, frustration, login_drop, payment_slowing, renewal_risk, usage_decline,
};
use super::{Bound, Definition, DefinitionValue, Unit, settled, value};

/// When these terms were settled.
const CONDITIONS_SETTLED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 27);

/// When invoices began to be overdue without anybody saying so, and payments to be compared with those before.
const PAYMENTS_SETTLED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 28);

pub(super) fn terms_of_conditions() -> Vec<Definition> {
    let since = CONDITIONS_SETTLED.unwrap_or_default();
    let of_then = [
        disputed(),
        urgent_ticket(),
        frustrated(),
        usage_decline(),
        login_drop(),
        feature_not_adopted(),
        champion_silent(),
        renewal_at_risk(),
    ];
    let of_payments = [overdue(), payment_slowing()];
    let of_payments =
        of_payments.map(|definition| Definition { since: PAYMENTS_SETTLED.unwrap_or_default(), ..definition });
    of_payments.into_iter().chain(of_then.map(|definition| Definition { since, ..definition })).collect()
}

fn condition(
    id: &'static str,
    display_name: &'static str,
    sentence: impl Into<String>,
    values: Vec<DefinitionValue>,
    requirements: &'static [&'static str],
) -> Definition {
    settled(id, display_name, sentence.into(), values, requirements, &["scoring"])
}

fn overdue() -> Definition {
    let (hours, hours_of_day) = (billing::OVERDUE_GRACE.num_hours(), billing::OVERDUE_GRACE_OF_DAY.num_hours());
    condition(
        "overdue",
        "Overdue",
        format!(
            "The invoice is not settled {hours} hours after its due time, {hours_of_day} after a day's beginning, where its source tells \
             of payments and was heard from since; or its source says that it is overdue. One of which a payment failed puts the \
             account at risk as well."
        ),
        vec![
            value("after-due-time", Bound::AtLeast, hours as f64, Unit::Hours),
            value("after-due-day", Bound::AtLeast, hours_of_day as f64, Unit::Hours),
        ],
        &["R65", "R95"],
    )
}

fn payment_slowing() -> Definition {
    let (invoices, earlier) = (payment_slowing::INVOICES_MIN, payment_slowing::EARLIER_INVOICES);
    let (begins, ends) = (payment_slowing::BEGINS_AT_DAYS, payment_slowing::ENDS_BELOW_DAYS);
    let newest_within = payment_slowing::NEWEST_WITHIN_DAYS;
    condition(
        "payment-slowing",
        "Payments slow down",
        format!(
            "The last {invoices} invoices that were paid, the newest within {newest_within} days, were paid {begins} days or more \
             later after their due day than the {earlier} before, which were {invoices} or more, in the mean; over when less than \
             {ends} days later."
        ),
        vec![
            value("days-later", Bound::AtLeast, begins, Unit::Days),
            value("days-later-ends", Bound::Below, ends, Unit::Days),
            value("invoices", Bound::AtLeast, invoices as f64, Unit::Count),
            value("earlier-invoices", Bound::AtMost, earlier as f64, Unit::Count),
            value("newest-payment", Bound::Within, newest_within, Unit::Days),
        ],
        &["R65"],
    )
}

fn disputed() -> Definition {
    let sentence = "A billing dispute was opened, and has not ended.";
    condition("disputed", "Disputed", sentence, Vec::new(), &["R95"])
}

fn urgent_ticket() -> Definition {
    let sentence = "A ticket of priority urgent or critical is not resolved.";
    condition("urgent-ticket", "Urgent ticket", sentence, Vec::new(), &["R96"])
}

fn frustrated() -> Definition {
    let (begins, calm) = (frustration::FRUSTRATED_AT_MOST, frustration::CALM_ABOVE);
    let sentiment = |id, bound, number: f64| value(id, bound, number, Unit::Sentiment);
    condition(
        "frustrated",
        "Frustrated",
        format!(
            "In a ticket that is not resolved the newest message of the customer has a sentiment of {begins} or less; over above \
             {calm}. The text that opened the ticket does not count, unless its source says the sentiment."
        ),
        vec![sentiment("sentiment", Bound::AtMost, begins), sentiment("sentiment-ends", Bound::Above, calm)],
        &["R64"],
    )
}

fn usage_decline() -> Definition {
    let (falling, base) = (usage_decline::FALLING_WEEKS, usage_decline::BASE_WEEKS);
    let (begins, ends) = (usage_decline::BEGINS_AT_SHARE * 100.0, usage_decline::ENDS_AT_SHARE * 100.0);
    let lasts = usage_decline::LASTS_WEEKS_MAX;
    let (count_min, users_min) = (usage_decline::COUNT_BASE_MIN, usage_decline::USERS_BASE_MIN);
    let week = usage_decline::WEEK_DAYS;
    condition(
        "usage-decline",
        "Usage decline",
        format!(
            "Use fell in each of the last {falling} whole weeks, to {begins} % or less of the median of the {base} weeks before; \
             over at {ends} % or more, or after {lasts} weeks. Less than {count_min} uses or {users_min} users a week before \
             are too few to tell."
        ),
        vec![
            value("falling-days", Bound::Within, falling * week, Unit::Days),
            value("base-days", Bound::Within, base * week, Unit::Days),
            value("share", Bound::AtMost, begins, Unit::Percent),
            value("share-ends", Bound::AtLeast, ends, Unit::Percent),
            value("lasts", Bound::AtMost, lasts * week, Unit::Days),
            value("base-uses", Bound::AtLeast, count_min, Unit::Count),
            value("base-users", Bound::AtLeast, users_min, Unit::Count),
        ],
        &["R60"],
    )
}

fn login_drop() -> Definition {
    let (window, earlier_min) = (login_drop::WINDOW_DAYS, login_drop::EARLIER_DAYS_MIN);
    let (begins, ends) = (login_drop::BEGINS_AT_PERCENT, login_drop::ENDS_AT_PERCENT);
    condition(
        "login-drop",
        "Login drop",
        format!(
            "Users were active on {begins} % or less as many days of the last {window} as of the {window} before, which were \
             {earlier_min} or more; over at {ends} % or more."
        ),
        vec![
            value("window", Bound::Within, window, Unit::Days),
            value("share", Bound::AtMost, begins, Unit::Percent),
            value("share-ends", Bound::AtLeast, ends, Unit::Percent),
            value("earlier-active-days", Bound::AtLeast, earlier_min, Unit::Days),
        ],
        &["R69"],
    )
}

fn feature_not_adopted() -> Definition {
    let (due, looked_at) = (feature_adoption::DUE_DAYS, feature_adoption::LOOKED_AT_DAYS);
    let (common, peers) = (feature_adoption::COMMON_AT_PERCENT, feature_adoption::PEERS_MIN);
    let used_within = feature_adoption::PEER_USE_DAYS;
    condition(
        "feature-not-adopted",
        "Feature not adopted",
        format!(
            "{due} days or more, and less than {looked_at}, after its activation the account has never used a feature that \
             {common} % or more of its peers used since the first of the month of {used_within} days before; there must be \
             {peers} peers or more."
        ),
        vec![
            value("days", Bound::AtLeast, due, Unit::Days),
            value("days", Bound::Below, looked_at, Unit::Days),
            value("peers-using", Bound::AtLeast, common, Unit::Percent),
            value("peers", Bound::AtLeast, peers, Unit::Count),
            value("used", Bound::Within, used_within, Unit::Days),
        ],
        &["R69"],
    )
}

fn champion_silent() -> Definition {
    let (silent, others) = (champions::SILENT_DAYS_MIN, champions::OTHERS_DAYS_MAX);
    let (regular, window) = (champions::REGULAR_DAYS_MIN, champions::REGULAR_WINDOW_DAYS);
    condition(
        "champion-silent",
        "Champion silent",
        format!(
            "A champion who had been active on {regular} or more of {window} days has had no activity for {silent} whole days or \
             more, while others of the account were active within {others} days."
        ),
        vec![
            value("days", Bound::AtLeast, silent, Unit::Days),
            value("regular-days", Bound::AtLeast, regular, Unit::Days),
            value("regular-window", Bound::Within, window, Unit::Days),
            value("others-active", Bound::Within, others, Unit::Days),
        ],
        &["R69"],
    )
}

fn renewal_at_risk() -> Definition {
    let near = renewal_risk::NEAR_DAYS;
    condition(
        "renewal-at-risk",
        "Renewal at risk",
        format!("The renewal is {near} days away or less, and the score is at risk or critical."),
        vec![value("days", Bound::AtMost, near, Unit::Days)],
        &["R71"],
    )
}
