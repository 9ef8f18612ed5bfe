/** What `GET /user/info` says. */
export interface Info {
  loggedIn: boolean;
  user: { id: string; username: string; name: string } | null;
  session: { id: string; expiresAt: string; accessExpiresAt: string } | null;
  reason: 'expired' | 'ended' | 'reused' | null;
}

export interface Munjigi {
  /** Who is signed in; renews on the way if the access token has expired. Call it when the page opens, and after a log-in. */
  info(): Promise<Info>;
  /** Renews now, unless another tab has just done so; whether somebody is signed in. Rejects where the server does not answer. */
  renew(): Promise<boolean>;
  /** `fetch`; a renewal that is due comes first, and a 401 is followed by one and a second try. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Renews no more. */
  close(): void;
}

export interface Options {
  /** The server's origin; by default the page's own. */
  url?: string;
  /** `server.base_path` of the server; by default `/user`. */
  basePath?: string;
  /** Called when the session is over, in every tab. */
  onEnd?: () => void;
}

export function munjigi(options?: Options): Munjigi;
