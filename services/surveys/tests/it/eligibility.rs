//! Who is asked, who is not, and why.

use chrono::TimeDelta;
use mainstay_api::mainstay::scoring::v1 as scoring;
use mainstay_api::mainstay::scoring::v1::TicketPriority::Critical;
use mainstay_api::mainstay::surveys::v1 as proto;

use crate::harness::{Harness, about_critical_tickets, account, at, contact, quarterly};

#[tokio::test]
async fn r11_nobody_is_asked_twice_in_30_days_by_whatever_programme_and_account() {
    let harness = Harness::start("2026-01-05T10:00:00Z").await;
    let shared = |id| scoring::Account {
        contacts: vec![scoring::Contact { email: "Shared@holding.example".to_owned(), ..contact(id, "boss", true) }],
        ..account(id)
    };
    harness.tell_account(shared("acme")).await;
    harness.tell_account(shared("globex")).await;
    harness.publish("nps", quarterly()).await;
    harness.publish("critical", about_critical_tickets()).await;
    harness.settle().await;
    assert_eq!(harness.mails(1).await[0].to, ["shared@holding.example"], "one person, though of two accounts");

    harness.clock.set(at("2026-02-04T09:59:59Z"));
    harness.resolve_ticket("acme", "T-1", Critical, "").await;
    harness.settle().await;
    let last = harness.decisions().await.pop().expect("a decision");
    assert_eq!((last.state(), last.reason()), (proto::InvitationState::NotAsked, proto::NotAskedReason::Fatigue));
    assert_eq!((last.occasion.as_str(), last.contact_id.as_str()), ("ticket/zendesk/T-1", "boss"));
    let sent = harness.decisions().await.iter().filter(|decision| decision.reason == 0).count();
    assert_eq!(sent, 1);

    // To the second 30 days on, the quarterly survey that waited for the other account is sent.
    harness.turn_to("2026-02-04T10:00:00Z").await;
    let asked: Vec<_> = harness.decisions().await.into_iter().filter(|decision| decision.reason == 0).collect();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].account, asked[1].account);
    let times: Vec<i64> = asked.iter().map(|invitation| invitation.create_time.expect("a time").seconds).collect();
    assert_eq!(times[1] - times[0], 30 * 86_400);
}

#[tokio::test]
async fn r11_a_year_of_tickets_and_quarters_never_asks_a_contact_within_30_days() {
    let harness = Harness::start("2026-01-01").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.publish("critical", about_critical_tickets()).await;
    for day in 0..365 {
        harness.clock.advance(TimeDelta::days(1));
        // What is due at a time is done before what is heard of at it.
        harness.settle().await;
        if day % 5 == 0 {
            harness.resolve_ticket("acme", &format!("T-{day}"), Critical, "champion@acme.example").await;
            harness.settle().await;
        }
    }
    let asked: Vec<_> = harness.decisions().await.into_iter().filter(|decision| decision.reason == 0).collect();
    for contact in ["champion", "other"] {
        let times = asked.iter().filter(|invitation| invitation.contact_id == contact);
        let times: Vec<i64> = times.map(|invitation| invitation.create_time.expect("a time").seconds).collect();
        assert!(times.len() >= 10, "{contact} is asked all year: {times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 30 * 86_400), "{contact}: {times:?}");
    }
    let quarters = asked.iter().filter(|invitation| invitation.program == "programs/nps").count();
    assert_eq!(quarters, 4, "no quarter was lost to the tickets");
}

#[tokio::test]
async fn decisions_not_to_ask_are_kept_with_their_reasons() {
    let harness = Harness::start("2026-01-05").await;
    let of = |id: &str, change: &dyn Fn(&mut scoring::Account)| {
        let mut made = account(id);
        change(&mut made);
        made
    };
    let nobody = of("nobody", &|made| made.contacts.iter_mut().for_each(|contact| contact.email.clear()));
    let unwritable = of("unwritable", &|made| {
        made.contacts.iter_mut().for_each(|contact| contact.email = "a,b@x..example".to_owned());
    });
    let churned = of("churned", &|made| made.set_lifecycle_stage(scoring::LifecycleStage::Churned));
    let archived = of("archived", &|made| made.archive_time = crate::harness::time("2026-01-01"));
    let trial = of("trial", &|made| made.set_lifecycle_stage(scoring::LifecycleStage::Trial));
    for told in [nobody, unwritable, churned, archived, trial, account("opted-out"), account("acme")] {
        harness.tell_account(told).await;
    }
    for contact in ["CHAMPION", "other"] {
        let email = format!(" {contact}@opted-out.example ");
        let request = proto::OptOutRecipientRequest { email, ..Default::default() };
        harness.invitations.clone().opt_out_recipient(request).await.expect("noted");
    }
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let expected = [
        "acme champion SENT",
        "archived  ACCOUNT_ARCHIVED",
        "churned  ACCOUNT_CHURNED",
        "nobody  NO_ADDRESS",
        "opted-out champion OPT_OUT",
        "opted-out other OPT_OUT",
        "trial  NOT_ELIGIBLE",
        "unwritable  NO_ADDRESS",
    ];
    assert_eq!(harness.decided().await, expected);
    let declined = harness.told::<proto::InvitationDeclined>().await;
    let sent = harness.told::<proto::InvitationSent>().await;
    assert_eq!((declined.len(), sent.len()), (7, 1), "each is told");
    assert_eq!(sent[0].invitation.as_ref().map(|invitation| invitation.contact_id.as_str()), Some("champion"));

    harness.settle().await;
    assert_eq!(harness.decided().await, expected, "nothing is decided twice");
}

#[tokio::test]
async fn a_daily_cap_spreads_what_may_wait_and_declines_what_may_not() {
    let harness = Harness::start("2026-01-05").await;
    for id in ["a", "b", "c", "d", "e"] {
        harness.tell_account(account(id)).await;
    }
    harness.publish("nps", proto::Program { daily_cap: 2, ..quarterly() }).await;
    harness.settle().await;
    assert_eq!(harness.decisions().await.len(), 2);
    harness.turn_to("2026-01-05T23:00:00Z").await;
    assert_eq!(harness.decisions().await.len(), 2);
    harness.turn_to("2026-01-06").await;
    assert_eq!(harness.decisions().await.len(), 4);
    harness.turn_to("2026-01-07").await;
    assert_eq!(harness.decisions().await.len(), 5);
    harness.mails(5).await;

    harness.publish("critical", proto::Program { daily_cap: 1, ..about_critical_tickets() }).await;
    for id in ["f", "g"] {
        harness.tell_account(scoring::Account { sign_up_time: None, ..account(id) }).await;
        harness.resolve_ticket(id, "T-1", Critical, "").await;
    }
    harness.settle().await;
    // By programme, not by place: decisions of one moment come in any order.
    let decisions = harness.decisions().await;
    let of_critical = decisions.iter().filter(|decision| decision.program == "programs/critical");
    let mut reasons: Vec<_> = of_critical.map(proto::Invitation::reason).collect();
    reasons.sort();
    assert_eq!(reasons, [proto::NotAskedReason::Unspecified, proto::NotAskedReason::Cap]);
}

#[tokio::test]
async fn as_many_contacts_are_asked_as_the_programme_says_and_segments_bound_it() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    let enterprise = scoring::Segment::Enterprise.into();
    harness.tell_account(scoring::Account { segment: enterprise, ..account("globex") }).await;
    harness.publish("nps", proto::Program { contacts_max: 2, segments: vec![enterprise], ..quarterly() }).await;
    harness.settle().await;
    assert_eq!(harness.decided().await, ["acme  NOT_ELIGIBLE", "globex champion SENT", "globex other SENT"]);
}

