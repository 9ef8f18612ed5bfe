// What axe-core finds wrong with a page: on every page in every state, in both languages and colour schemes, with scripts and
// without.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { LOCALES, SCHEMES, STATES, Tour } from './tour.js';

const BOUNDED = { timeout: 600_000 };
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('axe-core finds nothing wrong', () => {
  let tour;

  before(async () => (tour = await Tour.begin()), BOUNDED);
  after(() => tour?.end(), BOUNDED);

  for (const locale of LOCALES) {
    test(`with any page, ${locale}, scripts on, light and dark`, BOUNDED, async () => {
      await everywhere({ locale, javaScriptEnabled: true }, ({ page }) => page);
    });

    test(`with any page, ${locale}, scripts off, light and dark`, BOUNDED, async () => {
      const reader = await tour.browser.newPage({ locale });
      await everywhere({ locale }, (visitor) => reread(visitor, reader));
      await reader.close();
    });
  }

  /** Looks at each state, on the page that `open` has it in. */
  async function everywhere(options, open) {
    let looks = 0;
    await tour.visit(options, async (visitor, { name }) => {
      const page = await open(visitor);
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // What else it looks at has no colour.
        const found = await faults(page, colorScheme === 'dark' ? ['color-contrast', 'link-in-text-block'] : undefined);
        assert.deepEqual(found, [], `${name}, ${colorScheme}`);
        looks += 1;
      }
    });
    const states = STATES.filter(({ withScripts }) => options.javaScriptEnabled || !withScripts);
    assert.equal(looks, 2 * states.length);
  }

  test('but with pages that are wrong', BOUNDED, async () => {
    const reader = await tour.browser.newPage();
    for (const javaScriptEnabled of [true, false]) {
      await tour.visit({ javaScriptEnabled }, async (visitor) => {
        await visitor.page.evaluate(() => {
          document.documentElement.lang = 'nonsense';
          document.querySelector('label').remove();
          document.querySelector('h1').style.color = 'silver';
          document.querySelector('main').insertAdjacentHTML('beforeend', '<img><button></button>');
        });
        const page = javaScriptEnabled ? visitor.page : await reread(visitor, reader, "style-src 'self' 'unsafe-inline'; script-src 'none'");
        const found = (await faults(page)).map((fault) => fault.split(':')[0]);
        for (const id of ['button-name', 'color-contrast', 'html-lang-valid', 'image-alt', 'label']) assert.ok(found.includes(id), `${id} in ${found}`);
      }, ({ name }) => name === 'log-in');
    }
    await reader.close();
  });
});

/**
 * Opens what a visitor without scripts has before them in a page of axe-core's own, which needs the clock; the script of the page
 * does not run there either. The page.
 */
async function reread(visitor, reader, policy = "script-src 'none'") {
  const url = visitor.page.url();
  const body = await visitor.page.content();
  await reader.route(url, (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', headers: { 'content-security-policy': policy }, body }));
  await reader.goto(url);
  await reader.unroute(url);
  assert.equal(await reader.locator('.reveal:visible').count(), 0, 'the script of the page has run');
  return reader;
}

/** What axe-core finds. It comes by the debugger's protocol, which no policy of a page binds and which changes nothing for visitors. */
async function faults(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const runOnly = rules ? { type: 'rule', values: rules } : { type: 'tag', values: TAGS };
  const { violations, passes } = await page.evaluate((only) => window.axe.run(document, { runOnly: only, resultTypes: ['violations'] }), runOnly);
  assert.ok(passes.length >= (rules ? 1 : 10), 'axe-core has looked at nothing');
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ html, any, all }) => `${html} ${[...any, ...all].map(({ message }) => message)}`).join(' | ')}`);
}
