//! When programmes ask by the calendar.

use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::surveys::v1 as proto;

use crate::harness::{Harness, account, answer, contact, program, quarterly, time};

fn occasions(decisions: &[proto::Invitation]) -> Vec<&str> {
    decisions.iter().map(|invitation| invitation.occasion.as_str()).collect()
}

#[tokio::test]
async fn r1_every_active_customer_of_more_than_90_days_is_asked_once_in_a_quarter() {
    let harness = Harness::start("2026-03-20").await;
    let with_champion = |id| scoring::Account { contacts: vec![contact(id, "champion", true)], ..account(id) };
    harness.tell_account(with_champion("old")).await;
    harness.tell_account(scoring::Account { sign_up_time: time("2026-01-20"), ..with_champion("young") }).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["old champion SENT"], "in the quarter that runs");
    harness.mails(1).await;

    harness.turn_to("2026-04-01").await;
    assert_eq!(harness.decided().await.len(), 1, "the champion was asked 12 days ago: it waits");
    harness.turn_to("2026-04-19").await;
    assert_eq!(harness.decided().await, ["old champion EXPIRED", "old champion SENT"]);
    harness.turn_to("2026-04-20").await;
    assert_eq!(harness.decisions().await.len(), 2, "90 days of tenure are not more than 90");
    harness.turn_to("2026-04-21").await;
    assert_eq!(
        harness.decided().await,
        ["old champion EXPIRED", "old champion SENT", "young champion SENT"],
        "91 days are"
    );
    harness.turn_to("2026-06-30").await;
    assert_eq!(harness.decisions().await.len(), 3);
    harness.turn_to("2026-07-01").await;
    let decisions = harness.decisions().await;
    assert_eq!(
        occasions(&decisions),
        ["quarter/2026-Q1", "quarter/2026-Q2", "quarter/2026-Q2", "quarter/2026-Q3", "quarter/2026-Q3"]
    );
}

#[tokio::test]
async fn r1_who_has_no_date_is_not_asked_which_is_kept_on_the_last_day_of_each_quarter() {
    let harness = Harness::start("2026-02-10").await;
    let undated = |id| scoring::Account { sign_up_time: None, ..account(id) };
    harness.tell_account(undated("never")).await;
    harness.tell_account(undated("late")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let request = proto::PreviewProgramRequest { name: "programs/nps".to_owned(), ..Default::default() };
    let preview = harness.programs.clone().preview_program(request).await.expect("a preview").into_inner();
    let shown: Vec<_> = preview.accounts.iter().map(|account| (account.reason(), account.due_time)).collect();
    assert_eq!(shown, [(proto::NotAskedReason::NotEligible, None); 2]);
    harness.turn_to("2026-03-30T23:59:59Z").await;
    assert_eq!(harness.decisions().await, []);
    harness.tell_account(scoring::Account { activation_time: time("2025-05-01"), ..undated("late") }).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["late champion SENT"], "its quarter was not lost");
    harness.turn_to("2026-03-31").await;
    assert_eq!(harness.decided().await, ["late champion SENT", "never  NOT_ELIGIBLE"]);
    harness.turn_to("2026-06-29T23:59:59Z").await;
    let never = async || {
        let decisions = harness.decisions().await;
        let of_never = decisions.into_iter().filter(|decision| decision.account == "accounts/never");
        of_never.map(|decision| decision.occasion).collect::<Vec<_>>()
    };
    assert_eq!(never().await, ["quarter/2026-Q1"]);
    harness.turn_to("2026-06-30").await;
    assert_eq!(never().await, ["quarter/2026-Q1", "quarter/2026-Q2"]);
    harness.settle().await;
    assert_eq!(never().await.len(), 2, "once in each");
}

#[tokio::test]
async fn r10_who_has_no_date_is_asked_again_after_a_case_all_the_same() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(scoring::Account { sign_up_time: None, ..account("acme") }).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let given = proto::Response { contact_id: "champion".to_owned(), ..answer("acme", "nps", 2) };
    let before = harness.submit_in_app(given).await;
    harness.resolve_case(&before).await;
    harness.turn_to("2026-02-04").await;
    assert_eq!(harness.decided().await, ["acme champion SENT"]);
}

#[tokio::test]
async fn a_quarter_that_is_spread_asks_each_account_on_its_day() {
    let harness = Harness::start("2026-03-31").await;
    for number in 0..40 {
        harness.tell_account(account(&format!("c{number}"))).await;
    }
    let spread = proto::QuarterlyTrigger { tenure_days: None, spread_days: 10 };
    harness.publish("nps", program(proto::SurveyKind::Nps, proto::trigger::When::Quarterly(spread))).await;
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 40, "the days of the running quarter are over");
    let mut counts = Vec::new();
    harness.turn_to("2026-05-01").await;
    harness.turn_to("2026-07-01").await;
    for _ in 0..10 {
        let decided = harness.decisions().await;
        counts.push(decided.iter().filter(|decision| decision.occasion == "quarter/2026-Q3").count());
        harness.pass_days(1).await;
    }
    assert!(counts[0] < 15 && counts[4] > 5 && counts[9] == 40, "{counts:?}");
}

