// The key set as libraries of other people read it: jose here, PyJWT in a process of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { register, startServer } from './server.js';

const BOUNDED = { timeout: 60_000 };
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** What PyJWT makes of a token. */
async function pyjwt(...args) {
  const { stdout } = await promisify(execFile)('python3', [here('jwks.py'), ...args], {
    env: { PATH: process.env.PATH, PYTHONPATH: here('python') },
  });
  return JSON.parse(stdout);
}

/** The token with another username in it, and the signature that it had. */
function tampered(token) {
  const [head, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const forged = Buffer.from(JSON.stringify({ ...claims, username: 'admin' })).toString('base64url');
  return [head, forged, signature].join('.');
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256']) {
  describe(`the key set of ${algorithm}`, () => {
    test('is read by jose and by PyJWT, which accept our tokens and refuse changed ones', BOUNDED, async () => {
      const server = await startServer({ 'tokens.algorithm': algorithm });
      try {
        const { program, person } = await register(server);
        const token = program.cookies.get('accessToken');
        const url = `${server.url}/.well-known/jwks.json`;
        const { keys } = await (await fetch(url)).json();
        assert.deepEqual(keys.map(({ alg, use }) => ({ alg, use })), [{ alg: algorithm, use: 'sig' }]);
        const { iss, aud } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

        const set = createRemoteJWKSet(new URL(url));
        const rules = { issuer: iss, audience: aud, algorithms: [algorithm], typ: 'at+jwt' };
        const { payload } = await jwtVerify(token, set, rules);
        assert.equal(payload.username, person.username);
        await assert.rejects(jwtVerify(tampered(token), set, rules), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
        await assert.rejects(jwtVerify(token, set, { ...rules, audience: 'https://elsewhere.example' }));

        const read = await pyjwt(url, iss, aud, algorithm, token);
        assert.equal(read.typ, 'at+jwt');
        assert.deepEqual(read.claims, payload);
        assert.deepEqual(await pyjwt(url, iss, aud, algorithm, tampered(token)), { refused: 'InvalidSignatureError' });
        assert.deepEqual(await pyjwt(url, iss, 'elsewhere', algorithm, token), { refused: 'InvalidAudienceError' });
      } finally {
        await server.stop();
      }
    });
  });
}
