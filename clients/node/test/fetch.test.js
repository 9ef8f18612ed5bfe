// The same for the Fetch API: on its own, and in Hono.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Hono } from 'hono';
import { munjigi } from 'munjigi';
import { BOUNDED, Program, eventually, expiry, register, startServer } from './help.js';

describe('an app on the Fetch API', { concurrency: true }, () => {
  let server, quick, gate, quickGate;
  before(async () => {
    server = await startServer();
    quick = await startServer({ 'tokens.access_ttl': '2s' });
    gate = munjigi({ issuer: server.url, feedToken: await server.run('secret', 'feed-token'), origin: 'https://app.example', log() {} });
    quickGate = munjigi({ issuer: quick.url, feedToken: false });
    await gate.ready();
  }, BOUNDED);
  after(async () => {
    gate?.close();
    for (const one of [server, quick]) await one?.stop();
  }, BOUNDED);

  /** As docs/clients.md shows it. */
  function hono(gate) {
    const app = new Hono();
    app.use(async (c, next) => {
      const visitor = await gate.authenticate(c.req.raw);
      if (!visitor.user) return gate.refuse(c.req.raw, visitor);
      c.set('user', visitor.user);
      await next();
      const answer = gate.carry(visitor, c.res);
      // Or Hono would keep the former Cache-Control.
      c.res = undefined;
      c.res = answer;
    });
    app.get('/notes', (c) => c.json({ of: c.get('user').name }, 200, { 'cache-control': 'public' }));
    return app;
  }

  const request = (program, { path = '/notes', ...headers } = {}) => {
    const cookie = [...program.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return new Request(`http://10.0.0.7:8080${path}`, { headers: { cookie, ...headers } });
  };

  test('knows who is signed in, and leads others to log-in', BOUNDED, async () => {
    const { person, program } = await register(server);
    const app = hono(gate);
    const answer = await app.request(request(program));
    assert.deepEqual([answer.status, await answer.json()], [200, { of: person.name }]);
    assert.equal(answer.headers.get('cache-control'), 'public');
    const nobody = new Program(server);
    const led = await app.request(request(nobody, { path: '/notes?of=today', accept: 'text/html' }));
    assert.equal(led.status, 303);
    const to = new URL(led.headers.get('location'));
    assert.equal(to.searchParams.get('return_to'), 'https://app.example/notes?of=today', 'by the name that visitors know');
    const refused = await app.request(request(nobody));
    assert.deepEqual([refused.status, (await refused.json()).code], [401, 'login_required']);
    const bearer = await app.request(request(program, { authorization: 'Bearer x', accept: 'text/html' }));
    assert.deepEqual([bearer.status, bearer.headers.get('www-authenticate')], [401, 'Bearer error="invalid_token"']);
  });

  test('renews in the same request', BOUNDED, async () => {
    const { person, program } = await register(quick);
    await expiry(program.cookies.get('accessToken'));
    const answer = await hono(quickGate).request(request(program));
    assert.deepEqual([answer.status, await answer.json()], [200, { of: person.name }]);
    assert.deepEqual([answer.headers.get('cache-control'), answer.headers.get('vary')], ['no-store', 'Cookie']);
    const before = new Map(program.cookies);
    for (const line of answer.headers.getSetCookie()) program.keep(line);
    for (const name of ['accessToken', 'refreshToken']) assert.notEqual(program.cookies.get(name), before.get(name));
  });

  test('clears the cookies of a session that is over, also in a refusal', BOUNDED, async () => {
    const { program } = await register(quick);
    const thief = program.copy();
    await program.post('/user/logout');
    await expiry(thief.cookies.get('accessToken'));
    thief.cookies.delete('accessToken');
    const refused = await hono(quickGate).request(request(thief));
    assert.equal(refused.status, 401);
    for (const line of refused.headers.getSetCookie()) thief.keep(line);
    assert.deepEqual([...thief.cookies.keys()], ['deviceToken']);
  });

  test('learns of a log-out', BOUNDED, async () => {
    const { program } = await register(server);
    const app = hono(gate);
    const thief = program.copy();
    assert.equal((await app.request(request(thief))).status, 200);
    await program.post('/user/logout');
    await eventually(async () => assert.equal((await app.request(request(thief))).status, 401));
  });

  test('a server that is away, or asks for patience, is 503, and the cookies are kept', BOUNDED, async () => {
    const { program } = await register(quick);
    await expiry(program.cookies.get('accessToken'));
    const answers = [
      () => Promise.reject(new TypeError('fetch failed')),
      () => new Response('', { status: 503, headers: { 'retry-after': '7' } }),
      () => new Response('', { status: 429, headers: { 'retry-after': 'soon' } }),
      () => new Response('', { status: 500 }),
      () => new Response('', { status: 302, headers: { location: '/' } }),
      () => new Response('x'.repeat(70_000), { status: 200 }),
    ];
    const waits = [];
    for (const answer of answers) {
      const said = [];
      const away = munjigi({
        issuer: quick.url,
        feedToken: false,
        log: (message) => said.push(message),
        fetch: async (url, init) => (String(url).endsWith('/refresh') ? answer() : fetch(url, init)),
      });
      const refused = await hono(away).request(request(program, { accept: 'text/html' }));
      assert.deepEqual([refused.status, (await refused.json()).code, refused.headers.getSetCookie()], [503, 'unavailable', []]);
      waits.push(refused.headers.get('retry-after'));
      assert.ok(said.length <= 1);
    }
    assert.deepEqual(waits, ['1', '7', '1', '1', '1', '1']);
  });

  test('tokens that the server accepts and the app does not are 503 and said, not a way in circles', BOUNDED, async () => {
    const { program } = await register(quick);
    const said = [];
    const wrong = munjigi({ issuer: quick.url, audience: 'https://other.example', feedToken: false, log: (message) => said.push(message) });
    const page = () => hono(wrong).request(request(program, { accept: 'text/html' }));
    assert.equal((await page()).status, 503);
    await expiry(program.cookies.get('accessToken'));
    assert.equal((await page()).status, 503);
    assert.equal(said.length, 1);
    assert.match(said[0], /refused for its audience, which is not https:\/\/other\.example: see tokens\.audience there/);
  });

  test('where its own clock is ahead, the server’s counts', BOUNDED, async () => {
    const { person, program } = await register(server);
    const ahead = munjigi({ issuer: server.url, feedToken: false, now: () => Date.now() + 3_600_000 });
    const answer = await hono(ahead).request(request(program, { accept: 'text/html' }));
    assert.deepEqual([answer.status, await answer.json()], [200, { of: person.name }]);
  });

  test('says which option is wrong', () => {
    const good = { issuer: 'https://id.example.com', feedToken: false };
    for (const [options, message] of [
      [{}, /`issuer` is missing/], [{ issuer: 'https://id.example.com' }, /`feedToken` is missing: what `munjigi secret feed-token` prints/],
      [{ ...good, feedToken: '' }, /feedToken/], [{ ...good, feedToken: 'a\nb' }, /feedToken/], [{ ...good, issuer: 'id.example.com' }, /publicUrl/],
      [{ ...good, url: 'file:///etc' }, /`url` is "file/], [{ ...good, publicUrl: 'https://u@id.example.com' }, /publicUrl/], [{ ...good, url: 'https://id.example.com/user' }, /url/],
      [{ ...good, whenStale: 'maybe' }, /whenStale/], [{ ...good, maxStaleness: 5 }, /maxStaleness/], [{ ...good, maxStaleness: NaN }, /maxStaleness/], [{ ...good, origin: '*' }, /origin/],
    ]) {
      assert.throws(() => munjigi(options), message);
    }
    munjigi({ ...good, issuer: `${server.url}/` }).close();
    const said = [];
    munjigi({ ...good, issuer: 'http://id.example.com', fetch: () => Promise.reject(new Error('not asked')), log: (message) => said.push(message) }).close();
    assert.match(said[0], /asked without https/);
  });
});
