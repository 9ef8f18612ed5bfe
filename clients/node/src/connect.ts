// The form for Express and Connect: `(req, res, next)`.
import { refusal, type Answer, type Asked } from './answers.js';
import type { Gate, Visitor } from './gate.js';

/** What is needed of Node's request, and of Express's. */
export interface NodeRequest {
  method?: string | undefined;
  url?: string | undefined;
  originalUrl?: string | undefined;
  protocol?: string | undefined;
  headers: { [name: string]: string | string[] | undefined };
  rawHeaders?: string[] | undefined;
  socket?: unknown;
}

/** What is needed of Node's response, and of Express's. */
export interface NodeResponse {
  statusCode: number;
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: number | string | readonly string[]): unknown;
  writeHead: (...args: any[]) => any;
  end(body?: string): unknown;
}

export type Next = (error?: any) => void;
export type Handler = (req: NodeRequest, res: NodeResponse, next: Next) => void;

const known = new WeakMap<object, { gate: Gate; visitor: Visitor }>();

/** Finds out who asks and notes it as `req.user`. */
export function middleware(gate: Gate): Handler {
  return (req, res, next) => {
    // Mounted twice, it asks once.
    if (known.get(req)?.gate === gate) return next();
    gate.visitor(authorization(req), header(req, 'cookie')).then((visitor) => {
      known.set(req, { gate, visitor });
      (req as { user?: unknown }).user = visitor.user ?? undefined;
      if (visitor.cookies.length) carry(res, visitor.cookies);
      next();
    }, next);
  };
}

/** Lets those through who are signed in; the others are led to log-in, or get 401. Stands after `munjigi(…)`. */
export function requireUser(): Handler {
  return (req, res, next) => {
    const found = known.get(req);
    if (!found) return next(new Error('munjigi: requireUser() stands before a route that munjigi(…) does not stand before'));
    if (found.visitor.user) return next();
    return send(res, refusal(found.visitor, asked(req, found.gate), found.gate.settings));
  };
}

/** Who asked, and why it is nobody; `undefined` where no gate was passed. */
export function visitorOf(req: object): Visitor | undefined {
  return known.get(req)?.visitor;
}

function send(res: NodeResponse, { status, headers, body }: Answer): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(body);
}

function asked(req: NodeRequest, gate: Gate): Asked {
  const { origin } = gate.settings;
  const tls = (req.socket as { encrypted?: boolean } | undefined)?.encrypted === true;
  const here = origin ?? `${req.protocol ?? (tls ? 'https' : 'http')}://${header(req, 'host')}`;
  return {
    method: req.method ?? 'GET',
    url: here + (req.originalUrl ?? req.url ?? '/'),
    accept: header(req, 'accept'),
    dest: header(req, 'sec-fetch-dest'),
    bearer: /^bearer\b/i.test(header(req, 'authorization')),
  };
}

function header(req: NodeRequest, name: string): string {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join('; ') : (value ?? '');
}

/** The one `Authorization` line; `null` if there are more, of which Node would show the first. */
function authorization({ headers, rawHeaders = [] }: NodeRequest): string | null | undefined {
  let lines = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'authorization') lines += 1;
  const value = headers.authorization;
  return lines > 1 || Array.isArray(value) ? null : value;
}

/** Adds the cookies when the head is written, whatever the app has set until then; and no cache hands out a session. */
function carry(res: NodeResponse, cookies: string[]): void {
  const writeHead = res.writeHead;
  res.writeHead = function (this: NodeResponse, status: number, ...rest: unknown[]) {
    const message = typeof rest[0] === 'string' ? [rest.shift()] : [];
    for (const [name, value] of pairs(rest[0])) res.setHeader(name, value);
    const own = res.getHeader('set-cookie') ?? [];
    res.setHeader('set-cookie', [...(Array.isArray(own) ? own : [String(own)]), ...cookies]);
    res.setHeader('cache-control', 'no-store');
    const vary = String(res.getHeader('vary') ?? '');
    if (!/(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary)) res.setHeader('vary', vary ? `${vary}, Cookie` : 'Cookie');
    return writeHead.call(this, status, ...message);
  };
}

/** Headers as `writeHead` takes them: an object, or a list of names and values in turn. */
function pairs(headers: unknown): [string, string | string[]][] {
  if (!Array.isArray(headers)) return Object.entries((headers ?? {}) as Record<string, string>).filter(([, value]) => value !== undefined);
  const together = new Map<string, string | string[]>();
  for (let at = 0; at < headers.length; at += 2) {
    const before = together.get(headers[at]);
    together.set(headers[at], before === undefined ? headers[at + 1] : [before, headers[at + 1]].flat());
  }
  return [...together];
}
