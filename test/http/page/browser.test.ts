import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../support/database.js';
import type { TestMirror } from '../../support/mirror.js';
import { LONG_ID, mirrorSomething, type Visit, visitWith } from './browser-world.js';
import { startChromium, whyNot } from './chromium.js';
import { findFaults } from './page-faults.js';
import { type ServedPage, servePage } from './serve.js';

/** Where pictures of every page go; not set: nowhere. */
const SCREENSHOTS = process.env.TEST_SCREENSHOTS;

/** Differ from others in the length of their texts only. */
const NARROW_ONLY = ['rtl', 'missing', 'nowhere', 'mistake'];

const closing: (() => Promise<void>)[] = [];
const onStarted = (close: () => Promise<void>): void => void closing.push(close);

/** A run with its root and so many nodes more. */
async function addNodes(mirror: TestMirror, count: number): Promise<void> {
  await mirror.pool.query(
    `insert into pai.pipeline_runs select (jsonb_populate_record(r, '{"pipeline_run_id": "flow-nodes", "name": "wide", "node_id": "node-0"}')).*
     from pai.pipeline_runs r where status = 'Succeeded' limit 1`,
  );
  await mirror.pool.query(
    `insert into pai.pipeline_run_nodes (pipeline_run_id, node_id, node_type, node_name, status, started_at, finished_at, region, scope,
       first_seen_at, updated_at, observed_at, revision)
     select 'flow-nodes', 'node-' || n, 'Logical', 'step ' || n, 'Succeeded', now() - interval '1 hour' + n * interval '0.3 s',
       now() - interval '1 hour' + (n + 40) * interval '0.3 s', region, scope, now(), now(), now(), 1
     from pai.pipeline_runs, generate_series(0, $1::int) n where pipeline_run_id = 'flow-nodes'`,
    [count],
  );
}

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
    await addNodes(mirror, 10_000);
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
      long: `/runs/-?id=${encodeURIComponent(LONG_ID)}`,
      rtl: '/runs/flow-rtl',
      missing: `/runs/${'x'.repeat(300)}`,
      nowhere: `/${'nowhere'.repeat(50)}`,
      mistake: `/runs?from=${'x'.repeat(150)}`,
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
        // What is too wide is too wide on a phone first.
        if (device === 'desktop' && NARROW_ONLY.includes(name)) continue;
        await page.goto(`${served.url}${address}`, { waitUntil: 'load' });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate(findFaults), `${name} ${device} ${colorScheme}`).toEqual([]);
          const ink = await inkOf(page);
          expect(ink.length, name).toBeGreaterThanOrEqual(name === 'overview' || name === 'experiment' ? 1 : 0);
          expect(Math.min(1, ...ink), name).toBeGreaterThan(0.005);
          if (SCREENSHOTS !== undefined)
            await page.screenshot({
              path: join(SCREENSHOTS, `${name}-${device}-${colorScheme}.png`),
              fullPage: true,
              caret: 'initial',
            });
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

  it('shows every stop of the keyboard, in the order of the page, none of them hidden, and lets it out at the end', async () => {
    const { page, seen, close } = await visit(`${served.url}/`, { width: 1280, height: 700 }, 'light');
    for (const name of ['overview', 'runs', 'run', 'experiment']) {
      await page.goto(`${served.url}${addresses[name]}`, { waitUntil: 'load' });
      const stops = await page.evaluate(() => {
        const everything = [...document.querySelectorAll('*')];
        return everything.flatMap((one, place) =>
          one.matches('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]') &&
          one.checkVisibility()
            ? [place]
            : [],
        );
      });
      const faults: string[] = [];
      const visited: number[] = [];
      while (visited.length < 500) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
          const one = document.activeElement as HTMLElement;
          const box = one.getBoundingClientRect();
          const header = document.querySelector('header')?.getBoundingClientRect().bottom ?? 0;
          const isHidden = one.closest('header') === null && !one.matches('.skip') && box.bottom <= header;
          return {
            isOut: one === document.body,
            what: one.outerHTML.slice(0, 90),
            place: [...document.querySelectorAll('*')].indexOf(one),
            outline: getComputedStyle(one).outlineStyle,
            isSeen: box.bottom > 0 && box.top < innerHeight && !isHidden,
          };
        });
        if (at.isOut) break;
        if (at.place <= (visited.at(-1) ?? -1)) faults.push(`out of order: ${at.what}`);
        if (at.outline !== 'solid' && at.outline !== 'auto') faults.push(`no sign of the focus: ${at.what}`);
        if (!at.isSeen) faults.push(`not in sight: ${at.what}`);
        visited.push(at.place);
      }
      expect(faults, name).toEqual([]);
      expect(stops.length, name).toBeGreaterThan(6);
      expect(
        stops.filter((place) => !visited.includes(place)),
        name,
      ).toEqual([]);
    }
    expect(seen).toEqual([]);
    await close();
  });

  it('keeps names in scripts that run the other way to themselves, and ends no line of the page with them', async () => {
    const { page, close } = await visit(`${served.url}/runs`, { width: 1280, height: 900 }, 'light');
    const name = page.locator('a[href="/runs/flow-rtl"] bdi');
    expect(await name.evaluate((one) => getComputedStyle(one).unicodeBidi)).toBe('isolate');
    expect(await name.evaluate((one) => getComputedStyle(one).direction)).toBe('rtl');
    const row = page.locator('tr', { has: name });
    const lefts = await row
      .locator('th, td')
      .evaluateAll((cells) => cells.map((one) => one.getBoundingClientRect().left));
    expect(lefts).toEqual([...lefts].sort((one, other) => one - other));
    expect(await row.locator('td time').innerText()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    await close();
  });

  it('shows every column of a list beside an endless name, on a phone too', async () => {
    for (const width of [360, 1280]) {
      const { page, close } = await visit(`${served.url}/runs`, { width, height: 740 }, 'light');
      const row = page.locator('tbody tr', { hasText: 'endlessendless' });
      const rights = await row
        .locator('th, td')
        .evaluateAll((cells) =>
          cells.filter((one) => one.checkVisibility()).map((one) => Math.floor(one.getBoundingClientRect().right)),
        );
      expect(rights.length).toBe(width === 360 ? 3 : 7);
      expect(Math.max(...rights)).toBeLessThanOrEqual(width);
      await close();
    }
  });

  it('shows a run of 10,000 nodes by the page, each node once, its own bar beside its words', async () => {
    const { page, seen, close } = await visit(`${served.url}/runs/flow-nodes`, { width: 1280, height: 900 }, 'light');
    const names = new Set<string>();
    for (let turn = 0; turn < 3; turn += 1) {
      const rows = page.locator('table.gantt tbody tr');
      expect(await rows.count()).toBe(200);
      expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(8_000);
      for (const text of await rows.locator('th').allTextContents()) names.add(text);
      expect(await page.locator('table.gantt svg.bar[aria-hidden=true] rect').count()).toBe(200);
      await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: 'More nodes' }).click()]);
    }
    expect(names.size).toBe(600);
    await page.goto(`${served.url}/runs/flow-nodes?nodes=9900`);
    expect(await page.locator('table.gantt tbody tr').count()).toBe(101);
    expect(await page.getByRole('link', { name: 'More nodes' }).count()).toBe(0);
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
        await page.screenshot({
          path: join(SCREENSHOTS, `empty${path.replaceAll('/', '-')}.png`),
          fullPage: true,
          caret: 'initial',
        });
      await close();
    }
  });
});
