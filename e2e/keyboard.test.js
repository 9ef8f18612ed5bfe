// All of it without a mouse: everything is reached by Tab in the order in which it stands, one sees where one is, and nothing holds
// one fast.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Visitor } from './browser.js';
import { Program, someone } from './server.js';
import { Tour } from './tour.js';

const BOUNDED = { timeout: 300_000 };

describe('by keyboard alone', () => {
  let tour;

  before(async () => (tour = await Tour.begin()), BOUNDED);
  after(() => tour?.end(), BOUNDED);

  for (const javaScriptEnabled of [false, true]) {
    test(`a person registers, is renamed, changes the password, ends a session, logs out and in, scripts ${javaScriptEnabled ? 'on' : 'off'}`, BOUNDED, async () => {
      const person = someone();
      const next = 'another fine evening';
      const server = tour.servers.usual;
      const visitor = await Visitor.arrive(tour.browser, server, { javaScriptEnabled });
      const { keyboard } = visitor.page;
      const write = async (selector, text) => {
        await visitor.tabTo(selector);
        await keyboard.press('Control+A');
        await keyboard.insertText(text);
      };
      const enter = async (selector, key = 'Enter') => {
        await visitor.tabTo(selector);
        return visitor.follow(() => keyboard.press(key));
      };

      await visitor.open('/user/info');
      await enter('a[href$="/login"]');
      // From here to there and back, by the links between the two.
      await enter('a[href*="/register"]');
      await visitor.focused('#username');
      for (const [id, text] of Object.entries({ username: person.username, name: person.name, password: person.password, confirmPassword: 'other' })) {
        await write(`#${id}`, text);
      }
      // Enter sends the form from any of its inputs.
      assert.equal(await visitor.follow(() => keyboard.press('Enter')), 422);
      await visitor.focused('#confirmPassword');
      await keyboard.press('Shift+Tab');
      await visitor.open('/user/register');
      for (const [id, text] of Object.entries({ username: person.username, name: person.name, password: person.password, confirmPassword: person.password })) {
        await write(`#${id}`, text);
      }
      assert.equal(await enter('main button[type=submit]', 'Space'), 200);
      assert.equal(await visitor.heading(), 'Hello, 김문지기');

      await new Program(server).post('/user/login', person);
      await enter('a[href$="/account"]');
      await write('#name', '이문지기');
      assert.equal(await visitor.follow(() => keyboard.press('Enter')), 200);
      assert.equal(await visitor.text('main [role=status] p'), 'Your name has been saved.');

      await write('#currentPassword', person.password);
      await write('#newPassword', next);
      await write('#confirmPassword', next);
      assert.equal(await enter('form[action$="/password"] button[type=submit]'), 200);
      assert.equal(await visitor.text('main [role=status] p'), 'Your password has been changed.');

      await new Program(server).post('/user/login', { ...person, password: next });
      await visitor.page.reload();
      assert.equal(await visitor.page.locator('form[action$="/end"]').count(), 2);
      const other = await visitor.page.locator('li', { hasText: 'Node.js' }).locator('form').getAttribute('action');
      await enter(`form[action="${other}"] button`);
      assert.equal(await visitor.text('main [role=status] p'), 'That device has been logged out.');

      await enter('form[action$="/logout"] button');
      assert.equal(visitor.path, '/user/login');
      await visitor.focused('#username');
      await keyboard.insertText(person.username);
      await write('#password', next);
      await visitor.tabTo('#remember');
      await keyboard.press('Space');
      assert.ok(await visitor.page.locator('#remember').isChecked());
      assert.equal(await enter('main button[type=submit]'), 200);
      assert.equal(await visitor.heading(), 'Hello, 이문지기');
      await visitor.leave();
    });
  }

  test('every stop is seen, in the order of the page, and none holds one fast', BOUNDED, async () => {
    await tour.visit({ javaScriptEnabled: true, reducedMotion: 'reduce' }, async (visitor, { name }) => {
      const { stops, reachable } = await walk(visitor.page);
      assert.equal(stops.length, reachable, `${name}: ${stops.map(({ what }) => what).join(', ')}`);
      for (const [place, { what, outline, seen, box }] of stops.entries()) {
        assert.ok(outline, `${name}: nothing shows that ${what} has the focus`);
        assert.ok(seen, `${name}: ${what} has the focus outside of the window, or below something`);
        const last = stops[place - 1];
        // Below the last one, or beside it and further on.
        if (last) assert.ok(box.bottom > last.box.top && (box.top >= last.box.bottom - 1 || box.left >= last.box.left), `${name}: ${what} comes after ${last.what}`);
      }
    });
  });

  test('a list of what is wrong leads to each input', BOUNDED, async () => {
    await tour.visit({}, async (visitor) => {
      const links = visitor.page.locator('[role=alert] a');
      assert.equal(await links.count(), 4);
      for (const link of await links.all()) {
        const id = (await link.getAttribute('href')).slice(1);
        await link.focus();
        await visitor.page.keyboard.press('Enter');
        await visitor.focused(`#${id}`);
      }
    }, ({ name }) => name === 'register-wrong');
  });

  test('Escape takes nothing away, and a button that shows a password sends nothing', BOUNDED, async () => {
    await tour.visit({ javaScriptEnabled: true }, async (visitor) => {
      const { page } = visitor;
      await page.locator('#password').fill('seven quiet lanterns');
      await page.keyboard.press('Escape');
      assert.equal(await page.locator('#password').inputValue(), 'seven quiet lanterns');
      await page.keyboard.press('Tab');
      const button = page.getByRole('button', { name: 'Show: Password' });
      for (const [key, type] of [['Enter', 'text'], ['Space', 'password'], ['Space', 'text']]) {
        await page.keyboard.press(key);
        assert.equal(await page.locator('#password').getAttribute('type'), type, key);
        assert.equal(await button.getAttribute('aria-pressed'), String(type === 'text'));
        assert.ok(await button.evaluate((element) => element === document.activeElement));
      }
      assert.equal(visitor.path, '/user/login');
    }, ({ name }) => name === 'log-in');
  });

  test('a stop that cannot be seen, is out of order or is left out would be noticed', BOUNDED, async () => {
    await tour.visit({ javaScriptEnabled: true }, async ({ page }) => {
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync('#username:focus { outline: none !important; box-shadow: none !important; border-color: inherit !important; transition: none !important }');
        document.adoptedStyleSheets = [sheet];
        document.querySelector('#remember').tabIndex = -1;
      });
      const { stops, reachable } = await walk(page);
      assert.equal(stops.length, reachable - 1);
      assert.ok(!stops.find(({ what }) => what.includes('username')).outline);
      assert.ok(stops.find(({ what }) => what.includes('#password')).outline);
    }, ({ name }) => name === 'log-in');
  });
});

