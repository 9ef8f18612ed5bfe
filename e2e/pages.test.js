// How the pages look: on a narrow screen, in both colour schemes, in both languages. `SCREENSHOTS=1` keeps pictures of
// every page under artifacts/, to be looked at.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Visitor, launch } from './browser.js';
import { Program, register, someone, startServer } from './server.js';

const BOUNDED = { timeout: 300_000 };
const ARTIFACTS = fileURLToPath(new URL('./artifacts/', import.meta.url));
const LOCALES = ['ko-KR', 'en-US'];
const SCHEMES = ['light', 'dark'];

/** What one can come to see: a name, who sees it, how one comes there. */
const PAGES = [
  ['log-in', null, (visitor) => visitor.open('/user/login')],
  ['log-in-ended', null, (visitor) => visitor.open('/user/login?reason=ended')],
  ['log-in-reused', null, (visitor) => visitor.open('/user/login?reason=reused')],
  ['log-in-wrong', null, (visitor) => submit(visitor, '/user/login', { username: 'nobody', password: 'not it at all' })],
  ['register', null, (visitor) => visitor.open('/user/register')],
  ['register-wrong', null, (visitor) => submit(visitor, '/user/register', {
    username: 'a', name: '\u202e', password: 'short', confirmPassword: 'other',
  })],
  ['info-anonymous', null, (visitor) => visitor.open('/user/info')],
  ['info', 'user', (visitor) => visitor.open('/user/info')],
  ['account', 'user', (visitor) => visitor.open('/user/account?saved=password')],
  ['account-wrong', 'user', (visitor) => visitor.open('/user/account').then(() => submit(visitor, '/user/account', {
    currentPassword: 'not it at all', newPassword: 'short', confirmPassword: 'other',
  }))],
  ['log-out', 'user', (visitor) => visitor.open('/user/logout')],
  ['log-out-nobody', null, (visitor) => visitor.open('/user/logout')],
  ['not-found', null, (visitor) => visitor.open('/user/nothing-is-here')],
  ['closed', 'closed', (visitor) => visitor.open('/user/register')],
];

/** Fills and sends the form that has these inputs, past the checks that the browser itself makes. */
async function submit(visitor, path, texts) {
  await visitor.open(path);
  for (const [id, text] of Object.entries(texts)) await visitor.page.locator(`#${id}`).fill(text);
  await visitor.follow(() => visitor.page.locator(`#${Object.keys(texts).at(-1)}`).press('Enter'));
}

describe('the pages', () => {
  let browser, server, closed, cookies;

  before(async () => {
    browser = await launch();
    server = await startServer();
    closed = await startServer({ 'accounts.registration': 'closed' });
    // Long texts without a place to break are the hard ones.
    const person = { ...someone('W'.repeat(64)), username: `mina${'m'.repeat(28)}` };
    const { program } = await register(server, person);
    const elsewhere = new Program(server);
    await elsewhere.post('/user/login', person);
    cookies = [...program.cookies].map(([name, value]) => ({ name, value, url: server.url }));
  }, BOUNDED);

  after(async () => {
    await browser?.close();
    await server?.stop();
    await closed?.stop();
  }, BOUNDED);

  /** Brings a visitor to each page in turn. */
  async function tour(options, look) {
    for (const who of [null, 'user', 'closed']) {
      const visitor = await Visitor.arrive(browser, who === 'closed' ? closed : server, options);
      if (who === 'user') await visitor.context.addCookies(cookies);
      for (const [name, by, go] of PAGES.filter(([, by]) => by === who)) {
        await go(visitor);
        await look(visitor, name, by);
      }
      await visitor.leave();
    }
  }

  for (const locale of LOCALES) {
    test(`nothing has to be scrolled sideways at 320 pixels, ${locale}`, BOUNDED, async () => {
      await tour({ locale, viewport: { width: 320, height: 640 } }, async ({ page }, name) => {
        const { content, screen } = await page.evaluate(() => ({
          content: document.documentElement.scrollWidth, screen: document.documentElement.clientWidth,
        }));
        assert.ok(content <= screen, `${name} is ${content} pixels wide`);
      });
    });

    test(`every page has its language, a title, one heading and labelled inputs, ${locale}`, BOUNDED, async () => {
      const titles = new Set();
      await tour({ locale }, async (visitor, name) => {
        const { page } = visitor;
        assert.equal(await page.locator('html').getAttribute('lang'), locale.slice(0, 2), name);
        assert.equal(await page.locator('h1').count(), 1, name);
        assert.equal(await page.locator('main').count(), 1, name);
        const title = await page.title();
        assert.match(title, /\S · Munjigi$/, name);
        titles.add(title);
        for (const input of await page.locator('input:not([type=hidden]):not([hidden])').all()) {
          const labels = await input.evaluate((element) => element.labels.length);
          assert.equal(labels, 1, `${name}: ${await input.getAttribute('name')}`);
          assert.ok((await input.getAttribute('autocomplete')) || (await input.getAttribute('type')) === 'checkbox', name);
        }
        assert.equal(await page.locator('script, [style], [onclick]').count(), 0, name);
        // Reads as text, not as the key of a message that is missing.
        assert.doesNotMatch(await visitor.text('body'), /\b[a-z]+-[a-z]+-[a-z]+\b(?! ago)/, name);
      });
      assert.ok(titles.size >= 9, [...titles].join(', '));
    });
  }

  test('both colour schemes are there, and text can be read in each', BOUNDED, async () => {
    const grounds = [];
    for (const colorScheme of SCHEMES) {
      await tour({ colorScheme }, async ({ page }, name) => {
        const [ground, ink] = await page.evaluate(() => {
          const { backgroundColor, color } = getComputedStyle(document.body);
          return [backgroundColor, color].map((rgb) => rgb.match(/\d+/g).slice(0, 3).map(Number));
        });
        assert.ok(contrast(ground, ink) >= 7, `${name}, ${colorScheme}: ${ground} and ${ink}`);
        if (name === 'log-in') grounds.push(ground);
      });
    }
    const [light, dark] = grounds.map(luminance);
    assert.ok(light > 0.7 && dark < 0.1, `${light} and ${dark}`);
  });

  if (process.env.SCREENSHOTS) {
    test('pictures are taken', BOUNDED, async () => {
      await mkdir(ARTIFACTS, { recursive: true });
      for (const locale of LOCALES) for (const colorScheme of SCHEMES) for (const width of [390, 1280]) {
        await tour({ locale, colorScheme, viewport: { width, height: 800 } }, ({ page }, name) => {
          const path = `${ARTIFACTS}${name}.${locale.slice(0, 2)}.${colorScheme}.${width}.png`;
          return page.screenshot({ path, fullPage: true });
        });
      }
    });
  }
});

/** Relative luminance and contrast (WCAG 2.2). */
function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
