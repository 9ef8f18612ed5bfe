// What has ended before its tokens expired: followed over `GET /auth/revocations`, kept in memory.
//
//            ┌───────────── every fault: after a pause that grows ─────────────┐
//            ▼                                                                 │
//       connecting ──200──► told what is in force ──current──► FOLLOWING ──────┘
import { Events, type Event } from './events.js';
import type { Settings } from './options.js';
import type { Verified } from './token.js';
import { patience, pause, pieces } from './wire.js';

/** A server that follows its own table says something at least every second. */
const SILENCE = 5000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
const SWEEP_EVERY = 60_000;

/** What cannot be read, or is not for us: what was told before it may be half of something. */
class Unreadable extends Error {}

export class Feed {
  /** Until when each session is to be remembered, in seconds since the Unix epoch. */
  #sessions = new Map<string, number>();
  #users = new Map<string, { minEpoch: number; until: number }>();
  #lastId: string | undefined;
  /** By the monotonic clock; `undefined` before the first `current`. */
  #currentAt: number | undefined;
  #swept = 0;
  /** Whether the last stream became current; `undefined` before the first one has ended. */
  #following: boolean | undefined;
  #closed = false;
  #abort: (() => void) | undefined;
  #contact: () => void = () => {};
  /** Settled with the first `current`, or when there is no feed to follow. */
  readonly ready: Promise<void>;

  constructor(readonly settings: Settings) {
    this.ready = settings.feedToken === false ? Promise.resolve() : new Promise((ready) => (this.#contact = ready));
    if (settings.feedToken !== false) void this.#forever(settings.feedToken);
  }

  /** How a token stands. */
  judge({ user, epoch }: Verified): 'in force' | 'session ended' | 'epoch ended' {
    if (this.#sessions.has(user.sessionId)) return 'session ended';
    return epoch < (this.#users.get(user.id)?.minEpoch ?? 0) ? 'epoch ended' : 'in force';
  }

  /** Whether enough is known to accept a token. */
  get mayAccept(): boolean {
    const { feedToken, whenStale, maxStaleness } = this.settings;
    if (feedToken === false) return true;
    if (this.#currentAt === undefined) return false;
    return whenStale === 'serve' || performance.now() - this.#currentAt <= maxStaleness;
  }

  /** How much is remembered. */
  get size(): number {
    return this.#sessions.size + this.#users.size;
  }

  close(): void {
    this.#closed = true;
    this.#abort?.();
    this.#contact();
  }

  async #forever(token: string): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      let why = 'the server ended the stream';
      try {
        await this.#once(token);
      } catch (error) {
        why = reason(error);
        if (error instanceof Unreadable) this.#lastId = undefined;
      }
      if (this.#closed) return;
      failures = this.#following ? 0 : failures + 1;
      if (this.#following !== false) this.settings.log(`munjigi: the feed of ${this.settings.url} was lost: ${why}`);
      this.#following = false;
      const longest = Math.min(FIRST_PAUSE * 2 ** Math.min(failures, 5), LONGEST_PAUSE);
      // Half of it is chance, so that a thousand services do not come back in the same moment.
      await pause(longest * (0.5 + Math.random() / 2));
    }
  }

  async #once(token: string): Promise<void> {
    const { url, fetch } = this.settings;
    // An event has to be complete within the silence: bytes that trickle are none.
    const { signal, again, done, abort } = patience(SILENCE);
    this.#abort = abort;
    try {
      const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
      if (this.#lastId !== undefined) headers['last-event-id'] = this.#lastId;
      // The token goes to this server and nowhere else.
      const answer = await fetch(`${url}/auth/revocations`, { headers, redirect: 'manual', cache: 'no-store', signal });
      if (answer.status === 401) throw new Error('the server refuses the feed token: see `munjigi secret feed-token`');
      if (answer.status !== 200) throw new Error(`the server answers ${answer.status}`);
      if (!/^text\/event-stream\s*(;|$)/i.test(answer.headers.get('content-type') ?? '')) throw new Error('no stream of events');
      const events = new Events();
      for await (const piece of pieces(answer)) {
        for (const event of parse(events, piece)) {
          this.#take(event);
          again();
        }
      }
    } finally {
      done();
      abort();
    }
  }

  #take({ name, data, id }: Event): void {
    if (name === 'ended') this.#ended(json(data));
    else if (name === 'current') this.#current(json(data));
    this.#lastId = id;
    const now = this.settings.now();
    if (now - this.#swept >= SWEEP_EVERY) this.#sweep(now);
  }

  #current({ issuer }: Record<string, unknown>): void {
    if (issuer !== undefined && issuer !== this.settings.issuer) {
      throw new Unreadable(`this is the feed of ${String(issuer)}, and not of ${this.settings.issuer}: see tokens.issuer there`);
    }
    this.#currentAt = performance.now();
    if (this.#following === false) this.settings.log(`munjigi: the feed of ${this.settings.url} is followed again`);
    this.#following = true;
    this.#contact();
  }

  /** Takes up entries, in any order and any number of times: an epoch only rises, and a time only extends. */
  #ended({ sessions = [], users = [] }: Record<string, unknown>): void {
    if (!Array.isArray(sessions) || !Array.isArray(users)) throw new Unreadable('an event `ended` that cannot be read');
    for (const { sid, until } of sessions.map(entry)) {
      if (!isId(sid) || !isCount(until)) throw new Unreadable('an entry of `sessions` that cannot be read');
      this.#sessions.set(sid, Math.max(until, this.#sessions.get(sid) ?? 0));
    }
    for (const { sub, minEpoch, until } of users.map(entry)) {
      if (!isId(sub) || !isCount(minEpoch) || !isCount(until)) throw new Unreadable('an entry of `users` that cannot be read');
      const known = this.#users.get(sub) ?? { minEpoch: 0, until: 0 };
      this.#users.set(sub, { minEpoch: Math.max(minEpoch, known.minEpoch), until: Math.max(until, known.until) });
    }
  }

  /** Forgets what no token that is still good is about. */
  #sweep(now: number): void {
    this.#swept = now;
    for (const [sid, until] of this.#sessions) if (now >= until * 1000) this.#sessions.delete(sid);
    for (const [sub, { until }] of this.#users) if (now >= until * 1000) this.#users.delete(sub);
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9A-Za-z-]{1,64}$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const entry = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});

function json(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Unreadable('an event that is no JSON');
}

function parse(events: Events, piece: Uint8Array): Event[] {
  try {
    return events.take(piece);
  } catch (error) {
    throw new Unreadable((error as Error).message);
  }
}

/** `fetch` hides what happened in the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message;
}
