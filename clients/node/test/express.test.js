// A real Express app beside the real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import { munjigi, requireUser, visitorOf } from 'munjigi';
import { BOUNDED, Program, eventually, expiry, json, listen, listener, register, startServer } from './help.js';

/** An app as somebody would write it. */
function app(gate) {
  const app = express();
  app.use(gate);
  app.get('/', (req, res) => res.json({ user: req.user ?? null, reason: visitorOf(req)?.reason }));
  app.get('/notes', requireUser(), (req, res) => res.set('cache-control', 'public, max-age=60').json({ of: req.user.name }));
  app.post('/notes', requireUser(), (req, res) => {
    res.writeHead(201, 'Made', { 'Set-Cookie': 'flavour=salt', 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ of: req.user.username }));
  });
  return app;
}

describe('an Express app', { concurrency: true }, () => {
  let server, quick, site, quickSite, gates;
  const { said, log } = listener();

  before(async () => {
    server = await startServer();
    quick = await startServer({ 'tokens.access_ttl': '2s' });
    gates = await Promise.all([server, quick].map(async ({ url, run }) =>
      munjigi({ issuer: url, feedToken: await run('secret', 'feed-token'), log }),
    ));
    [site, quickSite] = await Promise.all(gates.map((gate) => listen(app(gate))));
    await Promise.all(gates.map((gate) => gate.ready()));
  }, BOUNDED);

  after(async () => {
    gates?.forEach((gate) => gate.close());
    for (const one of [site, quickSite]) await one?.close();
    for (const one of [server, quick]) await one?.stop();
    assert.deepEqual(said, []);
  }, BOUNDED);

  /** Asks an app with a program's cookies and keeps what it sets. */
  async function ask(site, program, path, { method = 'GET', headers = {} } = {}) {
    const cookie = [...program.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(site.url + path, { method, headers: { cookie, ...headers }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) program.keep(line);
    return answer;
  }

  test('who is signed in at the server is known, and nobody else', BOUNDED, async () => {
    const { person, program } = await register(server);
    const { user, reason } = await json(await ask(site, program, '/'));
    const { user: info, session } = await program.get('/user/info');
    assert.equal(reason, null);
    assert.deepEqual({ id: user.id, username: user.username, name: user.name }, info);
    assert.deepEqual([user.username, user.name, user.sessionId], [person.username, person.name, session.id]);
    assert.equal(Date.parse(user.expiresAt), Date.parse(session.accessExpiresAt));
    assert.ok(Math.abs(Date.parse(user.loggedInAt) - Date.now()) < 60_000 && Array.isArray(user.amr));
    assert.deepEqual(await json(await ask(site, new Program(server), '/')), { status: 200, user: null, reason: null });
  });

  test('a bearer is known too, and cookies beside it are not looked at', BOUNDED, async () => {
    const { person, program } = await register(server);
    const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
    const nobody = new Program(server);
    const { of } = await json(await ask(site, nobody, '/notes', bearer(program.cookies.get('accessToken'))));
    assert.equal(of, person.name);
    for (const wrong of ['', 'x', `${program.cookies.get('accessToken')}A`, program.cookies.get('refreshToken')]) {
      const refused = await ask(site, program, '/notes', bearer(wrong));
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
      assert.equal((await json(refused)).code, 'login_required');
    }
  });

  test('a person before a page is led to log-in and back; a script gets 401', BOUNDED, async () => {
    const nobody = new Program(server);
    const led = await ask(site, nobody, '/notes?of=today', { headers: { accept: 'text/html,*/*' } });
    assert.equal(led.status, 303);
    const to = new URL(led.headers.get('location'));
    assert.equal(to.origin + to.pathname, `${server.url}/user/login`);
    assert.equal(to.searchParams.get('return_to'), `${site.url}/notes?of=today`);
    for (const headers of [{ accept: 'application/json' }, {}, { accept: 'text/html', 'sec-fetch-dest': 'empty' }]) {
      const refused = await ask(site, nobody, '/notes', { headers });
      assert.match(refused.headers.get('content-type'), /^application\/problem\+json/);
      const { status, code, success, type } = await json(refused);
      assert.deepEqual({ status, code, success, type }, { status: 401, code: 'login_required', success: false, type: 'urn:munjigi:problem:login_required' });
    }
    assert.equal((await ask(site, nobody, '/notes', { method: 'POST', headers: { accept: 'text/html' } })).status, 401);
  });

  test('an expired access token is renewed in the same request, and nothing of it is cached', BOUNDED, async () => {
    const { person, program } = await register(quick);
    const first = new Map(program.cookies);
    await expiry(first.get('accessToken'));
    const answer = await ask(quickSite, program, '/notes');
    assert.deepEqual(await json(answer), { status: 200, of: person.name });
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.match(answer.headers.get('vary'), /cookie/i);
    for (const name of ['accessToken', 'refreshToken']) assert.notEqual(program.cookies.get(name), first.get(name));

    await expiry(program.cookies.get('accessToken'));
    const made = await ask(quickSite, program, '/notes', { method: 'POST' });
    assert.deepEqual([made.status, made.statusText], [201, 'Made']);
    const names = made.headers.getSetCookie().map((line) => line.split('=')[0]).sort();
    assert.deepEqual(names, ['accessToken', 'flavour', 'refreshToken'], 'the app’s own cookie too');
    const fresh = await ask(quickSite, program, '/notes');
    assert.equal(fresh.headers.get('cache-control'), 'public, max-age=60');
    assert.deepEqual(fresh.headers.getSetCookie(), []);
  });

  test('parallel requests with one expired token all pass, each by a renewal of its own', BOUNDED, async () => {
    const { program } = await register(quick);
    await expiry(program.cookies.get('accessToken'));
    const copies = Array.from({ length: 24 }, () => program.copy());
    const answers = await Promise.all(copies.map((copy) => ask(quickSite, copy, '/notes')));
    assert.deepEqual(answers.map(({ status }) => status), copies.map(() => 200));
    const tokens = new Set(copies.map((copy) => copy.cookies.get('refreshToken')));
    assert.equal(tokens.size, copies.length, 'two who hold the same token never come to share the next one');
    await expiry(copies[7].cookies.get('accessToken'));
    assert.equal((await ask(quickSite, copies[7], '/notes')).status, 200);
  });

  test('after a log-out copied cookies are refused here within moments', BOUNDED, async () => {
    const { program } = await register(server);
    const thief = program.copy();
    assert.equal((await ask(site, thief, '/notes')).status, 200);
    const ended = performance.now();
    await program.post('/user/logout');
    const { reason } = await eventually(async () => {
      const seen = await json(await ask(site, thief, '/'));
      assert.equal(seen.user, null);
      return seen;
    });
    console.log(`refused ${Math.round(performance.now() - ended)} ms after the log-out`);
    assert.equal(reason, 'ended');
    assert.equal((await ask(site, thief, '/notes')).status, 401);
  });

  test('who ends all other sessions goes on, and the others are out', BOUNDED, async () => {
    const { person, program } = await register(server);
    const other = new Program(server);
    await other.post('/user/login', person);
    for (const one of [program, other]) assert.equal((await ask(site, one, '/notes')).status, 200);
    const thief = other.copy();
    thief.cookies.delete('refreshToken');
    await program.post('/user/account/sessions/end-others');
    await eventually(async () => assert.equal((await ask(site, thief, '/notes')).status, 401));
    const { user, reason } = await json(await ask(site, other, '/'));
    assert.deepEqual([user, reason], [null, 'ended']);
    assert.equal((await ask(site, program, '/notes')).status, 200);
  });

  test('a refresh token that is over is refused, and its cookies go', BOUNDED, async () => {
    const { program } = await register(quick);
    const thief = program.copy();
    await program.post('/user/logout');
    await expiry(thief.cookies.get('accessToken'));
    thief.cookies.delete('accessToken');
    assert.equal((await ask(quickSite, thief, '/notes')).status, 401);
    assert.deepEqual([...thief.cookies.keys()], ['deviceToken']);
  });

  test('only our own cookies are shown to the server, and only its own are passed on', BOUNDED, async () => {
    const asked = [];
    const spy = (url, init) => {
      asked.push({ url: String(url), ...init.headers });
      return fetch(url, init).then((answer) => {
        const headers = new Headers(answer.headers);
        headers.append('set-cookie', 'other=1; Path=/');
        return new Response(answer.body, { status: answer.status, headers });
      });
    };
    const gate = munjigi({ issuer: quick.url, feedToken: false, fetch: spy, log });
    const own = await listen(app(gate));
    const { program } = await register(quick);
    await expiry(program.cookies.get('accessToken'));
    const copy = program.copy();
    copy.cookies.set('secretOfTheApp', 'x');
    const answer = await ask(own, copy, '/notes');
    assert.equal(answer.status, 200);
    const { cookie } = asked.find(({ url }) => url.endsWith('/user/refresh'));
    const [access, refresh] = ['accessToken', 'refreshToken'].map((name) => `${name}=${program.cookies.get(name)}`);
    assert.equal(cookie, `${access}; ${refresh}`);
    assert.deepEqual(answer.headers.getSetCookie().map((line) => line.split('=')[0]).sort(), ['accessToken', 'refreshToken']);
  });

  test('where renewal is off, the way leads through log-in and back', BOUNDED, async (t) => {
    let handler;
    const own = await listen((...both) => handler(...both));
    const near = await startServer({ 'tokens.access_ttl': '2s', 'server.trusted_origins': own.url });
    t.after(() => near.stop());
    handler = app(munjigi({ issuer: near.url, feedToken: false, renew: false, log }));
    const page = { accept: 'text/html' };
    /** Where a browser comes to that follows to log-in and on. */
    const follow = async (program) => {
      const led = await ask(own, program, '/notes?of=today', { headers: page });
      assert.equal(led.status, 303);
      const cookie = [...program.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(led.headers.get('location'), { headers: { cookie, ...page }, redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) program.keep(line);
      return { answer, reason: new URL(led.headers.get('location')).searchParams.get('reason') };
    };
    const { person, program } = await register(near);
    await expiry(program.cookies.get('accessToken'));
    const { answer, reason } = await follow(program);
    assert.deepEqual([reason, answer.status, answer.headers.get('location')], ['expired', 303, `${own.url}/notes?of=today`]);
    assert.equal((await ask(own, program, '/notes')).status, 200);

    const stranger = new Program(near);
    const shown = await follow(stranger);
    assert.deepEqual([shown.reason, shown.answer.status], [null, 200]);
    const field = /name="return_to"\s+value="([^"]+)"/.exec(await shown.answer.text())[1].replaceAll('&amp;', '&');
    const { returnTo } = await stranger.post('/user/login', { ...person, return_to: field });
    assert.equal(returnTo, `${own.url}/notes?of=today`);
    assert.equal((await ask(own, stranger, '/notes')).status, 200);
  });

  test('requireUser without a gate before it is a fault that says so', BOUNDED, async () => {
    const bare = express();
    bare.get('/', requireUser(), (req, res) => res.end());
    bare.use((error, req, res, next) => res.status(500).end(error.message));
    const own = await listen(bare);
    assert.match(await (await fetch(own.url)).text(), /requireUser\(\) stands before a route/);
  });
});
