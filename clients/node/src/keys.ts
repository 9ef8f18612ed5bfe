// The server's public keys (`/.well-known/jwks.json`), kept for as long as it says. Keys that were read stay in use when the server
// cannot be reached: an outage signs nobody out.
import { importJWK, type JWK, type KeyLike } from 'jose';
import type { Settings } from './options.js';
import { object } from './token.js';
import { gather, patience } from './wire.js';

/** A key, and the one algorithm that it is used with. */
export interface Key {
  alg: string;
  key: KeyLike | Uint8Array;
}

/** A shared secret is no public key, so HS256 is not among them. */
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];

const USUALLY_KEPT = 300;
/** Seconds, whatever the server says. */
const KEPT = { least: 1, most: 3600 };
/** An unknown key, or a failure, causes at most one try in so many milliseconds. */
const PAUSE = 1000;
const MOST_BYTES = 256 * 1024;

export class KeySet {
  /** Rises with each change. */
  generation = 0;
  #keys = new Map<string, Key>();
  #text = '';
  /** By the monotonic clock, in milliseconds. */
  #due = -Infinity;
  #tried = -Infinity;
  #failed = true;
  #loading: Promise<void> | undefined;

  constructor(readonly settings: Settings) {}

  /** Whether an unknown key may be one that could not be read. */
  get uncertain(): boolean {
    return this.#failed;
  }

  /** The key of that name; where it is unknown, the set is read again first. */
  async find(kid: string): Promise<Key | undefined> {
    const known = this.#keys.get(kid);
    const now = performance.now();
    const pausing = now - this.#tried < PAUSE;
    if (known) {
      // Nobody waits for a set that is only due.
      if (now >= this.#due && !pausing) void this.load();
      return known;
    }
    if (this.#loading || !pausing) await this.load();
    return this.#keys.get(kid);
  }

  /** Reads the set again, once for all who wait. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#tried = performance.now();
    try {
      await this.#read();
      this.#failed = false;
    } catch (error) {
      this.#failed = true;
      this.settings.log(`munjigi: the keys of ${this.settings.url} cannot be read: ${(error as Error).message}`);
    }
  }

  async #read(): Promise<void> {
    const { url, fetch } = this.settings;
    const { signal, done } = patience(3000);
    try {
      const answer = await fetch(`${url}/.well-known/jwks.json`, { redirect: 'manual', signal });
      if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
      const body = await gather(answer, MOST_BYTES);
      const list = object(body)?.keys;
      if (!Array.isArray(list)) throw new Error('no key set');
      const text = JSON.stringify(list);
      if (text !== this.#text) {
        // Keys that are not understood are for others (RFC 7517 section 5).
        const keys = await Promise.all(list.map(read));
        this.#keys = new Map(keys.filter((entry) => entry !== undefined));
        this.#text = text;
        this.generation += 1;
        if (this.#keys.size === 0) this.settings.log(`munjigi: ${url} publishes no keys: with HS256 tokens cannot be checked here`);
      }
      const said = Number(/(?:^|[\s,])max-age=(\d{1,9})/.exec(answer.headers.get('cache-control') ?? '')?.[1] ?? USUALLY_KEPT);
      this.#due = performance.now() + 1000 * Math.min(Math.max(said, KEPT.least), KEPT.most);
    } finally {
      done();
    }
  }
}

async function read(jwk: JWK): Promise<[string, Key] | undefined> {
  try {
    const { kid, alg = '', use = 'sig', key_ops = ['verify'], d, k } = jwk;
    const isPublic = d === undefined && k === undefined;
    if (typeof kid !== 'string' || !ALGORITHMS.includes(alg) || !isPublic || use !== 'sig' || !key_ops.includes('verify')) return undefined;
    return [kid, { alg, key: await importJWK(jwk, alg) }];
  } catch {
    return undefined;
  }
}
