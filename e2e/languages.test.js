// Both languages on every page in every state: all words are of the language that the page says it has, and the switch changes that
// and nothing else.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { LOCALES, Tour } from './tour.js';

const BOUNDED = { timeout: 300_000 };
const SWITCH = { ko: { other: 'en', label: 'English' }, en: { other: 'ko', label: '한국어' } };

/** What is the same in every language: names of programs and keys, and what the people of the tour are called. */
const NAMES = /Munjigi|munjigi\.toml|Rust|Python|Chrome|Linux|macOS|Android|Node\.js|MacBook|Galaxy|Caps Lock|UTC|JSON|\bA[–-]Z\b|\bURL\b|W{10,}|mina[.\w]*(@example\.com)?|Mina|김민아|민아/g;
const FOREIGN = { ko: /[A-Za-z]{2,}/g, en: /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]+/g };

describe('in either language', () => {
  let tour, keys;

  before(async () => {
    tour = await Tour.begin();
    const messages = await readFile(new URL('../crates/munjigi/src/locales/en.ftl', import.meta.url), 'utf8');
    keys = [...messages.matchAll(/^([a-z]+(?:-[a-z]+)+) =/gm)].map(([, key]) => key);
    assert.ok(keys.length > 100);
  }, BOUNDED);
  after(() => tour?.end(), BOUNDED);

  for (const locale of LOCALES) {
    const lang = locale.slice(0, 2);
    const { other, label } = SWITCH[lang];

    test(`no page has words of the other one, or the key of a message, ${lang}`, BOUNDED, async () => {
      await tour.visit({ locale, javaScriptEnabled: true, timezoneId: 'Asia/Seoul' }, async ({ page }, { name }) => {
        assert.equal(await page.locator('html').getAttribute('lang'), lang, name);
        const words = await page.evaluate(said);
        assert.ok(words.length > 3, name);
        assert.deepEqual(strange(words, lang), [], name);
        for (const key of keys) assert.ok(!words.some((text) => text.split(/[\s.,:]+/).includes(key)), `${name}: ${key}`);
      });
    });

    {
      // One way without scripts, the other way with them.
      const javaScriptEnabled = lang === 'en';
      const kept = javaScriptEnabled ? 'everything typed' : 'everything typed but passwords';

      test(`the switch keeps the page and ${kept}, ${lang} to ${other}, scripts ${javaScriptEnabled ? 'on' : 'off'}`, BOUNDED, async () => {
        await tour.visit({ locale, javaScriptEnabled }, async (visitor, { name, at, status }) => {
          const { page } = visitor;
          const before = { path: new URL(page.url()).pathname, inputs: await fill(page, javaScriptEnabled) };
          await page.locator('.languages').getByText(label, { exact: true }).click();
          await page.locator(`html[lang=${other}]`).waitFor();
          assert.deepEqual(await filled(page, Object.keys(before.inputs)), before.inputs, name);
          // The answer to what was sent is not there to be had again, but for the form that it holds.
          if (status === 200) assert.ok(new URL(page.url()).pathname.startsWith(before.path), `${name} leads to ${page.url()}`);
          assert.deepEqual(strange([await page.title(), ...await page.evaluate(said)], other), [], name);
          assert.equal(await page.locator(`.languages [lang=${other}]`).getAttribute('aria-current'), 'true', name);
          await visitor.context.clearCookies({ name: 'munjigi-language' });
        });
      });
    }
  }

  test('a word of the other language would be noticed', BOUNDED, async () => {
    await tour.visit({ locale: 'ko-KR' }, async ({ page }) => {
      await page.evaluate(() => {
        document.querySelector('h1').append('Log in ');
        document.querySelector('input').ariaLabel = 'Username';
        document.querySelector('footer').insertAdjacentHTML('beforeend', '<p lang="en">English is right here</p>');
      });
      assert.deepEqual(strange(await page.evaluate(said), 'ko'), ['Log', 'Username', 'in']);
    }, ({ name }) => name === 'log-in');
  });
});

/** In the page: what is read or said aloud in the language of the page, also what the script will say; not what people typed. */
function said() {
  const { lang } = document.documentElement;
  const own = (element) => (element.closest('[lang]')?.lang ?? lang) === lang && !element.closest('code, bdi, .brand, script, style');
  const words = [];
  const collect = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement || own(walker.currentNode.parentElement)) words.push(walker.currentNode.data.trim());
    for (const element of root.querySelectorAll('*')) {
      if (element.matches('template')) collect(element.content);
      for (const key of ['aria-label', 'title', 'alt', 'placeholder', 'data-busy', 'data-text']) if (own(element)) words.push(element.getAttribute(key));
    }
  };
  collect(document.body);
  return words.filter(Boolean);
}

function strange(words, lang) {
  return [...new Set(words.flatMap((text) => text.replace(NAMES, '').match(FOREIGN[lang]) ?? []))].sort();
}

/** Types something into each input of the page's form; what ought to be there afterwards. */
async function fill(page, passwords) {
  const inputs = {};
  for (const input of await page.locator('#main input[id]:visible').all()) {
    const [id, type] = await input.evaluate((element) => [element.id, element.type]);
    if (type === 'checkbox') {
      await input.setChecked(!(await input.isChecked()));
      inputs[id] = await input.isChecked();
    } else {
      await input.fill(`typed.${id}`);
      inputs[id] = type !== 'password' || passwords ? `typed.${id}` : '';
    }
  }
  return inputs;
}

function filled(page, ids) {
  return page.evaluate((all) => Object.fromEntries(all.map((id) => {
    const input = document.getElementById(id);
    return [id, input?.type === 'checkbox' ? input.checked : input?.value];
  })), ids);
}
