// Attacks on somebody with a browser: where it ends up after a log-in, and what of what others typed it runs. The lists are
// those of the server's own tests.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Visitor, eventually, launch } from './browser.js';
import { Program, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 600_000 };
const LISTS = new URL('../crates/munjigi/tests/it/web_attacks/', import.meta.url);
const TRUSTED = 'http://app.example.com';
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const list = async (name) => JSON.parse(await readFile(new URL(name, LISTS), 'utf8'));

/** A server that stands for other sites. */
async function stranger(answer) {
  const server = createServer(answer);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { port: server.address().port, stop };
}

describe('attacks in a browser', () => {
  let browser, server, evil, trusted, places;

  before(async () => {
    evil = await stranger((_, answer) => answer.setHeader('content-type', 'text/html').end('<title>elsewhere</title>'));
    trusted = await stranger((request, answer) => {
      if (request.url === '/away') return answer.writeHead(302, { location: '/\\evil.example/' }).end();
      if (request.url === '/policed') answer.setHeader('content-security-policy', POLICY);
      const script = ['/running', '/policed'].includes(request.url) ? '<script>alert(1)</script><img src=x onerror=alert(2)>' : '';
      return answer.setHeader('content-type', 'text/html').end(`<title>trusted</title><link rel=icon href=data:,>${script}`);
    });
    // Every other name leads to the one that stands for all.
    const rules = `MAP app.example.com:80 127.0.0.1:${trusted.port}, EXCLUDE localhost, MAP * 127.0.0.1:${evil.port}`;
    browser = await launch(`--host-resolver-rules=${rules}`);
    server = await startServer({ 'server.trusted_origins': TRUSTED, 'limits.enabled': 'false', 'passwords.argon2_memory': '64KiB' });
    const { host, hostname } = new URL(server.url);
    places = {
      own: server.url, own_host: host, own_name: hostname, trusted: TRUSTED, trusted_host: 'app.example.com', long: 'a'.repeat(2048),
    };
  }, BOUNDED);

  after(async () => {
    await browser?.close();
    await server?.stop();
    await evil?.stop();
    await trusted?.stop();
    assert.doesNotMatch(server?.log ?? '', / ERROR /, 'the server logged a failure');
  }, BOUNDED);

  const fill = (text) => text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);

  /** A visitor of whom it is known which other sites their pages ask. */
  async function arrive(program, options) {
    const visitor = await Visitor.arrive(browser, server, options);
    visitor.asked = [];
    visitor.context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== server.url && url.protocol !== 'data:') visitor.asked.push(url.href);
    });
    if (program) await visitor.context.addCookies(cookiesOf(program));
    return visitor;
  }

  function cookiesOf(program) {
    return [...program.cookies].map(([name, value]) => ({ name, value, url: server.url }));
  }

  /** Fails unless the page is one of ours and nobody else was asked for anything. */
  function isHere(visitor, attack) {
    assert.equal(new URL(visitor.page.url()).origin, server.url, `${JSON.stringify(attack)} led to ${visitor.page.url()}`);
    assert.deepEqual(visitor.asked, [], `${JSON.stringify(attack)} had somebody else asked`);
  }

  test('no spelling of return_to leads somebody away who is signed in', BOUNDED, async (t) => {
    const { attacks, encoded } = await list('redirects.json');
    const { program } = await register(server);
    const visitor = await arrive(program);
    const raw = [...attacks.map((attack) => encodeURIComponent(fill(attack))), ...encoded];
    for (const text of raw) {
      await visitor.page.goto(`/user/login?return_to=${text}`);
      isHere(visitor, text);
    }
    await visitor.leave();
    assert.ok(raw.length >= 300);
    t.diagnostic(`redirects in a browser: ${raw.length} tried by links, 0 led away`);
  });

  test('no spelling of return_to leads somebody away who logs in', BOUNDED, async (t) => {
    const { attacks } = await list('redirects.json');
    const { person } = await register(server);
    const visitor = await arrive();
    // The form carries on what the link brought: some of the list will do.
    const some = attacks.filter((_, number) => number % 4 === 0).map(fill);
    for (const attack of some) {
      assert.equal(await visitor.logIn(person, `/user/login?return_to=${encodeURIComponent(attack)}`) < 500, true);
      isHere(visitor, attack);
      assert.ok(await visitor.cookie('accessToken'), attack);
      await visitor.context.clearCookies();
    }
    await visitor.leave();
    t.diagnostic(`redirects in a browser: ${some.length} tried by log-ins, 0 led away`);
  });

  test('what may be followed is', BOUNDED, async () => {
    const { followed } = await list('redirects.json');
    const { person, program } = await register(server);
    const signedIn = await arrive(program);
    const visitor = await arrive();
    for (const [typed, led] of followed.map((pair) => pair.map(fill))) {
      // A signed-in visitor is led on from the log-in page: that one would go round and round.
      if (!led.startsWith('/user/login')) {
        await signedIn.page.goto(`/user/login?return_to=${encodeURIComponent(typed)}`);
        assert.equal(signedIn.page.url(), new URL(led, server.url).href, typed);
      }
      await visitor.logIn(person, `/user/login?return_to=${encodeURIComponent(typed)}`);
      const expected = led.startsWith('/user/login') ? '/user/info' : led;
      assert.equal(visitor.page.url(), new URL(expected, server.url).href, typed);
      await visitor.context.clearCookies();
    }
    await signedIn.leave();
    await visitor.leave();
  });

  test('nothing that others typed runs', BOUNDED, async (t) => {
    const attacks = await list('markup.json');
    let looked = 0;
    for (const attack of attacks.filter((text) => !text.includes('\t'))) {
      const { program } = await register(server, someone(attack.trim()));
      const visitor = await arrive(program, { javaScriptEnabled: true, userAgent: `Mozilla/5.0 ${attack.replace(/[^ -~]/g, '?')}` });
      const ran = await listen(visitor.context, visitor.page);
      const text = encodeURIComponent(attack);
      const look = async (shown) => {
        const foreign = visitor.page.locator('script:not([src^="/user/static/munjigi."]), style, iframe, img, base, form:not([action^="/user/"]), meta[http-equiv], x-canary, math, textarea, plaintext, [onerror], [onload], [onfocus], [onmouseover], [srcdoc], a[href^=javascript], svg:not(.mark):not(.icon)');
        assert.equal(await foreign.count(), 0, `${attack} became markup on ${visitor.path}`);
        if (shown) assert.ok((await visitor.page.locator(shown).first().innerText()).includes(attack.trim()), `${attack} is not shown as typed on ${visitor.path}`);
        isHere(visitor, attack);
        looked += 1;
      };
      await visitor.open('/user/info');
      await look('h1');
      for (const path of [`/user/account?saved=${text}`, `/${text}`, `/user/info?lang=ko&x=${text}`]) {
        await visitor.open(path);
        await look();
      }
      await visitor.context.clearCookies();
      for (const path of [`/user/login?return_to=${text}&reason=${text}`, `/user/register?return_to=${text}`]) {
        await visitor.open(path);
        await look();
        const name = visitor.page.locator('#username');
        await name.fill(attack);
        for (const input of await visitor.page.locator('input[type=password]').all()) await input.fill('not it at all');
        if (path.includes('register')) await visitor.page.locator('#name').fill(attack);
        await visitor.follow(() => name.press('Enter'));
        assert.equal(await visitor.page.locator('#username').inputValue(), attack, 'the form comes back as it was filled in');
        await look();
      }
      assert.deepEqual(ran, [], attack);
      await visitor.leave();
    }
    t.diagnostic(`markup in a browser: ${looked} pages looked at, 0 ran anything`);
  });

  /** What runs, or is kept from running. */
  async function listen(context, page) {
    const ran = [];
    await context.exposeFunction('complain', (what) => ran.push(what));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => window.complain(`policy: ${event.violatedDirective}`));
    });
    page.on('dialog', (dialog) => {
      ran.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    return ran;
  }

  test('these eyes see what leads away and what runs', BOUNDED, async () => {
    const visitor = await arrive(undefined, { javaScriptEnabled: true });
    const ran = await listen(visitor.context, visitor.page);
    await visitor.page.goto(`${TRUSTED}/away`);
    assert.equal(new URL(visitor.page.url()).hostname, 'evil.example');
    assert.ok(visitor.asked.includes('http://evil.example/'), visitor.asked.join());
    assert.throws(() => isHere(visitor, '/away'));
    await visitor.page.goto(`${TRUSTED}/running`);
    await eventually(() => assert.ok(ran.includes('dialog: 1') && ran.includes('dialog: 2'), ran.join()));
    await visitor.page.goto(`${TRUSTED}/policed`);
    await eventually(() => assert.ok(ran.some((what) => what.startsWith('policy: script-src')), ran.join()));
    assert.ok(visitor.complaints.some((complaint) => complaint.includes('Content Security Policy')), visitor.complaints.join('\n'));
    await visitor.context.close();
  });

  test('no page of another origin can post for somebody', BOUNDED, async () => {
    const { program } = await register(server);
    const visitor = await arrive(program, { javaScriptEnabled: true });
    // Lax cookies do not go with a post from elsewhere; and if they did, the post would be refused all the same.
    for (const [origin, own] of [['http://evil.example', 403], [server.url, 200]]) {
      for (const path of ['/user/logout', '/user/account/name', '/user/account/sessions/end-others', '/user/login', '/user/register']) {
        if (own === 200 && path !== '/user/account/name') continue;
        for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
          if (own === 200 && type !== 'application/x-www-form-urlencoded') continue;
          await visitor.page.goto(origin === server.url ? '/user/info' : `${origin}/`);
          const status = await visitor.follow(() => visitor.page.evaluate(({ action, type }) => {
            const form = document.createElement('form');
            Object.assign(form, { method: 'post', action, enctype: type });
            form.innerHTML = '<input name="name" value="Mallory"><input name="username" value="mallory">';
            document.body.append(form);
            form.submit();
          }, { action: server.url + path, type }));
          assert.equal(status, own, `${origin} ${path} ${type}`);
        }
      }
      const { user } = await new Program(server).get('/user/info');
      assert.equal(user, null);
      const after = program.copy();
      assert.equal((await after.get('/user/info')).loggedIn, true);
      await visitor.page.goto('/user/info');
      assert.equal(await visitor.heading(), own === 403 ? 'Hello, 김문지기' : 'Hello, Mallory');
    }
    await visitor.context.close();
  });
});
