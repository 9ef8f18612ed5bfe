// Tokens and headers that must not pass: first with an issuer whose key is ours, so that only one thing is wrong at a time, then
// with the real server's own tokens.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { request as send } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, importJWK } from 'jose';
import { munjigi } from 'munjigi';
import { BOUNDED, cookie, encode, eventually, listen, listener, register, startIssuer, startServer } from './help.js';

const now = () => Math.floor(Date.now() / 1000);
const ask = (gate, headers) => gate.authenticate(new Request('http://app.example/', { headers }));

describe('tokens of an issuer', () => {
  let issuer, gate;
  before(async () => {
    issuer = await startIssuer();
    gate = munjigi({ issuer: issuer.url, feedToken: 'x', log: listener().log });
    await gate.ready();
  }, BOUNDED);
  after(async () => {
    gate.close();
    await issuer.close();
  }, BOUNDED);

  /** Nobody is signed in by it: as a cookie, or as a bearer. */
  async function isRefused(token, what) {
    const [asCookie, asBearer] = [await ask(gate, cookie(token)), await ask(gate, { authorization: `Bearer ${token}` })];
    assert.deepEqual([asCookie.user, asBearer.user, asBearer.reason], [null, null, 'invalid_token'], what);
  }

  test('one as it should be is accepted', BOUNDED, async () => {
    for (const header of [cookie(await issuer.sign()), { authorization: `bearer ${await issuer.sign()}` }]) {
      assert.equal((await ask(gate, header)).user.username, 'mina');
    }
    assert.equal((await ask(gate, cookie(await issuer.sign({ unknown: 1, iat: now() + 50 })))).user.name, '김미나');
    const raw = await issuer.signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' }, issuer.claims());
    assert.equal((await ask(gate, cookie(raw))).user.name, '김미나', 'so that the raw ones below are refused for what they say');
  });

  test('nobody signs without our key', BOUNDED, async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const [head, payload, signature] = (await issuer.sign()).split('.');
    const none = (alg) => `${encode({ alg, typ: 'at+jwt', kid: 'k1' })}.${payload}.`;
    for (const alg of ['none', 'None', 'NONE']) {
      await isRefused(none(alg), alg);
      await isRefused(none(alg) + signature, `${alg} with a signature`);
    }
    await isRefused(await issuer.sign({}, {}, privateKey), 'another key');
    await isRefused(`${head}.${encode(issuer.claims({ username: 'admin' }))}.${signature}`, 'other claims');
    await isRefused(`${head}.${payload}.${encode(Buffer.alloc(64))}`, 'a signature of zeros');
    await isRefused(`${head}.${payload}.${encode('')}`, 'no signature');
    // The public key, in each form that somebody may have it in, as the secret of HS256.
    const pem = await exportSPKI(await importJWK(issuer.jwk, 'ES256', { extractable: true }));
    for (const secret of [pem, pem.trim(), JSON.stringify(issuer.jwk), issuer.jwk.x, Buffer.from(issuer.jwk.x, 'base64url')]) {
      const signed = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${payload}`;
      await isRefused(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`, 'HS256');
    }
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    for (const more of [{ jwk }, { jku: `${issuer.url}/evil.json` }, { x5u: `${issuer.url}/evil.pem` }, { x5c: ['MII'] }]) {
      await isRefused(await issuer.sign({}, more, privateKey), `its own key by ${Object.keys(more)}`);
      await isRefused(await issuer.sign({}, more), `${Object.keys(more)} although it is ours`);
    }
  });

  test('a header says what it must, and nothing else', BOUNDED, async () => {
    for (const typ of ['JWT', 'at+JWT', 'application/at+jwt', 'rt+jwt', 'dt+jwt', '']) await isRefused(await issuer.sign({}, { typ }), typ);
    const good = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' };
    const without = ({ [0]: name }) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    for (const name of Object.keys(good)) await isRefused(await issuer.signRaw(without([name]), issuer.claims()), `without ${name}`);
    for (const header of [
      { ...good, crit: ['exp'] }, { ...good, b64: false }, { ...good, b64: false, crit: ['b64'] }, { ...good, zip: 'DEF' }, { ...good, cty: 'JWT' },
      { ...good, kid: 'k2' }, { ...good, kid: '../k1' }, { ...good, kid: '__proto__' }, { ...good, kid: 1 }, { ...good, kid: ['k1'] }, { ...good, alg: 'ES384' },
      { ...good, alg: 'es256' }, { ...good, alg: ['ES256'] }, { ...good, typ: ['at+jwt'] }, [good], 'x', '', 'null',
    ]) {
      await isRefused(await issuer.signRaw(header, issuer.claims()), JSON.stringify(header));
    }
  });

  test('claims are all there, of their own type, and ours', BOUNDED, async () => {
    const wrong = [
      { iss: 'https://evil.example' }, { iss: `${issuer.url}/` }, { iss: [issuer.url] }, { iss: undefined },
      { aud: 'https://evil.example' }, { aud: [issuer.url] }, { aud: undefined }, { aud: `${issuer.url}/` },
      { sub: undefined }, { sub: '' }, { sub: 7 }, { sid: undefined }, { sid: null }, { sid: ['x'] }, { sep: undefined }, { sep: '9' }, { sep: 0.5 },
      { name: undefined }, { username: undefined }, { username: { toString: 1 } }, { amr: undefined }, { amr: 'pwd' }, { amr: [1] },
      { auth_time: undefined }, { iat: undefined }, { iat: now() + 90 }, { exp: undefined }, { exp: '9999999999' }, { exp: 1e308 }, { exp: null },
      { iat: now(), exp: now() }, { nbf: now() + 90 }, { nbf: 'x' }, { nbf: null },
    ];
    for (const claims of wrong) {
      const header = { alg: 'ES256', typ: 'at+jwt', kid: 'k1' };
      await isRefused(await issuer.signRaw(header, issuer.claims(claims)), JSON.stringify(claims));
    }
    const odd = Buffer.from(JSON.stringify(issuer.claims({ name: '\u00e9' })), 'latin1');
    for (const payload of ['[]', '"x"', 'null', '', '{', odd, Buffer.concat([Buffer.from('\ufeff'), Buffer.from(JSON.stringify(issuer.claims()))])]) {
      await isRefused(await issuer.signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' }, payload), String(payload).slice(0, 40));
    }
  });

  test('it has expired from its second on, without leeway, also where it was seen before', BOUNDED, async () => {
    let time = Date.now();
    const own = munjigi({ issuer: issuer.url, feedToken: false, now: () => time });
    const exp = now() + 100;
    const token = await issuer.sign({ exp });
    for (const [at, expected] of [[exp * 1000 - 1, 'mina'], [exp * 1000, undefined], [exp * 1000 + 1e6, undefined], [exp * 1000 - 1, 'mina']]) {
      time = at;
      const { user, reason } = await ask(own, cookie(token));
      assert.deepEqual([user?.username, reason], [expected, expected ? null : 'expired'], String(at));
    }
    time = exp * 1000;
    assert.equal((await ask(own, { authorization: `Bearer ${token}` })).reason, 'invalid_token');
  });

  test('a token has one spelling', BOUNDED, async () => {
    const token = await issuer.sign();
    const [head, payload, signature] = token.split('.');
    assert.equal(signature.length % 4, 2);
    // 64 bytes leave four bits over, which decoders may pass over.
    const stray = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const next = stray[stray.indexOf(signature.at(-1)) + 1];
    for (const other of [
      `${token}=`, `${token}==`, `${token}.`, `.${token}`, `${head}.${payload}`, `${head}.${payload}.${signature.slice(0, -1)}${next}`,
      `${head}..${signature}`, `${head}.${payload}..${signature}`, token.replace('.', '. '), `${head}.${payload}.${signature}A`, 'x'.repeat(100_000),
      encode('{"payload":"","signatures":[]}'), ...['+', '/', '%', '\u00e9'].map((odd) => token.slice(0, -1) + odd),
    ]) {
      await isRefused(other, other.slice(0, 40));
    }
    await isRefused(await issuer.sign({ pad: 'x'.repeat(4000) }), 'over 4,096 bytes');
  });

  test('keys that are no public keys for signatures are not used', BOUNDED, async () => {
    const { kid: _, ...nameless } = issuer.jwk;
    const secret = Buffer.alloc(32, 7);
    const oct = { kty: 'oct', k: secret.toString('base64url'), kid: 'shared', alg: 'HS256', use: 'sig' };
    const { privateKey } = issuer;
    const { d } = await exportJWK(privateKey);
    const odd = [
      oct, nameless, { ...issuer.jwk, use: 'enc' }, { ...issuer.jwk, key_ops: ['encrypt'] }, { ...issuer.jwk, key_ops: 5 }, { ...issuer.jwk, alg: 'ES384' },
      { ...issuer.jwk, d }, { ...issuer.jwk, k: 'AA' }, { ...issuer.jwk, alg: undefined }, { ...issuer.jwk, alg: 'RS256' }, { ...issuer.jwk, alg: ['ES256'] },
      { ...issuer.jwk, alg: 'constructor' }, { ...issuer.jwk, kty: 'oct' }, { ...issuer.jwk, crv: 'P-384' }, { ...issuer.jwk, x: 'AA' }, { ...issuer.jwk, kid: 1 }, null, 1, 'x', [],
    ];
    const hmac = await new SignJWT(issuer.claims()).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'shared' }).sign(secret);
    const other = await startIssuer();
    for (const key of odd) {
      other.keys = [key];
      const own = munjigi({ issuer: issuer.url, url: other.url, feedToken: false, log() {} });
      for (const token of [await issuer.sign(), hmac]) assert.equal((await ask(own, cookie(token))).user, null, JSON.stringify(key));
    }
    other.keys = [...odd, issuer.jwk];
    const own = munjigi({ issuer: issuer.url, url: other.url, feedToken: false });
    assert.ok((await ask(own, cookie(await issuer.sign()))).user, 'and they are in the way of none that is');
  });

  test('tokens of unknown keys ask for the keys once a second, however many they are', BOUNDED, async () => {
    const odd = await startIssuer();
    const own = munjigi({ issuer: odd.url, feedToken: false });
    const tokens = await Promise.all(Array.from({ length: 1000 }, (_, n) => odd.sign({}, { kid: `unknown-${n}` })));
    const began = performance.now();
    await Promise.all(tokens.map((token) => ask(own, cookie(token))));
    for (const token of tokens.slice(0, 200)) await ask(own, cookie(token));
    const most = 2 + Math.ceil((performance.now() - began) / 1000);
    assert.ok(odd.asked.keys <= most, `${odd.asked.keys} times, and not ${most}`);
    // One that is new is found in the same way.
    const fresh = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(fresh.publicKey)), kid: 'k2', alg: 'EdDSA', use: 'sig' };
    odd.keys = [jwk];
    const [token, old] = [await odd.sign({}, { kid: 'k2', alg: 'EdDSA' }, fresh.privateKey), await odd.sign()];
    assert.equal((await ask(own, cookie(old))).user.username, 'mina');
    await eventually(async () => assert.equal((await ask(own, cookie(token))).user?.username, 'mina'));
    assert.equal((await ask(own, cookie(old))).user, null, 'and one that is gone is gone, also for tokens that were seen');
  });

  test('an endless set of keys is not read to its end', BOUNDED, async () => {
    let sent = 0;
    const endless = await listen((request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('{"keys":['.padEnd(65_536))) sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const { said, log } = listener();
    const own = munjigi({ issuer: endless.url, feedToken: false, log });
    await own.ready();
    assert.match(said[0], /more than 262144 bytes/);
    assert.equal((await ask(own, cookie(await issuer.sign()))).reason, 'unavailable');
    assert.ok(sent < 16 << 20, `${sent} bytes were taken`);
  });
});

