// A real proxy with one of our examples, an app behind it, and a visitor before it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** An app that knows nothing of Munjigi but the headers, and says which it got. */
export async function startApp(port) {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    response.setHeader('set-cookie', 'theme=dark; Path=/');
    response.setHeader('content-type', 'application/json');
    response.setHeader('cache-control', 'public, max-age=60');
    response.end(JSON.stringify({ app: true, method: request.method, path: request.url, body, headers: lines(request) }));
  });
  // It goes over to whatever is asked for. Once a WebSocket is open it says who has come, without any frame around it.
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const head = ['HTTP/1.1 101 Switching Protocols', `Upgrade: ${request.headers.upgrade}`, 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`, '', ''];
    socket.on('error', () => socket.destroy()).end(head.join('\r\n') + JSON.stringify(lines(request)));
  });
  await new Promise((listening) => server.listen(port, '127.0.0.1', listening));
  return { stop: () => new Promise((closed) => server.close(closed).closeAllConnections()) };
}

/** A Redis of one's own, to be taken away. */
export async function startRedis() {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore', cwd: tmpdir() });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((done) => child.once('close', done).once('error', done));
  const stop = async () => {
    kill();
    await ended;
    process.removeListener('exit', kill);
  };
  if (await answers(port, child)) return { url: `redis://127.0.0.1:${port}/`, stop };
  await stop();
  throw new Error('redis-server did not start');
}

/** Waits until a program listens on a port, or has ended. */
async function answers(port, child) {
  for (let tried = 0; tried < 200 && child.exitCode === null; tried += 1) {
    const listens = await new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => done(Boolean(socket.destroy()))).once('error', () => done(false));
    });
    if (listens) return true;
    await pause(50);
  }
  return false;
}

/** All lines of each header. */
function lines({ rawHeaders }) {
  const headers = {};
  for (let at = 0; at < rawHeaders.length; at += 2) (headers[rawHeaders[at].toLowerCase()] ??= []).push(rawHeaders[at + 1]);
  return headers;
}

/** How each of them is run in a folder that holds its example, with nothing of the machine's configuration. */
const PROXIES = {
  nginx: {
    folder: 'nginx',
    file: (name) => `${name}.conf`,
    async command(folder, main) {
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const temporary = paths.map((path) => `${path}_temp_path ${folder}/${path};`).join('\n');
      await writeFile(join(folder, 'nginx.conf'), `daemon off; pid ${folder}/pid; error_log stderr;
        events {} http { access_log off; ${temporary}\n include ${main}; }`);
      return ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf')];
    },
  },
  caddy: {
    folder: 'caddy',
    file: (name) => `${name}.Caddyfile`,
    async command(folder, main) {
      const file = join(folder, main);
      await writeFile(file, `{\n admin off\n auto_https disable_redirects\n skip_install_trust\n}\n${await readFile(file, 'utf8')}`);
      return ['caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    },
  },
  apache: {
    folder: 'apache',
    file: (name) => `${name}.conf`,
    async command(folder, main) {
      const modules = ['mpm_event', 'alias', 'authz_core', 'headers', 'lua', 'proxy', 'proxy_http', 'ssl', 'socache_shmcb'];
      const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n');
      await writeFile(join(folder, 'apache.conf'), `ServerRoot ${folder}\nPidFile ${folder}/pid\nErrorLog ${folder}/error.log
        DefaultRuntimeDir ${folder}\nServerName localhost\n${load}\nInclude ${folder}/${main}\n`);
      return ['apache2', '-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')];
    },
  },
  haproxy: {
    folder: 'haproxy',
    file: (name) => `${name}.cfg`,
    command: async (folder, main) => ['haproxy', '-db', '-f', join(folder, main)],
  },
};

/** Starts a proxy with one of its examples; `replaced` is what stands in it, and what it is here. */
export async function startProxy(kind, example, replaced, port) {
  const proxy = PROXIES[kind];
  const folder = await mkdtemp(join(tmpdir(), `munjigi-${kind}-`));
  for (const name of await readdir(join(EXAMPLES, proxy.folder))) {
    let text = await readFile(join(EXAMPLES, proxy.folder, name), 'utf8');
    for (const [here, there] of Object.entries({ ...replaced, [`/etc/${kind === 'apache' ? 'apache2' : kind}/`]: `${folder}/` })) {
      text = text.replaceAll(here, there);
    }
    await writeFile(join(folder, name), text);
  }
  const [program, ...rest] = await proxy.command(folder, proxy.file(example));
  const child = spawn(program, rest, {
    cwd: folder,
    env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: folder, XDG_DATA_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((done) => child.once('close', done).once('error', done));
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(kill, 5_000);
    await ended;
    clearTimeout(late);
    process.removeListener('exit', kill);
    await rm(folder, { recursive: true, force: true });
  };
  if (await answers(port, child)) return { stop, log: () => log };
  await stop();
  throw new Error(`${kind} did not start:\n${log}`);
}

/** A browser without a screen: keeps cookies by domain, and follows what it is told to. */
export class Visitor {
  cookies = new Map();

  constructor(origins) {
    this.origins = origins;
  }

  /** Sends a request and answers with status, headers and body; `ports` are where the hosts really are. */
  async ask(method, url, { headers = {}, body, path } = {}) {
    const { hostname, host, protocol, pathname, search } = new URL(url);
    const sent = { host, accept: 'text/html', ...headers };
    const cookies = [...this.cookies.values()].filter(({ domain }) => hostname === domain || hostname.endsWith(`.${domain}`));
    if (cookies.length) sent.cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    if (body) sent['content-type'] = 'application/x-www-form-urlencoded';
    const { request } = protocol === 'https:' ? https : http;
    const options = {
      method, headers: sent, host: '127.0.0.1', port: this.origins[host], path: path ?? pathname + search, agent: false,
      servername: hostname, rejectUnauthorized: false, timeout: 20_000,
    };
    const answer = await new Promise((done, failed) => {
      const asked = request(options, done).once('error', failed);
      // What comes after it is the answer's text.
      asked.once('upgrade', (head, socket, first) => done(Object.assign(socket, { statusCode: head.statusCode, headers: head.headers, first })));
      asked.once('timeout', () => asked.destroy(new Error(`no answer from ${url}`)));
      asked.end(body && new URLSearchParams(body).toString());
    });
    let text = answer.first?.toString() ?? '';
    for await (const piece of answer.setEncoding('utf8')) text += piece;
    for (const line of answer.headers['set-cookie'] ?? []) this.keep(line, hostname);
    const { statusCode: status, headers: got } = answer;
    const where = got.location && new URL(got.location, url).href;
    return { status, headers: got, text, where, json: () => JSON.parse(text) };
  }

  /** Follows redirects as a browser does. */
  async go(method, url, options) {
    let answer = await this.ask(method, url, options);
    for (let steps = 0; answer.where && steps < 10; steps += 1) {
      const same = answer.status === 307;
      answer = await this.ask(same ? method : 'GET', answer.where, same ? options : { headers: options?.headers });
    }
    return answer;
  }

  keep(line, hostname) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    const domain = /;\s*domain=\.?([^;]+)/i.exec(line)?.[1] ?? hostname;
    if (value === '' || /;\s*max-age=0/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, { name, value, domain });
  }

  /** The value of a cookie, under whatever prefix. */
  cookie(name) {
    return [...this.cookies.values()].find((cookie) => cookie.name.endsWith(name))?.value;
  }

  copy() {
    const copy = new Visitor(this.origins);
    copy.cookies = new Map(this.cookies);
    return copy;
  }
}
