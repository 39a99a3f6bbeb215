use chrono::TimeDelta;
use mainstay_domain::Band;
use proptest::prelude::*;

use super::super::ScoreReading;
use super::super::feature_adoption;
use super::super::frustration::Frustration;
use super::super::inactivity;
use super::super::login_drop::LoginDays;
use super::super::renewal_risk::RenewalReading;
use super::super::risk_trigger::{RiskTriggerKind, Verdict};
use super::super::ticket::TicketPriority;
use super::*;

fn day() -> NaiveDate {
    "2026-03-01".parse().expect("a day")
}

fn of(cuts: BandCuts) -> Vec<Definition> {
    definitions(&CutsInForce { cuts, model: ModelId::parse("default").expect("an id"), since: day() })
}

fn find(id: &str) -> Definition {
    of(BandCuts::default()).into_iter().find(|definition| definition.id == id).expect("a definition")
}

/// Whether all bounds on what is called `id` hold for a number.
fn holds(definition: &Definition, id: &str, number: f64) -> bool {
    let mut values = definition.values.iter().filter(|value| value.id == id).peekable();
    assert!(values.peek().is_some(), "{} says nothing of {id}", definition.id);
    values.all(|value| match value.bound {
        Bound::Below => number < value.number,
        Bound::AtMost => number <= value.number,
        Bound::AtLeast => number >= value.number,
        Bound::Above => number > value.number,
        Bound::Within => true,
    })
}

fn any_cuts() -> impl Strategy<Value = BandCuts> {
    proptest::collection::btree_set(0..Points::MAX.units(), 3).prop_map(|cuts| {
        let mut cuts = cuts.into_iter().map(Points::from_units);
        let mut next = || cuts.next().expect("three");
        BandCuts { critical_below: next(), at_risk_below: next(), healthy_above: next() }
    })
}

fn verdict(score: Points, month_earlier: Points, kind: RiskTriggerKind) -> Verdict {
    let cuts = BandCuts::default();
    let reading = ScoreReading {
        day: day(),
        score: Some((score, cuts.band(score))),
        previous: None,
        month_earlier: Some(month_earlier),
    };
    let mut verdicts = reading.verdicts(&cuts).into_iter();
    verdicts.find(|(of, _)| *of == kind).map(|(_, verdict)| verdict).expect("a verdict")
}

#[test]
fn r83_a_term_that_changes_its_values_changes_its_version_and_its_day() {
    // When this fails because a value was changed: give the term the day of the change, and write both here.
    let settled: Vec<(&str, String, String)> = of(BandCuts::default())
        .iter()
        .filter(|definition| definition.model.is_none())
        .map(|definition| (definition.id, definition.version(), definition.since.to_string()))
        .collect();
    // Versions computed by an implementation of its own in Python.
    let on = |id: &str| match id {
        "recovered" | "big-change" | "inactive" | "promoter" | "passive" | "detractor" | "near-limit"
        | "larger-plan" => "2026-11-22",
        "overdue" | "payment-slowing" => "2026-11-28",
        _ => "2026-11-27",
    };
    let expected = [
        ("recovered", "34ff158ab46682fb"),
        ("big-change", "8e59783f6d4a0de5"),
        ("hysteresis", "426a93723c4436c2"),
        ("inactive", "37b7fbe0926399a4"),
        ("overdue", "a1f09ac5339728ca"),
        ("payment-slowing", "f0307e97983a0906"),
        ("disputed", "cbf29ce484222325"),
        ("urgent-ticket", "cbf29ce484222325"),
        ("frustrated", "31850d6e40a50078"),
        ("usage-decline", "e2d7cc2a454571a8"),
        ("login-drop", "7cfbee58f4e51b87"),
        ("feature-not-adopted", "a259c106c6984bec"),
        ("champion-silent", "2caef8f2e8bd8c62"),
        ("renewal-at-risk", "3c6d5dd8acf9bdf0"),
        ("promoter", "09834ed8de96e8ed"),
        ("passive", "20215644a0dfe6f3"),
        ("detractor", "bdd7225386286a47"),
        ("first-contact", "c73bd4f33b50029f"),
        ("referenceable", "c216563eb5d88855"),
        ("near-limit", "f234c119290394b9"),
        ("larger-plan", "837507c31198631d"),
    ]
    .map(|(id, version)| (id, version.to_owned(), on(id).to_owned()));
    assert_eq!(settled, expected);
}

