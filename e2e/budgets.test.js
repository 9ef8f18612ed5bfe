// How little a page needs, and that it asks nobody else for any of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Visitor } from './browser.js';
import { LOCALES, Tour } from './tour.js';

const BOUNDED = { timeout: 300_000 };

/** Bytes; a page with everything that it loads is weighed compressed, as a proxy sends it. */
const MOST = { script: 12_000, stylesheet: 16_000, page: 40_000 };

describe('light pages', () => {
  let tour;

  before(async () => (tour = await Tour.begin()), BOUNDED);
  after(() => tour?.end(), BOUNDED);

  test('scripts, styles and each page with all that it loads keep to their budgets, and nobody else is asked', BOUNDED, async (t) => {
    const heaviest = { script: 0, stylesheet: 0, page: 0, 'page, uncompressed': 0 };
    for (const locale of LOCALES) {
      let pages = 0;
      await tour.visit({ locale, javaScriptEnabled: true }, async (visitor, { name }) => {
        const files = await load(visitor);
        pages += 1;
        const { origin } = new URL(visitor.server.url);
        for (const { url } of files) assert.equal(new URL(url).origin, origin, name);
        // What is secret in a page never stands compressed beside what a stranger chose.
        assert.equal(files.find(({ kind }) => kind === 'document').encoding, undefined, name);
        const kinds = files.map(({ kind }) => kind);
        for (const kind of ['document', 'stylesheet', 'script']) assert.ok(kinds.includes(kind), `${name} loads ${kinds}`);
        const sum = (measure, of = files) => of.reduce((all, { body }) => all + measure(body), 0);
        const gzip = (body) => gzipSync(body, { level: 6 }).length;
        const raw = (body) => body.length;
        for (const kind of ['script', 'stylesheet']) heaviest[kind] = Math.max(heaviest[kind], sum(raw, files.filter((file) => file.kind === kind)));
        heaviest.page = Math.max(heaviest.page, sum(gzip));
        heaviest['page, uncompressed'] = Math.max(heaviest['page, uncompressed'], sum(raw));
        for (const [kind, most] of Object.entries(MOST)) assert.ok(heaviest[kind] < most, `${name}: ${kind} of ${heaviest[kind]} bytes`);
      }, ({ status }) => status === 200);
      assert.ok(pages > 20);
    }
    t.diagnostic(JSON.stringify(heaviest));
  });

  test('a second page loads nothing anew', BOUNDED, async () => {
    const visitor = await Visitor.arrive(tour.browser, tour.servers.usual, { javaScriptEnabled: true });
    await visitor.open('/user/login');
    await visitor.click('Create an account');
    const transferred = await visitor.page.evaluate(() => performance.getEntriesByType('resource').map(({ name, transferSize }) => ({ name, transferSize })));
    assert.ok(transferred.length >= 2);
    for (const { name, transferSize } of transferred) assert.equal(transferSize, 0, name);
    await visitor.leave();
  });
});

/** Opens the page at hand once more, in a browser that has nothing of it yet; the files that come. */
async function load({ context, page, server }) {
  const fresh = await context.browser().newContext({ locale: await page.evaluate(() => navigator.language), storageState: await context.storageState() });
  const opened = await fresh.newPage();
  const answers = [];
  opened.on('response', (response) => answers.push(response));
  await opened.goto(new URL(page.url(), server.url).href, { waitUntil: 'load' });
  const files = await Promise.all(answers.filter((answer) => answer.ok()).map(async (answer) => ({
    url: answer.url(),
    kind: answer.request().resourceType(),
    encoding: (await answer.allHeaders())['content-encoding'],
    body: await answer.body(),
  })));
  await fresh.close();
  return files;
}
