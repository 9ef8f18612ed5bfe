// Forward-auth behind real proxies, with the examples as they are shipped.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Visitor, freePort, startApp, startProxy, startRedis } from './proxy.js';
import { expiry, someone, startServer } from './server.js';

const BOUNDED = { timeout: 60_000 };
/** What an app may believe, however it reads headers: PHP makes one name of `Remote.User` and `Remote-User`, lighttpd of all of these. */
const IDENTITY = /^remote[^a-z0-9](user|id|name|email|groups)$/;

const certificates = mkdtempSync(join(tmpdir(), 'munjigi-certificates-'));
const [pem, key] = ['pem', 'key'].map((kind) => join(certificates, `example.com.${kind}`));
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
  '-subj', '/CN=example.com', '-addext', 'subjectAltName=DNS:*.example.com', '-out', pem, '-keyout', key], { stdio: 'ignore' });
after(() => rmSync(certificates, { recursive: true }));

/** A part of the app that wants a recent log-in, as docs/forward-auth.md writes it. */
const RECENTLY = {
  nginx: { '    location / {': `    location /payments/ {
        set $munjigi_demand max_age=3;
        include munjigi-app.conf;
        proxy_pass http://127.0.0.1:4000;
    }
    location / {` },
  caddy: { '\thandle {': `\thandle /payments/* {
		forward_auth 127.0.0.1:3000 {
			uri /auth/verify?login=redirect&renew=redirect&max_age=3
		}
		reverse_proxy 127.0.0.1:4000
	}
	handle {` },
};

/** The example on one host. */
function oneHost(kind) {
  return async () => {
    const [entrance, munjigi, app] = [await freePort(), await freePort(), await freePort()];
    const host = `localhost:${entrance}`;
    return {
      kind, example: 'one-host', entrance, munjigi, app,
      origins: { [host]: entrance },
      login: `http://${host}`,
      site: `http://${host}`,
      replaced: { ...RECENTLY[kind], '127.0.0.1:3000': `127.0.0.1:${munjigi}`, '127.0.0.1:4000': `127.0.0.1:${app}`, 8080: `${entrance}` },
      settings: { 'server.public_url': `http://${host}` },
    };
  };
}

/** The example with two hosts under one domain, over TLS. */
function twoHosts(kind, replaced) {
  return async () => {
    const [entrance, munjigi, app] = [await freePort(), await freePort(), await freePort()];
    const [login, site] = ['auth', 'app'].map((name) => `${name}.example.com:${entrance}`);
    return {
      kind, example: 'two-hosts', entrance, munjigi, app,
      origins: { [login]: entrance, [site]: entrance },
      login: `https://${login}`,
      site: `https://${site}`,
      replaced: { '127.0.0.1:3000': `127.0.0.1:${munjigi}`, '127.0.0.1:4000': `127.0.0.1:${app}`, ...replaced(entrance) },
      settings: {
        'server.public_url': `https://${login}`,
        'server.trusted_origins': `https://${site}`,
        'cookies.domain': 'example.com',
      },
    };
  };
}

const tls = (entrance) => ({ '/etc/ssl/example.com.pem': pem, '/etc/ssl/example.com.key': key, 443: `${entrance}` });
const SETUPS = {
  'nginx, one host': oneHost('nginx'),
  'Caddy, one host': oneHost('caddy'),
  'Apache, one host': oneHost('apache'),
  'HAProxy, one host': oneHost('haproxy'),
  'nginx, two hosts': twoHosts('nginx', tls),
  'Caddy, two hosts': twoHosts('caddy', (entrance) => ({
    'auth.example.com {': `auth.example.com:${entrance} {\n tls ${pem} ${key}`,
    'app.example.com {': `app.example.com:${entrance} {\n tls ${pem} ${key}`,
  })),
  'Apache, two hosts': twoHosts('apache', tls),
  'HAProxy, two hosts': twoHosts('haproxy', (entrance) => ({ ...tls(entrance), '/etc/ssl/example.com.both': `${pem}.both` })),
};
execFileSync('sh', ['-c', `cat ${pem} ${key} > ${pem}.both`]);

