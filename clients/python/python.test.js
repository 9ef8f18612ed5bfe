// The example in Python as a process of its own, beside the real server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../e2e/eventually.js';
import { expiry, register, startServer } from '../../e2e/server.js';

const BOUNDED = { timeout: 60_000 };
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Starts the app with these settings; its address. */
async function startApp(issuer, feedToken) {
  const env = { PATH: process.env.PATH, PYTHONPATH: here('../../e2e/python'), PYTHONDONTWRITEBYTECODE: '1' };
  if (feedToken) env.MUNJIGI_FEED_TOKEN = feedToken;
  const child = spawn('python3', [here('app.py'), issuer, '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = await new Promise((found, failed) => {
    child.stdout.setEncoding('utf8').on('data', (text) => found(/http:\S+/.exec(text)[0]));
    child.once('close', () => failed(new Error('the app ended')));
  });
  return { url, stop: () => (process.removeListener('exit', kill), kill()) };
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the example in Python', { concurrency: true }, () => {
  let server, quick, app, quickApp;
  before(async () => {
    server = await startServer();
    quick = await startServer({ 'tokens.access_ttl': '2s', 'tokens.algorithm': 'EdDSA' });
    app = await startApp(server.url, await server.run('secret', 'feed-token'));
    quickApp = await startApp(quick.url);
    // Until the feed has been heard it is 503 to whoever has a good token.
    const { program } = await register(server);
    await eventually(async () => assert.equal((await ask(app, { cookie: `accessToken=${program.cookies.get('accessToken')}` })).status, 200));
  }, BOUNDED);
  after(async () => {
    for (const one of [app, quickApp, server, quick]) await one?.stop();
  }, BOUNDED);

  const ask = async (app, headers) => {
    const answer = await fetch(app.url, { headers });
    return { status: answer.status, ...(await answer.json()) };
  };

  test('knows who is signed in, by cookie and by bearer', BOUNDED, async () => {
    const { person, program } = await register(server);
    const token = program.cookies.get('accessToken');
    for (const headers of [{ cookie: `a=1; accessToken=${token}` }, { authorization: `Bearer ${token}` }]) {
      const { status, username, name } = await ask(app, headers);
      assert.deepEqual({ status, username, name }, { status: 200, username: person.username, name: person.name });
    }
    assert.equal((await ask(app, {})).status, 401);
  });

  test('refuses what is forged, doubled or of another kind', BOUNDED, async () => {
    const { program } = await register(server);
    const token = program.cookies.get('accessToken');
    const [head, payload, signature] = token.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url'));
    const { keys: [jwk] } = await (await fetch(`${server.url}/.well-known/jwks.json`)).json();
    const hs256 = `${encode({ ...header, alg: 'HS256' })}.${payload}`;
    const mac = (secret) => `${hs256}.${createHmac('sha256', secret).update(hs256).digest('base64url')}`;
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const other = (await register(quick)).program.cookies.get('accessToken');
    for (const wrong of [
      `${encode({ ...header, alg: 'none' })}.${payload}.`, `${encode({ ...header, alg: 'none' })}.${payload}.${signature}`, mac(jwk.x), mac(JSON.stringify(jwk)),
      `${head}.${encode({ ...claims, username: 'admin' })}.${signature}`, `${encode({ ...header, typ: 'JWT' })}.${payload}.${signature}`,
      `${encode({ ...header, jwk })}.${payload}.${signature}`, other, program.cookies.get('refreshToken'), 'x', '..', 'a.b.c', 'x'.repeat(5000),
    ]) {
      assert.equal((await ask(app, { authorization: `Bearer ${wrong}` })).status, 401, wrong.slice(0, 60));
      assert.equal((await ask(app, { cookie: `accessToken=${wrong}` })).status, 401, wrong.slice(0, 60));
    }
    assert.equal((await ask(app, { cookie: `accessToken=${token}; accessToken=${token}` })).status, 401);
    assert.equal((await ask(app, { cookie: `__Host-accessToken=${token}` })).status, 401);
  });

  test('refuses what has expired', BOUNDED, async () => {
    const { program } = await register(quick);
    const token = program.cookies.get('accessToken');
    assert.equal((await ask(quickApp, { cookie: `accessToken=${token}` })).status, 200);
    await expiry(token);
    assert.equal((await ask(quickApp, { cookie: `accessToken=${token}` })).status, 401);
  });

  test('learns of a log-out within moments', BOUNDED, async () => {
    const { program } = await register(server);
    const headers = { cookie: `accessToken=${program.cookies.get('accessToken')}` };
    assert.equal((await ask(app, headers)).status, 200);
    await program.post('/user/logout');
    const ended = performance.now();
    await eventually(async () => assert.equal((await ask(app, headers)).status, 401));
    console.log(`refused ${Math.round(performance.now() - ended)} ms after the log-out`);
  });

  test('lets nobody in before the feed was heard, nor when it is silent', { timeout: 60_000 }, async (t) => {
    const own = await startServer();
    t.after(() => own.stop());
    const { program } = await register(own);
    const headers = { cookie: `accessToken=${program.cookies.get('accessToken')}` };
    const never = await startApp(own.url, 'munjigi-feed-of-somebody-else');
    t.after(() => never.stop());
    assert.deepEqual(await ask(never, headers), { status: 503, code: 'unavailable' });
    const follows = await startApp(own.url, await own.run('secret', 'feed-token'));
    t.after(() => follows.stop());
    await eventually(async () => assert.equal((await ask(follows, headers)).status, 200));
    await own.stop();
    await eventually(async () => assert.equal((await ask(follows, headers)).status, 503));
  });
});
