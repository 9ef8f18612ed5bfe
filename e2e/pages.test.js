// What holds for every page in every state, in both languages and colour schemes. `SCREENSHOTS=1` keeps pictures
// of all under artifacts/, to be looked at.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { takeAll } from './pictures.js';
import { LOCALES, SCHEMES, Tour } from './tour.js';

const BOUNDED = { timeout: 300_000 };

describe('the pages', () => {
  let tour;

  before(async () => (tour = await Tour.begin()), BOUNDED);
  after(() => tour?.end(), BOUNDED);

  for (const locale of LOCALES) {
    test(`every page has its language, a title, one heading and labelled inputs, ${locale}`, BOUNDED, async () => {
      const titles = new Set();
      await tour.visit({ locale, javaScriptEnabled: true }, async (visitor, { name, at }) => {
        const { page } = visitor;
        assert.equal(await page.locator('html').getAttribute('lang'), locale.slice(0, 2), name);
        assert.equal(await page.locator('h1').count(), 1, name);
        assert.equal(await page.locator('main').count(), 1, name);
        const title = await page.title();
        assert.match(title, /\S · Munjigi$/, name);
        titles.add(title);
        const inputs = await page.locator('input:not([type=hidden]):not([hidden])').evaluateAll((all) =>
          all.map((input) => ({ name: input.name, labels: input.labels.length, completed: input.autocomplete || input.type })));
        for (const input of inputs) {
          assert.equal(input.labels, 1, `${name}: ${input.name}`);
          assert.ok(input.completed !== 'text', `${name}: ${input.name} has no autocomplete`);
        }
        assert.equal(await page.locator('script:not([src]), style, [style], [onclick]').count(), 0, name);
        // What is announced exists once, and what is referred to is there. The style page shows parts of several pages.
        const lost = await page.evaluate(() => {
          const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
          const named = [...document.querySelectorAll('[aria-describedby], [aria-labelledby], [aria-controls]')]
            .flatMap((element) => ['aria-describedby', 'aria-labelledby', 'aria-controls'].map((key) => element.getAttribute(key)))
            .filter(Boolean).flatMap((list) => list.split(/\s+/));
          return { twice: ids.filter((id, place) => ids.indexOf(id) !== place), missing: named.filter((id) => !ids.includes(id)) };
        });
        assert.deepEqual(lost.missing, [], name);
        if (at !== 'workshop') assert.deepEqual(lost.twice, [], name);
      });
      assert.ok(titles.size >= 20, [...titles].join(', '));
    });
  }

  test('both colour schemes are there, and text can be read in each', BOUNDED, async () => {
    const grounds = { light: [], dark: [] };
    await tour.visit({}, async ({ page }, { name }) => {
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const [ground, ink] = await page.evaluate(() => {
          const { backgroundColor, color } = getComputedStyle(document.body);
          return [backgroundColor, color].map((rgb) => rgb.match(/\d+/g).slice(0, 3).map(Number));
        });
        assert.ok(contrast(ground, ink) >= 7, `${name}, ${colorScheme}: ${ground} and ${ink}`);
        grounds[colorScheme].push(luminance(ground));
      }
    });
    assert.ok(Math.min(...grounds.light) > 0.7 && Math.max(...grounds.dark) < 0.1, JSON.stringify(grounds));
  });

  if (process.env.SCREENSHOTS) test('pictures are taken', BOUNDED, () => takeAll(tour));
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
