// Chromium, and visitors in it: each a browser profile of its own that notices everything that goes wrong.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

export { eventually } from './eventually.js';

/** No step takes longer. */
const STEP = 20_000;

/** Starts Debian's Chromium, or the one that `CHROMIUM` names; `more` are arguments of this run. */
export function launch(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    timeout: 60_000,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', ...more,
    ],
  });
}

/** A person before a browser. */
export class Visitor {
  /** What no page may do: write errors to the console, break its own policy, ask for what fails. */
  complaints = [];

  /** `options` are Playwright's for a context. */
  static async arrive(browser, server, { javaScriptEnabled = false, locale = 'en-US', ...options } = {}) {
    const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled, locale, ...options });
    context.setDefaultTimeout(STEP);
    const visitor = new Visitor();
    visitor.server = server;
    visitor.context = context;
    visitor.page = await visitor.newTab();
    return visitor;
  }

  async newTab() {
    const page = await this.context.newPage();
    const complain = (...words) => this.complaints.push(`${page.url()}: ${words.join(' ')}`);
    page.on('pageerror', (error) => complain('script error:', error.message));
    page.on('console', (message) => {
      // Statuses are judged below: a page that says "wrong password" is a 401, and right.
      const judged = message.text().startsWith('Failed to load resource: the server responded with');
      if (['error', 'warning'].includes(message.type()) && !judged) complain(message.type(), message.text());
    });
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText;
      // Aborted: the page was left while its icon was still under way.
      if (why !== 'net::ERR_ABORTED') complain('request failed:', request.url(), why);
    });
    page.on('response', (response) => {
      const part = !response.request().isNavigationRequest();
      if (part && response.status() >= 400) complain(response.status(), response.url());
    });
    return page;
  }

  /** Opens a page; its status. */
  async open(path) {
    return (await this.page.goto(path)).status();
  }

  /** Does what leads to another page; the status of that page. */
  async follow(action) {
    const arrived = this.page.waitForNavigation({ waitUntil: 'load' });
    // A failure of the action is the one to report.
    arrived.catch(() => {});
    await action();
    return (await arrived)?.status();
  }

  /** Presses a button and comes to the page behind it; its status. */
  press(button) {
    return this.follow(() => this.page.getByRole('button', { name: button, exact: true }).click());
  }

  /** Clicks a link and comes to the page behind it; its status. */
  click(link) {
    return this.follow(() => this.page.getByRole('link', { name: link, exact: true }).click());
  }

  /** Types into the inputs with these labels. */
  async type(texts) {
    for (const [label, text] of Object.entries(texts)) await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  /** Logs in on the log-in page; the status of the page after it. */
  async logIn(person, path = '/user/login') {
    await this.open(path);
    await this.type({ Username: person.username, Password: person.password });
    return this.press('Log in');
  }

  /** What a person reads. */
  async text(selector = 'main') {
    return (await this.page.locator(selector).innerText()).replace(/\s+/g, ' ').trim();
  }

  /** The heading of the page. */
  heading() {
    return this.text('h1');
  }

  /** Path and query of the page. */
  get path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  /** The cookie of that name; a visitor who is signed in has `accessToken` and `refreshToken`. */
  async cookie(name) {
    return (await this.context.cookies()).find((cookie) => cookie.name === name);
  }

  /** Names of all cookies. */
  async cookieNames() {
    return (await this.context.cookies()).map((cookie) => cookie.name).sort();
  }

  /** Waits until the element has the focus: a page may be there a moment before its `autofocus` works. */
  focused(selector) {
    return this.page.locator(`${selector}:focus`).waitFor();
  }

  /** Presses Tab until the element is reached. */
  async tabTo(selector) {
    for (let tabs = 0; tabs < 40; tabs += 1) {
      if (await this.page.locator(`${selector}:focus`).count()) return;
      await this.page.keyboard.press('Tab');
    }
    assert.fail(`${selector} on ${this.path} is not reached by Tab`);
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }
}
