// Forms that are sent again: pressed twice, gone back to, after an answer that was lost or a session that ended. What was typed
// is done once, or is still there; nobody is told that something is wrong because it was done already.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Visitor, eventually, launch } from './browser.js';
import { PASSWORD, STORES, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 120_000 };
const OTHER_PASSWORD = 'nine loud lanterns';

for (const [way, usual] of [['without scripts', { javaScriptEnabled: false }], ['with scripts', { javaScriptEnabled: true }]]) {
  describe(`sent again, ${way}, ${STORES}`, () => {
    let browser, server;
    const visitors = [];

    before(async () => {
      [browser, server] = [await launch(), await startServer()];
      // Whoever comes first is welcomed in another way.
      await register(server);
    }, BOUNDED);

    afterEach(async () => {
      const left = await Promise.allSettled(visitors.splice(0).map((visitor) => visitor.leave()));
      for (const { reason } of left) if (reason) throw reason;
    });

    after(async () => {
      await browser?.close();
      await server?.stop();
      assert.doesNotMatch(server?.log ?? '', / ERROR /, 'the server logged a failure');
      assert.ok(!server?.log.includes(PASSWORD) && !server?.log.includes(OTHER_PASSWORD), 'a password is in the log');
    }, BOUNDED);

    async function arrive() {
      const visitor = await Visitor.arrive(browser, server, usual);
      visitors.push(visitor);
      return visitor;
    }

    async function arriveAs(person) {
      const visitor = await arrive();
      assert.equal(await visitor.logIn(person), 200);
      return visitor;
    }

    const button = (visitor, name) => visitor.page.getByRole('button', { name, exact: true });

    /** Presses it twice, as quickly as a hand can, and waits for where that leads. */
    async function pressTwice(visitor, name, path) {
      await button(visitor, name).dblclick({ delay: 10, noWaitAfter: true });
      await eventually(() => assert.equal(visitor.path, path));
      await visitor.page.waitForLoadState();
    }

    /** Presses it; the server does what it is asked, and its answer is lost on the way. */
    async function loseTheAnswer({ page, context }, name) {
      let arrived;
      const done = new Promise((found) => (arrived = found));
      const lose = async (route) => {
        if (route.request().method() !== 'POST' || new URL(route.request().url()).pathname === '/user/check') return route.continue();
        arrived((await fetched(route)).status());
        return route.abort('connectionreset');
      };
      await context.route('**/user/**', lose);
      await page.getByRole('button', { name, exact: true }).click({ noWaitAfter: true });
      const status = await done;
      await page.waitForURL('chrome-error://**').catch(() => {});
      await context.unroute('**/user/**', lose);
      return status;
    }

    /** The answer, with none of its cookies kept. */
    const fetched = async (route) => {
      const context = await browser.newContext();
      try {
        const request = route.request();
        return await context.request.fetch(request.url(), {
          method: 'POST', headers: await request.allHeaders(), data: request.postData(), maxRedirects: 0,
        });
      } finally {
        await context.close();
      }
    };

    const registration = ({ username, name, password }) => ({
      Username: username, Name: name, Password: password, 'Confirm password': password,
    });
    const change = { 'Current password': PASSWORD, 'New password': OTHER_PASSWORD, 'Confirm new password': OTHER_PASSWORD };

    test('buttons that are pressed twice do what they say', BOUNDED, async () => {
      const person = someone();
      const visitor = await arrive();
      let sent = 0;
      const counts = (request) => request.method() === 'POST' && !/\/(check|logout)$/.test(request.url());
      visitor.page.on('request', (request) => (sent += counts(request)));
      await visitor.open('/user/register?return_to=/user/account');
      await visitor.type(registration(person));
      await pressTwice(visitor, 'Create account', '/user/account');
      assert.equal(await visitor.heading(), 'Your account');

      await visitor.type(change);
      await pressTwice(visitor, 'Change password', '/user/account?saved=password');
      assert.match(await visitor.text(), /Your password has been changed/);

      await visitor.type({ Name: '김두번' });
      await pressTwice(visitor, 'Save name', '/user/account?saved=name');
      await pressTwice(visitor, 'Log out', '/user/login');
      await visitor.type({ Username: person.username, Password: OTHER_PASSWORD });
      await pressTwice(visitor, 'Log in', '/user/info');
      assert.match(await visitor.heading(), /김두번/);
      // A button that says what it is doing is pressed once; log-out has nothing to say.
      assert.ok(usual.javaScriptEnabled ? sent === 4 : sent >= 4, `${sent} forms were sent`);
    });

    test('an answer that was lost is asked for again', BOUNDED, async () => {
      const person = someone();
      const visitor = await arrive();
      await visitor.open('/user/register?return_to=/user/account');
      await visitor.type(registration(person));
      assert.equal(await loseTheAnswer(visitor, 'Create account'), 303);
      await visitor.open('/user/register?return_to=/user/account');
      await visitor.type(registration(person));
      assert.equal(await visitor.press('Create account'), 200);
      assert.equal(visitor.path, '/user/account');

      await visitor.type(change);
      assert.equal(await loseTheAnswer(visitor, 'Change password'), 303);
      await visitor.open('/user/account');
      await visitor.type(change);
      assert.equal(await visitor.press('Change password'), 200);
      assert.equal(visitor.path, '/user/account?saved=password');
      visitor.complaints.length = 0;
    });

    test('the way back leads to no form that is over, and to no failure', BOUNDED, async () => {
      const person = someone();
      const visitor = await arrive();
      await visitor.open('/user/register');
      await visitor.type(registration(person));
      assert.equal(await visitor.press('Create account'), 200);
      await visitor.page.goBack();
      await eventually(() => assert.equal(visitor.path, '/user/info', 'somebody signed in is led on'));
      await visitor.open('/user/account');
      await visitor.type({ ...change, 'Current password': 'not this one' });
      assert.equal(await visitor.press('Change password'), 422);
      await visitor.page.goBack();
      assert.equal(await visitor.heading(), 'Your account');
      await visitor.type({ Name: '김뒤로' });
      assert.equal(await visitor.press('Save name'), 200);
      await visitor.page.goBack();
      assert.equal(await visitor.heading(), 'Your account');
      assert.equal(await visitor.page.getByLabel('Name', { exact: true }).inputValue(), '김뒤로');
    });

    test('another language keeps what was typed and where to go on, also after a failure', BOUNDED, async () => {
      const { person } = await register(server);
      const visitor = await arrive();
      await visitor.open('/user/login?return_to=/user/account&reason=ended');
      await visitor.type({ Username: person.username, Password: 'not this one' });
      assert.equal(await visitor.press('Log in'), 401);
      await visitor.page.getByLabel('Keep me logged in').check();
      await button(visitor, '한국어').click();
      await visitor.page.locator('html[lang=ko]').waitFor();
      const { page } = visitor;
      assert.equal(await page.getByLabel('아이디', { exact: true }).inputValue(), person.username);
      assert.ok(await page.locator('#remember').isChecked());
      await page.getByLabel('비밀번호', { exact: true }).fill(PASSWORD);
      // Enter presses the form's own button, not one that belongs to the switch.
      await visitor.follow(() => page.getByLabel('비밀번호', { exact: true }).press('Enter'));
      assert.equal(visitor.path, '/user/account');
    });

    test('a reason that could not be read is said again in another language', BOUNDED, async () => {
      const visitor = await arrive();
      await visitor.open('/user/login?return_to=/user/account&reason=ended');
      for (const [language, said] of [['한국어', /로그아웃됐어요/], ['English', /You were logged out/], ['한국어', /로그아웃됐어요/]]) {
        await button(visitor, language).click();
        await eventually(async () => assert.match(await visitor.text(), said));
      }
    });

    test('a name that was typed when the session ended is there after the log-in', BOUNDED, async () => {
      const { person, program } = await register(server);
      const visitor = await arriveAs(person);
      await visitor.open('/user/account');
      await visitor.type({ Name: '김"오래 <걸림>' });
      await program.post('/user/account/sessions/end-others', {});
      assert.equal(await visitor.press('Save name'), 200);
      assert.match(await visitor.text(), /You were logged out on this device/);
      await visitor.type({ Username: person.username, Password: PASSWORD });
      assert.equal(await visitor.press('Log in'), 200);
      assert.match(await visitor.text(), /isn’t saved yet/);
      await visitor.focused('#name');
      await visitor.follow(() => visitor.page.locator('#name').press('Enter'));
      assert.equal(visitor.path, '/user/account?saved=name');
      assert.equal(await visitor.page.locator('#name').inputValue(), '김"오래 <걸림>');

      await visitor.type(change);
      await program.post('/user/account/sessions/end-others', {});
      assert.equal(await visitor.press('Change password'), 200);
      await visitor.type({ Username: person.username, Password: PASSWORD });
      assert.equal(await visitor.press('Log in'), 200);
      assert.match(await visitor.text(), /your password hasn’t been changed/);
      await visitor.focused('#currentPassword');
      assert.ok(!(await visitor.page.content()).includes(OTHER_PASSWORD));
    });
  });
}
