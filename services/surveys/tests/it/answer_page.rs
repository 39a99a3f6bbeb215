//! What customers see and do.

use mainstay_api::mainstay::surveys::v1 as proto;
use mainstay_rpc::settings::Secret;
use mainstay_testkit::browser::{get, post, send};
use mainstay_testkit::smtp::ReceivedEmail;
use tokio_util::sync::CancellationToken;

use crate::harness::{Harness, LINK_SECRET, account, answer_path, at, quarterly, unsubscribe_path};

async fn invited(harness: &Harness) -> ReceivedEmail {
    harness.tell_account(account("acme")).await;
    harness.publish("nps", quarterly()).await;
    harness.settle().await;
    harness.mails(1).await.remove(0)
}

#[tokio::test]
async fn a_click_on_a_score_and_a_post_make_an_answer_that_is_told_at_once() {
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    let shown = get(harness.page, &format!("{path}?score=3")).await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("value=\"3\" required checked"), "{}", shown.body);
    assert_eq!(shown.body.matches("type=\"radio\"").count(), 11);

    let form = "score=3&comment=It+is+slow%21%0D%0A%3Cscript%3E&more=ignored";
    let thanked = post(harness.page, &format!("{path}?score=3"), form).await;
    assert_eq!(thanked.status, 200, "{}", thanked.body);
    assert!(thanked.body.contains("Your answer was received"), "{}", thanked.body);
    let told = harness.told::<proto::ResponseReceived>().await;
    let response = told[0].response.clone().expect("an answer");
    assert_eq!((told.len(), response.score, response.category()), (1, Some(3), proto::ResponseCategory::Detractor));
    assert_eq!(response.comment, "It is slow!\n<script>");
    assert_eq!((response.contact_id.as_str(), response.channel.as_str()), ("champion", "page"));
    let invitation = harness.decisions().await.remove(0);
    assert_eq!((invitation.state(), &invitation.response), (proto::InvitationState::Answered, &response.name));
    assert_eq!(response.invitation, invitation.name);
}

#[tokio::test]
async fn whoever_follows_all_links_answers_nothing_and_unsubscribes_nobody() {
    let harness = Harness::start("2026-01-05").await;
    let mail = invited(&harness).await;
    let links = mail.html.split('"').chain(mail.text.split_whitespace());
    let links: Vec<&str> = links.filter(|part| part.starts_with("https://survey.example.com/")).collect();
    assert!(links.len() >= 24);
    for link in links {
        let path = link.trim_start_matches("https://survey.example.com");
        for method in ["GET", "HEAD"] {
            assert_eq!(send(harness.page, method, path, &[], "").await.status, 200, "{method} {path}");
        }
    }
    harness.settle().await;
    assert_eq!(harness.answers().await, []);
    assert_eq!(harness.told::<proto::ContactUnsubscribed>().await.len(), 0);
}

#[tokio::test]
async fn an_answer_counts_once_and_the_first_counts() {
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    let posts = (0..8).map(|_| post(harness.page, &path, "score=9&comment=first"));
    for answer in futures::future::join_all(posts).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(post(harness.page, &path, "score=0&comment=second").await.status, 200);
    let answers = harness.answers().await;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].score, answers[0].comment.as_str()), (Some(9), "first"));
    assert_eq!(harness.told::<proto::ResponseReceived>().await.len(), 1);
    let shown = get(harness.page, &path).await;
    assert!(shown.status == 200 && shown.body.contains("Your answer was received"), "{}", shown.body);
}

#[tokio::test]
async fn links_cannot_be_altered_swapped_or_used_after_their_end() {
    let harness = Harness::start("2026-01-05").await;
    let mail = invited(&harness).await;
    let path = answer_path(&mail);
    let mut altered = path.clone().into_bytes();
    altered[10] = if altered[10] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).expect("ASCII");
    let swapped = unsubscribe_path(&mail).replace("/u/", "/a/");
    let cut = path[..path.len() - 1].to_owned();
    for bad in [altered.as_str(), &swapped, &cut, "/a/x", "/a/%ff", "/u/x", "/", "/a/"] {
        let shown = get(harness.page, bad).await;
        assert_eq!(shown.status, 404, "{bad}");
        assert!(shown.body.contains("We do not know this link"), "{bad}: {}", shown.body);
        assert_eq!(post(harness.page, bad, "score=1&comment=").await.status, 404, "{bad}");
    }
    harness.clock.set(at("2026-02-03T23:59:59Z"));
    assert_eq!(get(harness.page, &path).await.status, 200);
    harness.clock.set(at("2026-02-04"));
    for answer in [get(harness.page, &path).await, post(harness.page, &path, "score=1&comment=").await] {
        assert_eq!(answer.status, 410, "{}", answer.body);
    }
    assert_eq!(harness.answers().await, []);
    let unsubscribed = post(harness.page, &unsubscribe_path(&mail), "").await;
    assert_eq!(unsubscribed.status, 200, "one may say no at any time");
}

