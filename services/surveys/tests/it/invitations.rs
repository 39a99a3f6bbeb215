//! Mails, reminders, expiry, and lists of invitations.

use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_testkit::browser;
use mainstay_testkit::{idempotency, pagination};
use tonic::Code;

use crate::harness::{Harness, account, at, quarterly, time, unsubscribe_path};
use crate::refusals::{refusal, violated_fields};

#[tokio::test]
async fn a_mail_has_the_score_as_links_and_the_headers_to_unsubscribe() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    let texts = proto::SurveyTexts {
        subject: "A question for {account}".to_owned(),
        introduction: "Dear {contact},\nplease <tell> us.".to_owned(),
        ..Default::default()
    };
    harness.publish("nps", proto::Program { texts: Some(texts), ..quarterly() }).await;
    harness.settle().await;
    let mail = harness.mails(1).await.remove(0);
    assert_eq!(
        (mail.to.as_slice(), mail.subject.as_str()),
        (&["champion@acme.example".to_owned()][..], "A question for Customer acme")
    );
    assert!(mail.text.replace("\r\n", "\n").starts_with("Dear champion of acme,\nplease <tell> us."), "{}", mail.text);
    assert!(mail.html.contains("please &lt;tell&gt; us."), "{}", mail.html);
    assert_eq!(mail.html.matches("https://survey.example.com/a/").count(), 11);
    assert_eq!(mail.text.matches("https://survey.example.com/a/").count(), 11);
    let unsubscribe = format!("<https://survey.example.com{}>", unsubscribe_path(&mail));
    assert_eq!(mail.header("List-Unsubscribe"), unsubscribe);
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert!(!mail.html.contains("<img"), "nothing tells us that it was opened");
    let links = mail.text.split_whitespace().filter(|word| word.starts_with("https://"));
    for link in links {
        assert!(!link.contains("acme") && !link.contains("champion"), "a link names nobody: {link}");
    }
}

#[tokio::test]
async fn r13_who_did_not_answer_is_reminded_once_after_7_days() {
    let harness = Harness::start("2026-01-05").await;
    for id in ["answers", "silent", "leaves"] {
        harness.tell_account(account(id)).await;
    }
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    let mails = harness.mails(3).await;
    let of = |id: &str| mails.iter().find(|mail| mail.to[0].ends_with(&format!("{id}.example"))).expect("a mail");
    let answered = browser::post(harness.page, &crate::harness::answer_path(of("answers")), "score=9&comment=").await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(browser::post(harness.page, &unsubscribe_path(of("leaves")), "").await.status, 200);

    harness.turn_to("2026-01-11T23:59:59Z").await;
    harness.mails(3).await;
    harness.turn_to("2026-01-12").await;
    let reminder = harness.mails(4).await.pop().expect("the reminder");
    assert_eq!(reminder.to, ["champion@silent.example"]);
    assert_eq!(reminder.subject, "Reminder: How likely are you to recommend us?");
    assert_eq!(crate::harness::answer_path(&reminder), crate::harness::answer_path(of("silent")), "the same link");
    let silent = harness.decisions().await.into_iter().find(|found| found.account == "accounts/silent");
    assert_eq!(silent.and_then(|found| found.reminder_time), time("2026-01-12"));
    harness.pass_days(30).await;
    harness.mails(4).await;
}

#[tokio::test]
async fn r13_a_programme_may_remind_on_another_day_or_not_at_all() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("never", proto::Program { reminder_days: Some(0), ..quarterly() }).await;
    harness.settle().await;
    harness.pass_days(40).await;
    harness.mails(1).await;
    let request = proto::ArchiveProgramRequest { name: "programs/never".to_owned(), ..Default::default() };
    harness.programs.clone().archive_program(request).await.expect("archived");
    harness.publish("soon", proto::Program { reminder_days: Some(2), ..quarterly() }).await;
    harness.settle().await;
    harness.pass_days(1).await;
    harness.mails(2).await;
    harness.pass_days(1).await;
    harness.mails(3).await;
}

