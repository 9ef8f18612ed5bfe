// An Express app with its own log-in moves to Munjigi, as docs/migrating-from-express.md tells it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expiry, startServer } from './server.js';

const BOUNDED = { timeout: 60_000 };
const example = (name) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const MINA = { id: 'mina', password: 'kettle99', confirmPassword: 'kettle99', nickName: '김미나' };
const JIHO = { id: 'Jiho77', password: 'lantern7', confirmPassword: 'lantern7', nickName: '지호' };

/** Starts an app of the examples; it ends with the tests. */
async function startApp(name, env) {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: example(name), env: { PATH: process.env.PATH, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended]);
  assert.match(String(line), /^http/, `${name} did not start`);
  async function stop() {
    kill();
    await ended;
    process.removeListener('exit', kill);
  }
  return { port: Number(new URL(line.trim()).port), stop };
}

/** One origin for Munjigi and the app, as nginx would make it. */
async function startFront() {
  const front = { munjigi: undefined, app: undefined };
  const server = createServer((req, res) => {
    const path = new URL(req.url, 'http://localhost').pathname;
    const port = path === '/user' || path.startsWith('/user/') ? front.munjigi : front.app;
    const { method, headers, url } = req;
    const passed = request({ port, host: '127.0.0.1', method, headers, path: url }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    passed.on('error', () => res.destroy());
    req.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  front.url = `http://localhost:${server.address().port}`;
  front.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return front;
}

/** Keeps cookies and follows redirects. */
class Browser {
  cookies = new Map();

  constructor(url) {
    this.url = url;
  }

  /** The page at the end of all redirects. */
  async visit(path) {
    const way = [];
    for (let step = 0; step < 6; step += 1) {
      way.push(path);
      const answer = await this.send('GET', path);
      if (answer.status < 300 || answer.status > 399) return { way, status: answer.status, text: await answer.text() };
      path = new URL(answer.headers.get('location'), this.url + path).href.slice(this.url.length);
    }
    throw new Error(`no end of redirects: ${way.join(' ')}`);
  }

  async post(path, body) {
    const answer = await this.send('POST', path, { 'content-type': 'application/json' }, JSON.stringify(body));
    return { status: answer.status, ...(await answer.json()) };
  }

  async note(note) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    return (await this.send('POST', '/notes', form, new URLSearchParams({ note }).toString())).status;
  }

  async send(method, path, headers = {}, body = undefined) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const signal = AbortSignal.timeout(20_000);
    const answer = await fetch(this.url + path, { method, headers: { ...headers, cookie }, body, redirect: 'manual', signal });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.cookies.set(name, decodeURIComponent(value));
      else this.cookies.delete(name);
    }
    return answer;
  }
}

/** The users table as mysqldump writes it. */
function dump(csv) {
  const rows = csv.trim().split('\n').slice(1).map((line) => `(${line.replaceAll('"', "'")})`);
  return ['-- MySQL dump 10.13', 'DROP TABLE IF EXISTS `users`;', 'CREATE TABLE `users` (', '  `id` varchar(12) NOT NULL,',
    '  `password` varchar(255) NOT NULL,', '  `nickname` varchar(10) NOT NULL,', '  PRIMARY KEY (`id`)', ') ENGINE=InnoDB;',
    'LOCK TABLES `users` WRITE;', `INSERT INTO \`users\` VALUES ${rows.join(',')};`, 'UNLOCK TABLES;', ''].join('\n');
}