#[tokio::test]
async fn links_of_the_secret_before_are_good_while_it_is_configured() {
    let new = "ffffffffffffffffffffffffffffffff";
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    for (previous, status) in [(Some(LINK_SECRET), 200), (None, 404)] {
        let rotated = harness
            .replica_with(|settings| {
                settings.page.link_secret = Secret::new(new);
                settings.page.previous_link_secret = previous.map(Secret::new);
            })
            .await;
        let ends = CancellationToken::new();
        let serving = tokio::spawn(rotated.page().run(ends.clone()));
        assert_eq!(get(rotated.page_addr(), &path).await.status, status, "{previous:?}");
        ends.cancel();
        serving.await.expect("an end");
    }
}

#[tokio::test]
async fn one_click_of_the_mail_program_unsubscribes() {
    let harness = Harness::start("2026-01-05").await;
    let mail = invited(&harness).await;
    let path = unsubscribe_path(&mail);
    let shown = get(harness.page, &path).await;
    assert!(shown.body.contains("<button type=\"submit\">Send me no more surveys</button>"), "{}", shown.body);
    for _ in 0..2 {
        let answer = post(harness.page, &path, "List-Unsubscribe=One-Click").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let headers = [("Content-Type", "multipart/form-data; boundary=x")];
    assert_eq!(send(harness.page, "POST", &path, &headers, multipart).await.status, 200);
    let told = harness.told::<proto::ContactUnsubscribed>().await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].account.as_str(), told[0].email.as_str()), ("accounts/acme", "champion@acme.example"));
    harness.turn_to("2026-01-12").await;
    harness.mails(1).await;
    harness.turn_to("2026-04-01").await;
    assert_eq!(harness.decided().await[..2], ["acme champion EXPIRED", "acme champion OPT_OUT"]);
}

#[tokio::test]
async fn a_form_that_is_not_filled_in_right_is_shown_again_with_what_was_written() {
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    for form in ["comment=Hello+%26+more", "score=&comment=Hello+%26+more", "score=11&comment=Hello+%26+more"] {
        let shown = post(harness.page, &path, form).await;
        assert_eq!(shown.status, 422, "{form}");
        assert!(shown.body.contains("role=\"alert\"") && shown.body.contains("Hello &amp; more"), "{}", shown.body);
    }
    let long = format!("score=4&comment={}", "a".repeat(5_001));
    let shown = post(harness.page, &path, &long).await;
    assert!(shown.status == 422 && shown.body.contains("shorten your comment"), "{}", shown.body);
    assert!(shown.body.contains("value=\"4\" required checked"), "the score is not forgotten");
    assert_eq!(post(harness.page, &path, &format!("score=4&comment={}", "a".repeat(80_000))).await.status, 413);
    let json = send(harness.page, "POST", &path, &[("Content-Type", "application/json")], "{\"score\":4}").await;
    assert_eq!(json.status, 415);
    assert_eq!(send(harness.page, "PUT", &path, &[], "").await.status, 405);
    assert_eq!(harness.answers().await, []);
    // 5 000 characters of four bytes each, escaped, are as much as there may be.
    let widest = format!("score=4&comment={}", "%F0%9F%98%80".repeat(5_000));
    assert_eq!(post(harness.page, &path, &widest).await.status, 200);
    assert_eq!(harness.answers().await[0].comment.chars().count(), 5_000);
}

#[tokio::test]
async fn every_page_forbids_scripts_frames_referrers_and_caches() {
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    let pages = [
        get(harness.page, &path).await,
        get(harness.page, "/nothing").await,
        send(harness.page, "DELETE", &path, &[], "").await,
        post(harness.page, &path, "score=10&comment=").await,
    ];
    for page in pages {
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(!page.body.contains("<script") && !page.body.contains("http"), "{}", page.body);
        assert!(page.body.contains("<html lang=\"en\">") && page.body.contains("<title>"), "{}", page.body);
    }
}

#[tokio::test]
async fn who_comes_too_often_is_told_to_wait() {
    let harness = Harness::start_with("2026-01-05", |settings| {
        settings.page.requests_per_minute = 5;
        settings.page.client_address_header = Some("x-forwarded-for".parse().expect("a name"));
    })
    .await;
    let from = async |address: &str| send(harness.page, "GET", "/a/x", &[("X-Forwarded-For", address)], "").await;
    for _ in 0..5 {
        assert_eq!(from("192.0.2.1").await.status, 404);
    }
    let refused = from("192.0.2.1").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "30"));
    assert!(refused.body.contains("Please try again"), "{}", refused.body);
    assert_eq!(from("192.0.2.2").await.status, 404, "others go on");
}

#[tokio::test]
async fn a_database_that_is_away_is_told_kindly() {
    let harness = Harness::start("2026-01-05").await;
    let path = answer_path(&invited(&harness).await);
    sqlx::query("ALTER TABLE surveys.invitations RENAME TO hidden")
        .execute(harness.database.pool())
        .await
        .expect("hid");
    let refused = post(harness.page, &path, "score=1&comment=").await;
    assert_eq!(refused.status, 503);
    assert!(!refused.body.contains("invitations") && refused.body.contains("at this moment"), "{}", refused.body);
    sqlx::query("ALTER TABLE surveys.hidden RENAME TO invitations")
        .execute(harness.database.pool())
        .await
        .expect("back");
    assert_eq!(post(harness.page, &path, "score=1&comment=").await.status, 200);
}
