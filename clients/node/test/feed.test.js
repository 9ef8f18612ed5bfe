// The feed when it is gone, when it is slow, and when it is not what it should be.
import assert from 'node:assert/strict';
import { createServer, connect } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { munjigi } from 'munjigi';
import { Events, MOST } from '../dist/esm/events.js';
import { Feed } from '../dist/esm/feed.js';
import { settings } from '../dist/esm/options.js';
import { BOUNDED, Program, cookie, eventually, listener, register, startIssuer, startServer } from './help.js';

const SID = '00112233445566778899aabbccddeeff';
const SUB = '01a2b3c4-0000-7000-8000-000000000001';
const later = () => Math.floor(Date.now() / 1000) + 600;
const ended = (entries, id = 'e1') => `event: ended\nid: ${id}\ndata: ${JSON.stringify({ sessions: [], users: [], ...entries })}\n\n`;
const current = (id = 'c1', data = {}) => `event: current\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
const STREAM = { 'content-type': 'text/event-stream' };
/** Bytes on the heap that are in use. */
const heap = () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
};
const ask = (gate, token) => gate.authenticate(new Request('http://app.example/', { headers: cookie(token) }));

/** A way to the server that can be cut, and opened again. */
async function startRope(to) {
  const { port } = new URL(to);
  const ends = new Set();
  let whole = true;
  const rope = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(Number(port), '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]]) {
      ends.add(one);
      one.pipe(other);
      one.on('error', () => {}).on('close', () => (other.destroy(), ends.delete(one)));
    }
  });
  await new Promise((done) => rope.listen(0, '127.0.0.1', done));
  return {
    url: `http://localhost:${rope.address().port}`,
    cut() {
      whole = false;
      for (const end of ends) end.destroy();
    },
    mend: () => (whole = true),
    close() {
      this.cut();
      return new Promise((done) => rope.close(done));
    },
  };
}

/** These end with the test, however it ends. */
async function serve(t) {
  const server = await startServer();
  t.after(() => server.stop());
  return server;
}
function trust(t, options) {
  const gate = munjigi(options);
  t.after(() => gate.close());
  return gate;
}

