//! Who calls, and may they: decided before the body is decoded.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::{Handler, Layer, LayerParts, Request, Response, refusal};
use crate::auth::Authenticator;

/// Puts the [`crate::Caller`] into the request's extensions, or refuses.
pub(super) struct Authentication {
    authenticator: Arc<dyn Authenticator>,
}

impl Layer for Authentication {
    const NAME: &'static str = "authentication";

    fn from_parts(parts: &LayerParts) -> Self {
        Self { authenticator: parts.authenticator.clone() }
    }

    async fn handle<N: Handler>(&self, mut request: Request, next: &N) -> Response {
        let token = bearer_token(request.headers());
        match self.authenticator.authorize(request.uri().path(), token).await {
            Ok(caller) => {
                tracing::Span::current().record("caller", caller.identity.as_str());
                request.extensions_mut().insert(caller);
                next.handle(request).await
            }
            Err(error) => refusal(error),
        }
    }
}

/// The token after `Bearer`, whose case does not matter (RFC 9110, 11.1).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_what_follows_bearer() {
        let token_in = |text: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(text))]);
            bearer_token(&headers).map(str::to_owned)
        };
        assert_eq!(token_in("Bearer abc.def").as_deref(), Some("abc.def"));
        assert_eq!(token_in("bearer abc").as_deref(), Some("abc"));
        assert_eq!(token_in("Basic abc"), None);
        assert_eq!(token_in("abc"), None);
        assert_eq!(bearer_token(&HeaderMap::new()), None);
    }
}
