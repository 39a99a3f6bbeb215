//! The daily digest of billing alerts.

use chrono::{NaiveTime, TimeDelta};
use mainstay_api::mainstay::interventions::v1 as proto;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_domain::Clock;
use mainstay_interventions::InterventionsSettings;
use mainstay_rpc::settings::Reader;
use mainstay_service::Workers;
use mainstay_testkit::smtp::ReceivedEmail;

use crate::harness::{CSM, DEFAULT, FINANCE, Harness, acme};

const START: &str = "2026-03-01T00:00:00Z";
/// Who looks after globex.
const OTHER_CSM: &str = "bo@example.com";

/// With the line breaks of mails as ours.
fn digests_to(harness: &Harness, person: &str) -> Vec<ReceivedEmail> {
    let digests = harness.mail_to(person).into_iter().filter(|email| email.subject.starts_with("Billing alerts: "));
    digests.map(|email| ReceivedEmail { text: email.text.replace("\r\n", "\n"), ..email }).collect()
}

fn subjects(harness: &Harness, person: &str) -> Vec<String> {
    digests_to(harness, person).into_iter().map(|email| email.subject).collect()
}

/// What Slack was sent that is a digest.
fn posts(harness: &Harness) -> Vec<String> {
    let texts =
        harness.posted("/slack").into_iter().map(|request| request.json()["text"].as_str().unwrap_or("").to_owned());
    texts.filter(|text| text.starts_with("*Billing alerts: ")).collect()
}

fn time(hour: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(hour, 0, 0)
}

/// An account that pays in dollars, with another CSM and the same contact in finance.
async fn tell_globex(harness: &Harness) {
    let mut account = scoring::Account {
        name: "accounts/globex".to_owned(),
        display_name: "Globex".to_owned(),
        arr: Some(mainstay_api::mainstay::common::v1::Money {
            currency_code: "USD".to_owned(),
            minor_units: 5_000_000,
        }),
        ..acme()
    };
    OTHER_CSM.clone_into(&mut account.owners[0].email);
    harness.tell_account(account).await;
}

async fn raise_of_globex(harness: &Harness) {
    let trigger = scoring::RiskTrigger { account: "accounts/globex".to_owned(), ..harness.failed_payment("gl_1", 1) };
    harness.scoring.tell("globex", &scoring::RiskTriggerRaised { trigger: Some(trigger) }).await;
}

fn dispute(harness: &Harness) -> scoring::RiskTrigger {
    let cause = scoring::DisputeCause { dispute_id: "dp_1".to_owned(), ..Default::default() };
    let cause = scoring::risk_trigger::Cause::Dispute(cause);
    harness.trigger(scoring::RiskTriggerKind::BillingDispute, "dp_1", cause)
}