describe('the real feed', { concurrency: true }, () => {
  test('with the server out of reach, `serve` goes on and `refuse` does not; what ended meanwhile is learnt afterwards', BOUNDED, async (t) => {
    const server = await serve(t);
    const rope = await startRope(server.url);
    t.after(() => rope.close());
    const feedToken = await server.run('secret', 'feed-token');
    const { said, log } = listener();
    const options = { issuer: server.url, url: rope.url, feedToken, log };
    const serves = trust(t, options);
    const refuses = trust(t, { ...options, whenStale: 'refuse', maxStaleness: 1000 });
    await Promise.all([serves.ready(), refuses.ready()]);
    const [stays, leaves] = [(await register(server)).program, (await register(server)).program];
    const [good, over] = [stays, leaves].map((program) => program.cookies.get('accessToken'));
    for (const gate of [serves, refuses]) assert.ok((await ask(gate, good)).user);

    rope.cut();
    await leaves.post('/user/logout');
    await eventually(async () => {
      const { user, reason, retryAfter } = await ask(refuses, good);
      assert.deepEqual([user, reason, retryAfter], [null, 'unavailable', 1]);
    });
    assert.ok((await ask(serves, good)).user);
    assert.ok((await ask(serves, over)).user, 'a stale yes, which is what `serve` means');
    const page = new Request('http://app.example/', { headers: { ...cookie(good), accept: 'text/html' } });
    const { status, headers } = refuses.refuse(page, await refuses.authenticate(page));
    assert.deepEqual([status, headers.get('retry-after'), headers.get('location')], [503, '1', null], 'no one is led to log-in for an outage');

    rope.mend();
    const mended = performance.now();
    await eventually(async () => assert.equal((await ask(serves, over)).reason, 'ended'));
    console.log(`learnt ${Math.round(performance.now() - mended)} ms after the way was open again`);
    await eventually(async () => assert.ok((await ask(refuses, good)).user));
    assert.equal((await ask(refuses, over)).reason, 'ended');
    assert.ok((await ask(serves, good)).user);
    assert.match(said.join('\n'), /feed of .* was lost: [^]*is followed again/);
    assert.doesNotMatch(said.join('\n'), new RegExp(feedToken));
  });

  test('before the first word of the feed nobody is let in, and with a wrong token it never comes', BOUNDED, async (t) => {
    const server = await serve(t);
    const { program } = await register(server);
    const { said, log } = listener();
    const gate = trust(t, { issuer: server.url, feedToken: 'munjigi-feed-of-somebody-else', log });
    const seen = await ask(gate, program.cookies.get('accessToken'));
    assert.deepEqual([seen.user, seen.reason], [null, 'unavailable']);
    assert.match(said.join('\n'), /refuses the feed token: see `munjigi secret feed-token`/);
  });

  test('a changed password is out everywhere, by the epoch', BOUNDED, async (t) => {
    const server = await serve(t);
    const gate = trust(t, { issuer: server.url, feedToken: await server.run('secret', 'feed-token'), log() {} });
    await gate.ready();
    const { person, program } = await register(server);
    const other = new Program(server);
    await other.post('/user/login', person);
    const token = other.cookies.get('accessToken');
    assert.ok((await ask(gate, token)).user);
    const newPassword = 'eight loud lanterns';
    await program.post('/user/account/password', { currentPassword: person.password, newPassword, confirmPassword: newPassword });
    await eventually(async () => assert.equal((await ask(gate, token)).user, null));
    // Whoever changed it goes on, by a renewal if their token is older than that.
    const line = [...program.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const seen = await gate.authenticate(new Request('http://app.example/', { headers: { cookie: line } }));
    assert.equal(seen.user?.username, person.username);
  });
});

describe('a feed of somebody’s own making', { concurrency: true }, () => {
  /** A feed that plays these scripts, one a connection; the last one over and over. */
  async function play(t, ...scripts) {
    const issuer = await startIssuer();
    let at = 0;
    issuer.feed = (request, response) => {
      const script = scripts[Math.min(at, scripts.length - 1)];
      at += 1;
      if (typeof script === 'function') return script(response, request);
      response.writeHead(200, STREAM);
      response.write(script);
    };
    const { said, log } = listener();
    t.after(() => issuer.close());
    const gate = trust(t, { issuer: issuer.url, feedToken: 't', log });
    const token = await issuer.sign({ sid: SID, sub: SUB, sep: 3 });
    return { issuer, gate, token, said };
  }

  test('sessions and epochs are refused as they are listed, in any order', BOUNDED, async (t) => {
    const other = 'ffffffffffffffffffffffffffffffff';
    for (const [entries, expected] of [
      [{ sessions: [{ sid: SID, until: later() }] }, 'ended'],
      [{ sessions: [{ sid: other, until: later() }] }, null],
      [{ users: [{ sub: SUB, minEpoch: 4, until: later() }] }, 'expired'],
      [{ users: [{ sub: SUB, minEpoch: 3, until: later() }] }, null],
      [{ users: [{ sub: SUB, minEpoch: 4, until: later() }, { sub: SUB, minEpoch: 2, until: later() }] }, 'expired'],
      [{ users: [{ sub: other, minEpoch: 9, until: later() }], sessions: [{ sid: SUB, until: later() }], more: 1 }, null],
    ]) {
      const { gate, token } = await play(t, ended(entries) + current());
      await gate.ready();
      assert.equal((await ask(gate, token)).reason, expected, JSON.stringify(entries));
    }
  });

  test('what is told before `current` is no leave to accept anything', BOUNDED, async (t) => {
    let go;
    const { gate, token } = await play(t, (response) => {
      response.writeHead(200, STREAM);
      response.write(ended({ sessions: [{ sid: 'f'.repeat(32), until: later() }] }));
      go = () => response.write(current());
    });
    const early = await ask(gate, token);
    assert.deepEqual([early.user, early.reason], [null, 'unavailable']);
    go();
    await eventually(async () => assert.ok((await ask(gate, token)).user));
  });

  test('who comes back says where they were, unless what they were told could not be read', BOUNDED, async (t) => {
    const { issuer, gate, token } = await play(
      t,
      (response) => (response.writeHead(200, STREAM), response.end(ended({}, 'e1') + current('c7'))),
      (response) => (response.writeHead(200, STREAM), response.end(`${current('c8')}event: ended\nid: e9\ndata: {"sessions":[{}]}\n\n`)),
      ended({ sessions: [{ sid: SID, until: later() }] }) + current(),
    );
    await gate.ready();
    await eventually(async () => assert.equal((await ask(gate, token)).reason, 'ended'));
    assert.deepEqual(issuer.asked.feed.map((headers) => headers['last-event-id']), [undefined, 'c7', undefined]);
    assert.equal(issuer.asked.feed[0].authorization, 'Bearer t');
  });

  test('garbage accepts nobody, is said once, and the next good stream counts', BOUNDED, async (t) => {
    const rubbish = Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 137 + 61) % 256));
    const garbage = [
      rubbish, 'HTTP/1.1 200 OK\r\n\r\n<html>', 'data: \n\n', 'event: current\ndata: no\n\n', 'event: current\ndata: []\n\n', 'event: current\ndata: null\n\n',
      current('c', { issuer: 'https://other.example' }), 'event: ended\ndata: {"sessions":{}}\n\n', 'event: ended\ndata: {"users":[{"sub":"x","minEpoch":"9","until":1}]}\n\n',
      'event: ended\ndata: {"sessions":[null]}\n\n', `event: ended\ndata: {"sessions":[{"sid":"${'x'.repeat(65)}","until":1}]}\n\n`, 'event:current\nevent: \ndata: {}\n\n',
    ];
    const first = garbage.map(async (text) => {
      const good = ended({ sessions: [{ sid: 'f'.repeat(32), until: later() }] }) + current();
      const { gate, token, said } = await play(t, (response) => (response.writeHead(200, STREAM), response.end(text)), good);
      const early = await Promise.race([ask(gate, token), pause(100)]);
      assert.ok(!early?.user, String(text));
      await gate.ready();
      assert.ok((await ask(gate, token)).user, String(text));
      assert.equal(said.length, 2, said.join('\n'));
    });
    const answers = [[500, {}], [404, {}], [200, { 'content-type': 'text/html' }], [302, { location: '/stolen' }], [204, {}]];
    const second = answers.map(async ([status, headers]) => {
      const { gate, issuer } = await play(t, (response) => (response.writeHead(status, headers), response.end(status === 204 ? '' : current())), current());
      await gate.ready();
      assert.equal(issuer.asked.feed.length, 2, String(status));
      assert.deepEqual(issuer.asked.other, [], 'the token goes nowhere else');
    });
    await Promise.all([...first, ...second]);
  });

  test('a line without end, and lines without number, are dropped in bounded memory', BOUNDED, async (t) => {
    const filler = { line: 'x'.repeat(65_536), lines: 'data: xxxxxxxx\n'.repeat(4096), comments: `: ${'x'.repeat(126)}\n`.repeat(512), empty: '\n'.repeat(65_536) };
    const before = heap();
    await Promise.all(Object.entries(filler).map(async ([kind, chunk]) => {
      let sent = 0;
      const { gate, said } = await play(t, (response) => {
        response.writeHead(200, STREAM);
        response.write('data: ');
        // As fast as it is taken, for the first 64 MiB.
        const more = () => {
          while (!response.destroyed && sent < 1 << 26) {
            sent += chunk.length;
            if (!response.write(chunk)) return response.once('drain', more);
          }
        };
        more();
      }, current());
      await gate.ready();
      console.log(`${kind}: ${Math.round(sent / 1024)} KiB sent, then: ${said[0]?.split(': ').at(-1)}`);
      assert.match(said[0], /more than 1 MiB/);
      assert.ok(sent < 1 << 26, 'it is not read to its end');
    }));
    const grown = Math.round((heap() - before) / 1024);
    console.log(`${grown} KiB more on the heap afterwards`);
    assert.ok(grown < 16 << 10, `${grown} KiB`);
  });

  test('bytes that trickle are no sign of life', BOUNDED, async (t) => {
    const { gate, said } = await play(t, (response) => {
      response.writeHead(200, STREAM);
      const timer = setInterval(() => response.write(': still here\n'), 100);
      response.on('close', () => clearInterval(timer));
    }, current());
    await gate.ready();
    assert.match(said[0], /nothing was heard for 5000 ms/);
  });

  test('what has ended is forgotten when no token that it is about is good any more', BOUNDED, async (t) => {
    const issuer = await startIssuer();
    t.after(() => issuer.close());
    let time = Date.now();
    let beat;
    issuer.feed = (request, response) => {
      response.writeHead(200, STREAM);
      const sessions = Array.from({ length: 500 }, (_, n) => ({ sid: n.toString(16).padStart(32, '0'), until: later() + (n % 2) * 3600 }));
      beat = () => response.write(current());
      response.write(ended({ sessions, users: [{ sub: SUB, minEpoch: 4, until: later() }] }));
      beat();
    };
    const feed = new Feed(settings({ issuer: issuer.url, feedToken: 't', now: () => time, log() {} }));
    t.after(() => feed.close());
    await feed.ready;
    assert.equal(feed.size, 501);
    time += 700_000;
    beat();
    await eventually(() => assert.equal(feed.size, 250));
  });
});

