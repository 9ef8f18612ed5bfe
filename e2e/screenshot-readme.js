// Takes the picture at the top of the README: the log-in page in Korean and in English, side by side.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Visitor, launch } from './browser.js';
import { startServer } from './server.js';

const PICTURE = fileURLToPath(new URL('../docs/images/log-in.png', import.meta.url));
const SIZE = { width: 400, height: 560 };
const SCALE = 1.5;

const browser = await launch();
const server = await startServer();
try {
  const shots = [];
  for (const locale of ['ko-KR', 'en-US']) {
    const visitor = await Visitor.arrive(browser, server, { locale, viewport: SIZE, deviceScaleFactor: SCALE });
    await visitor.open('/user/login');
    await visitor.type({ [locale === 'ko-KR' ? '아이디' : 'Username']: 'mina' });
    shots.push((await visitor.page.screenshot()).toString('base64'));
    await visitor.leave();
  }
  const pictures = shots.map((shot) => `<img width=${SIZE.width} src="data:image/png;base64,${shot}">`).join('');
  const viewport = { width: 2 * SIZE.width, height: SIZE.height };
  const context = await browser.newContext({ viewport, deviceScaleFactor: SCALE });
  const page = await context.newPage();
  await page.setContent(`<body style="margin:0;display:flex">${pictures}</body>`, { waitUntil: 'load' });
  await mkdir(dirname(PICTURE), { recursive: true });
  await page.screenshot({ path: PICTURE });
  console.log(`docs/images/log-in.png: ${(await stat(PICTURE)).size} bytes`);
} finally {
  await browser.close();
  await server.stop();
}
