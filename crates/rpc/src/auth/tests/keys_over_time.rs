//! Rotation, refresh, outage.

use chrono::TimeDelta;
use futures::future::join_all;

use super::issuer::{Issuer, Signer, key_set};
use super::*;

/// Claims that outlast every test here.
fn lasting_claims(clock: &ManualClock) -> serde_json::Value {
    let mut claims = claims(clock);
    claims["exp"] = (clock.now() + TimeDelta::days(7)).timestamp().into();
    claims
}

/// Returns when `expected` fetches were made.
async fn until_fetched(issuer: &Issuer, expected: usize) {
    let fetched = async {
        while issuer.hits() < expected {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), fetched).await.expect("a fetch");
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_a_token_names_it() {
    let (clock, old, new) = (clock(), Signer::ed25519("old", 1), Signer::ed25519("new", 2));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let (old_token, new_token) = (old.sign(&lasting_claims(&clock)), new.sign(&lasting_claims(&clock)));
    assert!(get_account(&authenticator, &old_token).await.is_ok());
    issuer.answer(200, key_set(&[&new]));
    clock.advance(TimeDelta::seconds(30));
    assert!(get_account(&authenticator, &new_token).await.is_ok());
    assert!(refusal(get_account(&authenticator, &old_token).await).contains("does not list"));
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn unknown_keys_fetch_at_most_once_in_30_seconds() {
    let (clock, known, unknown) = (clock(), Signer::ed25519("known", 1), Signer::ed25519("unknown", 2));
    let issuer = Issuer::start(&[&known]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let token = unknown.sign(&lasting_claims(&clock));
    for step in 0..=60 {
        refusal(get_account(&authenticator, &token).await);
        assert_eq!(issuer.hits(), 1 + step / 30, "after {step} s");
        clock.advance(TimeDelta::seconds(1));
    }
}

#[tokio::test]
async fn callers_who_come_during_a_fetch_wait_for_it_and_share_it() {
    let (clock, old, new) = (clock(), Signer::ed25519("old", 1), Signer::ed25519("new", 2));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    issuer.answer(200, key_set(&[&new]));
    clock.advance(TimeDelta::seconds(30));
    let token = new.sign(&lasting_claims(&clock));
    let outcomes = join_all((0..50).map(|_| get_account(&authenticator, &token))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn keys_are_refreshed_every_five_minutes_without_a_call_waiting() {
    let (clock, old, new) = (clock(), Signer::ed25519("old", 1), Signer::ed25519("new", 2));
    let issuer = Issuer::start(&[&old]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let token = old.sign(&lasting_claims(&clock));
    issuer.answer(200, key_set(&[&new]));
    clock.advance(TimeDelta::seconds(299));
    assert!(get_account(&authenticator, &token).await.is_ok());
    assert_eq!(issuer.hits(), 1);
    clock.advance(TimeDelta::seconds(1));
    assert!(get_account(&authenticator, &token).await.is_ok(), "answered with the keys known");
    until_fetched(&issuer, 2).await;
    let withdrawn = async {
        while get_account(&authenticator, &token).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), withdrawn).await.expect("the old key no longer holds");
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn in_an_outage_the_keys_known_hold_for_an_hour_and_then_none_do() {
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let issuer = Issuer::start(&[&signer]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let token = signer.sign(&lasting_claims(&clock));
    issuer.answer(503, "down".to_owned());
    clock.advance(TimeDelta::minutes(59));
    assert!(get_account(&authenticator, &token).await.is_ok());
    until_fetched(&issuer, 2).await;
    clock.advance(TimeDelta::minutes(1));
    assert!(refusal(get_account(&authenticator, &token).await).contains("cannot be verified now"));
    issuer.answer(200, key_set(&[&signer]));
    clock.advance(TimeDelta::seconds(30));
    assert!(get_account(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_refuses_calls_until_it_is_up() {
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let issuer = Issuer::start(&[&signer]).await;
    issuer.answer(500, String::new());
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let token = signer.sign(&lasting_claims(&clock));
    assert!(refusal(get_account(&authenticator, &token).await).contains("cannot be verified now"));
    issuer.answer(200, key_set(&[&signer]));
    clock.advance(TimeDelta::seconds(30));
    assert!(get_account(&authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn answers_that_are_no_key_set_change_nothing() {
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let issuer = Issuer::start(&[&signer]).await;
    let authenticator = open(settings(url(&issuer.url)), &clock).await;
    let token = signer.sign(&lasting_claims(&clock));
    let too_large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300_000));
    let moved = key_set(&[&Signer::ed25519("thief", 9)]);
    let answers = [(200, too_large), (200, "{}".to_owned()), (200, "{\"keys\":[]}".to_owned()), (302, moved)];
    let unknown = Signer::ed25519("thief", 9).sign(&lasting_claims(&clock));
    for (round, (status, body)) in answers.into_iter().enumerate() {
        issuer.answer(status, body);
        clock.advance(TimeDelta::seconds(30));
        refusal(get_account(&authenticator, &unknown).await);
        assert_eq!(issuer.hits(), round + 2);
        assert!(get_account(&authenticator, &token).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let authenticator = open(settings(url(&format!("http://{address}/"))), &clock).await;
    let token = signer.sign(&lasting_claims(&clock));
    assert!(refusal(get_account(&authenticator, &token).await).contains("cannot be verified now"));
}

#[tokio::test]
async fn the_keys_are_fetched_with_the_token_in_its_file() {
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "swordfish\n").expect("a file");
    let issuer = Issuer::start(&[&signer]).await;
    let keys = JwksSource::Url { url: issuer.url.clone(), ca_file: None, token_file: Some(path) };
    open(settings(keys), &clock).await;
    assert_eq!(issuer.last_header("authorization").as_deref(), Some("Bearer swordfish"));
}

#[tokio::test]
async fn keys_are_fetched_by_https_from_an_issuer_of_a_trusted_authority_only() {
    let (clock, signer) = (clock(), Signer::ed25519("a", 1));
    let issuer = Issuer::start_https(&[&signer]).await;
    let token = signer.sign(&lasting_claims(&clock));
    for (authority, is_trusted) in [("authority.pem", true), ("other_authority.pem", false)] {
        let ca_file = Some(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(authority));
        let keys = JwksSource::Url { url: issuer.url.clone(), ca_file, token_file: None };
        let authenticator = open(settings(keys), &clock).await;
        assert_eq!(get_account(&authenticator, &token).await.is_ok(), is_trusted, "{authority}");
    }
    assert_eq!(issuer.hits(), 1);
}

#[tokio::test]
async fn keys_in_a_file_are_read_again_when_it_changes() {
    let (clock, old, new) = (clock(), Signer::ed25519("old", 1), Signer::ed25519("new", 2));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    std::fs::write(&path, key_set(&[&old])).expect("a file");
    let authenticator = open(settings(JwksSource::File(path.clone())), &clock).await;
    let (old_token, new_token) = (old.sign(&lasting_claims(&clock)), new.sign(&lasting_claims(&clock)));
    std::fs::write(&path, "half a fi").expect("a file");
    clock.advance(TimeDelta::seconds(1));
    refusal(get_account(&authenticator, &new_token).await);
    assert!(get_account(&authenticator, &old_token).await.is_ok());
    std::fs::write(&path, key_set(&[&new])).expect("a file");
    clock.advance(TimeDelta::seconds(1));
    assert!(get_account(&authenticator, &new_token).await.is_ok());
    refusal(get_account(&authenticator, &old_token).await);
}

#[tokio::test]
async fn keys_that_cannot_be_used_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, "{\"keys\":[]}").expect("a file");
    let ca_file = Some(empty.clone());
    let cases = [
        (JwksSource::File("/nowhere/keys.json".into()), "/nowhere/keys.json cannot be read"),
        (JwksSource::File(empty), "no key in the set can verify signatures"),
        (url("http://issuer.example/keys"), "must be https"),
        (url("ftp://issuer.example/keys"), "must be https"),
        (url("not an address"), "is not an address"),
        (
            JwksSource::Url { url: "https://issuer.example".to_owned(), ca_file, token_file: None },
            "holds no certificate",
        ),
    ];
    for (keys, message) in cases {
        let error = try_open(settings(keys), &clock()).await.expect_err("must not start");
        assert!(error.to_string().contains(message), "{error}");
    }
}
