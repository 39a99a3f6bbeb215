//! The demo's model on the demo's customers, computed as the service does.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::*;

const PURCHASES: &str = include_str!("../../../../demo/cdnow/CDNOW_sample.txt");
pub(super) const MODEL: &str = include_str!("../../../../demo/cdnow/model.yaml");

/// A customer's orders: day, CDs, cents.
pub(super) type Orders = Vec<(DayNumber, i64, i64)>;

pub(super) fn day(text: &str) -> DayNumber {
    day_number(NaiveDate::parse_from_str(text, "%Y%m%d").expect("a day"))
}

pub(super) fn orders_by_customer() -> BTreeMap<&'static str, Orders> {
    let mut customers: BTreeMap<_, Orders> = BTreeMap::new();
    for line in PURCHASES.lines() {
        let [_, customer, date, cds, dollars] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("five columns in {line:?}");
        };
        let cents = dollars.replace('.', "").parse().expect("dollars with two decimals");
        customers.entry(customer).or_default().push((day(date), cds.parse().expect("a count"), cents));
    }
    customers
}

/// The demo's three metrics of a customer.
pub(super) fn series_of(orders: &Orders) -> AccountSeries {
    let mut series = AccountSeries::default();
    let key = |name: &str| SeriesKey { kind: SeriesKind::Usage, name: name.to_owned() };
    series.add_counts(&key("purchases"), orders.iter().map(|&(day, _, _)| (day, 1)));
    series.add_counts(&key("cds"), orders.iter().map(|&(day, cds, _)| (day, cds)));
    series.add_counts(&key("spend_cents"), orders.iter().map(|&(day, _, cents)| (day, cents)));
    series
}

/// All sources live on a day.
pub(super) fn context(today: DayNumber) -> DayContext {
    let mut context = DayContext::default();
    for metric in ["purchases", "cds", "spend_cents"] {
        context.pulses.note(SeriesKind::Usage, metric, today);
    }
    context
}

fn score_customer(model: &HealthModel, orders: &Orders, context: &DayContext, today: DayNumber) -> Scored {
    let series = series_of(orders);
    let account =
        AccountInputs { series: &series, facts: &ScoringFacts::default(), first_signal_day: series.first_signal_day() };
    score(model, &account, context, date_of(today))
}

/// Share of pairs of one who stayed away and one who came back in which the
/// first has the lower score; equal scores count one half.
fn area_under_curve(scored: &[(i32, bool)]) -> f64 {
    let (away, back): (Vec<_>, Vec<_>) = scored.iter().partition(|(_, stayed_away)| *stayed_away);
    let halves: i32 =
        away.iter().flat_map(|(low, _)| back.iter().map(move |(high, _)| (high.cmp(low)) as i32 + 1)).sum();
    f64::from(halves) / 2.0 / (away.len() * back.len()) as f64
}

#[test]
fn health_finds_the_customers_who_bought_nothing_as_the_readme_says() {
    let model = HealthModel::from_draft(parse_model_file(MODEL).expect("parses")).expect("valid");
    let today = day("19970930");
    let context = context(today);
    let (mut by_health, mut by_recency) = (Vec::new(), Vec::new());
    for orders in orders_by_customer().values() {
        let stayed_away = orders.iter().all(|&(day, _, _)| day <= today);
        let scored = score_customer(&model, orders, &context, today);
        assert!((scored.coverage - 1.0).abs() < 1e-12);
        by_health.push((scored.score.expect("a score").units(), stayed_away));
        let last = scored.last_signal_day.map(day_number).expect("a purchase");
        by_recency.push((last, stayed_away));
    }
    assert_eq!(by_health.len(), 2_357);
    assert_eq!(by_health.iter().filter(|(_, stayed_away)| *stayed_away).count(), 1_673);
    assert!((area_under_curve(&by_recency) - 0.771_442).abs() < 1e-6, "{}", area_under_curve(&by_recency));
    assert!((area_under_curve(&by_health) - 0.779_871).abs() < 1e-6, "{}", area_under_curve(&by_health));
}
