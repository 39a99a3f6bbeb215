//! Which tokens hold, and what they allow.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mainstay_domain::{Clock, ManualClock};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::issuer::{Signer, key_set};
use super::*;

struct Fixture {
    clock: ManualClock,
    signer: Signer,
    authenticator: Arc<dyn Authenticator>,
}

impl Fixture {
    async fn new() -> Self {
        Self::with_keys(&key_set(&[&Signer::ed25519("a", 1), &Signer::ed25519("b", 2)])).await
    }

    async fn with_keys(document: &str) -> Self {
        let clock = clock();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        std::fs::write(&path, document).expect("a file");
        let authenticator = open(settings(JwksSource::File(path)), &clock).await;
        Self { clock, signer: Signer::ed25519("a", 1), authenticator }
    }

    /// The outcome of a token of the usual claims with these changes; null removes one.
    async fn with(&self, changes: Value) -> Result<Caller, ApiError> {
        let token = self.signer.sign(&changed(claims(&self.clock), changes));
        get_account(&self.authenticator, &token).await
    }
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let fields = claims.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    claims
}

#[tokio::test]
async fn a_token_that_holds_names_the_caller_and_what_he_may_do() {
    let fixture = Fixture::new().await;
    let caller = fixture.with(json!({ "aud": ["other", "mainstay"] })).await.expect("holds");
    assert_eq!(caller.identity, "crm");
    assert!(caller.permissions.allow("scoring.accounts.read"));
    assert!(!caller.permissions.allow("scoring.accounts.write"));
}

