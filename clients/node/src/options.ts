// What a gate is told, and what it makes of it.

/** Which server is trusted, and how far. */
export interface Options {
  /** `iss` of the server's tokens: its public URL, unless it says otherwise in `tokens.issuer`. */
  issuer: string;
  /**
   * What `munjigi secret feed-token` prints there: with it a log-out counts here within a second. `false`: the feed is not
   * followed, and a log-out counts when the access token expires.
   */
  feedToken: string | false;
  /** `aud` of its tokens; the issuer, unless the server says otherwise in `tokens.audience`. */
  audience?: string;
  /** Where visitors find it; the issuer, unless that is another. */
  publicUrl?: string;
  /** Where it is reached from here; the public URL, unless there is a shorter way. */
  url?: string;
  /** `server.base_path` of the server: `/user`. */
  basePath?: string;
  /** `cookies.domain` of the server, where that is set. */
  cookieDomain?: string;
  /** This app's own origin as visitors type it in, for the way back from log-in. Default: as the request says. */
  origin?: string;
  /**
   * Whether an access token that has expired is renewed in the same request, by asking the server with the visitor's own cookies
   * and passing the new ones on. Default: true.
   */
  renew?: boolean;
  /** What becomes of good tokens when nothing was heard of the server for `maxStaleness`: `serve` (the default) or `refuse`. */
  whenStale?: 'serve' | 'refuse';
  /** How long that is, in milliseconds. Default: 5000. */
  maxStaleness?: number;
  /** Where to say what an operator should know. Default: `console.warn`. */
  log?: (message: string) => void;
  /** What the server is asked with. Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** The time in milliseconds since the Unix epoch. Default: `Date.now`. */
  now?: () => number;
}

/** The same, complete. */
export interface Settings extends Required<Omit<Options, 'cookieDomain' | 'origin'>> {
  origin: string | undefined;
  /** What the names of the cookies begin with. */
  prefix: '' | '__Host-' | '__Secure-';
}

/** Completes and checks the options; the error says which one is wrong. */
export function settings(options: Options): Settings {
  const { issuer, feedToken } = options;
  if (typeof issuer !== 'string' || issuer === '') throw new TypeError('munjigi: `issuer` is missing: the public URL of the server');
  if (feedToken !== false && (typeof feedToken !== 'string' || !/^[\x21-\x7e]+$/.test(feedToken))) {
    throw new TypeError(
      'munjigi: `feedToken` is missing: what `munjigi secret feed-token` prints, or false to learn of log-outs only when tokens expire',
    );
  }
  const { whenStale = 'serve', maxStaleness = 5000 } = options;
  if (whenStale !== 'serve' && whenStale !== 'refuse') throw new TypeError('munjigi: `whenStale` is `serve` or `refuse`');
  if (!(maxStaleness >= 1000)) throw new TypeError('munjigi: `maxStaleness` is at least 1000 milliseconds');
  const publicUrl = base('publicUrl', options.publicUrl ?? issuer);
  const https = publicUrl.startsWith('https:');
  return {
    issuer,
    feedToken,
    audience: options.audience ?? issuer,
    publicUrl,
    url: options.url === undefined ? publicUrl : base('url', options.url),
    basePath: (options.basePath ?? '/user').replace(/\/+$/, ''),
    origin: options.origin === undefined ? undefined : base('origin', options.origin),
    prefix: !https ? '' : options.cookieDomain === undefined ? '__Host-' : '__Secure-',
    renew: options.renew ?? true,
    whenStale,
    maxStaleness,
    log: options.log ?? ((message) => console.warn(message)),
    fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)),
    now: options.now ?? Date.now,
  };
}

/** Scheme, host and port, without a slash at the end. */
function base(name: string, text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below.
  }
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new TypeError(`munjigi: \`${name}\` is ${JSON.stringify(text)}: expected something like https://id.example.com`);
  }
  return url.origin;
}
