// Builds dist/esm and dist/cjs from src, and brings the licences along.
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

rmSync(here('dist'), { recursive: true, force: true });
for (const [folder, type, ...how] of [
  ['esm', 'module', '--module', 'esnext', '--moduleResolution', 'bundler'],
  ['cjs', 'commonjs', '--module', 'commonjs', '--moduleResolution', 'node10'],
]) {
  const out = here(`dist/${folder}`);
  execFileSync(process.execPath, [tsc, '-p', here('.'), '--outDir', out, ...how], { stdio: 'inherit' });
  writeFileSync(`${out}/package.json`, JSON.stringify({ type, sideEffects: false }));
}
for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(here(`../../${name}`), here(name));
