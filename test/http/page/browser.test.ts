import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../support/database.js';
import { mirrorSomething, type Visit, visitWith } from './browser-world.js';
import { startChromium, whyNot } from './chromium.js';
import { findFaults } from './page-faults.js';
import { type ServedPage, servePage } from './serve.js';

/** Where pictures of every page go; not set: nowhere. */
const SCREENSHOTS = process.env.TEST_SCREENSHOTS;

const closing: (() => Promise<void>)[] = [];
const onStarted = (close: () => Promise<void>): void => void closing.push(close);

/** Share of the pixels of each chart that are not empty. */
const inkOf = (page: Page): Promise<number[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
        0,
        0,
        canvas.width,
        canvas.height,
      );
      let inked = 0;
      for (let i = 3; i < data.length; i += 4) if ((data[i] as number) > 0) inked += 1;
      return inked / (data.length / 4);
    }),
  );

describe.skipIf(whyNot !== null)(`in a real browser${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  let browser: Browser;
  let served: ServedPage;
  let addresses: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const mirror = await mirrorSomething(onStarted);
    served = await servePage(mirror.databaseUrl, { onStarted });
    browser = await startChromium();
    const ask = async (sql: string): Promise<string> =>
      (await mirror.pool.query<{ id: string }>(sql)).rows[0]?.id ?? '';
    const run = await ask(
      `select r.pipeline_run_id as id from analytics.pipeline_runs r join analytics.run_details using (pipeline_run_id) where outcome = 'succeeded' limit 1`,
    );
    const experiment = await ask(
      `select experiment_id as id from analytics.metric_points group by 1 order by count(*) desc limit 1`,
    );
    addresses = {
      overview: '/?range=7d',
      runs: '/runs',
      search: '/runs?outcome=failed&pipeline=nothing',
      run: `/runs/${run}`,
      hostile: '/runs/flow-hostile',
      experiments: '/experiments',
      experiment: `/experiments/${experiment}`,
      mirror: '/mirror',
      quarantine: '/quarantine',
    };
    if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });
  });

  afterAll(async () => {
    await browser?.close();
    for (const close of closing.reverse()) await close();
  });

  const visit: Visit = (...how) => visitWith(browser, ...how);

  it.each([
    ['desktop', { width: 1280, height: 900 }],
    ['phone', { width: 360, height: 740 }],
  ] as const)(
    'every page is whole on a %s %o, light and dark: no error, no refused style or script, no request elsewhere, nothing wider than the screen, names, labels and contrast as they should be',
    async (device, size) => {
      const { page, seen, close } = await visit(`${served.url}/`, size, 'light');
      for (const [name, address] of Object.entries(addresses)) {
        await page.goto(`${served.url}${address}`, { waitUntil: 'load' });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate(findFaults), `${name} ${device} ${colorScheme}`).toEqual([]);
          const ink = await inkOf(page);
          expect(ink.length, name).toBeGreaterThanOrEqual(name === 'overview' || name === 'experiment' ? 1 : 0);
          expect(Math.min(1, ...ink), name).toBeGreaterThan(0.005);
          if (SCREENSHOTS !== undefined)
            await page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}-${colorScheme}.png`), fullPage: true });
        }
        expect(await page.evaluate(() => 'wasHacked' in window), name).toBe(false);
        expect(seen, name).toEqual([]);
      }
      await close();
    },
  );

  it('notices a page that is not so', async () => {
    const { page, seen, close } = await visit(`${served.url}/runs`, { width: 360, height: 740 }, 'light');
    await page.evaluate(() => {
      const main = document.querySelector('main') as HTMLElement;
      main.insertAdjacentHTML(
        'beforeend',
        '<h4></h4><a href="/"></a><table><tbody><tr><td>x</td></tr></tbody></table><p id="q" class="pale">pale</p><p class="wide">wide</p>',
      );
      (main.querySelector('.pale') as HTMLElement).style.color = '#999';
      (main.querySelector('.wide') as HTMLElement).style.width = '500px';
      const script = document.createElement('script');
      script.textContent = 'window.wasHacked = true';
      document.body.append(script);
    });
    const faults = (await page.evaluate(findFaults)).join('\n');
    for (const part of [
      'pixels wide',
      'skips a level',
      'empty heading',
      'without a name',
      'without a caption',
      'without headers',
      'without a header',
      'q is there twice',
      'inline style',
      'contrast 2.',
    ])
      expect(faults).toContain(part);
    expect(seen.join('\n')).toMatch(/Content Security Policy/);
    expect(await page.evaluate(() => 'wasHacked' in window)).toBe(false);
    await close();
  });

  it('tells times in the zone of the browser, and UTC without JavaScript, with which everything but curves is there', async () => {
    const size = { width: 1000, height: 800 };
    const texts: Record<string, string[]> = {};
    for (const withScript of [true, false]) {
      const { page, seen, close } = await visit(`${served.url}/runs`, size, 'light', withScript);
      texts[String(withScript)] = await page.locator('td time').allTextContents();
      expect(seen).toEqual([]);
      await close();
    }
    const [local, utc] = [texts.true?.[0] as string, texts.false?.[0] as string];
    expect(utc).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    expect(Date.parse(`${local.replace(' ', 'T')}+08:00`)).toBe(
      Date.parse(`${utc.slice(0, 10)}T${utc.slice(11, 19)}Z`),
    );
    const { page, close } = await visit(`${served.url}${addresses.overview}`, size, 'light', false);
    await page.locator('summary').click();
    expect(await page.locator('details table tbody tr').count()).toBeGreaterThan(0);
    await close();
  });

  it('is walked with the keyboard alone: past the navigation, to the search, to a run, and back', async () => {
    const { page, seen, close } = await visit(`${served.url}/runs`, { width: 1280, height: 900 }, 'light');
    const press = async (key: string, times = 1): Promise<void> => {
      for (let n = 0; n < times; n += 1) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        return {
          text: element.textContent?.trim() ?? '',
          id: element.id,
          outline: getComputedStyle(element).outlineStyle,
        };
      });
    await press('Tab');
    expect(await focused()).toMatchObject({ text: 'Skip to the content', outline: 'solid' });
    await press('Enter');
    await press('Tab');
    expect(await focused()).toMatchObject({ id: 'q', outline: 'solid' });
    await page.keyboard.type('flow-hostile');
    await press('Enter');
    await page.waitForURL(/q=flow-hostile$/);
    const link = page.locator('tbody a').first();
    for (let n = 0; n < 30 && !(await link.evaluate((one) => one === document.activeElement)); n += 1)
      await press('Tab');
    expect((await focused()).outline).toBe('solid');
    await press('Enter');
    await page.waitForURL(/\/runs\/flow-hostile$/);
    await page.goBack();
    await page.waitForURL(/q=flow-hostile$/);
    expect(await page.locator('#q').inputValue()).toBe('flow-hostile');
    expect(await page.locator('#q').isEnabled()).toBe(true);
    expect(seen).toEqual([]);
    await close();
  });

  it('draws its charts anew when the scheme changes or the window gets narrower', async () => {
    const { page, seen, close } = await visit(
      `${served.url}${addresses.overview}`,
      { width: 1200, height: 900 },
      'light',
    );
    const look = () =>
      page.evaluate(() => ({
        width: document.querySelector('canvas')?.clientWidth ?? 0,
        count: document.querySelectorAll('canvas').length,
      }));
    const before = await look();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 500, height: 900 });
    await expect.poll(async () => (await look()).width).toBeLessThan(500);
    expect(before.width).toBeGreaterThan(900);
    expect((await look()).count).toBe(before.count);
    expect(seen).toEqual([]);
    await close();
  });

  it('is whole on an empty database, too', async () => {
    const empty = await servePage((await createDatabase()).url);
    for (const path of ['/', '/runs', '/experiments', '/mirror', '/quarantine']) {
      const { page, seen, close } = await visit(`${empty.url}${path}`, { width: 360, height: 740 }, 'light');
      expect(seen, path).toEqual([]);
      expect(await page.evaluate(findFaults), path).toEqual([]);
      if (SCREENSHOTS !== undefined)
        await page.screenshot({ path: join(SCREENSHOTS, `empty${path.replaceAll('/', '-')}.png`), fullPage: true });
      await close();
    }
  });
});