#[tokio::test]
async fn r185_a_digest_tells_what_was_raised_what_ended_and_what_is_open() {
    let mut harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.raise(harness.silence()).await;
    harness.pass(TimeDelta::hours(1)).await;
    let dispute = dispute(&harness);
    harness.raise(dispute.clone()).await;
    harness.pass(TimeDelta::hours(5)).await;
    harness.raise(harness.failed_payment("in_2", 2)).await;
    harness.clear(dispute).await;
    harness.pass(TimeDelta::minutes(59)).await;
    assert_eq!(digests_to(&harness, CSM), [], "not yet seven");
    harness.pass(TimeDelta::minutes(1)).await;
    let digest = digests_to(&harness, CSM).remove(0);
    assert_eq!(digest.subject, "Billing alerts: 3 new, 1 ended, 2 open; 180,000.00 EUR of ARR");
    let expected = "\
3 new, 1 ended, 2 open; 180,000.00 EUR of ARR
From 2026-03-01 00:00 UTC to 2026-03-01 07:00 UTC

New (3):
  Acme Ltd (acme): The payment of invoice in_2 failed 2 times; since 2026-03-01 06:00 UTC
  Acme Ltd (acme): The customer disputes a charge (dp_1); since 2026-03-01 01:00 UTC
  Acme Ltd (acme): The payment of invoice in_1 failed; since 2026-03-01 00:00 UTC

Ended (1):
  Acme Ltd (acme): The customer disputes a charge (dp_1); what raised it has ended, 2026-03-01 06:00 UTC

Open, what is overdue first (2):
  Acme Ltd (acme): The payment of invoice in_1 failed
    overdue since 2026-03-01 02:00 UTC; next due 2026-03-02 00:00 UTC; owner mia@example.com; ARR 180,000.00 EUR
  Acme Ltd (acme): The payment of invoice in_2 failed 2 times
    next due 2026-03-01 08:00 UTC; owner mia@example.com; ARR 180,000.00 EUR

All that are open: mainstay alerts list --kind payment-failed,billing-dispute --limit 0 --owner mia@example.com
All that have ended: mainstay alerts list --kind payment-failed,billing-dispute --limit 0 --owner mia@example.com --closed";
    assert_eq!(digest.text.trim_end(), expected);

    // The next day nothing of that is new; what was met late is not overdue any more.
    for alert in harness.open_alerts().await {
        let request = proto::AssessAlertRequest {
            name: alert.name,
            assessment: "They will pay".to_owned(),
            ..Default::default()
        };
        harness.alerts.assess_alert(request).await.expect("assessed");
    }
    harness.pass(TimeDelta::hours(16)).await;
    harness.pass(TimeDelta::hours(8)).await;
    let digest = digests_to(&harness, CSM).remove(1);
    assert_eq!(digest.subject, "Billing alerts: 0 new, 0 ended, 2 open; 180,000.00 EUR of ARR");
    assert!(digest.text.contains("From 2026-03-01 07:00 UTC to 2026-03-02 07:00 UTC"), "{}", digest.text);
    assert!(digest.text.contains("overdue since 2026-03-02 00:00 UTC"), "the plan is missing:\n{}", digest.text);
    assert!(!digest.text.contains("New ("), "{}", digest.text);
}

#[tokio::test]
async fn r185_who_has_nothing_to_hear_gets_no_digest() {
    let harness = Harness::with_acme(START).await;
    harness.raise(harness.silence()).await;
    harness.pass(TimeDelta::days(1)).await;
    assert_eq!((digests_to(&harness, CSM), posts(&harness)), (vec![], vec![]), "silence is no billing alert");
    let trigger = harness.failed_payment("in_1", 1);
    harness.raise(trigger.clone()).await;
    harness.pass(TimeDelta::hours(1)).await;
    harness.clear(trigger).await;
    for _ in 0..3 {
        harness.pass(TimeDelta::days(1)).await;
    }
    assert_eq!(subjects(&harness, CSM), ["Billing alerts: 1 new, 1 ended, 0 open"], "its end is told once");
    assert_eq!(posts(&harness).len(), 1);
}

#[tokio::test]
async fn r185_each_person_sees_their_own_and_what_they_are_told_of() {
    let harness = Harness::with_acme(START).await;
    tell_globex(&harness).await;
    harness.settle().await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    raise_of_globex(&harness).await;
    harness.pass(TimeDelta::hours(7)).await;
    let of = |person| {
        let digest = digests_to(&harness, person).remove(0);
        (digest.subject, digest.text.contains("Acme Ltd"), digest.text.contains("Globex"))
    };
    let one = |sum: &str| format!("Billing alerts: 1 new, 0 ended, 1 open; {sum} of ARR");
    assert_eq!(of(CSM), (one("180,000.00 EUR"), true, false));
    assert_eq!(of(OTHER_CSM), (one("50,000.00 USD"), false, true));
    let both = "Billing alerts: 2 new, 0 ended, 2 open; 180,000.00 EUR and 50,000.00 USD of ARR";
    assert_eq!(of(FINANCE), (both.to_owned(), true, true));
    let all = "All that are open: mainstay alerts list --kind payment-failed,billing-dispute --limit 0\n";
    assert!(digests_to(&harness, FINANCE)[0].text.contains(all), "others' alerts are not found by their owner");
    assert_eq!(digests_to(&harness, DEFAULT), []);
}

