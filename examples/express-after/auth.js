// Munjigi signs people in under /user. The app verifies its access tokens by its public keys.
import { createRemoteJWKSet, jwtVerify } from 'jose';

const MUNJIGI_URL = process.env.MUNJIGI_URL ?? 'http://localhost:3000';
/** `iss` and `aud` of the tokens: the public URL, unless `tokens.issuer` or `tokens.audience` say otherwise. */
const PUBLIC_URL = process.env.PUBLIC_URL ?? MUNJIGI_URL;
/** With https the cookie is `__Host-accessToken`. */
const COOKIE = PUBLIC_URL.startsWith('https:') ? '__Host-accessToken' : 'accessToken';

const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', MUNJIGI_URL));
const rules = { issuer: PUBLIC_URL, audience: PUBLIC_URL, algorithms: ['ES256'], typ: 'at+jwt' };

/** What says that a token is no good; anything else is a failure, of the network for example. */
const NO_GOOD = /^ERR_JW[ST]_|^ERR_JWKS_NO_MATCHING_KEY$|^ERR_JOSE_ALG_NOT_ALLOWED$/;

/** Sets `req.user` to `{id, name}` as it was before the move, or to nothing. */
export async function authenticate(req, res, next) {
  let failure;
  try {
    const { payload } = await jwtVerify(req.cookies[COOKIE] ?? '', keys, rules);
    req.user = { id: payload.username, name: payload.name };
  } catch (error) {
    if (!NO_GOOD.test(error.code)) failure = error;
  }
  next(failure);
}

/** Leads to log-in and back. Who has only let the access token expire comes back at once, with a new one. */
export function requireUser(req, res, next) {
  if (req.user) return next();
  if (req.method !== 'GET') return res.status(401).json({ success: false, code: 'login_required' });
  return res.redirect(303, `/user/login?return_to=${encodeURIComponent(req.originalUrl)}`);
}
