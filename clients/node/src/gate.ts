// Who asks? What a request's tokens make of its visitor.
//
//            bearer? ──yes──► verify ──► user │ invalid_token
//               │no
//               ▼                      in force ─────────► user
//  access ► verify ── verifies ──────┬ session ended ────► ended
//               │                    ├ epoch ended ──┐
//               │                    └ expired ──────┤
//               └ absent, or does not verify ────────┤
//                                                    ▼
//                                     refresh? ──no──► nobody (expired if it verified)
//                                        │yes, and `renew`
//                                        ▼
//                                   ask the server ────► user, with cookies │ expired │ unavailable
//
// And `unavailable` wherever a token would be accepted before the feed has said what has ended.
import { read, type Shown } from './cookies.js';
import { Feed } from './feed.js';
import { KeySet } from './keys.js';
import { settings, type Options, type Settings } from './options.js';
import { Renewals } from './renew.js';
import { Refused, verify, type User, type Verified } from './token.js';
import { pause } from './wire.js';

/**
 * Why nobody is signed in although there was a token: it has `expired`, its session has `ended`, a bearer is an `invalid_token`,
 * or it is not known at the moment (`unavailable`: the visitor may well be signed in).
 */
export type Reason = 'expired' | 'ended' | 'invalid_token' | 'unavailable';

/** Who asks. */
export interface Visitor {
  /** Who is signed in; `null`: nobody. */
  user: User | null;
  reason: Reason | null;
  /** `Set-Cookie` lines for the answer, which must then not be cached. */
  cookies: string[];
  /** With `unavailable`: when to come again, in seconds. */
  retryAfter: number;
}

type Access =
  | { kind: 'good' | 'expired' | 'epoch ended'; verified: Verified }
  | { kind: 'session ended' | 'nothing' | 'unavailable' };

/** How long the first requests wait for the server's first word, in milliseconds. */
const FIRST_CONTACT = 3000;
/** Tokens that have been verified are kept, so that a signature costs once. Under 10 KB each. */
const MOST_KEPT = 1000;
const WARN_EVERY = 60_000;

export class Gate {
  readonly settings: Settings;
  readonly #keys: KeySet;
  readonly #feed: Feed;
  readonly #renewals: Renewals;
  #kept = new Map<string, Verified>();
  #generation = 0;
  #warned = -Infinity;
  #contact: Promise<unknown> | undefined;

  constructor(options: Options) {
    this.settings = settings(options);
    const { url, log } = this.settings;
    if (/^http:/.test(url) && !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(url)) {
      log(`munjigi: ${url} is asked without https: the feed token, the cookies and the keys can be read and changed on the way`);
    }
    this.#keys = new KeySet(this.settings);
    this.#feed = new Feed(this.settings);
    this.#renewals = new Renewals(this.settings);
    this.#contact = Promise.race([this.ready(), pause(FIRST_CONTACT)]).then(() => (this.#contact = undefined));
  }

  /** Settled when the keys were asked for, and the feed has said what has ended. */
  async ready(): Promise<void> {
    await Promise.all([this.#feed.ready, this.#keys.load()]);
  }

  /** Stops following the feed. */
  close(): void {
    this.#feed.close();
  }

  /** Who shows these headers; `null` for an `Authorization` that cannot be told. */
  async visitor(authorization: string | null | undefined, cookie: string): Promise<Visitor> {
    const bearer = bearerOf(authorization);
    if (bearer !== undefined) {
      const access = await this.#judge(bearer);
      if (access.kind === 'good') return signedIn(access.verified, []);
      return nobody(access.kind === 'unavailable' ? 'unavailable' : 'invalid_token');
    }
    const shown = read(cookie, this.settings.prefix);
    const access = shown.access === undefined ? ({ kind: 'nothing' } as const) : await this.#judge(shown.access);
    switch (access.kind) {
      case 'good':
        return signedIn(access.verified, []);
      case 'session ended':
        return nobody('ended');
      case 'unavailable':
        return nobody('unavailable');
      default:
        return this.#renewed(shown, access);
    }
  }

  async #renewed(shown: Shown, access: Access): Promise<Visitor> {
    const known = 'verified' in access ? access.verified : undefined;
    const { refresh } = shown;
    if (refresh === undefined || !this.settings.renew) return nobody(known ? 'expired' : null);
    const renewal = await this.#renewals.renew({ ...shown, refresh });
    if (renewal.kind === 'unavailable') return { ...nobody('unavailable'), retryAfter: renewal.retryAfter };
    if (renewal.kind === 'ended') {
      // A refresh token that is not the server's is as none: it answers without clearing a cookie.
      const reason = access.kind === 'epoch ended' ? 'ended' : known || renewal.cookies.length ? 'expired' : null;
      return nobody(reason, renewal.cookies);
    }
    // By the server's clock the token is still good, and it is the server's to say.
    if (renewal.access === undefined && access.kind === 'expired' && this.#feed.mayAccept) return signedIn(access.verified, []);
    const anew = renewal.access === undefined ? access : await this.#judge(renewal.access);
    if (anew.kind === 'good') return signedIn(anew.verified, renewal.cookies);
    // What the server accepts and we do not is no reason to lead anybody to log-in, which would lead them back at once.
    return nobody(anew.kind === 'session ended' ? 'ended' : 'unavailable', renewal.cookies);
  }

  /** Revocation is asked here, for every token on every request, however well it is kept. */
  async #judge(token: string): Promise<Access> {
    await this.#contact;
    let verified: Verified;
    try {
      verified = await this.#verify(token);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.reason === 'issuer' || error.reason === 'audience') this.#warn(error.reason);
      const unsure = error.reason === 'unknown key' && this.#keys.uncertain;
      return { kind: unsure ? 'unavailable' : 'nothing' };
    }
    const standing = this.#feed.judge(verified);
    if (standing === 'session ended') return { kind: 'session ended' };
    if (standing === 'epoch ended') return { kind: 'epoch ended', verified };
    if (this.settings.now() >= verified.exp * 1000) return { kind: 'expired', verified };
    return this.#feed.mayAccept ? { kind: 'good', verified } : { kind: 'unavailable' };
  }

  /** Signed by the server, and not for us: mostly a setting that is not what it should be. */
  #warn(what: 'issuer' | 'audience'): void {
    const now = performance.now();
    if (now - this.#warned < WARN_EVERY) return;
    this.#warned = now;
    const { log, url } = this.settings;
    log(`munjigi: a token that ${url} has signed was refused for its ${what}, which is not ${this.settings[what]}: see tokens.${what} there`);
  }

  async #verify(token: string): Promise<Verified> {
    if (this.#generation !== this.#keys.generation) this.#kept.clear();
    this.#generation = this.#keys.generation;
    const known = this.#kept.get(token);
    if (known) return known;
    const verified = await verify(token, this.#keys, this.settings);
    if (this.#generation === this.#keys.generation && this.settings.now() < verified.exp * 1000) {
      // The oldest goes.
      if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
      this.#kept.set(token, verified);
    }
    return verified;
  }
}

/** The token of a bearer; `undefined` where there is none, so that cookies count. */
function bearerOf(authorization: string | null | undefined): string | undefined {
  if (authorization === null) return '';
  const found = /^bearer( .*)?$/is.exec(authorization ?? '');
  return found ? (found[1] ?? '').trim() : undefined;
}

const signedIn = ({ user }: Verified, cookies: string[]): Visitor => ({ user, reason: null, cookies, retryAfter: 0 });
const nobody = (reason: Reason | null, cookies: string[] = []): Visitor => ({ user: null, reason, cookies, retryAfter: reason === 'unavailable' ? 1 : 0 });