#[tokio::test]
async fn r185_a_channel_gets_all_in_one_post_and_webhooks_get_none() {
    let harness = Harness::with_acme(START).await;
    tell_globex(&harness).await;
    harness.settle().await;
    let odd = scoring::Account { display_name: "<!channel> & Sons".to_owned(), ..acme() };
    harness.tell_account(odd).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    raise_of_globex(&harness).await;
    harness.pass(TimeDelta::hours(7)).await;
    let [post] = <[String; 1]>::try_from(posts(&harness)).expect("one post");
    assert!(
        post.starts_with("*Billing alerts: 2 new, 0 ended, 2 open; 180,000.00 EUR and 50,000.00 USD of ARR*\n"),
        "{post}"
    );
    assert!(post.contains("&lt;!channel&gt; &amp; Sons") && post.contains("Globex"), "{post}");
    let told = harness.posted("/crm").into_iter().map(|request| request.json()["type"].clone());
    assert!(told.clone().count() > 0 && told.into_iter().all(|event| event != "interventions.billing_digest"));
}

#[tokio::test]
async fn r185_each_digest_is_sent_once_however_often_and_by_however_many_it_is_tried() {
    let harness = Harness::with_acme(START).await;
    let (_second_service, second) = harness.replica().await;
    let (_third_service, third) = harness.replica().await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    for day in 1..=3 {
        harness.clock.advance(if day == 1 { TimeDelta::hours(7) } else { TimeDelta::days(1) });
        let (a, b, c) = tokio::join!(harness.try_settle(), second.settle(), third.settle());
        for settled in [a, b, c] {
            settled.expect("work");
        }
        // A restart has the job look anew.
        let (_service, restarted) = harness.replica().await;
        restarted.settle().await.expect("work");
        harness.settle().await;
        for person in [CSM, FINANCE] {
            assert_eq!(digests_to(&harness, person).len(), day, "{person}");
        }
        assert_eq!(posts(&harness).len(), day);
    }
}

#[tokio::test]
async fn r185_a_service_that_was_away_for_days_sends_one_digest_of_all_of_them() {
    let harness = Harness::with_acme(START).await;
    harness.pass(TimeDelta::hours(7)).await;
    let trigger = harness.failed_payment("in_1", 1);
    harness.raise(trigger.clone()).await;
    harness.clock.advance(TimeDelta::days(1));
    harness.clear(trigger).await;
    harness.raise(harness.failed_payment("in_2", 1)).await;
    harness.clock.advance(TimeDelta::hours(53));
    harness.settle().await;
    let [digest] = <[ReceivedEmail; 1]>::try_from(digests_to(&harness, CSM)).expect("one digest");
    assert_eq!(digest.subject, "Billing alerts: 2 new, 1 ended, 1 open; 180,000.00 EUR of ARR");
    assert!(digest.text.contains("From 2026-03-01 07:00 UTC to 2026-03-04 12:00 UTC"), "{}", digest.text);
    harness.pass(TimeDelta::hours(18)).await;
    assert_eq!(digests_to(&harness, CSM).len(), 1, "not before the next set time");
    harness.pass(TimeDelta::hours(1)).await;
    assert_eq!(subjects(&harness, CSM)[1], "Billing alerts: 0 new, 0 ended, 1 open; 180,000.00 EUR of ARR");
}

#[tokio::test]
async fn r185_what_is_heard_of_after_its_digest_is_told_by_the_next() {
    let harness = Harness::with_acme(START).await;
    let trigger = harness.failed_payment("in_1", 1);
    harness.raise(trigger.clone()).await;
    harness.settle().await;
    let (early, other) = (harness.clock.now() + TimeDelta::hours(1), harness.failed_payment("in_2", 1));
    harness.pass(TimeDelta::hours(8)).await;
    assert_eq!(subjects(&harness, CSM).len(), 1);
    let ended = scoring::RiskTrigger { clear_reason: scoring::RiskTriggerClearReason::Ended.into(), ..trigger };
    harness.scoring.tell_at("acme", &scoring::RiskTriggerCleared { trigger: Some(ended) }, early).await;
    harness.scoring.tell_at("acme", &scoring::RiskTriggerRaised { trigger: Some(other) }, early).await;
    harness.pass(TimeDelta::days(1)).await;
    let digest = digests_to(&harness, CSM).remove(1);
    assert_eq!(digest.subject, "Billing alerts: 1 new, 1 ended, 1 open; 180,000.00 EUR of ARR");
    assert!(digest.text.contains("; what raised it has ended, 2026-03-01 01:00 UTC"), "{}", digest.text);
}

