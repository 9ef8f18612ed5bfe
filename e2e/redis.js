// A Redis of one's own, to be taken away while somebody needs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Starts a Redis on a port of its own that keeps nothing. */
export async function startRedis() {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp']);
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const ended = once(child, 'close');
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
      process.removeListener('exit', kill);
    };
    const ready = new Promise((found) => {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        said += text;
        if (said.includes('Ready to accept connections')) found(true);
      });
    });
    if ((await Promise.race([ready, ended])) === true) return { url: `redis://127.0.0.1:${port}/`, stop };
    // Somebody else was quicker to take the port.
    if (tries === 5) throw new Error('redis-server did not start');
  }
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return String(port);
}
