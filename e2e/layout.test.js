// Pages for those who see, point and read in other ways: magnified, with larger or wider set text, in colours of their own,
// without motion, with a thumb.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LOCALES, Tour } from './tour.js';

const BOUNDED = { timeout: 300_000 };

/** What has to be bearable: the window in CSS pixels, and what is laid over the styles (WCAG 2.2, 1.4.4, 1.4.10, 1.4.12). */
const SIGHTS = [
  ['at 320 pixels', 320, ''],
  ['magnified to 200 %', 640, ''],
  ['with text of 200 %', 1280, ':root { font-size: 200% !important; }'],
  ['with text of 200 % on a phone', 390, ':root { font-size: 200% !important; }'],
  ['with wide spacing', 390, `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
    p { margin-bottom: 2em !important; }`],
  ['with wide spacing at a desk', 1280, `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
    p { margin-bottom: 2em !important; }`],
];

describe('pages as others see them', () => {
  let tour;

  before(async () => (tour = await Tour.begin()), BOUNDED);
  after(() => tour?.end(), BOUNDED);

  for (const locale of LOCALES) {
    test(`nothing is lost and nothing scrolls sideways, magnified, enlarged or set wide, and thumbs hit everything, ${locale}`, BOUNDED, async () => {
      await tour.visit({ locale, javaScriptEnabled: true }, async ({ page }, { name }) => {
        for (const [sight, width, css] of SIGHTS) {
          await page.setViewportSize({ width, height: 640 });
          await dress(page, css);
          assert.deepEqual(await page.evaluate(cutOff), [], `${name} ${sight}`);
        }
        await dress(page, '');
        // And whatever can be hit is large enough for a thumb.
        await page.setViewportSize({ width: 390, height: 800 });
        const targets = await page.evaluate(hit);
        assert.ok(targets.length > 2, name);
        for (const { what, width, height, least } of targets) {
          assert.ok(width >= least.width && height >= least.height, `${name}: ${what} is ${width} × ${height}`);
        }
      });
    });
  }

  test('in colours of one’s own every control keeps an outline and text that can be told from its ground', BOUNDED, async () => {
    await tour.visit({ forcedColors: 'active', javaScriptEnabled: true }, async ({ page }, { name }) => {
      const lost = await page.evaluate(() => {
        const controls = [...document.querySelectorAll('main button:not(.plain, .reveal), main .button:not(.plain), main input:not([type=checkbox])')];
        return controls.filter((element) => element.checkVisibility()).map((element) => {
          const { borderTopColor, borderTopWidth, backgroundColor, color } = getComputedStyle(element);
          const ground = getComputedStyle(document.body).backgroundColor;
          const outlined = parseFloat(borderTopWidth) >= 1 && borderTopColor !== ground;
          return { what: element.outerHTML.slice(0, 80), right: outlined && color !== backgroundColor };
        }).filter(({ right }) => !right);
      });
      assert.deepEqual(lost, [], name);
    });
  });

  test('nothing moves for who wants no motion', BOUNDED, async () => {
    const moving = (page) => page.evaluate(() => [...document.querySelectorAll('*')].flatMap((element) =>
      [undefined, '::before', '::after'].map((pseudo) => {
        const style = getComputedStyle(element, pseudo);
        const seconds = (list) => Math.max(...list.split(',').map(parseFloat));
        // What is under way may show it, slowly.
        const slowly = element.ariaBusy === 'true' && seconds(style.animationDuration) >= 2;
        const moves = (style.animationName !== 'none' && !slowly) || seconds(style.transitionDuration) > 0.01;
        return moves ? `${element.tagName} ${element.className} ${pseudo ?? ''}` : '';
      })).filter(Boolean));
    let otherwise = 0;
    await tour.visit({ reducedMotion: 'reduce', javaScriptEnabled: true }, async ({ page }, { name }) => {
      assert.deepEqual(await moving(page), [], name);
      await page.emulateMedia({ reducedMotion: 'no-preference' });
      otherwise += (await moving(page)).length;
      await page.emulateMedia({ reducedMotion: 'reduce' });
    });
    assert.ok(otherwise > 0, 'nothing would have moved anyway');
  });

  test('what is cut off or too small would be noticed', BOUNDED, async () => {
    const first = ({ name }) => name === 'log-in';
    await tour.visit({ viewport: { width: 320, height: 640 } }, async ({ page }) => {
      await dress(page, 'main { width: 30rem } h1 { max-width: 2ch; overflow: hidden; white-space: nowrap } main .primary { min-height: 0; padding: 0; height: 20px }');
      const cut = (await page.evaluate(cutOff)).join('\n');
      assert.match(cut, /page is \d+ pixels wide/);
      assert.match(cut, /H1.* is cut off/);
      const small = (await page.evaluate(hit)).filter(({ height, least }) => height < least.height).map(({ what }) => what);
      assert.match(small.join(), /BUTTON/);
    }, first);
  });
});

/** Lays styles over those of the page, as a reader's own would be, past any policy of the page. */
function dress(page, css) {
  return page.evaluate((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
  }, css);
}

/** In the page: what can only be had by scrolling sideways, and texts that do not fit where they stand. */
function cutOff() {
  const { scrollWidth, clientWidth } = document.documentElement;
  const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} pixels wide, not ${clientWidth}`] : [];
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility() || element.closest('svg, .visually-hidden')) continue;
    const name = `${element.tagName}.${element.className} “${element.textContent.trim().slice(0, 30)}”`;
    const { left, right } = element.getBoundingClientRect();
    if (left < -0.5 || right > innerWidth + 0.5) found.push(`${name} is outside`);
    const { overflowX, overflowY } = getComputedStyle(element);
    const hides = (overflow, content, box) => overflow !== 'visible' && content > box + 1;
    const clipped = hides(overflowX, element.scrollWidth, element.clientWidth) || hides(overflowY, element.scrollHeight, element.clientHeight);
    if (clipped && element.tagName !== 'INPUT') found.push(`${name} is cut off`);
    if (element.matches('button, .button') && element.scrollWidth > element.clientWidth + 1) found.push(`${name} has more text than room`);
  }
  return found;
}

/** In the page: what can be hit, its size, and how large it has to be. A label counts for its box; links in a sentence are text. */
function hit() {
  const targets = [...document.querySelectorAll('a, button, input:not([type=hidden]), summary, select, textarea')].filter((element) => element.checkVisibility());
  return targets.filter((element) => !(element.matches('a') && getComputedStyle(element).display === 'inline')).map((element) => {
    const boxes = [element, ...(element.type === 'checkbox' ? element.labels : [])].map((each) => each.getBoundingClientRect());
    const span = (from, to) => Math.max(...boxes.map((box) => box[to])) - Math.min(...boxes.map((box) => box[from]));
    // Half a pixel is how a screen may round.
    const size = { width: span('left', 'right') + 0.5, height: span('top', 'bottom') + 0.5 };
    // The main controls are for thumbs; a word that leads somewhere may be a short one (WCAG 2.2, 2.5.8).
    const least = { width: element.matches('a:not(.button), [type=checkbox]') ? 24 : 44, height: element.type === 'checkbox' ? 24 : 44 };
    return { what: `${element.tagName}.${element.className} “${element.textContent.trim() || element.name}”`, ...size, least };
  });
}