#[test]
fn sentences_have_the_numbers() {
    assert_eq!(find("at-risk").sentence, "The score is 50 or more, and below 70.");
    assert_eq!(
        find("recovered").sentence,
        "The score is above 70; one of exactly 70 is neither at risk nor recovered."
    );
    let recovered = |at_risk_below: i32| {
        let of_model = of(BandCuts { at_risk_below: Points::whole(at_risk_below), ..BandCuts::default() });
        of_model.into_iter().find(|definition| definition.id == "recovered").expect("a definition").sentence
    };
    assert_eq!(recovered(60), "The score is above 70.", "one of exactly 70 is not at risk, but neither is one of 65");
    assert_eq!(
        recovered(75),
        "The score is above 70. Below 75 it is at risk all the same, and what would lift it aims above that."
    );
    let big_change = "The score is more than 15 points below that of 30 days before; over at 10 points or less.";
    assert_eq!(find("big-change").sentence, big_change);
    assert_eq!(
        find("referenceable").sentence,
        "The account is healthy, no condition puts it at risk, and the newest answer to the NPS question within 180 days is \
         9 to 10."
    );
    assert_eq!(find("detractor").sentence, "The answer to the NPS question is 0 to 6.");
    assert_eq!(
        find("near-limit").sentence,
        "80 % or more of a limit of the plan is used in 2 or more months in a row."
    );
}

/// The term of a condition; a kind that is new does not compile until it has one.
fn term_of(kind: RiskTriggerKind) -> Definition {
    find(match kind {
        RiskTriggerKind::HealthCritical => "critical",
        RiskTriggerKind::HealthAtRisk => "at-risk",
        RiskTriggerKind::HealthDrop => "big-change",
        RiskTriggerKind::Inactivity => "inactive",
        RiskTriggerKind::PaymentFailed => "overdue",
        RiskTriggerKind::BillingDispute => "disputed",
        RiskTriggerKind::TicketUrgent => "urgent-ticket",
        RiskTriggerKind::UsageDecline => "usage-decline",
        RiskTriggerKind::LoginDrop => "login-drop",
        RiskTriggerKind::FeatureNotAdopted => "feature-not-adopted",
        RiskTriggerKind::ChampionSilent => "champion-silent",
        RiskTriggerKind::RenewalAtRisk => "renewal-at-risk",
        RiskTriggerKind::TicketFrustrated => "frustrated",
        RiskTriggerKind::PaymentSlowing => "payment-slowing",
    })
}

#[test]
fn r83_every_condition_that_puts_an_account_at_risk_has_a_term() {
    let kinds = [
        RiskTriggerKind::HealthCritical,
        RiskTriggerKind::HealthAtRisk,
        RiskTriggerKind::HealthDrop,
        RiskTriggerKind::Inactivity,
        RiskTriggerKind::PaymentFailed,
        RiskTriggerKind::BillingDispute,
        RiskTriggerKind::TicketUrgent,
        RiskTriggerKind::UsageDecline,
        RiskTriggerKind::LoginDrop,
        RiskTriggerKind::FeatureNotAdopted,
        RiskTriggerKind::ChampionSilent,
        RiskTriggerKind::RenewalAtRisk,
        RiskTriggerKind::TicketFrustrated,
        RiskTriggerKind::PaymentSlowing,
    ];
    for kind in kinds {
        let term = term_of(kind);
        assert!(term.services.contains(&"scoring") && term.sentence.ends_with('.'), "{term:?}");
        let is_said = |value: &DefinitionValue| {
            let days_in_weeks = value.unit == Unit::Days && value.number % 7.0 == 0.0;
            let number = if days_in_weeks { value.number / 7.0 } else { value.number };
            [value.number, number].iter().any(|number| term.sentence.contains(&number.to_string()))
        };
        assert!(term.values.iter().all(is_said), "{term:?}");
    }
}

#[test]
fn r83_logins_drop_and_customers_are_frustrated_where_the_registry_says() {
    let (drop, frustrated) = (find("login-drop"), find("frustrated"));
    for earlier_active_days in 1..=28 {
        for active_days in 0..=28 {
            let verdict = LoginDays { last_day: day(), active_days, earlier_active_days }.verdict();
            let share = f64::from(active_days * 100) / f64::from(earlier_active_days);
            let tells = holds(&drop, "earlier-active-days", earlier_active_days.into());
            let begins = tells && holds(&drop, "share", share);
            assert_eq!(begins, matches!(verdict, Verdict::Met(_)), "{active_days} of {earlier_active_days}");
            assert_eq!(holds(&drop, "share-ends", share), verdict == Verdict::NotMet, "{active_days}");
        }
    }
    for hundredths in -100..=100 {
        let sentiment = f64::from(hundredths) / 100.0;
        let priority = TicketPriority::Normal;
        let verdict = Frustration { sentiment, message_count: 1, priority, subject: String::new() }.verdict();
        assert_eq!(holds(&frustrated, "sentiment", sentiment), matches!(verdict, Verdict::Met(_)), "{sentiment}");
        assert_eq!(holds(&frustrated, "sentiment-ends", sentiment), verdict == Verdict::NotMet, "{sentiment}");
    }
}

