// What a person does, in a real browser: on a phone without scripts, and at a desk with them.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Visitor, eventually, launch } from './browser.js';
import { PASSWORD, Program, STORES, expiry, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 120_000 };

const WAYS = [
  ['on a phone without scripts', { javaScriptEnabled: false, viewport: { width: 390, height: 800 } }],
  ['at a desk with scripts', { javaScriptEnabled: true, viewport: { width: 1280, height: 800 } }],
];

for (const [way, usual] of WAYS) describe(`in a browser, ${way}, ${STORES}`, () => {
  const { javaScriptEnabled } = usual;
  let browser, server, quick;
  const visitors = [];

  before(async () => {
    browser = await launch();
    server = await startServer();
    // Access tokens that expire while one watches.
    quick = await startServer({ 'tokens.access_ttl': '2s' });
    // Whoever comes first is welcomed in another way.
    await register(quick);
  }, BOUNDED);

  afterEach(async () => {
    // One that complains leaves the others to leave.
    const left = await Promise.allSettled(visitors.splice(0).map((visitor) => visitor.leave()));
    for (const { reason } of left) if (reason) throw reason;
  });

  after(async () => {
    await browser?.close();
    for (const one of [server, quick]) {
      await one?.stop();
      assert.doesNotMatch(one?.log ?? '', / ERROR /, 'the server logged a failure');
      assert.ok(!one?.log.includes(PASSWORD), 'a password is in the log');
      assert.doesNotMatch(one?.log ?? '', /eyJ[\w-]+\.eyJ/, 'a token is in the log');
    }
  }, BOUNDED);

  async function arrive(at, options) {
    const visitor = await Visitor.arrive(browser, at, { ...usual, ...options });
    visitors.push(visitor);
    return visitor;
  }

  /** A second browser, where a person who exists logs in. */
  async function arriveAs(person, at, options) {
    const visitor = await arrive(at, options);
    assert.equal(await visitor.logIn(person), 200);
    return visitor;
  }

  test('a person signs in, stays in and signs out', BOUNDED, async () => {
    const person = someone();
    const visitor = await arrive(quick);

    await visitor.open('/');
    assert.equal(visitor.path, '/user/info');
    assert.equal(await visitor.heading(), 'You’re not logged in');

    await visitor.click('Create an account');
    await visitor.type({
      Username: person.username, Name: person.name, Password: person.password, 'Confirm password': person.password,
    });
    assert.equal(await visitor.press('Create account'), 200);
    assert.equal(visitor.path, '/user/info');
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
    for (const name of ['accessToken', 'refreshToken']) {
      const { httpOnly, sameSite, path, expires } = await visitor.cookie(name);
      assert.deepEqual({ httpOnly, sameSite, path, expires }, { httpOnly: true, sameSite: 'Lax', path: '/', expires: -1 });
    }

    await visitor.press('Log out');
    assert.equal(visitor.path, '/user/login');
    assert.deepEqual(await visitor.cookieNames(), ['deviceToken']);
    await visitor.open('/user/info');
    assert.equal(await visitor.heading(), 'You’re not logged in');

    await visitor.click('Log in');
    await visitor.type({ Username: person.username, Password: person.password });
    await visitor.page.getByLabel('Keep me logged in').check();
    assert.equal(await visitor.press('Log in'), 200);
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
    const before = { access: await visitor.cookie('accessToken'), refresh: await visitor.cookie('refreshToken') };
    const days = (before.refresh.expires - Date.now() / 1000) / 86_400;
    assert.ok(days > 13 && days < 15, `remembered for ${days} days`);
    assert.ok(Math.abs(before.access.expires - before.refresh.expires) < 2, 'both live equally long');

    await expiry(before.access.value);
    await visitor.page.reload();
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
    assert.notEqual((await visitor.cookie('accessToken')).value, before.access.value);
    assert.notEqual((await visitor.cookie('refreshToken')).value, before.refresh.value);

    await visitor.click('Your account');
    const sessions = visitor.page.locator('.row');
    assert.equal(await sessions.count(), 1);
    assert.match(await visitor.text('.row'), /^Chrome on Linux This device Last used just now · 127\.0\.0\.1 Logged in .+ Log out here$/);

    const thief = new Program(quick);
    for (const { name, value } of await visitor.context.cookies()) thief.cookies.set(name, value);
    assert.equal((await thief.copy().get('/user/info')).user.name, person.name);
    await visitor.press('Log out');
    const refused = await thief.get('/user/info');
    assert.equal(refused.loggedIn, false);
    assert.equal(refused.user, null);
    await visitor.open('/user/info');
    assert.equal(await visitor.heading(), 'You’re not logged in');
  });

  test('cookies that were copied before the log-out are refused after it', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    const thief = new Program(server);
    for (const { name, value } of await visitor.context.cookies()) thief.cookies.set(name, value);
    const onlyRefresh = thief.copy();
    onlyRefresh.cookies.delete('accessToken');
    assert.equal((await thief.copy().get('/user/info')).loggedIn, true);

    await visitor.press('Log out');
    const { loggedIn, reason } = await thief.get('/user/info');
    assert.deepEqual({ loggedIn, reason }, { loggedIn: false, reason: 'ended' });
    assert.equal((await onlyRefresh.post('/user/refresh')).code, 'session_ended');
  });

  test('tabs that are renewed at the same moment all stay signed in', BOUNDED, async () => {
    const { person } = await register(quick);
    const visitor = await arriveAs(person, quick);
    const tabs = [visitor.page, await visitor.newTab(), await visitor.newTab(), await visitor.newTab()];
    for (let round = 0; round < 2; round += 1) {
      await expiry((await visitor.cookie('accessToken')).value);
      await Promise.all(tabs.map((tab) => tab.goto('/user/info')));
      for (const tab of tabs) assert.equal(await tab.locator('h1').innerText(), 'Hello, 김문지기');
    }
  });

  test('a session is ended from another browser', BOUNDED, async () => {
    const { person } = await register(server);
    // Registering signed a program in; that is a session too.
    const here = await arriveAs(person, server);
    const there = await arriveAs(person, server);
    await here.open('/user/account');
    const sessions = here.page.locator('.row');
    assert.equal(await sessions.count(), 3);
    assert.equal(await sessions.filter({ hasText: 'This device' }).count(), 1);
    assert.equal(await sessions.filter({ hasText: 'Chrome on Linux' }).count(), 2);
    assert.equal(await sessions.filter({ hasText: 'Node.js' }).count(), 1);

    const other = sessions.filter({ hasText: 'Chrome' }).filter({ hasNotText: 'This device' });
    await here.follow(() => other.getByRole('button', { name: 'Log out' }).click());
    assert.equal(await here.text('.notice'), 'That device has been logged out.');
    assert.equal(await sessions.count(), 2);

    await there.open('/user/info');
    assert.equal(await there.heading(), 'You’re not logged in');
    assert.match(await there.text(), /You were logged out on this device/);
    assert.deepEqual(await there.cookieNames(), ['deviceToken']);

    await here.press('Log out everywhere else');
    assert.equal(await here.text('.notice'), 'All other devices have been logged out.');
    assert.equal(await sessions.count(), 1);
    await here.open('/user/info');
    assert.equal(await here.heading(), 'Hello, 김문지기');
  });

  test('ending the session at hand is logging out', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    await visitor.open('/user/account');
    await visitor.press('Log out here');
    assert.equal(visitor.path, '/user/login');
    assert.deepEqual(await visitor.cookieNames(), ['deviceToken']);
  });

  test('a new name is shown at once', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    await visitor.open('/user/account');
    await visitor.type({ Name: '<b>Åse & 이순신</b>' });
    await visitor.press('Save name');
    assert.equal(await visitor.text('.notice'), 'Your name has been saved.');
    assert.equal(await visitor.page.getByLabel('Name', { exact: true }).inputValue(), '<b>Åse & 이순신</b>');
    await visitor.open('/user/info');
    assert.equal(await visitor.heading(), 'Hello, <b>Åse & 이순신</b>');
  });

  test('a new password needs the old one and ends every other session', BOUNDED, async () => {
    const { person } = await register(server);
    const here = await arriveAs(person, server);
    const there = await arriveAs(person, server);
    const change = (current, next) =>
      here.type({ 'Current password': current, 'New password': next, 'Confirm new password': next });

    await here.open('/user/account');
    await change('not it at all', 'another fine evening');
    assert.equal(await here.press('Change password'), 422);
    assert.equal(await here.text('#currentPassword-error'), 'That isn’t your current password.');
    assert.equal(await here.page.locator('#currentPassword').getAttribute('aria-invalid'), 'true');
    assert.equal(await here.page.locator('input:focus').getAttribute('id'), 'currentPassword');
    await there.open('/user/info');
    assert.equal(await there.heading(), 'Hello, 김문지기');

    await change(person.password, 'another fine evening');
    assert.equal(await here.press('Change password'), 200);
    assert.equal(await here.text('.notice'), 'Your password has been changed.');
    assert.equal(await here.page.locator('.row').count(), 1);
    await there.open('/user/info');
    assert.equal(await there.heading(), 'You’re not logged in');
    await here.open('/user/info');
    assert.equal(await here.heading(), 'Hello, 김문지기');

    assert.equal(await there.logIn(person), 401);
    assert.equal(await there.logIn({ ...person, password: 'another fine evening' }), 200);
  });

  test('the log-in page says why one is there and leads back', BOUNDED, async () => {
    const { person, program } = await register(server);
    const visitor = await arriveAs(person, server);
    await program.post('/user/account/sessions/end-others');

    await visitor.open('/user/account?saved=name');
    assert.match(visitor.path, /^\/user\/login\?/);
    assert.equal(await visitor.text('.notice'), 'You were logged out on this device. Please log in again.');
    await visitor.type({ Username: person.username, Password: 'not it at all' });
    await visitor.press('Log in');
    await visitor.type({ Password: person.password });
    await visitor.press('Log in');
    assert.equal(visitor.path, '/user/account?saved=name');

    // Somebody who is signed in has nothing to do there.
    await visitor.open('/user/login?return_to=/user/account');
    assert.equal(visitor.path, '/user/account');
  });

  test('registering leads back too', BOUNDED, async () => {
    const person = someone();
    const visitor = await arrive(server);
    await visitor.open('/user/account');
    await visitor.click('Create an account');
    await visitor.type({
      Username: person.username, Name: person.name, Password: person.password, 'Confirm password': person.password,
    });
    await visitor.press('Create account');
    assert.equal(visitor.path, '/user/account');
  });

  test('nobody is led away to another place', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive(server);
    for (const evil of ['https://evil.example/', '//evil.example', '/\\evil.example', '/.//evil.example', 'javascript:alert(1)']) {
      await visitor.context.clearCookies();
      await visitor.logIn(person, `/user/login?return_to=${encodeURIComponent(evil)}`);
      assert.equal(new URL(visitor.page.url()).origin, server.url, evil);
      await visitor.open('/user/info');
      assert.equal(await visitor.heading(), 'Hello, 김문지기');
    }
  });

  test('the language is the browser’s until another is chosen, and that sticks', BOUNDED, async () => {
    const visitor = await arrive(server, { locale: 'ko-KR' });
    // With scripts the page stays and its words change.
    const change = async (label, lang) => {
      await visitor.page.getByRole('button', { name: label, exact: true }).click();
      await visitor.page.locator(`html[lang=${lang}]`).waitFor();
    };
    await visitor.open('/user/login?return_to=%2Fuser%2Faccount');
    assert.equal(await visitor.heading(), '로그인');
    assert.equal(await visitor.page.locator('html').getAttribute('lang'), 'ko');

    await change('English', 'en');
    assert.equal(await visitor.heading(), 'Log in');
    assert.match(visitor.path, /return_to=%2Fuser%2Faccount/);
    await visitor.open('/user/register');
    assert.equal(await visitor.heading(), 'Create an account');
    assert.equal(await visitor.page.locator('html').getAttribute('lang'), 'en');
    await change('한국어', 'ko');
    await visitor.open('/user/info');
    assert.equal(await visitor.heading(), '로그인하지 않았어요');
  });

  test('a wrong password is said, and what was typed stays, but for the password', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive(server);
    await visitor.open('/user/login');
    await visitor.type({ Username: person.username, Password: 'not it at all' });
    await visitor.page.getByLabel('Keep me logged in').check();
    assert.equal(await visitor.press('Log in'), 401);
    assert.equal(await visitor.text('[role=alert]'), 'The username or password isn’t right.');
    assert.equal(await visitor.page.getByLabel('Username').inputValue(), person.username);
    assert.equal(await visitor.page.getByLabel('Password', { exact: true }).inputValue(), '');
    assert.ok(await visitor.page.getByLabel('Keep me logged in').isChecked());
    assert.equal(await visitor.page.locator('input:focus').getAttribute('id'), 'password');
    assert.ok(!(await visitor.page.content()).includes('not it at all'));
    const said = await visitor.text();

    assert.equal(await visitor.logIn({ username: 'nobody.at.all', password: 'not it at all' }), 401);
    assert.equal(await visitor.text(), said, 'a stranger is told the same');
  });

  test('what is wrong with a registration stands beside its input', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive(server);
    await visitor.open('/user/register');
    await visitor.type({ Username: 'abc', Name: '김문지기', Password: 'short', 'Confirm password': 'other' });
    assert.equal(await visitor.press('Create account'), 422);
    assert.equal(await visitor.text('#username-error'), 'Use 4 to 32 characters.');
    assert.equal(await visitor.text('#password-error'), 'Use at least 8 characters.');
    assert.equal(await visitor.page.locator('input:focus').getAttribute('id'), 'username');
    assert.equal(await visitor.page.getByLabel('Name', { exact: true }).inputValue(), '김문지기');

    const { username } = person;
    const another = 'nine loud lanterns';
    await visitor.type({ Username: username.toUpperCase(), Password: another, 'Confirm password': another });
    assert.equal(await visitor.press('Create account'), 409);
    assert.equal(await visitor.text('#username-error'), 'Someone already uses this username. Please choose another.');
  });

  test('a keyboard is enough to register, log out and log in', BOUNDED, async () => {
    const person = someone();
    const visitor = await arrive(server);
    const { keyboard } = visitor.page;
    await visitor.open('/user/register');
    // The first input gets the focus by itself.
    await visitor.focused('#username');
    const { username, name, password } = person;
    for (const [id, text] of Object.entries({ username, name, password, confirmPassword: password })) {
      await visitor.tabTo(`#${id}`);
      await keyboard.insertText(text);
    }
    await visitor.tabTo('main button[type=submit]');
    await visitor.follow(() => keyboard.press('Enter'));
    assert.equal(await visitor.heading(), 'Hello, 김문지기');

    await visitor.tabTo('form[action$="/logout"] button');
    await visitor.follow(() => keyboard.press('Enter'));
    assert.equal(visitor.path, '/user/login');

    await visitor.focused('#username');
    await keyboard.insertText(person.username);
    await keyboard.press('Tab');
    await keyboard.insertText(person.password);
    await visitor.tabTo('#remember');
    await keyboard.press('Space');
    await visitor.tabTo('main button[type=submit]');
    await visitor.follow(() => keyboard.press('Enter'));
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
    assert.ok((await visitor.cookie('refreshToken')).expires > 0, 'remembered');
  });

  test('the way back after a log-out shows nothing of the one who was there', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    await visitor.open('/user/account');
    await visitor.follow(() => visitor.page.locator('.heading').getByRole('button', { name: 'Log out' }).click());
    await visitor.page.goBack();
    await eventually(async () => assert.match(visitor.path, /^\/user\/login/));
    assert.ok(!(await visitor.page.content()).includes(person.username));
  });

  test('a GET to the log-out page logs nobody out', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    await visitor.open('/user/logout');
    assert.equal(await visitor.heading(), 'Log out?');
    await visitor.click('Stay logged in');
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
    await visitor.open('/user/logout');
    await visitor.press('Log out');
    assert.equal(visitor.path, '/user/login');
  });

  test('a form on another site logs nobody out', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arriveAs(person, server);
    const strange = 'http://strange.example/';
    const form = `<form method=post action="${server.url}/user/logout"><button>Win a prize</button></form>`;
    await visitor.page.route(strange, (route) => route.fulfill({ contentType: 'text/html', body: form }));
    await visitor.page.goto(strange);
    assert.equal(await visitor.press('Win a prize'), 403);
    await visitor.open('/user/info');
    assert.equal(await visitor.heading(), 'Hello, 김문지기');
  });

  test('what a page may not do would be noticed here', BOUNDED, async () => {
    const visitor = await Visitor.arrive(browser, server, { javaScriptEnabled: true });
    await visitor.page.route('**/user/login', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace('</main>', '<script>1</script><img src="/user/static/no.png" alt=""></main>');
      await route.fulfill({ response, body });
    });
    await visitor.open('/user/login');
    await eventually(() => assert.equal(visitor.complaints.length, 2, visitor.complaints.join('\n')));
    assert.match(visitor.complaints.join('\n'), /Content Security Policy/);
    assert.match(visitor.complaints.join('\n'), /404 .*no\.png/);
    await visitor.context.close();
  });
});
