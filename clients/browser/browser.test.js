// Two tabs of a real Chromium, an app that serves the module beside the real server behind one address, and short access tokens.
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, eventually } from '../../e2e/browser.js';
import { Program, expiry, register, startServer } from '../../e2e/server.js';

const BOUNDED = { timeout: 60_000 };
const MODULE = fileURLToPath(new URL('munjigi.js', import.meta.url));

const tokenOf = ({ cookie = '' }) => /accessToken=([^;]+)/.exec(cookie)?.[1];

/** One address as a proxy makes it: `/user` is the server's, the rest is the app's. `asked` are requests to `/user`. */
async function startSite() {
  const site = { server: undefined, asked: [], notes: [], refuse: 0 };
  const listener = createServer((request, response) => {
    if (request.url.startsWith('/user/')) {
      const { method, url, headers } = request;
      const far = send(site.server.url + url, { method, headers: { ...headers, host: new URL(site.server.url).host } }, (answer) => {
        const renewed = answer.headers['set-cookie']?.some((line) => /^accessToken=[^;]/.test(line)) ?? false;
        site.asked.push({ method, url, status: answer.statusCode, renewed, token: tokenOf(headers) });
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      far.on('error', () => response.destroy());
      return request.pipe(far);
    }
    if (request.url === '/munjigi.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      return createReadStream(MODULE).pipe(response);
    }
    if (request.url === '/notes') {
      // An app that verifies for itself: an access token that has expired is 401.
      const token = tokenOf(request.headers);
      const { exp } = token ? JSON.parse(Buffer.from(token.split('.')[1], 'base64url')) : { exp: 0 };
      let body = '';
      request.on('data', (text) => (body += text));
      return request.on('end', () => {
        const status = site.refuse > 0 || exp * 1000 <= Date.now() ? 401 : 200;
        site.refuse -= 1;
        site.notes.push({ status, body });
        response.writeHead(status).end(body);
      });
    }
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>An app</title><link rel="icon" href="data:,">');
  });
  await new Promise((done) => listener.listen(0, '127.0.0.1', done));
  site.port = listener.address().port;
  site.url = `http://localhost:${site.port}`;
  site.close = () => (listener.closeAllConnections(), new Promise((done) => listener.close(() => done())));
  return site;
}

describe('in a browser', { concurrency: true }, () => {
  let server, steady, browser;
  before(async () => {
    server = await startServer({ 'tokens.access_ttl': '2s' });
    steady = await startServer();
    // A name that is not localhost has no locks over http.
    browser = await launch('--host-resolver-rules=MAP app.example 127.0.0.1');
  }, BOUNDED);
  after(async () => {
    await browser?.close();
    for (const one of [server, steady]) await one?.stop();
  }, BOUNDED);

  /** So many tabs of somebody who is signed in, each with a gate. */
  async function open(t, tabs, { host = 'localhost', by = server } = {}) {
    const site = await startSite();
    t.after(() => site.close());
    const base = `http://${host}:${site.port}`;
    site.server = by;
    if (host !== 'localhost') {
      site.server = await startServer({ 'tokens.access_ttl': '2s', 'server.trusted_origins': base });
      t.after(() => site.server.stop());
    }
    const { program } = await register(site.server);
    const context = await browser.newContext();
    t.after(() => context.close());
    await context.addCookies([...program.cookies].map(([name, value]) => ({ name, value, url: base, httpOnly: true, sameSite: 'Lax' })));
    const pages = [];
    for (let tab = 0; tab < tabs; tab += 1) {
      const page = await context.newPage();
      await page.goto(base);
      await page.evaluate(async () => {
        const { munjigi } = await import('/munjigi.js');
        window.ended = 0;
        window.gate = munjigi({ onEnd: () => (window.ended += 1) });
        window.info = await window.gate.info();
      });
      pages.push(page);
    }
    return { site, pages, context, program };
  }

  const token = async (context) => (await context.cookies()).find(({ name }) => name === 'accessToken')?.value;
  /** What scripts asked for since. */
  const refreshes = (site) => site.asked.filter(({ url, method }) => method === 'POST' && url === '/user/refresh');

  /** No token was traded in by two. */
  const isRenewedOnce = (renewals) => {
    const tokens = renewals.map(({ token }) => token);
    assert.equal(new Set(tokens).size, tokens.length, `${tokens.length} renewals of ${new Set(tokens).size} tokens`);
  };

  for (const [host, how] of [['localhost', 'with locks'], ['app.example', 'without locks']]) {
    test(`of two tabs one renews, and the other is told, ${how}`, BOUNDED, async (t) => {
      const { site, pages, context } = await open(t, 2, { host });
      assert.equal(await pages[0].evaluate(() => 'locks' in navigator), host === 'localhost');
      assert.equal(await pages[0].evaluate(() => window.info.user.name), '김문지기');
      const seen = new Set([await token(context)]);
      await eventually(async () => {
        seen.add(await token(context));
        assert.ok(seen.size > 3);
      });
      const asked = refreshes(site);
      const renewals = asked.filter(({ renewed }) => renewed);
      console.log(`${how}: ${renewals.length} renewals, ${asked.length} requests to renew, of two tabs`);
      assert.deepEqual(asked.map(({ status }) => status), asked.map(() => 200));
      assert.ok(renewals.length >= 3);
      isRenewedOnce(renewals);
    });
  }

  test('the tab that renews may go, and the other goes on', BOUNDED, async (t) => {
    const { site, pages, context } = await open(t, 2);
    await pages[0].close();
    const before = await token(context);
    await eventually(async () => assert.notEqual(await token(context), before));
    assert.ok(refreshes(site).some(({ renewed }) => renewed));
  });

  test('a 401 is followed by a renewal and one second try, with the same body', BOUNDED, async (t) => {
    const { site, pages: [page] } = await open(t, 1, { by: steady });
    const post = () => page.evaluate(async () => {
      const answer = await window.gate.fetch('/notes', { method: 'POST', body: '비밀 note' });
      return { status: answer.status, body: await answer.text() };
    });
    assert.deepEqual(await post(), { status: 200, body: '비밀 note' });
    site.refuse = 1;
    assert.deepEqual(await post(), { status: 200, body: '비밀 note' });
    assert.deepEqual(site.notes.map(({ status, body }) => [status, body]), [[200, '비밀 note'], [401, '비밀 note'], [200, '비밀 note']]);
    site.refuse = 2;
    assert.equal((await post()).status, 401, 'and no third');
    assert.equal(site.notes.length, 5);
  });

  test('many requests at the moment of expiry wait for one of them', BOUNDED, async (t) => {
    const { site, pages, context } = await open(t, 2);
    await expiry(await token(context));
    const statuses = await Promise.all(pages.map((page) => page.evaluate(() =>
      Promise.all(Array.from({ length: 12 }, async () => (await window.gate.fetch('/notes')).status)),
    )));
    assert.deepEqual(statuses.flat(), Array.from({ length: 24 }, () => 200));
    const refused = site.notes.filter(({ status }) => status === 401).length;
    const renewals = refreshes(site).filter(({ renewed }) => renewed);
    console.log(`24 requests of two tabs at expiry: ${renewals.length} renewal(s), ${refused} second tries`);
    isRenewedOnce(renewals);
  });

  test('a log-out elsewhere ends it in every tab, once', BOUNDED, async (t) => {
    const { pages, program } = await open(t, 2);
    const owner = new Program(server);
    owner.cookies = new Map(program.cookies);
    await owner.post('/user/logout');
    for (const page of pages) await eventually(async () => assert.equal(await page.evaluate(() => window.ended), 1));
    const { status } = await pages[0].evaluate(async () => ({ status: (await window.gate.fetch('/notes')).status }));
    assert.equal(status, 401);
    assert.equal(await pages[1].evaluate(() => window.gate.renew()), false);
  });

  test('a tab that is stuck in its renewal holds the other up for a while only', BOUNDED, async (t) => {
    const { pages: [stuck, page] } = await open(t, 2);
    // As a frozen tab does: it has the lock, and does nothing.
    await stuck.evaluate(() => new Promise((held) => navigator.locks.request('munjigi /user', () => (held(), new Promise(() => {})))));
    const began = Date.now();
    const status = await page.evaluate(async () => {
      await window.gate.renew().catch(() => {});
      return (await window.gate.fetch('/healthz')).status;
    });
    assert.equal(status, 200);
    console.log(`went on after ${Date.now() - began} ms`);
  });

  test('a server that is away ends nothing', BOUNDED, async (t) => {
    const { site, pages: [page], context } = await open(t, 1);
    let away = 0;
    await context.route('**/user/refresh', (route) => ((away += 1), route.fulfill({ status: 503, body: '{}' })));
    await eventually(() => assert.ok(away > 0));
    assert.equal(await page.evaluate(() => window.ended), 0);
    await context.unroute('**/user/refresh');
    assert.equal(await page.evaluate(() => window.gate.renew()), true);
    assert.ok(refreshes(site).some(({ renewed }) => renewed));
  });

  test('the module is smaller than 3 KB', async () => {
    const { size } = await stat(MODULE);
    assert.ok(size < 3072, `${size} bytes`);
  });
});
