//! What Slack and receivers of webhooks are sent, and what their answers mean.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use mainstay_telemetry::propagation;
use serde_json::json;
use uuid::Uuid;

use crate::http_client::{Answer, HttpClient};
use crate::outcome::Verdict;
use crate::settings::SigningKey;
use crate::signature::sign;
use crate::{Slack, Webhook};

/// The most characters of an answer that stand in an attempt's error.
const ANSWER_CHARACTERS_MAX: usize = 200;

/// Posts to a Slack incoming webhook.
pub(crate) async fn send_slack(http: &HttpClient, uri: &Uri, slack: &Slack, now: DateTime<Utc>) -> Verdict {
    let mut body = json!({ "text": slack.text });
    if let Some(blocks) = &slack.blocks {
        body["blocks"] = blocks.clone();
    }
    let answer = http.post(uri, HeaderMap::new(), Bytes::from(body.to_string())).await;
    match answer {
        // Slack's word for a message that it cannot show: it never will.
        Ok(answer) if answer.status == StatusCode::BAD_REQUEST => {
            Verdict::refused(Some(answer.status.as_u16()), failure_text(&answer))
        }
        answer => verdict(answer, now),
    }
}

/// Posts a signed webhook, with the trace of the current span.
pub(crate) async fn send_webhook(
    http: &HttpClient,
    uri: &Uri,
    keys: &[SigningKey],
    message: (Uuid, DateTime<Utc>, &Webhook),
    now: DateTime<Utc>,
) -> Verdict {
    let (id, created_at, webhook) = message;
    let id = id.to_string();
    let body = json!({
        "type": webhook.event_type,
        "timestamp": created_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "data": webhook.data,
    })
    .to_string();
    let timestamp = now.timestamp();
    let signature = sign(keys, &id, timestamp, body.as_bytes());
    let mut headers = HeaderMap::new();
    let values = [("webhook-id", id), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature)];
    for (name, value) in values {
        match HeaderValue::from_str(&value) {
            Ok(value) => headers.insert(name, value),
            Err(error) => return Verdict::failed(None, format!("{name}: {error}")),
        };
    }
    propagation::inject(&mut headers);
    verdict(http.post(uri, headers, Bytes::from(body)).await, now)
}

/// 2xx is sent, 410 is gone for good; all else may work later, redirects too: where they lead nobody has checked.
fn verdict(answer: Result<Answer, String>, now: DateTime<Utc>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Verdict::failed(None, error),
    };
    let code = Some(answer.status.as_u16());
    if answer.status.is_success() {
        return Verdict::sent(code);
    }
    Verdict {
        retry_after: answer.headers.get(RETRY_AFTER).and_then(|value| parse_retry_after(value, now)),
        is_gone: answer.status == StatusCode::GONE,
        ..Verdict::failed(code, failure_text(&answer))
    }
}

fn failure_text(answer: &Answer) -> String {
    let what = if answer.status.is_redirection() { "; redirects are not followed" } else { "" };
    let said: String = answer
        .text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(ANSWER_CHARACTERS_MAX)
        .collect();
    let said = said.trim();
    let quoted = if said.is_empty() { String::new() } else { format!(": {said}") };
    format!("answered {}{what}{quoted}", answer.status)
}

/// Seconds, or a date of HTTP.
fn parse_retry_after(value: &HeaderValue, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(TimeDelta::seconds(i64::from(seconds)));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some(at.to_utc() - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&'static str>) -> Verdict {
        let now: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().expect("a time");
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        verdict(Ok(Answer { status, headers, text: "no\r\nroom ".to_owned() }), now)
    }

    #[test]
    fn answers_have_their_meaning() {
        for status in [200, 202, 204] {
            assert_eq!(answered(status, None), Verdict::sent(Some(status)));
        }
        for status in [301, 400, 404, 429, 500, 503] {
            let verdict = answered(status, None);
            assert_eq!((verdict.outcome, verdict.is_gone), (crate::AttemptOutcome::Failed, false), "{status}");
        }
        assert!(answered(410, None).is_gone);
    }

    #[test]
    fn a_failure_says_what_was_answered_on_one_line() {
        assert_eq!(answered(503, None).error.as_deref(), Some("answered 503 Service Unavailable: no  room"));
        assert_eq!(
            answered(302, None).error.as_deref(),
            Some("answered 302 Found; redirects are not followed: no  room")
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(answered(429, Some("120")).retry_after, Some(TimeDelta::seconds(120)));
        let dated = answered(503, Some("Sun, 01 Mar 2026 00:10:00 GMT"));
        assert_eq!(dated.retry_after, Some(TimeDelta::minutes(10)));
        assert_eq!(answered(503, Some("soon")).retry_after, None);
    }
}
