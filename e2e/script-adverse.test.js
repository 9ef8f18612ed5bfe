// The script where things go wrong: slow and absent answers, several tabs, impatient people, input methods, pages of one's own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Visitor, eventually, launch } from './browser.js';
import { PASSWORD, Program, register, startServer } from './server.js';

const BOUNDED = { timeout: 120_000 };
const CHECK = '**/user/check';

describe('the script where things go wrong', { concurrency: 1 }, () => {
  let browser, server;

  before(async () => {
    [browser, server] = [await launch(), await startServer()];
  }, BOUNDED);

  after(async () => {
    await browser?.close();
    await server?.stop();
  }, BOUNDED);

  const arrive = (options) => Visitor.arrive(browser, server, { javaScriptEnabled: true, ...options });
  const said = ({ page }, id) => page.locator(`#${id}-error`).innerText();
  const cookiesOf = (program) => [...program.cookies].map(([name, value]) => ({ name, value, url: server.url }));

  /** Somebody at the registration whose username has been found wrong. */
  async function wrong(options) {
    const visitor = await arrive(options);
    await visitor.open('/user/register');
    await visitor.page.locator('#username').fill('a b');
    await visitor.page.locator('#name').focus();
    await eventually(async () => assert.notEqual(await said(visitor, 'username'), ''));
    return visitor;
  }

  /** Leaves out complaints of what the test itself broke. */
  function forgive(visitor, ...reasons) {
    visitor.complaints = visitor.complaints.filter((what) => !reasons.some((reason) => what.includes(reason)));
  }

  /** Holds the next request to these addresses until it is let go. */
  async function hold({ page }, address) {
    let go;
    const free = new Promise((done) => { go = done; });
    await page.route(address, async (route) => {
      await free;
      await route.continue().catch(() => {});
    }, { times: 1 });
    return go;
  }

  // What is said of a field

  test('what appears does not push away the button that is being pressed', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    await visitor.type({ Username: 'a b', Name: 'Mina', Password: PASSWORD });
    // All said so far has been said.
    await page.locator('#password-strength:not(:empty)').waitFor();
    await page.locator('#confirmPassword').fill('something else');
    const button = page.locator('button.primary');
    await button.scrollIntoViewIfNeeded();
    const before = await button.boundingBox();
    const answered = page.waitForResponse(CHECK);
    await page.mouse.move(before.x + 20, before.y + 4);
    await page.mouse.down();
    await answered;
    // What was said would have been said by the next frame.
    await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); }));
    // The style lowers what is pressed by a pixel.
    assert.equal((await button.boundingBox()).y, before.y + 1);
    assert.equal(await visitor.follow(() => page.mouse.up()), 422);
    await visitor.leave();
  });

  test('what was pressed and let go elsewhere does not keep words back', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    await page.locator('#username').fill('a b');
    await page.locator('button.primary').scrollIntoViewIfNeeded();
    const { x, y } = await page.locator('button.primary').boundingBox();
    await page.mouse.move(x + 20, y + 4);
    await page.mouse.down();
    await page.mouse.move(x + 20, y - 60);
    await page.mouse.up();
    await eventually(async () => assert.notEqual(await said(visitor, 'username'), ''));
    await visitor.leave();
  });

  test('who looks at another window is not interrupted', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    let asked = 0;
    page.on('request', (request) => { asked += request.url().endsWith('/check') ? 1 : 0; });
    await visitor.open('/user/register');
    await page.locator('#username').fill('a b');
    // So it comes to a page whose window is left: the field keeps its place.
    await page.locator('#username').evaluate((input) => input.dispatchEvent(new FocusEvent('blur')));
    await page.waitForTimeout(600);
    assert.equal(asked, 0);
    await page.locator('#name').focus();
    await eventually(async () => assert.notEqual(await said(visitor, 'username'), ''));
    await visitor.leave();
  });

  test('an answer to what was typed before is not told of what is typed now', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    const go = await hold(visitor, CHECK);
    await visitor.open('/user/register');
    await page.locator('#username').fill('a b');
    const asked = page.waitForRequest(CHECK);
    await page.locator('#name').focus();
    await asked;
    const told = page.evaluate(() => new Promise((done) => {
      const heard = [];
      new MutationObserver(() => heard.push(document.querySelector('#username-error').textContent))
        .observe(document.querySelector('#username-error'), { childList: true, subtree: true });
      document.querySelector('#username').addEventListener('told', () => done(heard));
    }));
    await page.locator('#username').fill('mina.kim');
    const answered = page.waitForResponse(CHECK);
    go();
    await answered;
    await page.waitForTimeout(100);
    await page.locator('#username').dispatchEvent('told');
    assert.deepEqual(await told, []);
    await visitor.leave();
  });

  test('what was refused is said again when it is typed again', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    // With the right password it would be the same form once more, and lead on.
    const other = `another ${PASSWORD}`;
    await visitor.type({ Username: person.username, Name: 'Mina', Password: other, 'Confirm password': other });
    assert.equal(await visitor.press('Create account'), 409);
    const taken = await said(visitor, 'username');
    await page.locator('#username').fill(`${person.username}2`);
    await eventually(async () => assert.equal(await said(visitor, 'username'), ''));
    await page.locator('#username').fill(person.username);
    await eventually(async () => assert.equal(await said(visitor, 'username'), taken));
    assert.equal(await page.locator('#username').getAttribute('aria-invalid'), 'true');
    await visitor.leave();
  });

  test('without an answer, what was said of the old stays said, and nobody is blamed for what is new', BOUNDED, async () => {
    for (const status of [429, 500]) {
      const visitor = await wrong();
      const { page } = visitor;
      const before = await said(visitor, 'username');
      await page.route(CHECK, (route) => route.fulfill({ status, json: { errors: { username: 'No.' } } }));
      let answered = page.waitForResponse(CHECK);
      await page.locator('#name').fill('Mina');
      await page.locator('#password').focus();
      await answered;
      await page.waitForTimeout(50);
      assert.equal(await said(visitor, 'username'), before);
      answered = page.waitForResponse(CHECK);
      await page.locator('#username').fill('mina.kim');
      await answered;
      await eventually(async () => assert.equal(await said(visitor, 'username'), ''));
      assert.equal(await page.locator('#username').getAttribute('aria-invalid'), null);
      forgive(visitor, '/user/check');
      await visitor.leave();
    }
  });

  test('nobody notices that the line is down until they send the form', BOUNDED, async () => {
    const visitor = await wrong();
    const { page, context } = visitor;
    const before = await said(visitor, 'username');
    await context.setOffline(true);
    const failed = page.waitForEvent('requestfailed');
    await page.locator('#password').fill('kettle, nine ducks and a boat');
    await failed;
    await page.waitForTimeout(50);
    assert.equal(await said(visitor, 'username'), before);
    assert.ok(!(await page.locator('.strength').isVisible()));
    await context.setOffline(false);
    await page.locator('#password').fill('kettle, nine ducks and a cart');
    await eventually(async () => assert.match(await page.locator('.strength').innerText(), /Strong/));
    forgive(visitor, '/user/check', 'ERR_INTERNET_DISCONNECTED');
    await visitor.leave();
  });

  test('what an answer says is text, whatever it looks like', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    const markup = '<img src=x onerror=alert(1)><a href="javascript:alert(2)">x</a>';
    const ran = [];
    page.on('dialog', (dialog) => ran.push(dialog.message()) && dialog.dismiss());
    await page.route(CHECK, (route) => route.fulfill({
      json: { errors: { username: markup, __proto__: markup }, strength: { score: '" onclick="alert(3)', label: markup, advice: markup } },
    }));
    await visitor.open('/user/register');
    await page.locator('#username').fill('mina');
    await page.locator('#password').fill('whatever it is');
    await page.locator('#name').focus();
    await eventually(async () => assert.equal(await said(visitor, 'username'), markup));
    assert.equal(await page.locator('#password-strength').innerText(), `${markup} ${markup}`);
    assert.equal(await page.locator('main img, [onclick], a[href^=javascript]').count(), 0);
    assert.deepEqual(ran, []);
    await visitor.leave();
  });

  test('Hangul that is being composed is judged as it stands', BOUNDED, async () => {
    const visitor = await wrong({ locale: 'ko-KR' });
    const { page, context } = visitor;
    const keyboard = await context.newCDPSession(page);
    const compose = (text) => keyboard.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    // The name is wrong, and becomes right by syllables of which the last is never finished.
    await page.locator('#name').fill('W'.repeat(65));
    await page.locator('#username').focus();
    await eventually(async () => assert.notEqual(await said(visitor, 'name'), ''));
    await page.locator('#name').fill('');
    await page.locator('#name').focus();
    for (const text of ['ㅁ', '미', '민']) await compose(text);
    await eventually(async () => assert.equal(await said(visitor, 'name'), ''));
    assert.equal(await page.locator('#name').inputValue(), '민');
    // A password that is shown may be composed too.
    await page.locator('.reveal[aria-controls=password]').click();
    await page.locator('#password').focus();
    await compose('고양이고양이');
    await page.locator('#password-strength:not(:empty)').waitFor();
    await visitor.leave();
  });

  test('strength is said where it was listened for, and not twice', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    const words = page.locator('#password-strength');
    assert.equal(await words.getAttribute('aria-live'), 'polite');
    assert.ok(await words.evaluate((element) => element.checkVisibility()), 'a region that is not there is not listened to');
    await page.locator('#password').fill('kettlekettlekettle');
    await page.locator('#password-strength:not(:empty)').waitFor();
    await words.evaluate((element) => {
      window.said = 0;
      new MutationObserver(() => { window.said += 1; }).observe(element, { childList: true, characterData: true, subtree: true });
    });
    const answered = page.waitForResponse(CHECK);
    await page.locator('#password').fill('kettlekettlekettlekettle');
    await answered;
    await page.waitForTimeout(50);
    assert.equal(await page.evaluate(() => window.said), 0);
    await visitor.leave();
  });

  test('what a browser fills in is taken as it comes', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    await page.evaluate((password) => {
      for (const input of document.querySelectorAll('input[type=password]')) {
        // Chromium's autofill: keys without a key, and the value at once.
        for (const kind of ['keydown', 'keyup']) input.dispatchEvent(new Event(kind, { bubbles: true }));
        input.value = password;
        for (const kind of ['input', 'change', 'blur']) input.dispatchEvent(new Event(kind, { bubbles: true }));
      }
    }, 'kettle, nine ducks and a boat');
    await eventually(async () => assert.match(await page.locator('.strength').innerText(), /Strong/));
    assert.equal(await said(visitor, 'confirmPassword'), '');
    assert.deepEqual(await page.locator('.caps').allInnerTexts(), ['', '']);
    await visitor.leave();
  });

  test('no password is asked about where one logs in, and one that is shown is spelled by nobody', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    const asked = [];
    page.on('request', (request) => { if (request.method() === 'POST') asked.push(request.url()); });
    await visitor.open('/user/login');
    await visitor.type({ Username: 'a b', Password: 'my secret words' });
    await page.locator('.reveal').click();
    await page.locator('#username').focus();
    await page.waitForTimeout(500);
    assert.deepEqual(asked, []);
    // A browser may send elsewhere what it checks for spelling, and a phone would begin with a capital.
    assert.deepEqual(await page.locator('#password').evaluate((input) => [input.type, input.spellcheck, input.autocapitalize]), ['text', false, 'none']);
    await visitor.leave();
  });

  // Sending

  test('a form that never arrived can be sent again, at the latest when its time is over', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    await page.clock.install();
    await visitor.open('/user/login');
    await visitor.type({ Username: person.username, Password: person.password });
    const button = page.locator('button.primary');
    const lose = async () => {
      await page.route('**/user/login', (route) => route.abort('aborted'), { times: 1 });
      const lost = page.waitForEvent('requestfailed');
      await button.click();
      await lost;
      assert.equal(await button.getAttribute('aria-busy'), 'true');
    };
    await lose();
    await page.clock.runFor(10_000);
    // Somebody comes back to the page as it was.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    assert.equal(await button.innerText(), 'Log in');
    await lose();
    await page.clock.runFor(10_000);
    assert.equal(await button.getAttribute('aria-busy'), 'true', 'the time of the first one does not end the second');
    await page.clock.runFor(5_000);
    assert.equal(await button.getAttribute('aria-busy'), null);
    assert.equal(await visitor.press('Log in'), 200);
    forgive(visitor, '/user/login');
    await visitor.leave();
  });

  test('a button that is pressed again while nothing seems to happen does once what it says', BOUNDED, async () => {
    const { program, person } = await register(server);
    const other = new Program(server, { 'user-agent': 'Another' });
    assert.equal((await other.post('/user/login', { username: person.username, password: person.password })).status, 200);
    const visitor = await arrive();
    await visitor.context.addCookies(cookiesOf(program));
    const { page } = visitor;
    const posted = [];
    page.on('request', (request) => { if (request.method() === 'POST') posted.push(new URL(request.url()).pathname); });
    // The server has done it, and its answer is slow.
    await page.route((url) => posted.includes(url.pathname), async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      await new Promise((done) => { setTimeout(done, 300); });
      await route.fulfill({ response: answer }).catch(() => {});
    });
    await visitor.open('/user/account');
    for (const button of [page.locator('.row:not(:has(.badge)) button'), page.locator('form[action$="/logout"] button')]) {
      const status = await visitor.follow(() => button.evaluate(async (pressed) => {
        pressed.click();
        setTimeout(() => pressed.click(), 100);
      }));
      assert.equal(status, 200);
    }
    assert.equal(posted.length, 2, posted.join());
    await visitor.leave();
  });

  // Languages

  test('of two languages wanted the later one comes, however slow the first', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login');
    const go = await hold(visitor, '**/user/login?lang=ko');
    await page.getByRole('button', { name: '한국어' }).click();
    await page.getByRole('button', { name: 'English' }).click();
    await page.waitForURL('**/user/login?lang=en');
    go();
    await page.waitForTimeout(200);
    assert.equal(await visitor.heading(), 'Log in');
    await visitor.leave();
  });

  test('what is typed while another language is on its way stays, and so does the focus', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/register');
    const go = await hold(visitor, '**/user/register?lang=ko');
    await page.getByRole('button', { name: '한국어' }).click();
    await page.locator('#username').pressSequentially('a b');
    go();
    await eventually(async () => assert.equal(await visitor.heading(), '회원가입'));
    assert.equal(await page.locator('#username').inputValue(), 'a b');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'username');
    await page.waitForTimeout(600);
    assert.equal(await said(visitor, 'username'), '', 'the field has not been left');
    await visitor.leave();
  });

  test('what was said of the fields is said in the new language', BOUNDED, async () => {
    const visitor = await wrong();
    const { page } = visitor;
    await page.locator('#password').fill('kettlekettlekettle');
    await page.locator('#password-strength:not(:empty)').waitFor();
    await page.getByRole('button', { name: '한국어' }).click();
    await eventually(async () => assert.match(await said(visitor, 'username'), /[가-힣]/));
    await eventually(async () => assert.match(await page.locator('#password-strength').innerText(), /[가-힣]/));
    assert.equal(await page.locator('#username').getAttribute('aria-invalid'), 'true');
    await visitor.leave();
  });

  test('a page that cannot be fetched in another language is asked for in the plain way', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login');
    await visitor.type({ Username: 'mina', Password: 'my secret words' });
    await page.route('**/user/login?lang=ko', (route) =>
      (route.request().method() === 'GET' ? route.fulfill({ status: 503, body: 'later' }) : route.continue()));
    await visitor.follow(() => page.getByRole('button', { name: '한국어' }).click());
    assert.equal(await visitor.heading(), '로그인');
    assert.equal(await page.locator('#username').inputValue(), 'mina');
    forgive(visitor, '503');
    await visitor.leave();
  });

  test('a form that is under way is not sent once more from a page in another language', BOUNDED, async () => {
    const { person } = await register(server);
    const visitor = await arrive();
    const { page } = visitor;
    await visitor.open('/user/login');
    await visitor.type({ Username: person.username, Password: person.password });
    const go = await hold(visitor, '**/user/login');
    let posted = 0;
    page.on('request', (request) => { posted += request.method() === 'POST' ? 1 : 0; });
    const arrived = page.waitForNavigation();
    const fetched = page.waitForResponse('**/user/login?lang=ko');
    // Planned in one go, because a browser that is on its way elsewhere answers no more questions.
    await page.evaluate(() => {
      const press = (selector) => document.querySelector(selector).click();
      press('button.primary');
      press('.languages [lang=ko]');
      setTimeout(press, 500, 'button.primary');
    });
    await fetched;
    await page.waitForTimeout(700);
    go();
    await arrived;
    assert.equal(posted, 1);
    assert.match(await visitor.heading(), /김문지기/);
    await visitor.leave();
  });

  // Several tabs

  test('a session that ended and one that came back are told as they are, and no answer tells nothing', BOUNDED, async () => {
    const { program, person } = await register(server);
    const visitor = await arrive();
    const { page, context } = visitor;
    await context.addCookies(cookiesOf(program));
    await visitor.open('/user/account');
    await page.getByLabel('Name', { exact: true }).fill('A new name');
    const back = async (banners, times = 1) => {
      const answered = page.waitForResponse('**/user/info');
      await page.evaluate((count) => {
        for (let time = 0; time < count; time += 1) document.dispatchEvent(new Event('visibilitychange'));
      }, times);
      await answered;
      await page.waitForTimeout(100);
      await eventually(async () => assert.equal(await page.locator('.banner').count(), banners));
    };
    for (const status of [429, 503]) {
      await page.route('**/user/info', (route) => route.fulfill({ status, json: { error: {} } }), { times: 1 });
      await back(0);
    }
    // The other tab logs out, and in again.
    const other = await visitor.newTab();
    await other.goto('/user/info');
    await other.getByRole('button', { name: 'Log out' }).click();
    await other.waitForLoadState();
    await back(1, 2);
    await other.goto('/user/login');
    await other.getByLabel('Username').fill(person.username);
    await other.getByLabel('Password', { exact: true }).fill(person.password);
    await Promise.all([other.waitForNavigation(), other.getByRole('button', { name: 'Log in' }).click()]);
    await back(0);
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'A new name');
    // Somebody else logs in there.
    await context.addCookies(cookiesOf((await register(server)).program));
    await back(1);
    forgive(visitor, '429', '503');
    await visitor.leave();
  });

  // Pages of one's own

  test('a page that lacks what one kindness needs has all the others', BOUNDED, async () => {
    const visitor = await arrive();
    const { page } = visitor;
    await page.route('**/user/register', async (route) => {
      const answer = await route.fetch();
      const html = (await answer.text())
        .replace(/<p class="error" id="name-error"[^>]*><\/p>/, '')
        .replace('<h1>', '<p><time datetime="P3D">three days</time> <time datetime="2026-11-23T10:05:09Z">then</time></p><div class="field"><select></select></div><p class="caps"></p><h1>');
      await route.fulfill({ response: answer, body: html });
    });
    await visitor.open('/user/register');
    await page.locator('#username').fill('a b');
    await page.locator('#name').fill('Mina');
    await page.locator('#password').fill('kettlekettlekettle');
    await eventually(async () => assert.notEqual(await said(visitor, 'username'), ''));
    await page.locator('#password-strength:not(:empty)').waitFor();
    assert.deepEqual((await page.locator('time').allInnerTexts()).map((text) => /2026|days/.exec(text)[0]), ['days', '2026']);
    await page.getByRole('button', { name: '한국어' }).click();
    await page.waitForURL('**/user/register?lang=ko');
    assert.equal(await page.locator('#username').inputValue(), 'a b');
    forgive(visitor, 'RangeError', 'TypeError');
    await visitor.leave();
  });
});