#[tokio::test]
async fn a_preview_says_who_would_be_asked_and_writes_nothing() {
    let harness = Harness::start("2026-02-05").await;
    harness.tell_account(account("acme")).await;
    harness.tell_account(scoring::Account { contacts: Vec::new(), ..account("empty") }).await;
    let young = scoring::Account { sign_up_time: crate::harness::time("2026-02-01"), ..account("young") };
    harness.tell_account(young).await;
    harness.publish("critical", about_critical_tickets()).await;
    harness.settle().await;
    harness.resolve_ticket("acme", "T-1", Critical, "").await;
    harness.settle().await;
    let request =
        proto::CreateProgramRequest { program_id: "nps".to_owned(), program: Some(quarterly()), ..Default::default() };
    harness.programs.clone().create_program(request).await.expect("a draft");
    let preview = async || {
        let request = proto::PreviewProgramRequest { name: "programs/nps".to_owned(), ..Default::default() };
        harness.programs.clone().preview_program(request).await.expect("a preview").into_inner()
    };
    let before = harness.decisions().await;
    let shown = preview().await;
    let accounts: Vec<_> = shown.accounts.iter().map(|account| (account.account.as_str(), account.reason())).collect();
    assert_eq!(
        accounts,
        [
            ("accounts/acme", proto::NotAskedReason::Unspecified),
            ("accounts/empty", proto::NotAskedReason::NoAddress),
            ("accounts/young", proto::NotAskedReason::NotDue),
        ]
    );
    let contacts = &shown.accounts[0].contacts;
    let verdicts: Vec<_> = contacts.iter().map(|contact| (contact.would_ask, contact.reason())).collect();
    assert_eq!(verdicts, [(false, proto::NotAskedReason::Fatigue), (true, proto::NotAskedReason::Unspecified)]);
    assert_eq!(contacts[0].free_time, crate::harness::time("2026-03-07"));
    assert_eq!(shown.accounts[2].due_time, crate::harness::time("2026-05-03"));
    assert_eq!(shown.would_ask_count, 1);
    assert_eq!(harness.decisions().await, before);

    // What it said comes true, and shows as decided.
    let request = proto::PublishProgramRequest { name: "programs/nps".to_owned(), ..Default::default() };
    harness.programs.clone().publish_program(request).await.expect("published");
    harness.settle().await;
    assert!(harness.decided().await.contains(&"acme other SENT".to_owned()));
    let shown = preview().await;
    assert_eq!(shown.accounts[0].reason(), proto::NotAskedReason::AlreadyDecided);
    assert_eq!(shown.would_ask_count, 0);
}
