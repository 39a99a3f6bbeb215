//! Signatures of Standard Webhooks, version 1: HMAC-SHA256 over `id.timestamp.body`.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::settings::SigningKey;

/// The value of `webhook-signature`: one signature a key, separated by spaces, so that receivers who know either of
/// two keys of a rotation can verify. `timestamp` is in seconds since 1970.
pub fn sign(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = keys.iter().filter_map(|key| {
        // HMAC takes keys of any length; there is no error to report.
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn key(text: &str) -> SigningKey {
        SigningKey::parse(text).expect("a key")
    }

    /// The vector that the libraries of Standard Webhooks are tested with.
    #[test]
    fn r188_the_known_vector_of_standard_webhooks_comes_out() {
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let signature = sign(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_of_a_rotation_signs() {
        let old = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let new = key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let both = sign(&[new.clone(), old.clone()], "m", 1, BODY);
        assert_eq!(both, format!("{} {}", sign(&[new], "m", 1, BODY), sign(&[old], "m", 1, BODY)));
    }
}
