// The metrics as a library of other people reads them: prometheus_client's parser of OpenMetrics, which is a strict one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { register, startServer } from './server.js';

const BOUNDED = { timeout: 60_000 };
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** What the parser makes of a text. */
function read(text) {
  const env = { PATH: process.env.PATH, PYTHONPATH: here('python') };
  const { status, stdout, stderr } = spawnSync('python3', [here('metrics.py')], { input: text, env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test('a scraper of somebody else reads the metrics', BOUNDED, async () => {
  const server = await startServer({ 'server.operations_listen': '127.0.0.1:0' });
  try {
    const { program } = await register(server);
    await program.get('/user/info');
    const answer = await fetch(await server.operations());
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/);
    const text = await answer.text();
    const families = read(text);
    assert.equal(families.munjigi_http_requests?.type, 'counter');
    assert.equal(families.munjigi_http_request_duration_seconds?.type, 'histogram');
    assert.equal(families.munjigi_revocations?.type, 'gauge');
    assert.equal(families.munjigi_build?.type, 'info');
    assert.ok(Object.keys(families).length > 25, Object.keys(families).join());
    assert.ok(read(text.replace('# EOF\n', '')).refused, 'the parser is a strict one');
  } finally {
    await server.stop();
  }
});