#[test]
fn r83_a_renewal_is_near_and_an_account_new_on_the_days_that_the_registry_says() {
    let (near, new) = (find("renewal-at-risk"), find("feature-not-adopted"));
    for days in 0..120 {
        let renewal_day = Some(day() + TimeDelta::days(days));
        let reading = RenewalReading { today: day(), renewal_day, arr: None, score: Some(Points::whole(10)) };
        let is_met = matches!(reading.verdict(BandCuts::default().at_risk_below), Verdict::Met(_));
        assert_eq!(holds(&near, "days", days as f64), is_met, "{days}");
        let is_looked_at = feature_adoption::is_looked_at(day() - TimeDelta::days(days), day());
        assert_eq!(holds(&new, "days", days as f64), is_looked_at, "{days}");
    }
}

#[test]
fn r83_an_account_is_inactive_on_the_day_that_the_registry_says() {
    for days in 0..40 {
        // The day itself is not over, and does not count.
        let is_inactive = inactivity::condition(day(), day() + TimeDelta::days(days + 1)).is_some();
        assert_eq!(holds(&find("inactive"), "days", days as f64), is_inactive, "{days}");
    }
}

proptest! {
    #[test]
    fn r83_each_score_is_in_the_band_that_the_registry_says_and_in_no_other(
        cuts in any_cuts(),
        score in 0..=Points::MAX.units(),
    ) {
        let score = Points::from_units(score);
        let said: Vec<&str> = of(cuts)
            .iter()
            .filter(|definition| definition.model.is_some() && holds(definition, "score", score.as_f64()))
            .map(|definition| definition.id)
            .collect();
        let band = match cuts.band(score) {
            Band::Critical => "critical",
            Band::AtRisk => "at-risk",
            Band::Stable => "stable",
            Band::Healthy => "healthy",
        };
        prop_assert_eq!(said, [band]);
    }

    #[test]
    fn r83_conditions_begin_and_end_where_the_registry_says(
        score in 0..=Points::MAX.units(),
        month_earlier in 0..=Points::MAX.units(),
    ) {
        let (score, month_earlier) = (Points::from_units(score), Points::from_units(month_earlier));
        let fall = (month_earlier - score).as_f64();
        let drop = verdict(score, month_earlier, RiskTriggerKind::HealthDrop);
        prop_assert_eq!(holds(&find("big-change"), "fall", fall), matches!(drop, Verdict::Met(_)));
        prop_assert_eq!(holds(&find("big-change"), "fall-ends", fall), drop == Verdict::NotMet);
        let critical = verdict(score, month_earlier, RiskTriggerKind::HealthCritical);
        prop_assert_eq!(holds(&find("critical"), "score", score.as_f64()), matches!(critical, Verdict::Met(_)));
        let at_risk = verdict(score, month_earlier, RiskTriggerKind::HealthAtRisk);
        let renewal = RenewalReading { today: day(), renewal_day: Some(day()), arr: None, score: Some(score) };
        let renewal = renewal.verdict(BandCuts::default().at_risk_below);
        let hysteresis = find("hysteresis");
        for (id, cut, verdict) in [
            ("score-above-critical-cut", BandCuts::default().critical_below, critical),
            ("score-above-at-risk-cut", BandCuts::default().at_risk_below, at_risk),
            ("score-above-at-risk-cut", BandCuts::default().at_risk_below, renewal),
        ] {
            let ends = holds(&hysteresis, id, (score - cut).as_f64());
            let ends_anyway = holds(&hysteresis, "score-ends-both", score.as_f64());
            prop_assert_eq!(ends || ends_anyway, verdict == Verdict::NotMet, "{} at {}", id, score);
        }
    }

    #[test]
    fn r83_versions_change_with_the_cuts_and_with_nothing_else(one in any_cuts(), other in any_cuts()) {
        let (these, those) = (of(one), of(other));
        for (this, that) in these.iter().zip(&those) {
            prop_assert_eq!(this.values == that.values, this.version() == that.version(), "{}", this.id);
        }
        prop_assert_eq!(one == other, registry_version(&these) == registry_version(&those));
    }
}
