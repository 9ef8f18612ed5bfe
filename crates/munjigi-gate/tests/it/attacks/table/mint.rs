//! A token's maker, for attacks: signs any text with the real key, so that only what was changed can be what is refused.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use munjigi_gate::jws::{Algorithm, SigningKey};
use serde_json::Value;

/// The real key and a good token of it. Access tokens (`at+jwt`) and refresh tokens (`rt+jwt`) are made alike.
pub(crate) struct Mint {
    pub(crate) key: SigningKey,
    pub(crate) typ: &'static str,
    /// What the good token says, as it is written in it.
    pub(crate) payload: String,
    /// Other keys of the installation, and whether they are in the same ring as this one.
    pub(crate) peers: Vec<SigningKey>,
    pub(crate) one_ring: bool,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Hs256(Box<hmac::Key>),
}

impl Mint {
    pub(crate) fn new(key: &SigningKey, typ: &'static str, claims: &Value) -> Self {
        let bytes = key.to_bytes();
        let pair = match key.algorithm() {
            Algorithm::Es256 => {
                Pair::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes).unwrap())
            }
            Algorithm::EdDsa => Pair::EdDsa(Ed25519KeyPair::from_pkcs8(&bytes).unwrap()),
            Algorithm::Rs256 => Pair::Rs256(RsaKeyPair::from_pkcs8(&bytes).unwrap()),
            Algorithm::Hs256 => Pair::Hs256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
        };
        Self { key: key.clone(), typ, payload: claims.to_string(), peers: Vec::new(), one_ring: false, pair }
    }

    /// Beside other keys, in rings of their own.
    pub(crate) fn beside(mut self, peers: &[SigningKey]) -> Self {
        self.peers = peers.iter().filter(|peer| peer.kid() != self.key.kid()).cloned().collect();
        self
    }

    /// The same key, other claims.
    pub(crate) fn saying(&self, payload: impl Into<String>) -> String {
        self.signed(self.header(), payload.into())
    }

    pub(crate) fn alg(&self) -> &'static str {
        self.key.algorithm().name()
    }

    pub(crate) fn is_access(&self) -> bool {
        self.typ == "at+jwt"
    }

    pub(crate) fn claims(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap()
    }

    /// The header of a good token.
    pub(crate) fn header(&self) -> String {
        self.header_of(&format!(r#""{}""#, self.alg()))
    }

    /// A header with this JSON for `alg`.
    pub(crate) fn header_of(&self, alg: &str) -> String {
        format!(r#"{{"alg":{alg},"typ":"{}","kid":"{}"}}"#, self.typ, self.key.kid())
    }

    /// The good token.
    pub(crate) fn good(&self) -> String {
        self.saying(self.payload.clone())
    }

    /// This header and payload, really signed.
    pub(crate) fn signed(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.signed_text(&format!("{}.{}", b64(header), b64(payload)))
    }

    /// This very text, really signed.
    pub(crate) fn signed_text(&self, signed: &str) -> String {
        format!("{signed}.{}", b64(self.signature(signed.as_bytes())))
    }

    /// A signature as good tokens have them; ECDSA with the lower `s`.
    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => loop {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
                if signature[32] < 0x7f {
                    return signature;
                }
            },
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rs256(_) => self.rsa_signature(&RSA_PKCS1_SHA256, message).unwrap(),
            Pair::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }

    /// A signature of another scheme with the same RSA key; nothing for other keys.
    pub(crate) fn rsa_signature(&self, scheme: &'static dyn RsaEncoding, message: &[u8]) -> Option<Vec<u8>> {
        let Pair::Rs256(pair) = &self.pair else { return None };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(scheme, &SystemRandom::new(), message, &mut signature).unwrap();
        Some(signature)
    }

    /// The public key as programs write it: SubjectPublicKeyInfo in DER. None for a shared secret.
    pub(crate) fn public_der(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_der(),
            Pair::EdDsa(pair) => pair.public_key().as_der(),
            Pair::Rs256(pair) => pair.public_key().as_der(),
            Pair::Hs256(_) => return None,
        }
        .unwrap();
        Some(der.as_ref().to_vec())
    }

    /// The public key as the key set publishes it.
    pub(crate) fn jwk(&self) -> Option<Value> {
        self.key.verifying_key().jwk()
    }
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn un_b64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// HS256 with any bytes as the secret, also too few.
pub(crate) fn hmac_token(secret: &[u8], header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", b64(header), b64(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", b64(tag))
}