describe('an Express app moves over', () => {
  let folder, front, munjigi, app, oldCookie;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'munjigi-move-'));
    const data = { DATA_DIR: folder };
    const old = await startApp('express-before', { ...data, ACCESS_TOKEN_SECRET: 'one', REFRESH_TOKEN_SECRET: 'two' });
    try {
      const mina = new Browser(`http://localhost:${old.port}`);
      for (const person of [MINA, JIHO]) assert.equal((await mina.post('/user/register', person)).success, true);
      assert.equal((await mina.post('/user/login', MINA)).success, true);
      await mina.note('우유 사기 <milk>');
      assert.match((await mina.visit('/notes')).text, /김미나.*우유 사기/s);
      oldCookie = mina.cookies.get('accessToken');
    } finally {
      await old.stop();
    }
    front = await startFront();
    munjigi = await startServer({ 'server.public_url': front.url, 'tokens.access_ttl': '2s' });
    front.munjigi = Number(munjigi.listens.split(':').at(-1));
    const urls = { MUNJIGI_URL: `http://127.0.0.1:${front.munjigi}`, PUBLIC_URL: front.url };
    app = await startApp('express-after', { ...data, ...urls });
    front.app = app.port;
  }, BOUNDED);

  after(async () => {
    await app?.stop();
    front?.stop();
    await munjigi?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
    assert.doesNotMatch(munjigi?.log ?? '', / ERROR /, 'the server logged a failure');
  }, BOUNDED);

  test('its users come along, from CSV or from a dump', BOUNDED, async () => {
    const env = { PATH: process.env.PATH, DATA_DIR: folder };
    const { stdout: csv } = await promisify(execFile)(process.execPath, ['export-users.js'], { cwd: example('express-before'), env });
    const files = { csv: join(folder, 'users.csv'), sql: join(folder, 'users.sql'), lines: join(folder, 'users.jsonl') };
    await writeFile(files.csv, csv);
    await writeFile(files.sql, dump(csv));
    const users = async (...command) => JSON.parse(await munjigi.run('user', 'import', '--json', ...command));
    for (const file of Object.values(files)) {
      assert.deepEqual(await users(file, '--dry-run'), { imported: 2, skipped: 0, refused: 0, dryRun: true }, file);
    }
    assert.deepEqual(await users(files.sql), { imported: 2, skipped: 0, refused: 0, dryRun: false });
    assert.deepEqual(await users(files.csv), { imported: 0, skipped: 2, refused: 0, dryRun: false });
    assert.equal(JSON.parse(await munjigi.run('user', 'show', 'mina', '--json')).passwordScheme, 'tutorial');
  });

  test('a user logs in with the old password, and the app knows them and their notes', BOUNDED, async () => {
    const mina = new Browser(front.url);
    const { way, text } = await mina.visit('/notes');
    assert.deepEqual(way, ['/notes', '/user/login?return_to=%2Fnotes']);
    assert.match(text, /name="return_to" value="\/notes"/);
    const wrong = await mina.post('/user/login', { id: 'mina', password: 'kettle98' });
    assert.deepEqual([wrong.status, wrong.success, wrong.code], [401, false, 'invalid_credentials']);
    // The body that the app's old front end sends.
    const right = await mina.post('/user/login', { id: 'mina', password: 'kettle99', return_to: '/notes' });
    assert.deepEqual([right.success, right.user.name, right.returnTo], [true, '김미나', '/notes']);
    const page = await mina.visit('/notes');
    assert.match(page.text, /<h1>김미나<\/h1>.*우유 사기/s);
    assert.match(JSON.parse(await munjigi.run('user', 'show', 'mina', '--json')).passwordScheme, /^argon2id/);

    await expiry(mina.cookies.get('accessToken'));
    const renewed = await mina.visit('/notes');
    assert.deepEqual(renewed.way, ['/notes', '/user/login?return_to=%2Fnotes', '/notes'], 'there and back, signed in');
    assert.match(renewed.text, /김미나/);

    const jiho = new Browser(front.url);
    assert.equal((await jiho.post('/user/login', { id: 'jiho77', password: 'lantern7' })).success, true, 'in any case');
    const { text: empty } = await jiho.visit('/notes');
    assert.match(empty, /<h1>지호<\/h1>/);
    assert.doesNotMatch(empty, /우유/);
  });

  test('log-out is the end of it, and cookies of the old app are worth nothing', BOUNDED, async () => {
    const mina = new Browser(front.url);
    await mina.post('/user/login', MINA);
    const thief = new Browser(front.url);
    thief.cookies = new Map(mina.cookies);
    assert.deepEqual(await mina.post('/user/logout'), { status: 200, success: true });
    assert.equal((await mina.visit('/notes')).way.at(-1), '/user/login?return_to=%2Fnotes');
    // A service that only reads the keys believes a token until it expires: here two seconds.
    await expiry(thief.cookies.get('accessToken'));
    assert.equal((await thief.visit('/notes')).way.at(-1), '/user/login?return_to=%2Fnotes');
    assert.equal(await thief.note('x'), 401);

    const old = new Browser(front.url);
    old.cookies.set('accessToken', oldCookie);
    assert.equal((await old.visit('/notes')).way.at(-1), '/user/login?return_to=%2Fnotes');
  });
});
