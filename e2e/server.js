// The real program, on a port and in a folder of its own.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { setDefaultResultOrder } from 'node:dns';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BINARY = resolve(process.env.BIN ?? fileURLToPath(new URL('../target/debug/munjigi', import.meta.url)));
const REDIS_URL = process.env.REDIS_URL;

/** Which stores this run is about. */
export const STORES = REDIS_URL ? 'on Redis' : 'embedded';

/** A password that nothing speaks against. */
export const PASSWORD = 'seven quiet lanterns';

// The server listens on 127.0.0.1 and calls itself localhost.
setDefaultResultOrder('ipv4first');

/** Starts a server; `settings` are keys and values as in `munjigi.toml`. Its `url` is the public one. */
export async function startServer(settings = {}, listen = '127.0.0.1:0') {
  const folder = await mkdtemp(join(tmpdir(), 'munjigi-e2e-'));
  // Everything comes from one address here.
  const all = { 'limits.registration_address': '1000/1h', 'limits.log_in_address': '1000/1h', ...settings };
  if (REDIS_URL) all['store.redis_url'] = REDIS_URL;
  const set = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(BINARY, ['serve', '--listen', listen, '--data-dir', join(folder, 'data'), ...set], {
    cwd: folder,
    // Nothing of the caller's: a variable that begins with MUNJIGI_ is a setting, and an unknown one is refused.
    env: all['store.redis_url'] ? { MUNJIGI_SERVER__SECRET: 'only for tests, 32 bytes or more' } : {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((done) => child.once('close', done).once('error', done));
  const server = { url: undefined, listens: undefined, log: '', stop, run, damage, operations };

  async function stop() {
    child.kill('SIGTERM');
    const late = setTimeout(kill, 15_000);
    await ended;
    clearTimeout(late);
    process.removeListener('exit', kill);
    await rm(folder, { recursive: true, force: true });
  }

  /** What a command says, run beside the server. */
  async function run(...command) {
    const { stdout } = await promisify(execFile)(BINARY, [...command, '--set', `server.data_dir=${join(folder, 'data')}`], { env: {} });
    return stdout.trim();
  }

  /** Does to the embedded database what no program of ours would. */
  async function damage(sql) {
    const script = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()';
    await promisify(execFile)('python3', ['-c', script, join(folder, 'data', 'munjigi.db'), sql]);
  }

  /** Where the metrics are, of a server with a listener for them. */
  async function operations() {
    for (;;) {
      const url = /operations +(http:\/\/\S+)\n/.exec(said)?.[1];
      if (url) return url;
      await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
    }
  }

  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (server.log += text));
  const announced = new Promise((found) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [, url, listens] = /stands at the gate of (https?:\/\/\S+)\n\s+listens on +(\S+)\n/.exec(said) ?? [];
      server.listens = listens;
      if (url) found(url);
    });
  });
  server.url = await Promise.race([announced, ended, pause(30_000, undefined, { ref: false })]);
  if (typeof server.url !== 'string') {
    await stop();
    throw new Error(`${BINARY} did not start: ${server.url?.message ?? ''}\n${said}${server.log}`);
  }
  return server;
}

let users = 0;

/** A person who does not exist yet. */
export function someone(name = '김문지기') {
  users += 1;
  return { username: `mina.${process.pid}.${users}`, name, password: PASSWORD };
}

/** A client without a browser that keeps cookies as one would. */
export class Program {
  cookies = new Map();

  /** `headers` go along with everything. */
  constructor(server, headers = {}) {
    this.server = server;
    this.headers = headers;
  }

  get(path) {
    return this.ask('GET', path);
  }

  post(path, body) {
    return this.ask('POST', path, body);
  }

  /** Status and JSON of an answer. */
  async ask(method, path, body) {
    const headers = { ...this.headers, accept: 'application/json' };
    if (body) headers['content-type'] = 'application/json';
    if (this.cookies.size) headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const signal = AbortSignal.timeout(20_000);
    const answer = await fetch(this.server.url + path, {
      method, headers, body: body && JSON.stringify(body), redirect: 'manual', signal,
    });
    for (const line of answer.headers.getSetCookie()) this.keep(line);
    return { status: answer.status, ...(await answer.json()) };
  }

  /** What a thief would carry off. */
  copy() {
    const copy = new Program(this.server, this.headers);
    copy.cookies = new Map(this.cookies);
    return copy;
  }

  keep(line) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '' || /;\s*max-age=0/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** Registers somebody; the program that did it is signed in. */
export async function register(server, person = someone(), headers = {}) {
  const program = new Program(server, headers);
  const { status } = await program.post('/user/register', { ...person, confirmPassword: person.password });
  if (status !== 201) throw new Error(`registration was answered ${status}`);
  return { person, program };
}

/** Waits, no longer than it takes, until an access token has expired. */
export async function expiry(accessToken) {
  const { exp } = JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url'));
  const left = exp * 1000 - Date.now() + 50;
  if (left > 10_000) throw new Error(`the access token is good for another ${left} ms: give the server a shorter access_ttl`);
  await pause(Math.max(left, 0));
}
