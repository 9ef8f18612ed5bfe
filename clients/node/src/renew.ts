// Renewal in the same request: the server is asked with the visitor's own cookies, and what it sets is passed on.
import { accessOf, ours, type Shown } from './cookies.js';
import type { Settings } from './options.js';
import { gather, patience } from './wire.js';

export type Renewal =
  /** The server's word for it: with the new access token, or without one where by its clock the old one is still good. */
  | { kind: 'renewed'; access: string | undefined; cookies: string[] }
  | { kind: 'ended'; cookies: string[] }
  /** Nothing is known, and the cookies are to be kept. */
  | { kind: 'unavailable'; retryAfter: number };

const PATIENCE = 5000;
/** Requests to the server at once; with more, visitors are told to come again. */
const MOST = 256;

export class Renewals {
  #underWay = 0;

  constructor(readonly settings: Settings) {}

  /**
   * Each request has a renewal of its own, also where several show the same token: if one of them were a thief's, they must not
   * come to share the next one too, or the server would never see the two go different ways.
   */
  async renew(shown: Shown & { refresh: string }): Promise<Renewal> {
    if (this.#underWay >= MOST) return { kind: 'unavailable', retryAfter: 1 };
    this.#underWay += 1;
    try {
      return await this.#ask(shown);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #ask({ access, refresh }: Shown & { refresh: string }): Promise<Renewal> {
    const { url, basePath, prefix, fetch, log } = this.settings;
    const cookie = [access && `${prefix}accessToken=${access}`, `${prefix}refreshToken=${refresh}`].filter(Boolean).join('; ');
    const { signal, done } = patience(PATIENCE);
    try {
      const headers = { accept: 'application/json', cookie };
      const answer = await fetch(`${url}${basePath}/refresh`, { method: 'POST', headers, redirect: 'manual', signal });
      await gather(answer, 64 * 1024);
      const cookies = ours(answer.headers.getSetCookie(), prefix);
      if (answer.status === 200) return { kind: 'renewed', access: accessOf(cookies, prefix), cookies };
      if (answer.status === 401) return { kind: 'ended', cookies };
      if (answer.status !== 429 && answer.status !== 503) log(`munjigi: ${url}${basePath}/refresh answered ${answer.status}`);
      return { kind: 'unavailable', retryAfter: Math.max(1, Number(answer.headers.get('retry-after')) || 1) };
    } catch (error) {
      log(`munjigi: ${url} cannot be asked for a renewal: ${(error as Error).message}`);
      return { kind: 'unavailable', retryAfter: 1 };
    } finally {
      done();
    }
  }
}