#[tokio::test]
async fn an_invitation_ends_when_its_time_is_over() {
    let harness = Harness::start("2026-01-05").await;
    harness.tell_account(account("acme")).await;
    harness.publish("nps", proto::Program { expiry_days: 10, ..quarterly() }).await;
    harness.settle().await;
    let sent = harness.decisions().await.remove(0);
    assert_eq!(sent.expire_time, time("2026-01-15"));
    // Also before any worker has come by.
    harness.clock.set(at("2026-01-15"));
    assert_eq!(harness.decisions().await[0].state(), proto::InvitationState::Expired);
    let request = proto::GetInvitationRequest { name: sent.name.clone() };
    let got = harness.invitations.clone().get_invitation(request).await.expect("it").into_inner();
    assert_eq!(got.state(), proto::InvitationState::Expired);
    let response = proto::Response {
        account: sent.account.clone(),
        invitation: sent.name.clone(),
        score: Some(3),
        ..Default::default()
    };
    let request = proto::SubmitResponseRequest { response: Some(response), ..Default::default() };
    let refused = harness.responses.clone().submit_response(request).await.expect_err("too late");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "INVITATION_NOT_OPEN".to_owned()));
    harness.settle().await;
    let states =
        proto::ListInvitationsRequest { states: vec![proto::InvitationState::Expired.into()], ..Default::default() };
    let listed = harness.invitations.clone().list_invitations(states).await.expect("a page").into_inner();
    assert_eq!(listed.invitations.len(), 1);
}

#[tokio::test]
async fn invitations_are_listed_newest_first_by_account_programme_state_and_time() {
    let harness = Harness::start("2026-01-05").await;
    harness.publish("nps", quarterly()).await;
    for id in ["a", "b", "c", "d", "e"] {
        harness.clock.advance(chrono::TimeDelta::hours(1));
        harness.tell_account(account(id)).await;
        harness.settle().await;
    }
    let mut expected: Vec<String> = harness.decisions().await.into_iter().map(|found| found.name).collect();
    expected.reverse();
    let list = async |page_size, page_token, program: &str| {
        let program = program.to_owned();
        let request = proto::ListInvitationsRequest { page_size, page_token, program, ..Default::default() };
        let page = harness.invitations.clone().list_invitations(request).await?.into_inner();
        Ok((page.invitations.into_iter().map(|found| found.name).collect(), page.next_page_token))
    };
    pagination::assert_pages_cover(
        async |size, token| list(size, token, "programs/nps").await,
        async |size, token| list(size, token, "").await,
        &expected,
    )
    .await;
    let request = proto::ListInvitationsRequest {
        account: "accounts/b".to_owned(),
        states: vec![proto::InvitationState::Sent.into()],
        start_time: time("2026-01-05T02:00:00Z"),
        end_time: time("2026-01-05T03:00:00Z"),
        ..Default::default()
    };
    let listed = harness.invitations.clone().list_invitations(request.clone()).await.expect("a page").into_inner();
    assert_eq!(listed.invitations.len(), 1);
    let request = proto::ListInvitationsRequest { end_time: time("2026-01-05T02:00:00Z"), ..request };
    let refused = harness.invitations.clone().list_invitations(request).await.expect_err("an empty time");
    assert_eq!(violated_fields(&refused), ["end_time"]);
    let request =
        proto::GetInvitationRequest { name: "accounts/a/invitations/00000000-0000-0000-0000-000000000000".to_owned() };
    let refused = harness.invitations.clone().get_invitation(request).await.expect_err("none");
    assert_eq!(refusal(&refused), (Code::NotFound, "INVITATION_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn an_opt_out_is_noted_once_told_and_taken_back() {
    let harness = Harness::start("2026-01-05").await;
    let opt_out = async |request_id: String, content: usize| {
        let email = format!("Ann{content}@acme.example");
        let request = proto::OptOutRecipientRequest { email, request_id };
        harness.invitations.clone().opt_out_recipient(request).await.map(tonic::Response::into_inner)
    };
    let count = async || harness.told::<proto::ContactUnsubscribed>().await.len() as u64;
    idempotency::assert_repeatable(opt_out, count).await;
    let opted_out = harness.recipient("ann0@ACME.example").await;
    assert_eq!((opted_out.opt_out_time, opted_out.may_ask, opted_out.free_time), (time("2026-01-05"), false, None));
    let unknown = harness.recipient("bob@acme.example").await;
    assert_eq!((unknown.opt_out_time, unknown.may_ask, unknown.free_time), (None, true, None));
    let request = proto::OptInRecipientRequest { email: "ann0@acme.example".to_owned(), ..Default::default() };
    harness.invitations.clone().opt_in_recipient(request).await.expect("taken back");
    let back = harness.recipient("ann0@acme.example").await;
    assert_eq!((back.opt_out_time, back.may_ask), (None, true));
    let request = proto::GetRecipientRequest { email: "no address".to_owned() };
    let refused = harness.invitations.clone().get_recipient(request).await.expect_err("no address");
    assert_eq!(violated_fields(&refused), ["email"]);
}
