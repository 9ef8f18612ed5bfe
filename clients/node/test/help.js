// What the tests share: a server with a short access TTL, an app before it, and an issuer that is not to be trusted too far.
import { webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

export { eventually } from '../../../e2e/eventually.js';
export { Program, expiry, register, someone, startServer } from '../../../e2e/server.js';

export const BOUNDED = { timeout: 60_000 };

const open = new Set();
// Also what a failed test has left behind, or the process would wait for it.
after(() => Promise.all([...open].map((close) => close())));

/** Listens on a free port; its address, and how to end it at once. */
export async function listen(handler) {
  const server = createServer(handler);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const close = () => {
    open.delete(close);
    server.closeAllConnections();
    return new Promise((done) => server.close(() => done()));
  };
  open.add(close);
  return { url: `http://localhost:${server.address().port}`, close };
}

/** What a gate has said to its operator. */
export function listener() {
  const said = [];
  const log = (message) => said.push(message);
  return { said, log };
}

export const json = async (answer) => ({ status: answer.status, ...(await answer.json()) });

/** A cookie header with this access token. */
export const cookie = (token) => ({ cookie: `accessToken=${token}` });

const text = new TextEncoder();
export const encode = (value) => {
  const bytes = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return Buffer.from(bytes).toString('base64url');
};

/** An issuer whose key is ours, so that it signs whatever a test wants; it publishes `keys` and plays what `feed` does. */
export async function startIssuer(algorithm = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: algorithm, use: 'sig' };
  const issuer = {
    jwk,
    privateKey,
    keys: [jwk],
    asked: { keys: 0, feed: [], other: [] },
    feed: (request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: current\nid: 1\ndata: {}\n\n');
    },
  };
  const site = await listen((request, response) => {
    if (request.url === '/.well-known/jwks.json') {
      issuer.asked.keys += 1;
      return response.end(JSON.stringify({ keys: issuer.keys }));
    }
    if (request.url === '/auth/revocations') {
      issuer.asked.feed.push(request.headers);
      return issuer.feed(request, response);
    }
    issuer.asked.other.push(request.url);
    response.writeHead(404).end();
  });
  Object.assign(issuer, site);
  const now = () => Math.floor(Date.now() / 1000);
  /** Claims as a server makes them. */
  issuer.claims = (more = {}) => ({
    iss: site.url, aud: site.url, sub: '01a2b3c4-0000-7000-8000-000000000001', sid: '00112233445566778899aabbccddeeff', sep: 3,
    name: '김미나', username: 'mina', iat: now(), exp: now() + 600, jti: 'j', auth_time: now(), amr: ['pwd'], ...more,
  });
  /** A token with these claims and this header, signed with our key. */
  issuer.sign = (more = {}, header = {}, key = privateKey) =>
    new SignJWT(issuer.claims(more)).setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: 'k1', ...header }).sign(key);
  /** The same over texts that no library would write. */
  issuer.signRaw = async (header, payload) => {
    const signed = `${encode(header)}.${encode(payload)}`;
    const key = await webcrypto.subtle.importKey('jwk', await exportJWK(privateKey), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const signature = await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, text.encode(signed));
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  };
  return issuer;
}