/** Goes through a page by Tab until it begins again; what can be reached, from the top. */
async function walk(page) {
  // A page may be there a moment before its `autofocus` works.
  await page.waitForLoadState('load');
  if (await page.locator('[autofocus]').count()) await page.locator(':is(input, button):focus').waitFor();
  const stops = [];
  for (let tabs = 0; tabs < 120; tabs += 1) {
    await page.keyboard.press('Tab');
    let stop = await page.evaluate(lookAtFocus);
    // Between the end and the beginning the focus is the browser's own, or on its way back from there.
    if (!stop) stop = await page.waitForTimeout(100).then(() => page.evaluate(lookAtFocus));
    if (!stop) continue;
    if (stop.place === stops[0]?.place) break;
    stops.push(stop);
  }
  const reachable = await page.evaluate(() =>
    [...document.querySelectorAll('a[href], button, input:not([type=hidden])')].filter((element) => element.checkVisibility() && !element.disabled).length);
  const top = stops.findIndex(({ place }) => place === Math.min(...stops.map((stop) => stop.place)));
  return { stops: [...stops.slice(top), ...stops.slice(0, top)], reachable };
}

/** In the page: what has the focus, where, and how one sees it. */
function lookAtFocus() {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return {
    what: `${element.tagName.toLowerCase()}#${element.id} “${element.textContent.trim() || element.ariaLabel || ''}”`,
    place: [...document.querySelectorAll('*')].indexOf(element),
    outline: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    seen: top >= 0 && bottom <= innerHeight && left >= 0 && right <= innerWidth && (element.contains(there) || there?.contains(element)),
    box: { left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY },
  };
}
