// What somebody is told who has to be signed in and is not.
import type { Visitor } from './gate.js';
import type { Settings } from './options.js';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What of a request decides how it is answered. */
export interface Asked {
  method: string;
  /** As the visitor typed it in. */
  url: string;
  accept: string;
  /** `Sec-Fetch-Dest`, from browsers that send it. */
  dest: string;
  bearer: boolean;
}

/**
 * A person before a page is led to log-in, which knows the way back; there, whoever still has a refresh token is renewed and sent
 * back at once. Programs and scripts get a problem document (RFC 9457).
 */
export function refusal(visitor: Visitor, asked: Asked, { publicUrl, basePath }: Settings): Answer {
  if (visitor.reason === 'unavailable') {
    const detail = 'The service is not available at the moment. Please try again.';
    return problem(503, 'unavailable', 'Service Unavailable', detail, { 'retry-after': String(visitor.retryAfter) });
  }
  if (isPage(asked)) {
    const to = new URLSearchParams({ return_to: asked.url });
    if (visitor.reason) to.set('reason', visitor.reason);
    return { status: 303, headers: { location: `${publicUrl}${basePath}/login?${to}`, 'cache-control': 'no-store' }, body: '' };
  }
  const challenge: Record<string, string> = asked.bearer ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {};
  return problem(401, 'login_required', 'Unauthorized', 'Please log in.', challenge);
}

function isPage({ method, accept, dest, bearer }: Asked): boolean {
  return (method === 'GET' || method === 'HEAD') && !bearer && /\btext\/html\b/i.test(accept) && (dest === '' || dest === 'document');
}

function problem(status: number, code: string, title: string, detail: string, headers: Record<string, string>): Answer {
  const type = `urn:munjigi:problem:${code}`;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ type, title, status, detail, success: false, code, msg: detail }),
  };
}
