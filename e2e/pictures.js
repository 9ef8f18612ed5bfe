// Pictures of every page in every state, to be looked at: one for each width, colour scheme and language, and sheets that show all at
// once.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LOCALES, SCHEMES, WIDTHS } from './tour.js';

export const ARTIFACTS = fileURLToPath(new URL('./artifacts/', import.meta.url));

/** How wide a picture is on a sheet. */
const ON_SHEET = { 390: 195, 1280: 400 };

/** Takes all of them, into artifacts/. */
export async function takeAll(tour) {
  await mkdir(ARTIFACTS, { recursive: true });
  for (const locale of LOCALES) {
    const names = [];
    await tour.visit({ locale, javaScriptEnabled: true, reducedMotion: 'reduce' }, async ({ page }, { name }) => {
      names.push(name);
      for (const width of WIDTHS) for (const colorScheme of SCHEMES) {
        await show(page, width, colorScheme);
        await page.screenshot({ path: `${ARTIFACTS}${file(name, locale, colorScheme, width)}`, fullPage: true });
      }
    });
    for (const colorScheme of SCHEMES) await sheet(tour.browser, names, locale, colorScheme);
  }
}

/** The page in that width and colour scheme. */
export async function show(page, width, colorScheme) {
  await page.setViewportSize({ width, height: 800 });
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}

function file(name, locale, colorScheme, width) {
  return `${name}.${locale.slice(0, 2)}.${colorScheme}.${width}.png`;
}

/** All states of one language and colour scheme on one picture for each width, and as a page to click through. */
async function sheet(browser, names, locale, colorScheme) {
  for (const width of WIDTHS) {
    const figures = names.map((name) => {
      const picture = file(name, locale, colorScheme, width);
      return `<figure><a href="${picture}"><img src="${picture}"></a><figcaption>${name}</figcaption></figure>`;
    });
    const path = `${ARTIFACTS}all.${locale.slice(0, 2)}.${colorScheme}.${width}`;
    await writeFile(`${path}.html`, `<!doctype html><meta charset="utf-8"><title>${locale}, ${colorScheme}, ${width}</title>
<style>
  body { display: flex; flex-wrap: wrap; gap: 12px; margin: 12px; background: #888; font: 13px sans-serif }
  figure { margin: 0; width: ${ON_SHEET[width]}px }
  img { display: block; width: 100%; max-height: 760px; object-fit: cover; object-position: top }
  figcaption { padding: 2px 0; font-weight: bold }
</style>
${figures.join('\n')}`);
    const page = await browser.newPage({ viewport: { width: 2500, height: 800 } });
    await page.goto(pathToFileURL(`${path}.html`).href, { waitUntil: 'load' });
    await page.screenshot({ path: `${path}.png`, fullPage: true });
    await page.close();
  }
}
