// Every page and every state of it that a person can come to see, each made as it comes about: the one list that all tests of
// pages go through.
import assert from 'node:assert/strict';
import { Visitor, launch } from './browser.js';
import { startRedis } from './redis.js';
import { PASSWORD, Program, register, someone, startServer } from './server.js';

/** As browsers say it. */
export const LOCALES = ['ko-KR', 'en-US'];
export const SCHEMES = ['light', 'dark'];

/** On a phone and at a desk. */
export const WIDTHS = [390, 1280];

const agent = (system) => ({ 'user-agent': `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36` });
const DESK = agent('X11; Linux x86_64');
const LAPTOP = agent('Macintosh; Intel Mac OS X 10_15_7');
const PHONE = agent('Linux; Android 14; Mobile');

const open = (path) => (visitor) => visitor.open(path);
const send = (path, texts) => async (visitor) => {
  await visitor.open(path);
  return submit(visitor, texts);
};
const WRONG_LOG_IN = { username: 'nobody', password: 'not it at all' };
const REGISTERING = { username: 'mina.kim', name: '김민아', password: PASSWORD, confirmPassword: PASSWORD };
const registering = (texts) => send('/user/register', { ...REGISTERING, ...texts });

/**
 * What one can come to see: its name, how one comes there, and the status that it has then. `at` is the server that shows it
 * (see `Tour.begin`) and `who` is signed in there. What is there only `withScripts` is left out without them.
 */
