//! Public keys as JSON (RFC 7517; RFC 7518 section 6, RFC 8037), for `/.well-known/jwks.json`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Algorithm;
use super::key::{KeyError, Material, VerifyingKey};

impl VerifyingKey {
    /// The public key as a JWK with `kid`, `use`, `alg` and what its kind needs. `None` for a shared secret, which has
    /// no public half.
    #[must_use]
    pub fn jwk(&self) -> Option<Value> {
        let alg = self.algorithm().name();
        let kid = self.kid();
        match self.material() {
            Material::Es256(_, point) => {
                let (x, y) = point.get(1..)?.split_at_checked(32)?;
                Some(json!({
                    "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": kid, "use": "sig", "alg": alg,
                }))
            }
            Material::EdDsa(_, x) => Some(json!({
                "kty": "OKP", "crv": "Ed25519", "x": encode(x), "kid": kid, "use": "sig", "alg": alg,
            })),
            Material::Rs256(_, key) => Some(json!({
                "kty": "RSA", "n": encode(&key.n), "e": encode(&key.e), "kid": kid, "use": "sig", "alg": alg,
            })),
            Material::Hs256(_) => None,
        }
    }

    /// A public key from its JWK. `kid` and `alg` must be there and fit the kind; members that we do not know are
    /// ignored (RFC 7517 section 4).
    ///
    /// # Errors
    /// [`KeyError::Private`] where the private half is there too, [`KeyError::Kid`] or [`KeyError::Malformed`] otherwise.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        if jwk.get("d").is_some() || jwk.get("k").is_some() {
            return Err(KeyError::Private);
        }
        let text = |member: &str| jwk.get(member).and_then(Value::as_str).ok_or(KeyError::Malformed);
        let bytes = |member: &str| URL_SAFE_NO_PAD.decode(text(member)?).map_err(|_| KeyError::Malformed);
        // A key that is meant for something else verifies nothing here (RFC 7517 sections 4.2 and 4.3).
        let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
        if jwk.get("use").is_some_and(|r#use| r#use != "sig") || jwk.get("key_ops").is_some_and(|ops| !verifies(ops)) {
            return Err(KeyError::Malformed);
        }
        let crv = jwk.get("crv").and_then(Value::as_str).unwrap_or_default();
        let algorithm = text("alg")?.parse::<Algorithm>().map_err(|_| KeyError::Malformed)?;
        let material = match (algorithm, text("kty")?, crv) {
            (Algorithm::Es256, "EC", "P-256") => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != 32 {
                    return Err(KeyError::Malformed);
                }
                Material::es256(&[&[4], x.as_slice(), y.as_slice()].concat())?
            }
            (Algorithm::EdDsa, "OKP", "Ed25519") => Material::eddsa(&bytes("x")?)?,
            (Algorithm::Rs256, "RSA", _) => Material::rs256(&bytes("n")?, &bytes("e")?)?,
            _ => return Err(KeyError::Malformed),
        };
        Self::new(text("kid")?, material)
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
