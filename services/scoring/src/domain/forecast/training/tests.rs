use std::sync::LazyLock;

use chrono::Months;
use mainstay_statistics::logistic::CASES_PER_INPUT_MIN;
use proptest::prelude::*;

use super::super::inputs::HorizonThird;
use super::super::model::stays;
use super::*;
use crate::domain::backtest::TenureEvent;
use crate::domain::{DEFAULT_MODEL, parse_model_file};

const HORIZON_DAYS: u32 = 90;

fn health_model() -> HealthModel {
    HealthModel::from_draft(parse_model_file(DEFAULT_MODEL).expect("parses")).expect("valid")
}

fn month(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day") + Months::new(number)
}

/// A number of 0 to 1 that looks random, the same for the same input (Steele, Lea and Flood 2014).
fn scrambled(input: u64) -> f64 {
    let mut mixed = input.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
}

/// Customers over months, of whom only coverage and silence differ; who is silent for long leaves more often: the log-odds are
/// -3 + 1.5 × the logarithm of the days since the last signal, plus 1.
fn rows(customers: u64, months: u32) -> Vec<OutcomeRow> {
    let measures = health_model().measures().count();
    let row = |customer: u64, number: u32| {
        let random = |salt: u64| scrambled(customer * 1_000 + u64::from(number) * 10 + salt);
        let day = month(number);
        let days = (random(1) * 20.0).floor();
        let probability = 1.0 / (1.0 + (3.0 - 1.5 * days.ln_1p()).exp());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 19")]
        let last_signal_day = day.checked_sub_days(Days::new(days as u64));
        OutcomeRow {
            account: format!("account-{customer}"),
            customer: CustomerDay {
                day,
                measure_values: vec![None; measures],
                coverage: random(3),
                last_signal_day,
                start_day: None,
                renewal_day: None,
            },
            churned: random(2) < probability,
        }
    };
    (0..months).flat_map(|number| (0..customers).map(move |customer| row(customer, number))).collect()
}

#[test]
fn r77_what_made_customers_leave_is_learnt_and_judged_on_later_months() {
    let definition = train(&health_model(), &rows(400, 12), HORIZON_DAYS).expect("enough");
    let used: Vec<&str> = definition.inputs.iter().map(|input| input.kind.id()).collect();
    assert_eq!(used, ["data_coverage", "log_days_since_signal"], "what is the same for all says nothing");
    let [coverage, silence] = definition.inputs.as_slice() else { panic!("two inputs") };
    assert!((silence.per_unit - 1.5).abs() < 0.15, "{silence:?}");
    assert!(coverage.per_deviation.abs() < silence.per_deviation / 5.0, "{coverage:?}");
    let accuracy = &definition.accuracy;
    assert!(accuracy.auc > 0.7 && accuracy.auc_low < accuracy.auc && accuracy.auc < accuracy.auc_high, "{accuracy:?}");
    assert!(accuracy.brier < accuracy.brier_of_base_rate);
    assert_eq!(accuracy.reliability.iter().map(|part| part.rows).sum::<i64>(), 1_600);
    let right = accuracy
        .reliability
        .iter()
        .filter(|part| part.low <= part.mean_probability && part.mean_probability <= part.high);
    assert!(right.count() >= accuracy.reliability.len() - 2, "{:?}", accuracy.reliability);
}

#[test]
fn who_left_within_the_horizon_and_came_back_has_left() {
    let account = AccountId::parse("acme").expect("an id");
    let day = |text: &str| day_number(text.parse().expect("a day"));
    let events = vec![(day("2025-02-10"), TenureEvent::Left), (day("2025-03-10"), TenureEvent::Returned)];
    let tenure = Tenure::new(events, Some(day("2025-09-01")));
    let customer = |number: u32| CustomerDay {
        day: month(number),
        measure_values: Vec::new(),
        coverage: 1.0,
        last_signal_day: None,
        start_day: None,
        renewal_day: None,
    };
    let churned =
        |number: u32| OutcomeRow::of(&account, customer(number), &tenure, HORIZON_DAYS).map(|outcome| outcome.churned);
    assert_eq!([0, 1].map(churned), [Some(true), Some(true)]);
    assert_eq!(churned(2), None, "it was gone on 2025-03-01");
    assert_eq!([3, 5].map(churned), [Some(false), Some(false)]);
    assert_eq!(churned(6), None, "it was archived within the horizon of 2025-07-01");
}