export const STATES = [
  ['log-in', open('/user/login')],
  ['log-in-expired', open('/user/login?reason=expired')],
  ['log-in-ended', open('/user/login?reason=ended')],
  ['log-in-reused', open('/user/login?reason=reused')],
  ['log-in-again', open('/user/login?max_age=0&return_to=%2Fuser%2Faccount'), { who: 'mina' }],
  ['log-in-wrong', send('/user/login', WRONG_LOG_IN), { status: 401 }],
  ['log-in-wrong-remembered', async (visitor) => {
    await visitor.open('/user/login');
    await visitor.page.locator('#remember').check();
    return submit(visitor, WRONG_LOG_IN);
  }, { status: 401 }],
  ['log-in-empty', (visitor) => unchecked(visitor, '/user/login'), { status: 422 }],
  ['log-in-disabled', (visitor) => send('/user/login', visitor.tour.people.disabled)(visitor), { status: 403 }],
  ['log-in-limited', async (visitor) => {
    await send('/user/login', WRONG_LOG_IN)(visitor);
    return submit(visitor, WRONG_LOG_IN);
  }, { at: 'strict', status: 429 }],

  ['register', open('/user/register')],
  ['register-wrong', registering({ username: 'a', name: '\u202e', password: 'short', confirmPassword: 'other' }), { status: 422 }],
  ['register-characters', registering({ username: '김민아', name: 'W'.repeat(65), password: 'password123', confirmPassword: 'password123' }),
    { status: 422 }],
  ['register-reserved', registering({ username: 'admin', password: 'munjigi', confirmPassword: 'munjigi' }), { status: 422 }],
  ['register-site-name', registering({ password: 'munjigi munjigi', confirmPassword: 'munjigi munjigi' }), { status: 422 }],
  ['register-own-name', registering({ password: 'mina.kim 2026', confirmPassword: 'mina.kim 2026' }), { status: 422 }],
  ['register-long', registering({ password: 'long '.repeat(60), confirmPassword: 'long '.repeat(60) }), { status: 422 }],
  ['register-empty', (visitor) => unchecked(visitor, '/user/register'), { status: 422 }],
  ['register-taken', (visitor) => registering({
    username: visitor.tour.people.mina.username, password: 'nine loud lanterns', confirmPassword: 'nine loud lanterns',
  })(visitor), { status: 409 }],
  ['register-typing', async ({ page }) => {
    await page.goto('/user/register');
    await page.locator('#username').fill('ab');
    await page.locator('#password').fill('lanterns');
    await page.locator('#confirmPassword').fill('lantern');
    await page.locator('#name').focus();
    await page.locator('#username-error:not(:empty)').waitFor();
    await page.locator('#password-strength:not(:empty)').waitFor();
  }, { withScripts: true }],
  ['register-shown', async ({ page }) => {
    await page.goto('/user/register');
    await page.locator('#password').fill(PASSWORD);
    await page.locator('.reveal[aria-controls=password]').click();
  }, { withScripts: true }],
  ['register-limited', registering({ username: 'mina.lee' }), { at: 'strict', status: 429 }],
  ['register-closed', open('/user/register'), { at: 'closed' }],
  ['log-in-closed', open('/user/login'), { at: 'closed' }],

  // Nobody has registered there.
  ['welcome', open('/user/info'), { at: 'workshop' }],
  ['welcome-closed', open('/user/info'), { at: 'closed' }],
  ['info-nobody', open('/user/info')],
  ['info', open('/user/info'), { who: 'mina' }],
  ['account', open('/user/account'), { who: 'mina' }],
  ['account-alone', open('/user/account'), { who: 'loner' }],
  ['account-saved-name', open('/user/account?saved=name'), { who: 'mina' }],
  ['account-saved-password', open('/user/account?saved=password'), { who: 'mina' }],
  ['account-saved-session', open('/user/account?saved=session'), { who: 'mina' }],
  ['account-saved-sessions', open('/user/account?saved=sessions'), { who: 'mina' }],
  ['account-wrong-name', send('/user/account', { name: '\u202e' }), { who: 'mina', status: 422 }],
  ['account-wrong-password', send('/user/account', { currentPassword: 'not it at all', newPassword: 'short', confirmPassword: 'other' }),
    { who: 'mina', status: 422 }],
  ['account-ended', async ({ page }) => {
    // Elsewhere somebody logged out: a page that comes to the front again asks.
    await page.goto('/user/account');
    await page.route('**/user/info', (route) => route.fulfill({ json: { loggedIn: false, user: null, session: null, reason: 'ended' } }));
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.locator('.banner').waitFor();
    await page.unroute('**/user/info');
  }, { who: 'mina', withScripts: true }],
  ['log-out', open('/user/logout'), { who: 'mina' }],
  ['log-out-nobody', open('/user/logout')],

  ['error-400', (visitor) => post(visitor, '/user/login', [['username', 'mina'], ['username', 'minji']]), { status: 400 }],
  ['error-401', (visitor) => post(visitor, '/user/refresh', [['nothing', '1']]), { status: 401 }],
  ['error-403', fromElsewhere, { status: 403 }],
  ['error-404', open('/user/nothing-is-here'), { status: 404 }],
  ['error-405', open('/user/check'), { status: 405 }],
  ['error-413', (visitor) => post(visitor, '/user/login', [['username', 'm'.repeat(70_000)]]), { status: 413 }],
  ['error-415', (visitor) => post(visitor, '/user/login', [['username', 'mina']], 'multipart/form-data'), { status: 415 }],
  ['error-429', async (visitor) => {
    await post(visitor, '/user/account/sessions/end-others', []);
    return post(visitor, '/user/account/sessions/end-others', []);
  }, { at: 'strict', who: 'mina', status: 429 }],
  ['error-500', (visitor) => send('/user/login', visitor.tour.people.garbled)(visitor), { at: 'broken', status: 500 }],
  ['error-503', open('/user/account'), { at: 'stopped', who: 'mina', status: 503 }],

  ['style', open('/user/style'), { at: 'workshop' }],
].map(([name, go, { at = 'usual', who, status = 200, withScripts = false } = {}]) => ({ name, go, at, who, status, withScripts }));

/** A browser, and servers in every condition that shows on a page. */
export class Tour {
  people = {};
  cookies = {};

  /** `mina` is who has most of the pages: by default somebody whose long names have no place to break, which are the hard ones. */
  static async begin(mina = { ...someone('W'.repeat(64)), username: `mina${'m'.repeat(28)}` }) {
    const tour = new Tour();
    try {
      await tour.#start(mina);
    } catch (error) {
      await tour.end();
      throw error;
    }
    return tour;
  }

