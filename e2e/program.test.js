// The same journey without a browser: JSON in, JSON out.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, Program, STORES, expiry, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 60_000 };

describe(`over JSON, ${STORES}`, () => {
  let server, quick;

  before(async () => {
    server = await startServer();
    quick = await startServer({ 'tokens.access_ttl': '2s' });
  }, BOUNDED);

  after(async () => {
    for (const one of [server, quick]) {
      await one?.stop();
      assert.doesNotMatch(one?.log ?? '', / ERROR /, 'the server logged a failure');
    }
  }, BOUNDED);

  test('a program signs in, stays in and signs out', BOUNDED, async () => {
    const person = someone();
    const program = new Program(quick);
    assert.deepEqual(await program.get('/user/info'), { status: 200, loggedIn: false, user: null, session: null, reason: null });

    const registered = await program.post('/user/register', { ...person, confirmPassword: person.password });
    assert.equal(registered.status, 201);
    assert.equal(registered.success, true);
    const { id } = registered.user;
    assert.deepEqual(registered.user, { id, username: person.username, name: person.name });
    assert.deepEqual(await program.post('/user/logout'), { status: 200, success: true });
    assert.deepEqual([...program.cookies.keys()], ['deviceToken'], 'what the browser is known by stays');
    assert.deepEqual(await program.post('/user/logout'), { status: 200, success: true });

    const { status, user, returnTo } = await program.post('/user/login', { ...person, remember: true });
    assert.deepEqual({ status, user, returnTo }, { status: 200, user: registered.user, returnTo: '/user/info' });
    const first = new Map(program.cookies);
    await expiry(first.get('accessToken'));
    const info = await program.get('/user/info');
    assert.deepEqual(info.user, registered.user);
    assert.ok(Date.parse(info.session.expiresAt) > Date.parse(info.session.accessExpiresAt));
    assert.notEqual(program.cookies.get('accessToken'), first.get('accessToken'));
    assert.notEqual(program.cookies.get('refreshToken'), first.get('refreshToken'));

    await expiry(program.cookies.get('accessToken'));
    const refreshed = await program.post('/user/refresh');
    assert.equal(refreshed.success, true);
    assert.ok(Date.parse(refreshed.accessExpiresAt) > Date.now() - 1000);

    const { sessions } = await program.get('/user/account/sessions');
    assert.equal(sessions.length, 1);
    const [{ device, address, current }] = sessions;
    assert.deepEqual({ device, address, current }, { device: 'Node.js', address: '127.0.0.1', current: true });

    const thief = program.copy();
    assert.deepEqual(await program.post('/user/logout'), { status: 200, success: true });
    assert.equal((await thief.get('/user/info')).loggedIn, false);
    assert.equal((await thief.post('/user/refresh')).code, 'session_ended');
  });

  test('cookies that were copied before the log-out are refused after it', BOUNDED, async () => {
    const { program } = await register(server);
    const thief = program.copy();
    assert.equal((await thief.get('/user/info')).loggedIn, true);
    await program.post('/user/logout');
    const { loggedIn, reason } = await thief.copy().get('/user/info');
    assert.deepEqual({ loggedIn, reason }, { loggedIn: false, reason: 'ended' });
    thief.cookies.delete('accessToken');
    const refused = await thief.post('/user/refresh');
    assert.deepEqual([refused.status, refused.code], [401, 'session_ended']);
    assert.deepEqual([...thief.cookies.keys()], ['deviceToken'], 'and cleared');
  });

  test('a copy that goes on beside its owner ends the session', BOUNDED, async () => {
    const { program } = await register(quick);
    const thief = program.copy();
    const reasons = [];
    for (let turn = 0; turn < 4 && reasons.length === 0; turn += 1) {
      for (const holder of [program, thief]) {
        const token = holder.cookies.get('accessToken');
        if (token) await expiry(token);
        const { loggedIn, reason } = await holder.get('/user/info');
        if (!loggedIn) reasons.push(reason);
      }
    }
    assert.equal(reasons[0], 'reused');
    for (const holder of [program, thief]) assert.equal((await holder.get('/user/info')).loggedIn, false);
  });

  test('parallel requests with one expired token all pass', BOUNDED, async () => {
    const { person, program } = await register(quick);
    await expiry(program.cookies.get('accessToken'));
    const copies = Array.from({ length: 24 }, () => program.copy());
    const answers = await Promise.all(copies.map((copy) => copy.get('/user/info')));
    for (const { user } of answers) assert.equal(user?.username, person.username);
    await expiry(copies[7].cookies.get('accessToken'));
    assert.equal((await copies[7].get('/user/info')).loggedIn, true);
  });

  test('sessions are listed and ended', BOUNDED, async () => {
    const { person, program } = await register(server);
    const [second, third] = [new Program(server), new Program(server)];
    for (const one of [second, third]) await one.post('/user/login', person);
    const { sessions } = await program.get('/user/account/sessions');
    assert.equal(sessions.length, 3);
    const { session } = await second.get('/user/info');
    assert.equal((await program.post(`/user/account/sessions/${session.id}/end`)).success, true);
    assert.equal((await second.get('/user/info')).reason, 'ended');
    assert.equal((await third.get('/user/info')).loggedIn, true);
    assert.equal((await program.post('/user/account/sessions/end-others')).success, true);
    assert.equal((await third.get('/user/info')).reason, 'ended');
    assert.equal((await program.post('/user/account/sessions/current/end')).success, true);
    assert.equal((await program.get('/user/account')).code, 'login_required');
    assert.equal((await program.post(`/user/account/sessions/${session.id}/end`)).status, 401);
  });

  test('a stranger’s session cannot be ended', BOUNDED, async () => {
    const [mine, theirs] = [(await register(server)).program, (await register(server)).program];
    const { session } = await theirs.get('/user/info');
    const refused = await mine.post(`/user/account/sessions/${session.id}/end`);
    assert.deepEqual([refused.status, refused.code], [404, 'not_found']);
    assert.equal((await theirs.get('/user/info')).loggedIn, true);
  });

  test('a front end that was written for the tutorial works', BOUNDED, async () => {
    const { username: id, name: nickName } = someone();
    const program = new Program(server);
    const typed = { id, password: PASSWORD, confirmPassword: PASSWORD, nickName };
    assert.equal((await program.post('/user/register', typed)).user.name, nickName);
    assert.equal((await program.post('/user/login', { id, password: PASSWORD })).success, true);
    const { status, success, code, msg } = await program.post('/user/login', { id, password: 'not it at all' });
    assert.deepEqual({ status, success, code }, { status: 401, success: false, code: 'invalid_credentials' });
    assert.equal(msg, 'The username or password isn’t right.');
  });
});
