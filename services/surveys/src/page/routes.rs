//! What the answer page answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Path, Query, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use chrono::{DateTime, Utc};
use mainstay_telemetry::propagation;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;

use super::html::{self, FormFault};
use super::rate_limit::RateLimit;
use crate::app::answer_invitation::{self, Posted};
use crate::app::links::{Link, LinkPurpose};
use crate::app::{App, SurveysError, opt_out};
use crate::domain::invitation::InvitationState;
use crate::domain::response::COMMENT_LENGTH_MAX;
use crate::settings::PageSettings;

/// Room for a comment of 4-byte characters, each of them escaped.
const BODY_BYTES_MAX: usize = 72 * 1024;
/// How long a request may take, its body included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);
/// Requests at once; the database has fewer connections, and those beyond wait for one.
const REQUESTS_MAX: usize = 64;
/// What those are told who came too often or too many.
const RETRY_AFTER_SECONDS: &str = "30";

/// The address of the connection's other side.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerAddress(pub(super) SocketAddr);

/// What the pages answer from.
struct Pages {
    app: App,
    rate_limit: RateLimit,
    places: Semaphore,
    client_address_header: Option<HeaderName>,
    security_headers: [(HeaderName, HeaderValue); 6],
}

/// The pages over the use cases.
pub(super) fn router(app: App, settings: &PageSettings) -> Router {
    let policy = HeaderValue::try_from(html::content_security_policy());
    let pages = Arc::new(Pages {
        app,
        rate_limit: RateLimit::new(settings.requests_per_minute),
        places: Semaphore::new(REQUESTS_MAX),
        client_address_header: settings.client_address_header.clone(),
        security_headers: [
            (header::CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static("default-src 'none'"))),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
        ],
    });
    Router::new()
        .route("/a/{token}", get(show_form).post(take_answer))
        .route("/u/{token}", get(show_unsubscribe).post(unsubscribe))
        .route("/robots.txt", get(async || "User-agent: *\nDisallow: /\n"))
        .fallback(async || not_found())
        .method_not_allowed_fallback(async || {
            let text = "Please open the link of the mail in a browser.";
            page(StatusCode::METHOD_NOT_ALLOWED, html::notice("That does not work here", text))
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&pages), guard))
        .layer(middleware::from_fn(traced))
        .with_state(pages)
}

/// A span around each request, child of that of the proxy before it. It does not name the path, which is a token.
async fn traced(request: Request, next: Next) -> Response {
    let span = tracing::info_span!("page", otel.kind = "server", http.request.method = %request.method());
    propagation::set_parent(&span, request.headers());
    next.run(request).instrument(span).await
}

/// The bounds of a request, and the headers of every answer.
async fn guard(
    State(pages): State<Arc<Pages>>,
    Extension(PeerAddress(peer)): Extension<PeerAddress>,
    request: Request,
    next: Next,
) -> Response {
    let address = client_address(request.headers(), pages.client_address_header.as_ref(), peer);
    let mut response = if !pages.rate_limit.allows(address, Instant::now()) {
        count_refusal("rate");
        busy(StatusCode::TOO_MANY_REQUESTS, "There were too many requests from your address.")
    } else if let Ok(_place) = pages.places.try_acquire() {
        match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
            Ok(response) => response,
            Err(_) => busy(StatusCode::REQUEST_TIMEOUT, "That took too long."),
        }
    } else {
        count_refusal("overload");
        busy(StatusCode::SERVICE_UNAVAILABLE, "Many people are answering at this moment.")
    };
    response.headers_mut().extend(pages.security_headers.clone());
    response
}

fn count_refusal(why: &'static str) {
    metrics::counter!("mainstay_surveys_page_refused_total", "why" => why).increment(1);
}

/// The customer's address: what the proxy in front says in its header, of which the last entry is its own, or the
/// connection's.
fn client_address(headers: &HeaderMap, header: Option<&HeaderName>, peer: SocketAddr) -> IpAddr {
    let named = header.and_then(|header| headers.get_all(header).iter().next_back());
    let last = named.and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit(',').next());
    last.and_then(|text| text.trim().parse().ok()).unwrap_or_else(|| peer.ip())
}

#[derive(Debug, Deserialize)]
struct Preselected {
    score: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    score: Option<String>,
    #[serde(default)]
    comment: String,
}

/// Shows the question. Never writes.
async fn show_form(
    State(pages): State<Arc<Pages>>,
    token: Result<Path<String>, PathRejection>,
    preselected: Result<Query<Preselected>, QueryRejection>,
) -> Response {
    let link = match open_link(&pages.app, token) {
        Ok(link) => link,
        Err(why) => return why.into_response(),
    };
    let form = match answer_invitation::look(&pages.app, link.invitation).await {
        Ok(Some(form)) => form,
        Ok(None) => return not_found(),
        Err(error) => return failed(error),
    };
    match form.invitation.state {
        InvitationState::Sent => {
            let score = preselected.ok().and_then(|Query(preselected)| preselected.score?.parse().ok());
            page(StatusCode::OK, html::form(&form.program, score, "", None))
        }
        InvitationState::Answered => page(StatusCode::OK, html::thanks(&form.program)),
        InvitationState::Expired => gone(),
        InvitationState::NotAsked(_) => not_found(),
    }
}