#[tokio::test]
async fn r2_a_customer_is_asked_on_day_30_after_activation_or_after_sign_up() {
    let harness = Harness::start("2026-01-05").await;
    let after_start = |anchor: proto::StartAnchor| {
        let when = proto::AfterStartTrigger { days: 0, anchor: anchor.into() };
        program(proto::SurveyKind::Nps, proto::trigger::When::AfterStart(when))
    };
    harness.publish("activated", after_start(proto::StartAnchor::Unspecified)).await;
    harness.publish("signed-up", after_start(proto::StartAnchor::SignUp)).await;
    let new = scoring::Account { sign_up_time: time("2026-01-05"), ..account("acme") };
    harness.tell_account(new.clone()).await;
    harness.settle().await;
    harness.turn_to("2026-01-20T15:00:00Z").await;
    harness.tell_account(scoring::Account { activation_time: time("2026-01-20T14:00:00Z"), ..new.clone() }).await;
    harness.turn_to("2026-02-03").await;
    assert_eq!(harness.decisions().await.len(), 0);
    harness.turn_to("2026-02-04").await;
    let decisions = harness.decisions().await;
    assert_eq!(occasions(&decisions), ["start/2026-01-05"]);
    assert_eq!(decisions[0].program, "programs/signed-up");

    harness.turn_to("2026-02-18").await;
    assert_eq!(harness.decisions().await.len(), 1);
    harness.turn_to("2026-02-19").await;
    assert_eq!(
        harness.decided().await,
        ["acme champion FATIGUE", "acme champion SENT", "acme other SENT"],
        "the champion was asked 15 days ago, another contact is free"
    );
    assert!(harness.decisions().await[1..].iter().all(|decision| decision.program == "programs/activated"));
    harness.pass_days(60).await;
    assert_eq!(harness.decisions().await.len(), 3, "once");
}

#[tokio::test]
async fn r4_a_customer_is_asked_60_days_before_the_renewal() {
    let harness = Harness::start("2026-01-01").await;
    let when = proto::trigger::When::BeforeRenewal(proto::BeforeRenewalTrigger::default());
    harness.publish("renewal", program(proto::SurveyKind::Nps, when)).await;
    let renewing = |text| scoring::Account { renewal_time: time(text), ..account("acme") };
    harness.tell_account(renewing("2026-06-30T22:00:00Z")).await;
    harness.settle().await;
    harness.turn_to("2026-04-30T23:59:59Z").await;
    assert_eq!(harness.decisions().await.len(), 0);
    // The contract was prolonged in time: the date moves with it.
    harness.tell_account(renewing("2026-09-30")).await;
    harness.turn_to("2026-05-01").await;
    assert_eq!(harness.decisions().await.len(), 0);
    harness.turn_to("2026-08-01").await;
    assert_eq!(occasions(&harness.decisions().await), ["renewal/2026-09-30"]);
    harness.mails(1).await;

    // And one that is moved nearer than 60 days is asked about at once.
    let soon = scoring::Account { renewal_time: time("2026-09-20"), ..account("globex") };
    harness.tell_account(soon).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme champion SENT", "globex champion SENT"]);
}

#[tokio::test]
async fn mails_wait_for_the_hour_of_the_programme() {
    let harness = Harness::start("2026-06-30T12:00:00Z").await;
    harness.tell_account(account("acme")).await;
    let published = harness.publish("nps", proto::Program { send_hour: None, ..quarterly() }).await;
    assert_eq!(published.send_hour, Some(9));
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 1, "the running quarter's day is over");
    harness.turn_to("2026-10-01T08:59:59Z").await;
    assert_eq!(harness.decisions().await.len(), 1);
    harness.turn_to("2026-10-01T09:00:00Z").await;
    assert_eq!(harness.decisions().await.len(), 2);
}

#[tokio::test]
async fn a_paused_programme_asks_nobody_until_it_is_resumed() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let name = "programs/nps".to_owned();
    let request = proto::PauseProgramRequest { name: name.clone(), ..Default::default() };
    let paused = harness.programs.clone().pause_program(request).await.expect("paused").into_inner();
    assert_eq!(paused.state(), proto::ProgramState::Paused);
    harness.tell_account(account("globex")).await;
    harness.turn_to("2026-01-12").await;
    harness.mails(1).await;
    harness.turn_to("2026-04-20").await;
    assert_eq!(harness.decisions().await.len(), 1);

    let request = proto::ResumeProgramRequest { name, ..Default::default() };
    harness.programs.clone().resume_program(request).await.expect("resumed");
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme champion EXPIRED", "acme champion SENT", "globex champion SENT"]);
}