#[tokio::test]
async fn r185_another_time_of_day_holds_from_the_restart_on() {
    let harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    let pass = async |workers: &Workers, hours| {
        harness.clock.advance(TimeDelta::hours(hours));
        workers.settle().await.expect("work");
        digests_to(&harness, CSM).len()
    };
    let (_late_service, late) = harness.replica_with(|settings| settings.billing_digest_at = time(9)).await;
    assert_eq!(pass(&late, 8).await, 0, "seven has passed, nine is to come");
    assert_eq!(pass(&late, 1).await, 1);
    let (_early_service, early) = harness.replica_with(|settings| settings.billing_digest_at = time(5)).await;
    assert_eq!(pass(&early, 19).await, 1);
    assert_eq!(pass(&early, 1).await, 2, "at five of the next day");
    let digest = digests_to(&harness, CSM).remove(1);
    assert!(digest.text.contains("From 2026-03-01 09:00 UTC to 2026-03-02 05:00 UTC"), "{}", digest.text);
}

#[tokio::test]
async fn r185_there_is_none_when_it_is_off_and_what_happened_meanwhile_is_no_news() {
    let harness = Harness::with_acme(START).await;
    let (_off_service, off) = harness.replica_with(|settings| settings.billing_digest_at = None).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    let trigger = harness.failed_payment("in_2", 1);
    harness.raise(trigger.clone()).await;
    off.settle().await.expect("work");
    harness.clear(trigger).await;
    for _ in 0..3 {
        harness.clock.advance(TimeDelta::days(1));
        off.settle().await.expect("work");
    }
    assert_eq!((digests_to(&harness, CSM), posts(&harness)), (vec![], vec![]));
    let (_on_service, on) = harness.replica().await;
    on.settle().await.expect("work");
    harness.clock.advance(TimeDelta::hours(7));
    on.settle().await.expect("work");
    assert_eq!(subjects(&harness, CSM), ["Billing alerts: 0 new, 0 ended, 1 open; 180,000.00 EUR of ARR"]);
}

/// As replicas are replaced one after the other.
#[tokio::test]
async fn r185_a_replica_of_before_digests_were_turned_on_does_not_end_them() {
    let harness = Harness::with_acme(START).await;
    let (_old_service, old) = harness.replica_with(|settings| settings.billing_digest_at = None).await;
    let (_new_service, new) = harness.replica().await;
    old.settle().await.expect("work");
    new.settle().await.expect("work");
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    harness.clock.advance(TimeDelta::hours(7));
    old.settle().await.expect("work");
    assert_eq!(subjects(&harness, CSM).len(), 0, "it has no digests");
    new.settle().await.expect("work");
    assert_eq!(subjects(&harness, CSM).len(), 1);
}

#[tokio::test]
async fn r185_an_owner_who_cannot_be_written_to_is_replaced_by_the_default() {
    let harness = Harness::start(START).await;
    let mut account = acme();
    "not an address".clone_into(&mut account.owners[0].email);
    harness.tell_account(account).await;
    harness.settle().await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.pass(TimeDelta::hours(7)).await;
    assert_eq!(subjects(&harness, DEFAULT), ["Billing alerts: 1 new, 0 ended, 1 open; 180,000.00 EUR of ARR"]);
}

#[tokio::test]
async fn r185_whoever_is_asked_when_nobody_is_known_hears_of_accounts_of_which_nothing_is() {
    let harness = Harness::start(START).await;
    harness.settle().await;
    raise_of_globex(&harness).await;
    harness.pass(TimeDelta::hours(7)).await;
    let [digest] = <[ReceivedEmail; 1]>::try_from(digests_to(&harness, DEFAULT)).expect("one, though in two roles");
    assert_eq!(digest.subject, "Billing alerts: 1 new, 0 ended, 1 open");
    let unknown = "Accounts with open alerts whose ARR is not known: 1\n";
    assert!(digest.text.contains(unknown) && !digest.text.contains("; ARR"), "{}", digest.text);
}

