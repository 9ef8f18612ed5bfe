// Takes the pictures that the documentation shows, into docs/pictures.
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { show } from './pictures.js';
import { someone } from './server.js';
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
} finally {
  await tour.end();
}
