// The package as somebody gets it: packed, installed into a project of their own, imported and required.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('..', import.meta.url));

test('it can be packed, installed, imported, required and type-checked', { timeout: 120_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'munjigi-package-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: HERE });
  const [{ filename, files, size }] = JSON.parse(stdout);
  console.log(`${filename}: ${files.length} files, ${size} bytes`);
  const names = files.map(({ path }) => path);
  for (const name of ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'dist/cjs/index.d.ts', 'dist/cjs/index.js', 'dist/esm/index.d.ts', 'dist/esm/index.js', 'package.json']) {
    assert.ok(names.includes(name), name);
  }
  assert.ok(names.every((name) => /^(dist\/(cjs|esm)\/[a-z]+\.(js|d\.ts|json)|LICENSE-[A-Z]+|README\.md|package\.json)$/.test(name)), names.join(' '));

  await writeFile(join(folder, 'package.json'), '{"private": true}');
  // `jose` as the lock file has it; npm's own cache has it by now.
  const jose = join(HERE, 'node_modules/jose');
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--install-links', `./${filename}`, jose], { cwd: folder });
  const use = `
    const gate = munjigi({ issuer: 'http://localhost:9', feedToken: false });
    if (typeof gate !== 'function' || typeof requireUser() !== 'function' || visitorOf({}) !== undefined) throw new Error('not as documented');
    console.log('works');`;
  await writeFile(join(folder, 'a.mjs'), `import { munjigi, requireUser, visitorOf } from 'munjigi';${use}`);
  await writeFile(join(folder, 'b.cjs'), `const { munjigi, requireUser, visitorOf } = require('munjigi');${use}`);
  for (const file of ['a.mjs', 'b.cjs']) {
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    assert.match(stdout, /^works/, file);
  }

  // And the types, in both forms, against what has been installed.
  const source = `import { munjigi, requireUser, type User } from 'munjigi';
    const gate = munjigi({ issuer: 'x', feedToken: false });
    export const handler = requireUser();
    export const who: Promise<User | null> = gate.authenticate(new Request('http://x')).then(({ user }) => user);`;
  for (const extension of ['mts', 'cts']) await writeFile(join(folder, `use.${extension}`), source);
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'], types: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.*'] }));
  await run(process.execPath, [tsc], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
});
