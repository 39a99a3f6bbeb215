//! The token issuer's keys.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// What a token may be signed with: never nothing, never a shared secret.
pub(super) const SUPPORTED_ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
const RSA_ALGORITHMS: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];
/// 2048 bits in base64 are 342 characters; shorter moduli can be factored or soon will.
const RSA_MODULUS_CHARACTERS_MIN: usize = 341;

#[derive(Deserialize)]
struct KeySetDocument {
    keys: Vec<serde_json::Value>,
}

/// The keys of a JSON Web Key Set that can verify signatures.
#[derive(Debug)]
pub(super) struct SigningKeys(Vec<SigningKey>);

#[derive(Debug)]
struct SigningKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl SigningKeys {
    /// Reads a key set. Keys of other uses and kinds are left out, as RFC 7517 (5) says.
    pub(super) fn parse(document: &[u8]) -> Result<Self, String> {
        let document: KeySetDocument =
            serde_json::from_slice(document).map_err(|error| format!("not a JSON Web Key Set: {error}"))?;
        let keys: Vec<SigningKey> = document.keys.into_iter().filter_map(signing_key).collect();
        if keys.is_empty() {
            return Err("no key in the set can verify signatures".to_owned());
        }
        Ok(Self(keys))
    }

    /// The key of this id for this algorithm; without an id, the only key there is.
    pub(super) fn lookup(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let found = match (id, self.0.as_slice()) {
            (None, [only]) => Some(only).filter(|key| key.algorithms.contains(&algorithm)),
            (None, _) => None,
            (Some(id), keys) => {
                keys.iter().find(|key| key.id.as_deref() == Some(id) && key.algorithms.contains(&algorithm))
            }
        };
        found.map(|key| &key.key)
    }
}

fn signing_key(value: serde_json::Value) -> Option<SigningKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let possible: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) if key.n.len() >= RSA_MODULUS_CHARACTERS_MIN => &RSA_ALGORITHMS,
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    };
    let algorithms: Vec<Algorithm> = possible
        .iter()
        .copied()
        .filter(|algorithm| jwk.common.key_algorithm.is_none_or(|declared| declared == KeyAlgorithm::from(*algorithm)))
        .collect();
    if algorithms.is_empty() {
        return None;
    }
    Some(SigningKey { key: DecodingKey::from_jwk(&jwk).ok()?, id: jwk.common.key_id, algorithms })
}