describe('cookies', () => {
  let issuer, gates;
  const PREFIXES = { http: '', host: '__Host-', domain: '__Secure-' };
  before(async () => {
    issuer = await startIssuer();
    const trust = { issuer: issuer.url, feedToken: false, url: issuer.url, renew: false };
    gates = {
      http: munjigi(trust),
      host: munjigi({ ...trust, publicUrl: 'https://id.example.com' }),
      domain: munjigi({ ...trust, publicUrl: 'https://id.example.com', cookieDomain: 'example.com' }),
    };
  }, BOUNDED);
  after(() => issuer.close(), BOUNDED);

  test('only the name counts that belongs to the server’s URL', BOUNDED, async () => {
    const token = await issuer.sign();
    for (const [kind, gate] of Object.entries(gates)) {
      for (const prefix of Object.values(PREFIXES)) {
        const { user } = await ask(gate, { cookie: `a=1; ${prefix}accessToken=${token}; b=2` });
        assert.equal(user !== null, prefix === PREFIXES[kind], `${kind}, ${prefix}`);
      }
      for (const name of ['accesstoken', 'xaccessToken', '__host-accessToken', 'accessToken ', '"accessToken"', '__Host-__Host-accessToken']) {
        if (kind === 'http' && name.trim() === 'accessToken') continue;
        assert.equal((await ask(gate, { cookie: `${name}=${token}` })).user, null, name);
      }
    }
  });

  test('two of one name count as none', BOUNDED, async () => {
    const [mine, planted] = [await issuer.sign(), await issuer.sign({ username: 'mallory' })];
    for (const line of [
      `accessToken=${mine}; accessToken=${planted}`, `accessToken=${mine}; accessToken=${mine}`, `accessToken=; accessToken=${mine}`,
      `accessToken=${mine};accessToken=`, `a=1; accessToken=${planted} ;b; accessToken=${mine}`, `accessToken="${mine}"`, `accessToken=${mine} x`, 'accessToken', ';;=;',
    ]) {
      assert.equal((await ask(gates.http, { cookie: line })).user, null, line.replaceAll(/\.[\w.-]+/g, ''));
    }
    // One that only looks like ours is not counted.
    assert.equal((await ask(gates.http, { cookie: `__Host-accessToken=${planted}; accessToken=${mine}` })).user.username, 'mina');
  });

  test('in two headers, and with two authorizations, neither is believed', BOUNDED, async () => {
    const token = await issuer.sign();
    const site = await listen((req, res) => gates.http(req, res, () => res.end(req.user?.username ?? 'nobody')));
    const shown = (headers) =>
      new Promise((done, failed) => {
        const request = send(site.url, { headers }, (answer) => answer.setEncoding('utf8').on('data', done));
        request.on('error', failed).end();
      });
    const own = `accessToken=${token}`;
    const host = ['Host', 'app.example'];
    assert.equal(await shown([...host, 'Cookie', own]), 'mina');
    assert.equal(await shown([...host, 'Cookie', own, 'Cookie', own]), 'nobody');
    assert.equal(await shown([...host, 'Authorization', `Bearer ${token}`]), 'mina');
    assert.equal(await shown([...host, 'Authorization', `Bearer ${token}`, 'Authorization', 'Bearer x']), 'nobody');
    assert.equal(await shown([...host, 'Authorization', 'Basic eDp5', 'authorization', `Bearer ${token}`, 'Cookie', own]), 'nobody');
    assert.equal(await shown([...host, 'Authorization', 'Bearer', 'Cookie', own]), 'nobody');
    assert.equal(await shown([...host, 'Authorization', 'Basic eDp5', 'Cookie', own]), 'mina');
  });
});

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'HS256']) {
  test(`the real server’s tokens in ${algorithm}`, BOUNDED, async () => {
    const server = await startServer({ 'tokens.algorithm': algorithm });
    try {
      const { said, log } = listener();
      const gate = munjigi({ issuer: server.url, feedToken: false, log });
      const { person, program } = await register(server);
      const token = program.cookies.get('accessToken');
      const { user } = await ask(gate, cookie(token));
      if (algorithm === 'HS256') {
        assert.equal(user, null);
        return assert.match(said[0], /publishes no keys: with HS256 tokens cannot be checked here/);
      }
      assert.equal(user.username, person.username);
      for (const other of [
        munjigi({ issuer: server.url, audience: 'https://other.example', feedToken: false }),
        munjigi({ issuer: 'https://other.example', publicUrl: server.url, feedToken: false }),
      ]) {
        assert.equal((await ask(other, cookie(token))).user, null);
      }
      const [head, payload, signature] = token.split('.');
      const claims = JSON.parse(Buffer.from(payload, 'base64url'));
      const forged = encode({ ...claims, username: 'admin' });
      const { kid } = JSON.parse(Buffer.from(head, 'base64url'));
      const unsigned = encode({ alg: 'none', typ: 'at+jwt', kid });
      // The other tokens that the server signs are no access tokens.
      const others = ['refreshToken', 'deviceToken'].map((name) => program.cookies.get(name));
      for (const wrong of [`${head}.${forged}.${signature}`, `${unsigned}.${payload}.`, `${unsigned}.${payload}.${signature}`, ...others]) {
        assert.equal((await ask(gate, cookie(wrong))).user, null);
      }
    } finally {
      await server.stop();
    }
  });
}