  async #start(mina) {
    const patient = {
      'limits.log_in_account': '10000/15m', 'limits.log_in_address': '10000/15m', 'limits.account_session': '10000/10m', 'tokens.access_ttl': '1h',
    };
    const strict = { 'limits.log_in_account': '1/15m', 'limits.account_session': '1/10m', 'limits.registration_address': '1/1h' };
    this.redis = await startRedis();
    const settings = {
      usual: patient,
      closed: { 'accounts.registration': 'closed' },
      strict,
      broken: patient,
      stopped: { ...patient, 'store.redis_url': this.redis.url },
      workshop: { 'pages.development': 'true' },
    };
    this.servers = {};
    const starting = Object.entries(settings).map(async ([name, some]) => (this.servers[name] = await startServer(some)));
    await Promise.all([...starting, launch().then((browser) => (this.browser = browser))]);
    const { usual, broken } = this.servers;

    this.people.mina = mina;
    await this.#signIn('usual', 'mina', mina);
    for (const device of [LAPTOP, PHONE]) await new Program(usual, device).post('/user/login', mina);
    await this.#signIn('usual', 'loner', someone('민'));
    await this.#signIn('strict', 'mina', mina);
    await this.#signIn('stopped', 'mina', someone());
    this.people.disabled = (await register(usual)).person;
    await usual.run('user', 'disable', this.people.disabled.username);
    this.people.garbled = (await register(broken)).person;
    await broken.damage(`UPDATE users SET username = '' WHERE username_folded = '${this.people.garbled.username}'`);
    await this.redis.stop();
  }

  async #signIn(at, who, person) {
    const server = this.servers[at];
    const { program } = await register(server, person, DESK);
    this.cookies[`${at} ${who}`] = [...program.cookies].map(([name, value]) => ({ name, value, url: server.url }));
  }

  /** Brings visitors to each state in turn, or to those that `only` picks, and has each looked at: `look(visitor, state)`. */
  async visit(options, look, only = () => true) {
    const there = STATES.filter((state) => (options.javaScriptEnabled || !state.withScripts) && only(state));
    for (const [place, states] of grouped(there, ({ at, who }) => `${at} ${who}`)) {
      const visitor = await Visitor.arrive(this.browser, this.servers[states[0].at], options);
      visitor.tour = this;
      await visitor.context.addCookies(this.cookies[place] ?? []);
      for (const state of states) {
        const status = await state.go(visitor);
        assert.equal(status ?? 200, state.status, state.name);
        await look(visitor, state);
      }
      await visitor.leave();
    }
  }

  async end() {
    await this.browser?.close();
    await this.redis?.stop();
    await Promise.all(Object.values(this.servers ?? {}).map((server) => server?.stop()));
  }
}

/** Fills the form that has the inputs with these ids, and sends it. */
async function submit(visitor, texts) {
  for (const [id, text] of Object.entries(texts)) {
    if (await visitor.page.locator(`#${id}`).count()) await visitor.page.locator(`#${id}`).fill(text);
  }
  const last = visitor.page.locator(`#${Object.keys(texts).at(-1)}`);
  return visitor.follow(() => last.press('Enter'));
}

/** Sends the form of a page with nothing in it, as a browser would that makes no checks of its own. */
async function unchecked(visitor, path) {
  await visitor.open(path);
  await visitor.page.locator('#main').evaluate((form) => (form.noValidate = true));
  return visitor.follow(() => visitor.page.locator('#main button.primary').click());
}

/** Sends a form that none of our pages has, from one of our pages. */
async function post(visitor, path, fields, enctype = 'application/x-www-form-urlencoded') {
  await visitor.open('/user/info');
  return visitor.follow(() => visitor.page.evaluate(([action, inputs, kind]) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype: kind });
    for (const [name, value] of inputs) form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(form);
    form.submit();
  }, [path, fields, enctype]));
}

/** Sends a form of another site. */
async function fromElsewhere(visitor) {
  const strange = 'http://strange.example/';
  const body = `<form method=post action="${visitor.server.url}/user/logout"><button>Win a prize</button></form>`;
  await visitor.page.route(strange, (route) => route.fulfill({ contentType: 'text/html', body }));
  await visitor.page.goto(strange);
  return visitor.press('Win a prize');
}

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
