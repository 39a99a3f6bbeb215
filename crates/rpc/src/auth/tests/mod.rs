mod issuer;
mod keys_over_time;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use mainstay_api::FILE_DESCRIPTOR_SET;
use mainstay_domain::{Clock, ManualClock};

use super::{
    AuthError, AuthSettings, Authenticator, Caller, JwksSource, JwtSettings, MethodPermissions, authenticator,
};
use crate::ApiError;

/// Needs `scoring.accounts.read`.
const GET_ACCOUNT: &str = "/mainstay.scoring.v1.AccountService/GetAccount";

fn clock() -> ManualClock {
    mainstay_testkit::manual_clock("1997-01-01T00:00:00Z")
}

fn settings(keys: JwksSource) -> JwtSettings {
    JwtSettings {
        issuer: "https://issuer.example".to_owned(),
        audience: "mainstay".to_owned(),
        keys,
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        leeway: Duration::from_secs(30),
        grants: [("system:serviceaccount:sync:*".to_owned(), vec!["scoring.*".to_owned()])].into(),
    }
}

fn url(url: &str) -> JwksSource {
    JwksSource::Url { url: url.to_owned(), ca_file: None, token_file: None }
}

async fn try_open(jwt: JwtSettings, clock: &ManualClock) -> Result<Arc<dyn Authenticator>, AuthError> {
    let services = ["mainstay.scoring.v1.AccountService"];
    let methods = MethodPermissions::from_descriptors(FILE_DESCRIPTOR_SET, &services, false).expect("declared");
    authenticator(&AuthSettings { jwt: Some(jwt) }, methods, Arc::new(clock.clone())).await
}

async fn open(jwt: JwtSettings, clock: &ManualClock) -> Arc<dyn Authenticator> {
    try_open(jwt, clock).await.expect("an authenticator")
}

/// Claims of a token that holds for the clock's next hour.
fn claims(clock: &ManualClock) -> serde_json::Value {
    serde_json::json!({
        "iss": "https://issuer.example",
        "aud": "mainstay",
        "sub": "crm",
        "exp": (clock.now() + TimeDelta::hours(1)).timestamp(),
        "permissions": ["scoring.accounts.read"],
    })
}

async fn get_account(authenticator: &Arc<dyn Authenticator>, token: &str) -> Result<Caller, ApiError> {
    authenticator.authorize(GET_ACCOUNT, Some(token)).await
}

/// The message of an `UNAUTHENTICATED`.
fn refusal(outcome: Result<Caller, ApiError>) -> String {
    let error = outcome.expect_err("must be refused");
    assert_eq!((error.code(), error.reason()), (tonic::Code::Unauthenticated, "UNAUTHENTICATED"), "{error}");
    error.message().to_owned()
}