// PROXY=Caddy tries that one only.
describe('forward-auth', { concurrency: 4 }, () => {
  for (const [name, setup] of Object.entries(SETUPS).filter(([name]) => name.includes(process.env.PROXY ?? ''))) {
    describe(name, { concurrency: false }, () => {
      let place, redis, server, app, proxy, signedInBefore;

      before(async () => {
        place = await setup();
        redis = await startRedis();
        const stores = { 'store.redis_url': redis.url, 'server.secret': 'only for tests, 32 bytes or more' };
        const settings = { 'server.trusted_proxies': '127.0.0.1', 'tokens.access_ttl': '2s', ...stores, ...place.settings };
        server = await startServer(settings, `127.0.0.1:${place.munjigi}`);
        app = await startApp(place.app);
        proxy = await startProxy(place.kind, place.example, place.replaced, place.entrance);
      }, BOUNDED);

      after(async () => {
        for (const one of [proxy, app, server, redis]) await one?.stop();
      }, BOUNDED);

      /** Registers somebody at the log-in pages. */
      async function signedIn(person = someone()) {
        const visitor = new Visitor(place.origins);
        const form = { ...person, confirmPassword: person.password };
        const answer = await visitor.ask('POST', `${place.login}/user/register`, { body: form });
        assert.equal(answer.status, 303, answer.text + proxy.log());
        return { person, visitor };
      }

      test('a stranger is led to log-in, and back to where they were going', BOUNDED, async () => {
        const { person } = await signedIn();
        const visitor = new Visitor(place.origins);
        const led = await visitor.ask('GET', `${place.site}/board?page=2&q=%ED%95%9C`);
        assert.equal(led.status, 302, proxy.log());
        assert.ok(led.where.startsWith(`${place.login}/user/login?return_to=`), led.where);
        const page = await visitor.ask('GET', led.where);
        assert.equal(page.status, 200);
        const return_to = new URL(led.where).searchParams.get('return_to');
        const back = await visitor.ask('POST', `${place.login}/user/login`, { body: { ...person, return_to } });
        assert.equal(back.where, `${place.site}/board?page=2&q=%ED%95%9C`);
        const answer = await visitor.ask('GET', back.where);
        assert.equal(answer.json().path, '/board?page=2&q=%ED%95%9C');
      });

      test('the app is told who it is, also a Korean name, and gets its own cookies alone', BOUNDED, async () => {
        const { person, visitor } = await signedIn(someone('김 민아'));
        await visitor.ask('GET', `${place.site}/`);
        const { headers } = (await visitor.ask('GET', `${place.site}/`)).json();
        assert.deepEqual(headers['remote-user'], [person.username]);
        assert.equal(decodeURIComponent(headers['remote-name'][0]), '김 민아');
        assert.match(headers['remote-id'][0], /^[0-9a-f-]{36}$/);
        assert.deepEqual(headers.cookie, ['theme=dark']);
        assert.ok(!JSON.stringify(headers).includes(visitor.cookie('accessToken')));
      });

      test('nobody says who they are, in any spelling', BOUNDED, async () => {
        const { person, visitor } = await signedIn();
        const headers = {};
        for (const name of ['user', 'id', 'name', 'email', 'groups']) {
          for (const between of '-_.~!+|') headers[`Remote${between}${name}`] = headers[`REMOTE${between}${name.toUpperCase()}_`] = 'admin';
        }
        headers['X-Upstream-Cookie'] = 'admin=1';
        const stranger = await new Visitor(place.origins).ask('GET', `${place.site}/`, { headers });
        assert.equal(stranger.status, 302);
        const told = (await visitor.ask('GET', `${place.site}/`, { headers })).json().headers;
        for (const [header, lines] of Object.entries(told).filter(([header]) => IDENTITY.test(header))) {
          assert.ok(lines.length === 1 && !lines[0].includes('admin'), `${header}: ${lines}`);
        }
        assert.deepEqual(told['remote-user'], [person.username]);
        // Nor do they take away what was said of them.
        const hops = { connection: 'close, Remote-User, remote-id, Remote-Groups' };
        const bare = (await visitor.ask('GET', `${place.site}/`, { headers: hops })).json().headers;
        assert.deepEqual(bare['remote-user'], [person.username]);
      });

      test('nobody speaks to the app itself, over an upgrade to something other than a WebSocket', BOUNDED, async () => {
        const { visitor } = await signedIn();
        for (const upgrade of ['h2c', 'H2C', 'websocket, h2c', 'h2c, websocket', ['websocket', 'h2c'], ['h2c', 'websocket'], 'websocket/13', 'TLS/1.3', 'x']) {
          const headers = {
            upgrade, connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
            'sec-websocket-version': '13', 'sec-websocket-key': btoa('sixteen bytes of'),
          };
          // Behind it the app would believe whatever the visitor writes.
          const answer = await visitor.ask('GET', `${place.site}/`, { headers });
          if (answer.status === 101) assert.deepEqual(answer.json().upgrade, ['websocket'], `asked for ${upgrade}`);
          else assert.ok(!answer.text.includes('"upgrade"'), `asked for ${upgrade}: ${answer.text}`);
        }
      });

      if (name === 'Caddy, one host') {
        test('a Caddy that copies no empty header lets none of the visitor\'s through in its place', BOUNDED, async () => {
          // As 2.9 to 2.11.1 do. Somebody without other cookies:
          const { visitor } = await signedIn();
          const port = await freePort();
          const copies = ' Remote-Email Remote-Groups X-Upstream-Cookie';
          const other = await startProxy('caddy', 'one-host', { ...place.replaced, [place.entrance]: port, [copies]: '', 8080: `${port}` }, port);
          try {
            const headers = { 'Remote-Email': 'admin', 'Remote-Groups': 'admin', 'X-Upstream-Cookie': 'admin=1', host: `localhost:${place.entrance}` };
            visitor.origins = { [new URL(place.site).host]: port };
            const answer = await visitor.ask('GET', `${place.site}/`, { headers });
            const told = answer.json().headers;
            assert.ok(!JSON.stringify(told).includes('admin') && !JSON.stringify(told).includes('Token='), answer.text);
          } finally {
            await other.stop();
          }
        });
      }

      test('what a visitor says of where they were going has no effect', BOUNDED, async () => {
        for (const there of ['https://evil.example', place.site]) {
          const headers = {
            'X-Original-URL': `${there}/elsewhere`, 'X-Original-URI': '/elsewhere', 'X-Forwarded-Host': new URL(there).host,
            'X-Forwarded-Uri': '/elsewhere', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Method': 'POST',
          };
          // Nor what looks like the words between the proxy and Munjigi.
          const mine = `${place.site}/mine?login=no&renew=no&max_age=1&path=x`;
          const led = await new Visitor(place.origins).ask('GET', mine, { headers });
          assert.equal(led.status, 302);
          const page = new URL(led.where);
          assert.equal(page.origin, place.login);
          assert.equal(new URL(page.searchParams.get('return_to'), place.site).href, mine);
        }
      });

      test('no way of writing a path leads past the question', BOUNDED, async () => {
        const paths = [
          '/user%0A', '/user%0a?x', '/user%0D', '/user%00', '/user;x', '/user;/../board', '/user%2f..%2fboard', '/user/..%2fboard', '/user/%2e%2e/board',
          '/user/../board', '/user/.%2e/board', '/user/..;/board', '/user//..//board', '//user/../board', '/./user/../board', '/USER/board', '/%75ser/../board',
          '/user\\..\\board', '/.well-known/jwks.json%0A', '/.well-known/jwks.json/../../board', '/.well-known/change-password%0A', '/munjigi/verify',
          '/user/%2e%2e%2fboard', '/user%09', '/user%20', '/userx', '/user#/../board', `${place.site}/user/../board`, '*', '/auth/verify', '//munjigi/verify',
        ];
        const headers = { 'Remote-User': 'admin', 'Remote_User': 'admin' };
        const reached = [];
        for (const path of paths) {
          const answer = await new Visitor(place.origins).ask(path === '*' ? 'OPTIONS' : 'POST', place.site, { headers, path });
          if (answer.text.includes('"app":true')) reached.push(path);
        }
        assert.deepEqual(reached, []);
      });

      test('what Munjigi answers a proxy no page can read', BOUNDED, async () => {
        const { visitor } = await signedIn();
        for (const url of [`${place.login}/auth/verify`, `${place.site}/auth/verify`, `${place.site}/munjigi/verify`]) {
          const { headers } = await visitor.ask('GET', url);
          assert.ok(!('remote-user' in headers) && !('x-set-cookie-access' in headers), url);
        }
      });

      test('a script is told that nobody is signed in, and not led to a page', BOUNDED, async () => {
        const headers = { accept: '*/*', 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' };
        const answer = await new Visitor(place.origins).ask('GET', `${place.site}/api/board`, { headers });
        assert.equal(answer.status, 401);
      });

      test('a WebSocket is asked about, and opens with who it is', BOUNDED, async () => {
        const { person, visitor } = await signedIn();
        const headers = {
          connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': btoa('sixteen bytes of'),
          accept: '*/*', 'sec-fetch-dest': 'websocket', 'remote-user': 'admin',
        };
        const refused = await new Visitor(place.origins).ask('GET', `${place.site}/live`, { headers });
        assert.equal(refused.status, 401, refused.text);
        await expiry(visitor.cookie('accessToken'));
        for (const renews of [true, false]) {
          const opened = await visitor.ask('GET', `${place.site}/live`, { headers });
          assert.equal(opened.status, 101, `renews: ${renews}`);
          assert.deepEqual(opened.json()['remote-user'], [person.username]);
          assert.ok(!opened.text.includes('Token='), opened.text);
          await visitor.go('GET', `${place.site}/`);
        }
      });

      test('a renewal reaches the browser, and a form arrives as it was sent', BOUNDED, async () => {
        const { visitor } = await signedIn();
        for (const [method, options] of [['GET', {}], ['POST', { body: { text: 'written at length' } }]]) {
          const before = ['accessToken', 'refreshToken'].map((name) => visitor.cookie(name));
          await expiry(before[0]);
          const answer = await visitor.go(method, `${place.site}/post`, options);
          const { body, ...got } = answer.json();
          assert.deepEqual([got.method, got.path], [method, '/post']);
          if (options.body) assert.equal(body, 'text=written+at+length');
          if ('set-cookie' in answer.headers && answer.headers['set-cookie'].length > 1) {
            assert.equal(answer.headers['cache-control'], 'no-store', 'no cache hands out a session');
          }
          const next = await visitor.ask('GET', `${place.site}/`);
          assert.equal(next.headers['cache-control'], 'public, max-age=60', 'else the app says what caches may do');
          const renewed = ['accessToken', 'refreshToken'].map((name) => visitor.cookie(name));
          assert.ok(renewed.every((token, number) => token && token !== before[number]), 'both cookies are new');
        }
      });

      test('large cookies of the app keep nobody outside, also in a renewal', BOUNDED, async () => {
        const { visitor } = await signedIn();
        const large = { name: 'large', value: 'x'.repeat(5_500), domain: new URL(place.site).hostname };
        visitor.cookies.set(large.name, large);
        await expiry(visitor.cookie('accessToken'));
        const answer = await visitor.go('GET', `${place.site}/`);
        assert.equal(answer.status, 200, proxy.log());
        assert.ok(answer.json().headers.cookie[0].includes(large.value));
      });

      if (/^(nginx|Caddy), one host$/.test(name)) {
        test('who logged in long ago does so again where that is demanded, and comes back', BOUNDED, async () => {
          const { person, visitor } = await signedIn();
          const there = `${place.site}/payments/1?id=7`;
          await expiry(visitor.cookie('accessToken'));
          assert.equal((await visitor.go('GET', `${place.site}/`)).status, 200, 'a renewal, which makes no log-in younger');
          await expiry(visitor.cookie('accessToken'));
          const led = await visitor.go('GET', `${place.site}/`).then(() => visitor.ask('GET', there));
          assert.equal(led.status, 302, led.text);
          const page = await visitor.ask('GET', led.where);
          assert.equal(page.status, 200, 'the page asks, although somebody is signed in');
          // Three seconds are short, where the machine has other things to do.
          for (let tried = 0, back; back !== 200; tried += 1) {
            assert.ok(tried < 10, 'led in circles');
            const return_to = new URL(led.where).searchParams.get('return_to');
            const answer = await visitor.ask('POST', `${place.login}/user/login`, { body: { ...person, return_to } });
            assert.equal(answer.where, there);
            back = (await visitor.ask('GET', answer.where)).status;
          }
        });
      }

      test('a log-out is instant', BOUNDED, async () => {
        const { visitor } = await signedIn();
        const thief = visitor.copy();
        assert.equal((await thief.ask('GET', `${place.site}/`)).status, 200);
        const answer = await visitor.ask('POST', `${place.login}/user/logout`, { headers: { origin: place.login } });
        assert.equal(answer.status, 303);
        const refused = await thief.ask('GET', `${place.site}/`);
        assert.equal(refused.status, 302);
        assert.equal(thief.cookie('accessToken'), undefined, 'and the cookies are taken away');
      });

      test('while its stores do not answer nobody gets in who has to be renewed, and nobody is signed out', BOUNDED, async () => {
        const { visitor } = await signedIn();
        await expiry(visitor.cookie('accessToken'));
        await redis.stop();
        const before = new Map(visitor.cookies);
        const answer = await visitor.ask('GET', `${place.site}/`);
        assert.equal(answer.status, 503, answer.text);
        assert.equal(answer.headers['retry-after'], '1');
        assert.deepEqual(visitor.cookies, before);
        signedInBefore = visitor;
      });

      test('while Munjigi is down nobody gets in', BOUNDED, async () => {
        await server.stop();
        for (const who of [signedInBefore, new Visitor(place.origins)]) {
          const answer = await who.ask('GET', `${place.site}/`);
          assert.ok([502, 503].includes(answer.status), `${answer.status}`);
          assert.ok(!answer.text.includes('"app":true'));
        }
      });
    });
  }
});
