/**
 * Who is signed in at a Munjigi server.
 *
 * ```js
 * import { munjigi, requireUser } from 'munjigi';
 *
 * app.use(munjigi({ issuer: 'https://id.example.com', feedToken: process.env.MUNJIGI_FEED_TOKEN }));
 * app.get('/notes', requireUser(), (req, res) => res.send(`Hello, ${req.user.name}!`));
 * ```
 */
import { refusal } from './answers.js';
import { middleware, type Handler } from './connect.js';
import { Gate, type Visitor } from './gate.js';
import type { Options } from './options.js';
import type { User as SignedInUser } from './token.js';

export { requireUser, visitorOf, type Handler, type Next, type NodeRequest, type NodeResponse } from './connect.js';
export type { Reason, Visitor } from './gate.js';
export type { Options } from './options.js';
export type { User } from './token.js';

declare global {
  // As other middleware declares it, so that they can stand beside each other.
  namespace Express {
    interface User extends SignedInUser {}
    interface Request {
      user?: User | undefined;
    }
  }
}

/** A gate: middleware for Express and Connect, and the same for the Fetch API. */
export interface Munjigi extends Handler {
  /** Who makes this request. */
  authenticate(request: Request): Promise<Visitor>;
  /** The answer to somebody who has to be signed in and is not: 303 to log-in for a page, else 401, or 503. */
  refuse(request: Request, visitor: Visitor): Response;
  /** The answer with the visitor's new cookies, which every answer to them must carry. */
  carry(visitor: Visitor, response: Response): Response;
  /** Settled when the keys were asked for, and the feed has said what has ended: from then on nobody waits. */
  ready(): Promise<void>;
  /** Stops following the feed. */
  close(): void;
}

/** Makes a gate that trusts a Munjigi server. Throws where an option is missing or wrong. */
export function munjigi(options: Options): Munjigi {
  const gate = new Gate(options);
  const carry = ({ cookies }: Visitor, response: Response): Response => {
    if (!cookies.length) return response;
    const { status, statusText, body } = response;
    const headers = new Headers(response.headers);
    for (const line of cookies) headers.append('set-cookie', line);
    headers.set('cache-control', 'no-store');
    headers.append('vary', 'Cookie');
    return new Response(body, { status, statusText, headers });
  };
  const form = {
    authenticate: ({ headers }: Request) => gate.visitor(headers.get('authorization') ?? undefined, headers.get('cookie') ?? ''),
    refuse(request: Request, visitor: Visitor): Response {
      const header = (name: string) => request.headers.get(name) ?? '';
      const { origin, pathname, search } = new URL(request.url);
      const asked = {
        method: request.method,
        url: (gate.settings.origin ?? origin) + pathname + search,
        accept: header('accept'),
        dest: header('sec-fetch-dest'),
        bearer: /^bearer\b/i.test(header('authorization')),
      };
      const { status, headers, body } = refusal(visitor, asked, gate.settings);
      return carry(visitor, new Response(body || null, { status, headers }));
    },
    carry,
    ready: () => gate.ready(),
    close: () => gate.close(),
  };
  return Object.assign(middleware(gate), form);
}
