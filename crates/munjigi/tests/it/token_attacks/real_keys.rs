//! The keys that a site really signs with, unsealed behind its back: only with them can a token be wrong in a single respect.

use std::path::Path;
use std::sync::Arc;

use munjigi::gate::SigningKey;
use munjigi::secret::{SecretFile, Secrets};

use super::table::Mint;
use crate::harness::{Browser, Site, claims_of, header_of};

fn secrets(site: &Site) -> Secrets {
    let database = site.database();
    let dir = Path::new(database.path().unwrap()).parent().unwrap();
    let clock = Arc::clone(&site.app.core.clock);
    Secrets::from_file(SecretFile::new(dir, Vec::new(), std::time::Duration::MAX, clock)).unwrap()
}

/// The active key of access tokens.
pub(super) fn access_key(site: &Site) -> SigningKey {
    let query = "SELECT kid, algorithm, sealed FROM signing_keys WHERE status = 'active'";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (kid, algorithm, sealed): (String, String, Vec<u8>) = site.database().query_row(query, [], row).unwrap();
    let (plain, _) = secrets(site).unseal(&kid, &sealed).unwrap();
    SigningKey::from_bytes(algorithm.parse().unwrap(), kid, &plain).unwrap()
}

/// The derived key of refresh tokens, under the name that a token calls it by.
pub(super) fn refresh_key(site: &Site, token: &str) -> SigningKey {
    let derived = secrets(site).derive("munjigi refresh tokens v1");
    let kid = header_of(token)["kid"].as_str().unwrap().to_owned();
    SigningKey::from_bytes(munjigi::gate::Algorithm::Hs256, kid, derived.as_ref()).unwrap()
}

/// Makes tokens that say what the browser's access token says.
pub(super) fn access_mint(site: &Site, browser: &Browser) -> Mint {
    let (access, refresh) = (browser.access(), browser.refresh());
    Mint::new(&access_key(site), "at+jwt", &claims_of(&access)).beside(&[refresh_key(site, &refresh)])
}

/// Makes tokens that say what the browser's refresh token says.
pub(super) fn refresh_mint(site: &Site, browser: &Browser) -> Mint {
    let refresh = browser.refresh();
    Mint::new(&refresh_key(site, &refresh), "rt+jwt", &claims_of(&refresh)).beside(&[access_key(site)])
}