describe('server-sent events', () => {
  const parse = (...pieces) => {
    const events = new Events();
    return pieces.flatMap((piece) => events.take(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece));
  };
  const event = (name, data, id) => ({ name, data, id });

  test('are put together as the standard has it, however they come in', () => {
    for (const [text, expected] of [
      ['event: a\nid: 1\ndata: x\n\n', [event('a', 'x', '1')]],
      ['\ufeffdata:x\r\n\r\ndata: y\r\r', [event('', 'x'), event('', 'y')]],
      ['data: x\ndata:  y\n\n', [event('', 'x\n y')]],
      [': comment\nretry: 5\nnothing\ndata\n\n', [event('', '')]],
      ['event: a\n\ndata: x\n\n', [event('', 'x')]],
      ['id: 1\ndata: x\n\ndata: y\n\n', [event('', 'x', '1'), event('', 'y', '1')]],
      ['id: 1\nid: \0\ndata: x\n\n', [event('', 'x', '1')]],
      [`id: 1\nid: ${'9'.repeat(257)}\ndata: 문지기\n\n`, [event('', '문지기')]],
      ['data: not ended\n', []],
    ]) {
      const bytes = new TextEncoder().encode(text);
      assert.deepEqual(parse(text), expected.map((one) => ({ id: undefined, ...one })), text);
      for (let cut = 0; cut <= bytes.length; cut += 1) assert.deepEqual(parse(bytes.slice(0, cut), bytes.slice(cut)), parse(text), `${text} at ${cut}`);
      assert.deepEqual(parse(...[...bytes].map((byte) => Uint8Array.of(byte))), parse(text), text);
    }
  });

  test('are bounded, and text', () => {
    const long = 'x'.repeat(MOST + 1);
    for (const pieces of [[long], [': ', long], [': x\n'.repeat(MOST / 4), '\n'], ['\n'.repeat(MOST), '\n'], ['data: xxxxxxxxxxxxxx\n'.repeat(MOST / 15)], ['data\n'.repeat(MOST), 'x']]) assert.throws(() => parse(...pieces), /1 MiB/);
    assert.throws(() => parse(Uint8Array.of(0x64, 0xff, 0x0a)));
  });
});