#[test]
fn the_outcomes_learnt_from_were_known_before_the_months_judged_on_began() {
    let definition = train(&health_model(), &rows(400, 12), HORIZON_DAYS).expect("enough");
    let accuracy = &definition.accuracy;
    assert_eq!((accuracy.judged_on.first_month, accuracy.judged_on.last_month), (month(8), month(11)));
    // 2025-06-01 and 90 days are 2025-08-30; 2025-07-01 and 90 days are later than 2025-09-01.
    assert_eq!((accuracy.learnt_from.first_month, accuracy.learnt_from.last_month), (month(0), month(5)));
    assert_eq!((accuracy.learnt_from.rows, accuracy.judged_on.rows, definition.training.rows), (2_400, 1_600, 4_800));
    assert!(definition.training.churned_accounts <= 400);
}

#[test]
fn r77_too_little_is_refused_with_what_is_missing() {
    let refusal = |rows: &[OutcomeRow]| train(&health_model(), rows, HORIZON_DAYS).expect_err("too little");
    assert_eq!(refusal(&[]), TrainError::TooFewMonths { months: 0, horizon_days: HORIZON_DAYS });
    assert_eq!(refusal(&rows(400, 3)), TrainError::TooFewMonths { months: 3, horizon_days: HORIZON_DAYS });
    let mut nobody_left = rows(400, 12);
    for row in &mut nobody_left {
        row.churned = false;
    }
    assert_eq!(refusal(&nobody_left), TrainError::TooFewChurned { found: 0, needed: CHURNED_ACCOUNTS_MIN });
    let mut nobody_left_later = rows(400, 12);
    for row in &mut nobody_left_later {
        row.churned &= row.customer.day < month(8);
    }
    assert_eq!(refusal(&nobody_left_later), TrainError::TooFewJudged { left: 0, stayed: 1_600 });
    let mut few_left = rows(400, 12);
    let mut left = 0;
    for row in few_left.iter_mut().filter(|row| row.customer.day < month(6)) {
        left += usize::from(row.churned);
        row.churned &= left < 2 * CASES_PER_INPUT_MIN;
    }
    let text = refusal(&few_left).to_string();
    assert_eq!(text, "from the earlier months: 19 rows followed by churn: at least 20 are needed for so many inputs");
    let mut alike = rows(400, 12);
    for row in &mut alike {
        row.customer.coverage = 1.0;
        row.customer.last_signal_day = None;
    }
    assert_eq!(refusal(&alike), TrainError::NoInputs);
}

#[test]
fn what_is_kept_says_what_was_learnt() {
    let rows = rows(400, 12);
    let model = health_model();
    let definition = train(&model, &rows, HORIZON_DAYS).expect("enough");
    let text = serde_json::to_string(&definition).expect("to JSON");
    assert_eq!(serde_json::from_str::<ForecastDefinition>(&text).expect("from JSON"), definition);
    // On the rows it learnt from the mean probability is the share that left, as the intercept has no penalty.
    let mean: f64 =
        rows.iter().map(|row| definition.forecast(&model, &row.customer).probability).sum::<f64>() / rows.len() as f64;
    let share = definition.training.churned_rows as f64 / definition.training.rows as f64;
    assert!((mean - share).abs() < 1e-5, "{mean} {share}");
}