/// Records the answer, once.
async fn take_answer(
    State(pages): State<Arc<Pages>>,
    token: Result<Path<String>, PathRejection>,
    given: Result<Form<Answer>, FormRejection>,
) -> Response {
    let link = match open_link(&pages.app, token) {
        Ok(link) => link,
        Err(why) => return why.into_response(),
    };
    let Form(given) = match given {
        Ok(given) => given,
        Err(rejection) => return malformed(&rejection),
    };
    let comment: String = given.comment.replace("\r\n", "\n").chars().filter(|&character| character != '\0').collect();
    let comment = comment.trim();
    let score = given.score.and_then(|score| score.parse().ok());
    if comment.chars().count() > COMMENT_LENGTH_MAX {
        return match answer_invitation::look(&pages.app, link.invitation).await {
            Ok(Some(form)) => {
                let fault = Some(FormFault::CommentTooLong);
                page(StatusCode::UNPROCESSABLE_ENTITY, html::form(&form.program, score, comment, fault))
            }
            Ok(None) => not_found(),
            Err(error) => failed(error),
        };
    }
    match answer_invitation::post(&pages.app, link.invitation, score, comment).await {
        Ok(Posted::Recorded(program)) => page(StatusCode::OK, html::thanks(&program)),
        Ok(Posted::NoScore(form)) => {
            page(StatusCode::UNPROCESSABLE_ENTITY, html::form(&form.program, None, comment, Some(FormFault::NoScore)))
        }
        Ok(Posted::Expired) => gone(),
        Ok(Posted::Unknown) => not_found(),
        Err(error) => failed(error),
    }
}

/// Asks whether it is meant. Never writes.
async fn show_unsubscribe(State(pages): State<Arc<Pages>>, token: Result<Path<String>, PathRejection>) -> Response {
    match read_link(&pages.app, token, LinkPurpose::Unsubscribe) {
        Some(_) => page(StatusCode::OK, html::unsubscribe_form()),
        None => not_found(),
    }
}

/// Notes that somebody wants no more mails: by the button, or by the mail program (RFC 8058), whatever the body says.
async fn unsubscribe(State(pages): State<Arc<Pages>>, token: Result<Path<String>, PathRejection>) -> Response {
    let Some(link) = read_link(&pages.app, token, LinkPurpose::Unsubscribe) else { return not_found() };
    match opt_out::by_invitation(&pages.app, link.invitation).await {
        Ok(true) => {
            let text = "We send you no more surveys.";
            page(StatusCode::OK, html::notice("That is noted", text))
        }
        Ok(false) => not_found(),
        Err(error) => failed(error),
    }
}

/// Why a link leads nowhere.
enum NoLink {
    Unknown,
    Ended,
}

impl IntoResponse for NoLink {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => not_found(),
            Self::Ended => gone(),
        }
    }
}

/// What a link to answer says, or why there is none.
fn open_link(app: &App, token: Result<Path<String>, PathRejection>) -> Result<Link, NoLink> {
    let link = read_link(app, token, LinkPurpose::Answer).ok_or(NoLink::Unknown)?;
    if has_ended(&link, app.core.clock.now()) { Err(NoLink::Ended) } else { Ok(link) }
}

/// What a link says, if we made it for this purpose.
fn read_link(app: &App, token: Result<Path<String>, PathRejection>, purpose: LinkPurpose) -> Option<Link> {
    let Path(token) = token.ok()?;
    app.links.read(&token, purpose)
}

/// A link says whole seconds; within the last one the invitation itself decides.
fn has_ended(link: &Link, now: DateTime<Utc>) -> bool {
    link.expires_at.is_some_and(|expires_at| expires_at.timestamp() < now.timestamp())
}

fn page(status: StatusCode, document: String) -> Response {
    (status, Html(document)).into_response()
}

fn not_found() -> Response {
    let text = "Perhaps it was not copied as a whole. Please open it from the mail once more.";
    page(StatusCode::NOT_FOUND, html::notice("We do not know this link", text))
}

fn gone() -> Response {
    let text = "Thank you for wanting to answer. The time for this survey is over; we will ask again.";
    page(StatusCode::GONE, html::notice("This link has ended", text))
}

fn busy(status: StatusCode, what: &str) -> Response {
    let text = format!("{what} Please try again in half a minute.");
    let mut response = page(status, html::notice("Please try again", &text));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

fn malformed(rejection: &FormRejection) -> Response {
    let status = rejection.status();
    let text = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "What was sent is too long. Please shorten your comment.",
        _ => "What was sent is not from our form. Please open the link of the mail and answer there.",
    };
    page(status, html::notice("That did not work", text))
}

/// A fault of ours, which goes to the log; the customer reads only that it happened.
fn failed(error: SurveysError) -> Response {
    match error {
        SurveysError::Storage(error) => tracing::warn!(%error, "the answer page could not reach its data"),
        other => tracing::error!(error = %other, "the answer page failed"),
    }
    busy(StatusCode::SERVICE_UNAVAILABLE, "We cannot take your answer at this moment.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customers_address_is_the_last_that_the_proxy_names() {
        let peer: SocketAddr = "10.0.0.1:4711".parse().expect("an address");
        let header = HeaderName::from_static("x-forwarded-for");
        let mut headers = HeaderMap::new();
        let of = |headers: &HeaderMap, header| client_address(headers, header, peer).to_string();
        assert_eq!(of(&headers, Some(&header)), "10.0.0.1");
        headers.append("x-forwarded-for", HeaderValue::from_static("203.0.113.9, 192.0.2.7"));
        assert_eq!(of(&headers, Some(&header)), "192.0.2.7");
        assert_eq!(of(&headers, None), "10.0.0.1", "nobody is believed who was not named");
        headers.append("x-forwarded-for", HeaderValue::from_static("no address"));
        assert_eq!(of(&headers, Some(&header)), "10.0.0.1");
    }
}
