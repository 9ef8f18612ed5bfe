// What the script adds to the pages, in a real browser: each of it is a kindness, and nothing waits for it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Visitor, eventually, launch } from './browser.js';
import { Program, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 120_000 };

describe('the script', { concurrency: 1 }, () => {
  let browser, server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  }, BOUNDED);

  after(async () => {
    await browser?.close();
    await server?.stop();
  }, BOUNDED);

  const arrive = (options) => Visitor.arrive(browser, server, { javaScriptEnabled: true, ...options });

  /** What is said below a field. */
  const said = (visitor, id) => visitor.page.locator(`#${id}-error`).innerText();

  async function signedIn(options) {
    const { program, person } = await register(server);
    const visitor = await arrive(options);
    await visitor.context.addCookies([...program.cookies].map(([name, value]) => ({ name, value, url: server.url })));
    return { visitor, program, person };
  }

  test('a password is shown and hidden again, and goes out hidden', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login');
    await visitor.type({ Username: 'nobody', Password: 'my secret words' });
    const reveal = page.getByRole('button', { name: 'Show: Password' });
    assert.equal(await reveal.getAttribute('aria-pressed'), 'false');
    await reveal.click();
    assert.equal(await page.locator('#password').getAttribute('type'), 'text');
    assert.equal(await reveal.getAttribute('aria-pressed'), 'true');
    const type = await page.evaluate(() => new Promise((sent) => {
      // Stays, so that one can be asked how it went.
      addEventListener('submit', (event) => {
        event.preventDefault();
        sent(document.querySelector('#password').type);
      });
      document.querySelector('button.primary').click();
    }));
    assert.equal(type, 'password');
    assert.equal(await reveal.getAttribute('aria-pressed'), 'false');
    await visitor.leave();
  });

  test('Caps Lock is pointed out while it is on', BOUNDED, async () => {
    const visitor = await arrive({ locale: 'ko-KR' });
    const { page } = visitor;
    await visitor.open('/user/login');
    const press = (on) => page.locator('#password').evaluate((input, caps) => {
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: caps }));
    }, on);
    const hint = page.locator('.caps');
    await press(true);
    assert.equal(await hint.innerText(), 'Caps Lock이 켜져 있어요.');
    assert.equal(await hint.getAttribute('role'), 'status');
    await press(false);
    assert.equal(await hint.innerText(), '');
    await visitor.leave();
  });

  test('what is wrong is said once a field was left, and taken back once it is mended', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    await page.locator('#username').pressSequentially('a b');
    assert.equal(await said(visitor, 'username'), '', 'nobody is interrupted');
    await page.locator('#name').focus();
    await eventually(async () => assert.match(await said(visitor, 'username'), /letters/));
    assert.equal(await page.locator('#username').getAttribute('aria-invalid'), 'true');
    await page.locator('#username').fill('mina.kim');
    await eventually(async () => assert.equal(await said(visitor, 'username'), ''));
    assert.equal(await page.locator('#username').getAttribute('aria-invalid'), null);
    await visitor.type({ Password: 'blue kettle 9', 'Confirm password': 'blue kettle 8' });
    await page.locator('#name').focus();
    await eventually(async () => assert.equal(await said(visitor, 'confirmPassword'), 'The two passwords don’t match.'));
    await visitor.leave();
  });

  test('a strong password is told from a weak one, in words', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    const strength = page.locator('.strength');
    assert.ok(!(await strength.isVisible()));
    await page.locator('#password').fill('kettlekettlekettle');
    await eventually(async () => assert.match(await strength.innerText(), /Weak\. Repeating/));
    assert.equal(await strength.locator('.bars').getAttribute('data-score'), '1');
    await page.locator('#password').fill('kettle, nine ducks and a boat');
    await eventually(async () => assert.match(await strength.innerText(), /Strong\./));
    await page.locator('#password').fill('');
    await eventually(async () => assert.ok(!(await strength.isVisible())));
    await visitor.leave();
  });

  test('what only the form can know stays said until it is changed', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    const password = 'nine ducks on a boat';
    await visitor.open('/user/register');
    await visitor.type({ Username: person.username, Name: 'Mina', Password: password, 'Confirm password': password });
    assert.equal(await visitor.press('Create account'), 409);
    const taken = await said(visitor, 'username');
    await visitor.type({ Password: password, 'Confirm password': password });
    const answered = page.waitForResponse('**/user/check');
    await page.locator('#name').focus();
    await answered;
    assert.equal(await said(visitor, 'username'), taken);
    await page.locator('#username').fill(`${person.username}2`);
    await eventually(async () => assert.equal(await said(visitor, 'username'), ''));
    await visitor.leave();
  });

  test('the newest answer counts, however late an older one comes', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    let release;
    const held = new Promise((go) => { release = go; });
    let asked = 0;
    await page.route('**/user/check', async (route) => {
      asked += 1;
      if (asked === 1) await held;
      await route.continue().catch(() => {});
    });
    await visitor.open('/user/register');
    await page.locator('#username').fill('a b');
    await page.locator('#name').focus();
    await eventually(async () => assert.equal(asked, 1));
    await page.locator('#username').fill('mina.kim');
    const answered = page.waitForResponse('**/user/check');
    await page.locator('#name').focus();
    await answered;
    release();
    await page.waitForTimeout(100);
    assert.equal(await said(visitor, 'username'), '');
    await visitor.leave();
  });

  test('an answer that never comes, or is no answer, keeps nobody from registering', BOUNDED, async () => {
    for (const answer of [(route) => route.abort(), (route) => route.fulfill({ status: 200, body: '<html>' }), () => {}]) {
      const visitor = await arrive();
      await visitor.page.route('**/user/check', answer);
      const person = someone();
      await visitor.open('/user/register');
      await visitor.type({
        Username: person.username, Name: 'Mina', Password: person.password, 'Confirm password': person.password,
      });
      assert.equal(await visitor.press('Create account'), 200);
      assert.equal(await visitor.heading(), 'Hello, Mina');
      visitor.complaints = visitor.complaints.filter((what) => !what.includes('/user/check') && !what.includes('ERR_FAILED'));
      await visitor.leave();
    }
  });

  test('a form goes out once, and says that it is under way', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    let sent = 0;
    page.on('request', (request) => { sent += request.method() === 'POST' ? 1 : 0; });
    await visitor.open('/user/login');
    await visitor.type({ Username: person.username, Password: person.password });
    let seen;
    await visitor.follow(async () => {
      // In one go, because a browser that is on its way elsewhere answers no more questions.
      seen = await page.locator('button.primary').evaluate((button) => {
        for (let press = 0; press < 3; press += 1) button.click();
        button.form.requestSubmit(button);
        return [button.textContent, button.getAttribute('aria-busy')];
      });
    });
    assert.deepEqual(seen, ['Logging in…', 'true']);
    assert.equal(sent, 1);
    assert.match(await visitor.heading(), /Hello/);
    await visitor.leave();
  });

  test('the language changes and everything typed stays, passwords too', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login?return_to=%2Fapp');
    await visitor.type({ Username: 'mina', Password: 'my secret words' });
    await page.getByLabel('Keep me logged in').check();
    let posted = 0;
    page.on('request', (request) => { posted += request.method() === 'POST' ? 1 : 0; });
    await page.getByRole('button', { name: '한국어' }).click();
    await eventually(async () => assert.equal(await visitor.heading(), '로그인'));
    assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
    assert.match(await page.title(), /^로그인/);
    assert.equal(await page.getByLabel('아이디').inputValue(), 'mina');
    assert.equal(await page.getByLabel('비밀번호', { exact: true }).inputValue(), 'my secret words');
    assert.ok(await page.getByLabel('로그인 상태 유지').isChecked());
    assert.equal(posted, 0, 'nothing typed went anywhere');
    assert.equal(await page.evaluate(() => document.activeElement.lang), 'ko', 'the focus stays where it was');
    assert.ok(!page.url().includes('secret'));
    await page.getByRole('button', { name: '비밀번호 보기' }).click();
    assert.equal(await page.locator('#password').getAttribute('type'), 'text', 'the new page is as kind as the old one');
    await page.getByRole('button', { name: 'English' }).press('Enter');
    await eventually(async () => assert.equal(await visitor.heading(), 'Log in'));
    await visitor.leave();
  });

  test('times are told as the reader’s clock does, and in UTC on demand', BOUNDED, async () => {
    const { visitor } = await signedIn({ locale: 'ko-KR', timezoneId: 'Asia/Seoul' });
    await visitor.open('/user/info');
    const time = visitor.page.locator('time').first();
    const there = new Date(Date.parse(await time.getAttribute('datetime')) + 9 * 3_600_000);
    const [hour, minute] = [there.getUTCHours(), String(there.getUTCMinutes()).padStart(2, '0')];
    const day = `${there.getUTCFullYear()}년 ${there.getUTCMonth() + 1}월 ${there.getUTCDate()}일`;
    assert.equal(await time.innerText(), `${day} ${hour < 12 ? '오전' : '오후'} ${hour % 12 || 12}:${minute}`);
    assert.match(await time.getAttribute('title'), /UTC$/);
    await visitor.leave();
  });

  test('a page whose session ended elsewhere says so and keeps what was typed', BOUNDED, async () => {
    const { visitor, program } = await signedIn();
    const { page } = visitor;
    await visitor.open('/user/account');
    await page.getByLabel('Name', { exact: true }).fill('A new name');
    const back = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    const asked = page.waitForResponse('**/user/info');
    await back();
    await asked;
    assert.equal(await page.locator('.banner').count(), 0);
    await program.post('/user/logout', {});
    await back();
    await page.getByText('You’re no longer logged in here.').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'A new name');
    await back();
    assert.equal(await page.locator('.banner').count(), 1);
    await visitor.click('Log in');
    assert.equal(visitor.path.split('?')[0], '/user/login');
    await visitor.leave();
  });

  test('a page that comes back from the history can be sent again', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login');
    await visitor.type({ Username: person.username, Password: 'not it at all' });
    assert.equal(await visitor.press('Log in'), 401);
    await page.goBack();
    await visitor.type({ Username: person.username, Password: person.password });
    assert.equal(await visitor.press('Log in'), 200);
    await page.goBack();
    assert.match(await visitor.heading(), /Hello|Log in/);
    assert.equal(await page.getByText(person.password).count(), 0);
    await visitor.leave();
  });
});
