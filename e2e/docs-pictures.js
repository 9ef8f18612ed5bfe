// Takes the pictures that the documentation shows, into docs/pictures.
import { mkdir, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Visitor } from './browser.js';
import { show } from './pictures.js';
import { someone, startServer } from './server.js';
import { Tour } from './tour.js';

const FOLDER = fileURLToPath(new URL('../docs/pictures/', import.meta.url));

/** Which state, in which language, how wide, in which colours. */
const PICTURES = [
  ['log-in', 'ko-KR', 390, 'light'],
  ['log-in', 'en-US', 390, 'dark'],
  ['register-typing', 'en-US', 390, 'light'],
  ['account', 'en-US', 1280, 'light'],
  ['account', 'ko-KR', 390, 'dark'],
  ['error-404', 'ko-KR', 390, 'light'],
];

/** The themes of examples/themes, each in one language and one colour scheme. */
const THEMES = [
  ['paper', 'en-US', 'light'],
  ['sunflower', 'ko-KR', 'light'],
];

/** The settings of a theme's file, with its paths as they are here. */
async function settings(theme) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const text = await readFile(`${root}examples/themes/${theme}/munjigi.toml`, 'utf8');
  const lines = [...text.matchAll(/^(\w+) = "(.*)"$/gm)];
  return Object.fromEntries(lines.map(([, key, value]) => [`pages.${key}`, value.replace(/^examples\//, `${root}examples/`)]));
}

await mkdir(FOLDER, { recursive: true });
const tour = await Tour.begin({ ...someone('김미나'), username: 'mina' });
try {
  for (const [name, locale, width, colorScheme] of PICTURES) {
    const path = `${FOLDER}${name}.${locale.slice(0, 2)}.${colorScheme}.png`;
    await tour.visit({ locale, javaScriptEnabled: true, timezoneId: locale === 'ko-KR' ? 'Asia/Seoul' : 'Europe/London' }, async ({ page }) => {
      await show(page, width, colorScheme);
      await page.screenshot({ path, fullPage: true });
    }, (state) => state.name === name);
    console.log(`${path}: ${(await stat(path)).size} bytes`);
  }
  for (const [theme, locale, colorScheme] of THEMES) {
    const server = await startServer(await settings(theme));
    const visitor = await Visitor.arrive(tour.browser, server, { locale, javaScriptEnabled: true });
    await visitor.open('/user/login');
    await show(visitor.page, 900, colorScheme);
    const path = `${FOLDER}theme-${theme}.png`;
    await visitor.page.screenshot({ path });
    console.log(`${path}: ${(await stat(path)).size} bytes`);
    await visitor.leave();
    await server.stop();
  }
} finally {
  await tour.end();
}