#[tokio::test]
async fn r185_a_digest_that_fails_half_way_is_sent_whole_later() {
    let harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    let change = async |statement: &'static str| {
        sqlx::query(statement).execute(harness.database.pool()).await.expect("a changed table");
    };
    change(
        "ALTER TABLE interventions.delivery_messages
           ADD CONSTRAINT no_post CHECK (purpose <> 'billing_digest' OR lane NOT LIKE 'slack%')",
    )
    .await;
    harness.pass(TimeDelta::hours(7)).await;
    assert_eq!((digests_to(&harness, CSM), posts(&harness)), (vec![], vec![]), "the post cannot be enqueued");
    change("ALTER TABLE interventions.delivery_messages DROP CONSTRAINT no_post").await;
    harness.pass(TimeDelta::minutes(1)).await;
    for person in [CSM, FINANCE] {
        let whole = "Billing alerts: 1 new, 0 ended, 1 open; 180,000.00 EUR of ARR";
        assert_eq!(subjects(&harness, person), [whole], "{person}");
    }
    assert_eq!(posts(&harness).len(), 1);
}

#[tokio::test]
async fn r185_long_lists_are_cut_and_counted_over_all_pages() {
    let harness = Harness::with_acme(START).await;
    harness.raise(harness.failed_payment("in_1", 1)).await;
    harness.settle().await;
    // More than are read at a time.
    sqlx::query(
        "INSERT INTO interventions.alerts (account_id, alert_id, kind, subject, headline, details, state, severity,
             owner_email, owner_is_fallback, happened_at, occurrence_count, last_occurred_at, next_due_at, policy_id,
             policy_version)
         SELECT account_id, gen_random_uuid(), kind, 'copy ' || number, headline, details, state, severity,
             owner_email, owner_is_fallback, happened_at, occurrence_count, last_occurred_at, next_due_at, policy_id,
             policy_version
           FROM interventions.alerts CROSS JOIN generate_series(1, 1200) AS number",
    )
    .execute(harness.database.pool())
    .await
    .expect("more alerts");
    harness.pass(TimeDelta::hours(7)).await;
    let digest = digests_to(&harness, CSM).remove(0);
    assert_eq!(digest.subject, "Billing alerts: 1201 new, 0 ended, 1201 open; 180,000.00 EUR of ARR");
    assert_eq!(digest.text.matches("… and 1151 more").count(), 2, "{}", digest.text);
    assert_eq!(digest.text.matches("owner mia@example.com").count(), 50);
    assert_eq!(posts(&harness)[0].matches("… and 1191 more").count(), 2);
    harness.pass(TimeDelta::days(1)).await;
    assert!(subjects(&harness, CSM)[1].starts_with("Billing alerts: 0 new, 0 ended, 1201 open;"));
}

#[test]
fn r185_the_time_of_the_digest_is_seven_unless_it_is_set_and_faults_are_named() {
    let read = |value: Option<&str>| {
        let key = "MAINSTAY_INTERVENTIONS__INTERVENTIONS__BILLING_DIGEST_AT".to_owned();
        let environment = value.map(|value| (key, value.to_owned()));
        let mut reader = Reader::load("interventions", None, environment).expect("a reader");
        let settings = InterventionsSettings::read(&mut reader);
        (settings.billing_digest_at, reader.finish().err().map(|error| error.faults))
    };
    assert_eq!(read(None), (time(7), None));
    assert_eq!(read(Some("16:30")), (NaiveTime::from_hms_opt(16, 30, 0), None));
    assert_eq!(read(Some("off")), (None, None));
    for wrong in ["25:00", "7", "07:00:00", "noon"] {
        let faults = read(Some(wrong)).1.expect(wrong);
        assert!(faults.len() == 1 && faults[0].starts_with("interventions.billing_digest_at ("), "{faults:?}");
        assert!(faults[0].contains("from `00:00` to `23:59`, or `off`"), "{faults:?}");
    }
}
