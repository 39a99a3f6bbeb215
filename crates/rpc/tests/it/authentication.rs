//! Callers with and without tokens, at a server that asks for them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mainstay_api::mainstay::events::v1::{GetFeedPositionRequest, SubscribeRequest};
use mainstay_domain::{Clock, SystemClock};
use mainstay_rpc::auth::{AuthSettings, JwksSource, JwtSettings};
use mainstay_rpc::{RpcSettings, ServerHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient as ReflectionClient;

use crate::feed::{self, reason_of};

/// What stands before the 32 secret bytes in the PKCS#8 form of an Ed25519 key (RFC 8410, 7).
const ED25519_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const KEY_ID: &str = "one";

/// A server that takes the tokens of one issuer, and that issuer.
struct Fixture {
    server: ServerHandle,
    key: EncodingKey,
    _keys: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let key = EncodingKey::from_ed_der(&[ED25519_PREFIX.as_slice(), &[7; 32]].concat());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("a public key");
        public.common.key_id = Some(KEY_ID.to_owned());
        let keys = tempfile::tempdir().expect("a folder");
        let path = keys.path().join("keys.json");
        std::fs::write(&path, json!({ "keys": [public] }).to_string()).expect("a file");
        let jwt = JwtSettings {
            issuer: "https://issuer.example".to_owned(),
            audience: "mainstay".to_owned(),
            keys: JwksSource::File(path),
            algorithms: vec![Algorithm::EdDSA],
            leeway: Duration::ZERO,
            grants: [("warehouse".to_owned(), vec!["events.*".to_owned()])].into(),
        };
        let auth = AuthSettings { jwt: Some(jwt) };
        let settings = RpcSettings { auth, reflection_public: false, ..RpcSettings::loopback() };
        let (server, _fake) = feed::server(&settings).await;
        Self { server: server.run(CancellationToken::new()), key, _keys: keys }
    }

    /// A token of the usual claims with these changes.
    fn token(&self, changes: Value) -> String {
        let mut claims = json!({
            "iss": "https://issuer.example",
            "aud": "mainstay",
            "sub": "crm",
            "exp": SystemClock.now().timestamp() + 3600,
            "permissions": ["events.read"],
        });
        let Value::Object(changes) = changes else { panic!("changes are an object") };
        claims.as_object_mut().expect("an object").extend(changes);
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.key).expect("a token")
    }

    /// Who the handler says calls, with this token in a call over the network.
    async fn caller(&self, token: Option<&str>) -> Result<String, Status> {
        let mut client = feed::Client::connect(self.address()).await.expect("it listens");
        let answer = client.get_feed_position(with_token(GetFeedPositionRequest {}, token)).await?;
        // The fake answers with the caller and the request's id.
        let (identity, _) = answer.get_ref().oldest_cursor.split_once(' ').expect("both");
        Ok(identity.to_owned())
    }

    async fn refusal(&self, token: Option<&str>) -> (Code, String, String) {
        let status = self.caller(token).await.expect_err("it is refused");
        (status.code(), reason_of(&status).0, status.message().to_owned())
    }

    fn address(&self) -> String {
        format!("http://{}", self.server.local_addr())
    }
}

fn with_token<M>(message: M, token: Option<&str>) -> Request<M> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    }
    request
}

#[tokio::test]
async fn a_token_with_the_permission_lets_the_handler_see_who_calls() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.caller(Some(&fixture.token(json!({})))).await.expect("it may"), "crm");
    let granted = fixture.token(json!({ "sub": "warehouse", "permissions": [] }));
    assert_eq!(fixture.caller(Some(&granted)).await.expect("the settings grant it"), "warehouse");
}

#[tokio::test]
async fn a_call_without_a_token_that_holds_is_refused() {
    let fixture = Fixture::new().await;
    let expired = fixture.token(json!({ "exp": SystemClock.now().timestamp() - 60 }));
    let elsewhere = fixture.token(json!({ "aud": "another" }));
    let forged = {
        let token = fixture.token(json!({}));
        let [header, claims, _] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64]))
    };
    for token in [None, Some(expired.as_str()), Some(&elsewhere), Some(&forged), Some("no token")] {
        let (code, reason, message) = fixture.refusal(token).await;
        assert_eq!((code, reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"), "{token:?}: {message}");
    }
}

#[tokio::test]
async fn a_caller_without_the_permission_is_told_which_one_it_lacks() {
    let fixture = Fixture::new().await;
    let (code, reason, message) = fixture.refusal(Some(&fixture.token(json!({ "permissions": ["scoring.*"] })))).await;
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
    assert!(message.contains("events.read") && message.contains("crm"), "{message}");
}

#[tokio::test]
async fn a_stream_is_refused_before_its_first_message() {
    let fixture = Fixture::new().await;
    let mut client = feed::Client::connect(fixture.address()).await.expect("it listens");
    let refused = client.subscribe(with_token(SubscribeRequest::default(), None)).await.expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let token = fixture.token(json!({}));
    let mut stream = client.subscribe(with_token(SubscribeRequest::default(), Some(&token))).await.expect("it may");
    stream.get_mut().message().await.expect("it begins").expect("a message");
}

#[tokio::test]
async fn health_is_for_everybody_and_reflection_is_not() {
    let fixture = Fixture::new().await;
    let channel = Endpoint::from_shared(fixture.address()).expect("an address").connect().await.expect("it listens");
    HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.expect("it answers");
    let mut reflection = ReflectionClient::new(channel);
    let refused = reflection.server_reflection_info(tokio_stream::empty()).await.expect_err("it is refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
}
