// From an access token to what it says, as strict as the server itself (RFC 8725).
import { compactVerify } from 'jose';
import type { KeySet } from './keys.js';
import type { Settings } from './options.js';

/** Who is signed in. */
export interface User {
  /** The user's id: it never changes. */
  id: string;
  /** The name that one logs in with. */
  username: string;
  /** The name that is shown. */
  name: string;
  /** This log-in, on this device. */
  sessionId: string;
  /** When the person logged in; a renewal does not change it. */
  loggedInAt: Date;
  /** When the access token expires: nothing to show to people, who are renewed then. */
  expiresAt: Date;
  /** How the person logged in (RFC 8176). */
  amr: string[];
}

/** A token that verifies. */
export interface Verified {
  user: User;
  /** The user's epoch when the session was opened or last renewed. */
  epoch: number;
  /** Seconds since the Unix epoch. */
  exp: number;
}

/** A token was refused. The reason is for logs and tests: nobody outside learns more than that. */
export class Refused extends Error {
  constructor(readonly reason: 'shape' | 'header' | 'unknown key' | 'signature' | 'claims' | 'issuer' | 'audience' | 'not yet') {
    super(`refused: ${reason}`);
  }
}

const MOST_BYTES = 4096;
/** How far in the future a token may have been issued, in seconds: as far as clocks may be apart. */
const SKEW = 60;
/** Base64url in its only spelling: no padding, no stray bits at the end. */
const PART = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** What a token says whose signature verifies. Expiry is not looked at. */
export async function verify(token: string, keys: KeySet, settings: Settings): Promise<Verified> {
  if (token.length > MOST_BYTES) throw new Refused('shape');
  const parts = token.split('.');
  if (parts.length !== 3 || parts.some((part) => part === '' || !PART.test(part))) throw new Refused('shape');
  // Three members and no other: none by which a token brings its own key, or changes how it is read.
  const header = object(bytes(parts[0] as string));
  if (!header || Object.keys(header).length !== 3 || header.typ !== 'at+jwt' || typeof header.kid !== 'string') throw new Refused('header');
  const key = await keys.find(header.kid);
  if (!key) throw new Refused('unknown key');
  // The key says which algorithm, and the header must agree.
  if (header.alg !== key.alg) throw new Refused('header');
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(token, key.key, { algorithms: [key.alg] }));
  } catch {
    throw new Refused('signature');
  }
  return read(payload, settings);
}

function read(payload: Uint8Array, { issuer, audience, now }: Settings): Verified {
  const claims = object(payload);
  if (!claims) throw new Refused('claims');
  const { iss, aud, sub, sid, sep, username, name, iat, exp, nbf, auth_time, amr } = claims;
  if (iss !== issuer) throw new Refused('issuer');
  if (aud !== audience) throw new Refused('audience');
  const whole = Number.isSafeInteger as (value: unknown) => value is number;
  if (
    !text(sub) || !text(sid) || !text(username) || !text(name) || !whole(sep) || !whole(auth_time) ||
    !whole(iat) || !whole(exp) || exp <= iat || !Array.isArray(amr) || !amr.every(text)
  ) throw new Refused('claims');
  if (nbf !== undefined && !whole(nbf)) throw new Refused('claims');
  const latest = now() / 1000 + SKEW;
  if (iat > latest || (nbf !== undefined && nbf > latest)) throw new Refused('not yet');
  const date = (seconds: number) => new Date(seconds * 1000);
  const user = { id: sub, username, name, sessionId: sid, loggedInAt: date(auth_time), expiresAt: date(exp), amr };
  return { user, epoch: sep, exp };
}

const text = (value: unknown): value is string => typeof value === 'string' && value !== '';

function bytes(part: string): Uint8Array {
  return Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
}

/** A JSON object in strict UTF-8. */
export function object(json: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