#[test]
fn r79_reasons_add_up_to_the_probability_and_a_missing_value_is_named() {
    let model = health_model();
    let definition = train(&model, &rows(400, 12), HORIZON_DAYS).expect("enough");
    let mut customer = rows(1, 1).remove(0).customer;
    customer.last_signal_day = None;
    let forecast = definition.forecast(&model, &customer);
    let at_mean: f64 =
        definition.intercept + definition.inputs.iter().map(|input| input.per_unit * input.mean).sum::<f64>();
    let log_odds = at_mean + forecast.reasons.iter().map(|(_, _, log_odds)| log_odds).sum::<f64>();
    assert!((forecast.probability - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-12);
    let silence =
        forecast.reasons.iter().find(|(kind, _, _)| *kind == InputKind::LogDaysSinceSignal).expect("a reason");
    assert_eq!(silence.1, None);
    assert!(forecast.reasons.windows(2).all(|pair| pair[0].2.abs() >= pair[1].2.abs()));
}

/// Customers whose renewals are spread over the year, one in each month.
fn with_renewals(mut rows: Vec<OutcomeRow>) -> Vec<OutcomeRow> {
    for row in &mut rows {
        let number: u32 = row.account.trim_start_matches("account-").parse().expect("a number");
        row.customer.renewal_day = Some(month(number % 12) + Days::new(14));
    }
    rows
}

fn per_unit(definition: &ForecastDefinition, kind: HorizonThird) -> f64 {
    let of_kind = |input: &&ForecastInput| input.kind == InputKind::Renewal(kind);
    definition.inputs.iter().find(of_kind).expect("an input").per_unit
}

const THIRDS: [HorizonThird; 3] = [HorizonThird::First, HorizonThird::Second, HorizonThird::Last];

#[test]
fn r77_that_those_who_left_have_no_renewal_date_any_more_teaches_nothing() {
    let mut rows = with_renewals(rows(400, 12));
    let dated = train(&health_model(), &rows, HORIZON_DAYS).expect("enough");
    for row in rows.iter_mut().filter(|row| row.churned) {
        row.customer.renewal_day = None;
    }
    let undated = train(&health_model(), &rows, HORIZON_DAYS).expect("enough");
    for third in THIRDS {
        assert!(per_unit(&undated, third).abs() < 0.3, "{third:?}: {}", per_unit(&undated, third));
    }
    assert!((undated.accuracy.auc - dated.accuracy.auc).abs() < 0.01, "{:?}", undated.accuracy);
    let mut unknown = rows[0].customer.clone();
    unknown.renewal_day = None;
    let reasons = undated.forecast(&health_model(), &unknown).reasons;
    let of_renewals = reasons.iter().filter(|(kind, ..)| matches!(kind, InputKind::Renewal(_)));
    assert!(of_renewals.clone().count() == 3 && of_renewals.into_iter().all(|(_, _, moved)| moved.abs() < 1e-9));
}

/// Learnt from customers of whom a fifth leaves when a renewal is due within the horizon, else one of fifty.
static OF_RENEWALS: LazyLock<ForecastDefinition> = LazyLock::new(|| {
    let mut rows = with_renewals(rows(400, 12));
    for (number, row) in rows.iter_mut().enumerate() {
        let is_due = row.customer.days_to_renewal().expect("a date") <= HORIZON_DAYS;
        row.churned = scrambled(number as u64) < if is_due { 0.2 } else { 0.02 };
    }
    train(&health_model(), &rows, HORIZON_DAYS).expect("enough")
});

#[test]
fn r66_r88_customers_leave_when_their_renewal_is_due_and_not_before() {
    let model = health_model();
    let definition = &*OF_RENEWALS;
    for third in THIRDS {
        // The log-odds of 0.2 less those of 0.02 are 2.5.
        assert!((per_unit(definition, third) - 2.5).abs() < 0.5, "{third:?}: {}", per_unit(definition, third));
    }
    let due_in = |days: u64| {
        let mut customer = rows(1, 1).remove(0).customer;
        customer.renewal_day = customer.day.checked_add_days(Days::new(days));
        customer
    };
    let within = |due: u64, days: u32| definition.within(&model, &due_in(due), days);
    assert!(within(20, 30) > 0.1 && within(20, 30) < within(20, HORIZON_DAYS), "{}", within(20, 30));
    assert!(within(80, 30) < 0.03, "the renewal is later: {}", within(80, 30));
    assert!(within(200, HORIZON_DAYS) < 0.05 && within(200, 250) > 0.15, "{}", within(200, 250));
    let unknown = CustomerDay { renewal_day: None, ..due_in(1) };
    let year = definition.within(&model, &unknown, 365);
    assert!(year > definition.within(&model, &unknown, HORIZON_DAYS) && year < 1.0);
}

proptest! {
    #[test]
    fn another_span_is_reckoned_by_a_constant_rate(probability in 0.0f64..=1.0) {
        let half = stays(probability, HORIZON_DAYS / 2, HORIZON_DAYS);
        prop_assert!((0.0..=1.0).contains(&half) && half >= 1.0 - probability - 1e-12);
        prop_assert!((half * half - (1.0 - probability)).abs() < 1e-9);
        prop_assert!((stays(probability, HORIZON_DAYS, HORIZON_DAYS) - (1.0 - probability)).abs() < f64::EPSILON);
    }

    #[test]
    fn longer_spans_are_never_less_likely_to_be_left_in(due in 1u64..366, days in 1u32..365) {
        let mut customer = rows(1, 1).remove(0).customer;
        customer.renewal_day = customer.day.checked_add_days(Days::new(due));
        let model = health_model();
        let within = |days| OF_RENEWALS.within(&model, &customer, days);
        prop_assert!((0.0..=1.0).contains(&within(days)));
        prop_assert!(within(days) <= within(days + 1) + 1e-12);
    }
}