#[tokio::test]
async fn permissions_come_from_the_claim_the_scope_and_our_own_grants() {
    let fixture = Fixture::new().await;
    let none = json!(null);
    let allowed = [
        json!({ "permissions": ["scoring.*"] }),
        json!({ "permissions": ["*"] }),
        json!({ "permissions": none, "scope": "openid scoring.accounts.read" }),
        json!({ "permissions": none, "scope": ["scoring.accounts.*"] }),
        json!({ "permissions": none, "sub": "system:serviceaccount:sync:worker" }),
    ];
    for changes in allowed {
        assert!(fixture.with(changes.clone()).await.is_ok(), "{changes}");
    }
    let denied = [
        json!({ "permissions": none }),
        json!({ "permissions": [] }),
        json!({ "permissions": ["scoring.accounts.write", "scoring.accounts.rea*", "scoring", "surveys.*", ".*", ""] }),
        json!({ "permissions": none, "sub": "system:serviceaccount:other:worker" }),
    ];
    for changes in denied {
        let error = fixture.with(changes.clone()).await.expect_err("denied");
        assert_eq!(error.code(), Code::PermissionDenied, "{changes}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let fixture = Fixture::new().await;
    let status = Status::from(fixture.with(json!({ "permissions": [] })).await.expect_err("denied"));
    assert_eq!(status.message(), "`crm` lacks the permission `scoring.accounts.read`");
    let details = status.get_error_details();
    let info = details.error_info().expect("ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("PERMISSION_DENIED", "mainstay"));
    assert_eq!(info.metadata["permission"], "scoring.accounts.read");
    assert_eq!(info.metadata["caller"], "crm");
}

#[tokio::test]
async fn each_allowed_algorithm_is_accepted() {
    let signers = [Signer::ed25519("ed", 1), Signer::rsa("rsa", Algorithm::RS256), Signer::p256("ec")];
    let fixture = Fixture::with_keys(&key_set(&signers.each_ref())).await;
    for signer in &signers {
        let outcome = get_account(&fixture.authenticator, &signer.sign(&claims(&fixture.clock))).await;
        assert_eq!(outcome.map(|caller| caller.identity), Ok("crm".to_owned()), "{}", signer.id);
    }
    let other = Signer::rsa("rsa", Algorithm::RS512).sign(&claims(&fixture.clock));
    let message = refusal(get_account(&fixture.authenticator, &other).await);
    assert_eq!(message, "the token is signed with RS512, which is not accepted");
}

#[tokio::test]
async fn claims_that_do_not_hold_are_told() {
    let fixture = Fixture::new().await;
    let now = fixture.clock.now().timestamp();
    let cases = [
        (json!({ "exp": now - 30 }), "the token has expired; get a new one"),
        (json!({ "exp": null }), "the token must have an expiry (`exp`)"),
        (json!({ "nbf": now + 31 }), "the token does not hold yet (`nbf`); compare the clocks"),
        (json!({ "iss": "https://evil.example" }), "the token must be issued by `https://issuer.example`"),
        (json!({ "iss": null }), "the token must be issued by `https://issuer.example`"),
        (json!({ "aud": "other" }), "the token must be for the audience `mainstay`"),
        (json!({ "aud": ["other"] }), "the token must be for the audience `mainstay`"),
        (json!({ "aud": null }), "the token must be for the audience `mainstay`"),
        (json!({ "exp": "tomorrow" }), "the token is malformed"),
    ];
    for (changes, message) in cases {
        assert_eq!(refusal(fixture.with(changes.clone()).await), message, "{changes}");
    }
    for subject in [json!(null), json!(""), json!("a\nb"), json!("a".repeat(256))] {
        let message = refusal(fixture.with(json!({ "sub": subject })).await);
        assert!(message.starts_with("the token must have a subject"), "{message}");
    }
}

#[tokio::test]
async fn the_times_of_a_token_are_those_of_our_clock_with_a_leeway() {
    let fixture = Fixture::new().await;
    let now = fixture.clock.now().timestamp();
    assert!(fixture.with(json!({ "exp": now - 29, "nbf": now + 30 })).await.is_ok());
    let token = fixture.signer.sign(&claims(&fixture.clock));
    fixture.clock.advance(TimeDelta::minutes(59));
    assert!(get_account(&fixture.authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn signatures_that_do_not_hold_are_refused() {
    let fixture = Fixture::new().await;
    let token = fixture.signer.sign(&claims(&fixture.clock));
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let better = changed(claims(&fixture.clock), json!({ "permissions": ["*"] }));
    let payload = URL_SAFE_NO_PAD.encode(better.to_string());
    let does_not_hold = "the token has a signature that does not hold";
    let forged = format!("{header}.{payload}.{signature}");
    assert_eq!(refusal(get_account(&fixture.authenticator, &forged).await), does_not_hold);
    let thief = Signer::ed25519("a", 9).sign(&claims(&fixture.clock));
    assert_eq!(refusal(get_account(&fixture.authenticator, &thief).await), does_not_hold);
    let other_key = Signer::ed25519("b", 1).sign(&claims(&fixture.clock));
    assert_eq!(refusal(get_account(&fixture.authenticator, &other_key).await), does_not_hold);
}

#[tokio::test]
async fn tokens_without_a_signature_or_with_a_shared_secret_are_refused() {
    let fixture = Fixture::new().await;
    let payload = URL_SAFE_NO_PAD.encode(claims(&fixture.clock).to_string());
    for algorithm in ["none", "None", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "kid": "a", "typ": "JWT" }).to_string());
        for signature in ["", "AAAA"] {
            let message =
                refusal(get_account(&fixture.authenticator, &format!("{header}.{payload}.{signature}")).await);
            assert_eq!(message, "the token is malformed or signed in a way that is not accepted");
        }
    }
    let public = fixture.signer.public()["x"].as_str().map(|x| URL_SAFE_NO_PAD.decode(x).expect("base64"));
    let secret = EncodingKey::from_secret(&public.expect("a public key"));
    let header = Header { kid: Some("a".to_owned()), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &claims(&fixture.clock), &secret).expect("a token");
    let message = refusal(get_account(&fixture.authenticator, &token).await);
    assert_eq!(message, "the token is signed with HS256, which is not accepted");
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let fixture = Fixture::new().await;
    let token = fixture.signer.sign(&claims(&fixture.clock));
    for bad in ["", ".", "..", "a.b.c", &token[1..], &format!("{token}.x"), &"a".repeat(10_000)] {
        refusal(get_account(&fixture.authenticator, bad).await);
    }
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..fixture.signer.header() };
    let message =
        refusal(get_account(&fixture.authenticator, &fixture.signer.sign_as(&critical, &claims(&fixture.clock))).await);
    assert_eq!(message, "the token has critical extensions, which are not supported");
}

#[tokio::test]
async fn a_token_without_a_key_id_needs_a_set_of_one_key() {
    let fixture = Fixture::new().await;
    let header = Header::new(Algorithm::EdDSA);
    let token = fixture.signer.sign_as(&header, &claims(&fixture.clock));
    assert!(refusal(get_account(&fixture.authenticator, &token).await).contains("does not list"));
    let fixture = Fixture::with_keys(&key_set(&[&fixture.signer])).await;
    assert!(get_account(&fixture.authenticator, &token).await.is_ok());
}

#[tokio::test]
async fn keys_that_may_not_sign_are_left_out() {
    let mut encrypting = Signer::ed25519("encrypting", 1).public();
    encrypting["use"] = json!("enc");
    let mut declared = Signer::rsa("declared", Algorithm::RS256).public();
    declared["alg"] = json!("RS512");
    let short = Signer::rsa_of_1024_bits("short").public();
    let shared = json!({ "kty": "oct", "k": "AAAA", "kid": "shared" });
    let unknown = json!({ "kty": "future", "kid": "unknown" });
    let good = Signer::ed25519("good", 3);
    let keys = [encrypting, declared, short, shared, unknown, json!(7), good.public()];
    let fixture = Fixture::with_keys(&json!({ "keys": keys }).to_string()).await;
    assert!(get_account(&fixture.authenticator, &good.sign(&claims(&fixture.clock))).await.is_ok());
    let refused = [
        Signer::ed25519("encrypting", 1),
        Signer::rsa("declared", Algorithm::RS256),
        Signer::rsa_of_1024_bits("short"),
    ];
    for signer in refused {
        let message = refusal(get_account(&fixture.authenticator, &signer.sign(&claims(&fixture.clock))).await);
        assert_eq!(message, "the token is signed with a key that its issuer does not list", "{}", signer.id);
    }
}

#[tokio::test]
async fn a_call_without_a_token_is_told_to_send_one() {
    let fixture = Fixture::new().await;
    let message = refusal(fixture.authenticator.authorize(GET_ACCOUNT, None).await);
    assert_eq!(message, "send the metadata `authorization: Bearer <token>`");
}

#[tokio::test]
async fn public_methods_need_no_token_and_unknown_ones_do_not_exist() {
    let fixture = Fixture::new().await;
    let health =
        fixture.authenticator.authorize("/grpc.health.v1.Health/Check", Some("nonsense")).await.expect("public");
    assert_eq!(health.identity, "anonymous");
    assert!(!health.permissions.allow("scoring.accounts.read"));
    let error = fixture.authenticator.authorize("/no.Such/Method", None).await.expect_err("unknown");
    assert_eq!((error.code(), error.reason()), (Code::Unimplemented, "UNIMPLEMENTED"));
}

#[tokio::test]
async fn without_authentication_everybody_may_do_all() {
    let services = ["mainstay.scoring.v1.AccountService"];
    let methods = MethodPermissions::from_descriptors(FILE_DESCRIPTOR_SET, &services, true).expect("declared");
    let open = authenticator(&AuthSettings::default(), methods, Arc::new(clock())).await.expect("an authenticator");
    let caller = open.authorize(GET_ACCOUNT, None).await.expect("everybody");
    assert_eq!(caller.identity, "anonymous");
    assert!(caller.permissions.allow("scoring.accounts.read"));
    assert!(open.authorize("/no.Such/Method", None).await.is_err());
}

#[test]
fn a_request_without_the_layer_has_a_caller_who_may_nothing() {
    let mut request = tonic::Request::new(());
    assert!(!super::super::caller(&request).permissions.allow("scoring.accounts.read"));
    let known = Caller { identity: "crm".to_owned(), permissions: super::super::Permissions::all() };
    request.extensions_mut().insert(known.clone());
    assert_eq!(super::super::caller(&request), known);
}
