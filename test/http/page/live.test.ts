/** A page that stays open: it shows what is now, leaves the reader where they are, and says when it cannot. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layCable } from '../../support/cable.js';
import type { TestMirror } from '../../support/mirror.js';
import { mirrorSomething, type Visitor, visitWith } from './browser-world.js';
import { startChromium, whyNot } from './chromium.js';
import { findFaults } from './page-faults.js';
import { type ServedPage, servePage } from './serve.js';

const closing: (() => Promise<void>)[] = [];
const onStarted = (close: () => Promise<void>): void => void closing.push(close);

describe.skipIf(whyNot !== null)(`a page that stays open${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  let browser: Browser;
  let mirror: TestMirror;
  let served: ServedPage;

  beforeAll(async () => {
    mirror = await mirrorSomething(onStarted);
    served = await servePage(mirror.databaseUrl, { onStarted });
    browser = await startChromium();
  });

  afterAll(async () => {
    await browser?.close();
    for (const close of closing.reverse()) await close();
  });

  /** Its clock moves when the test says so. */
  async function open(url: string, size = { width: 1280, height: 500 }): Promise<Visitor> {
    const visitor = await visitWith(browser, url, size, 'light');
    await visitor.page.clock.install();
    await visitor.page.goto(url, { waitUntil: 'load' });
    return visitor;
  }

  /** Until the page has asked again and shown the answer. */
  async function later(page: Page, seconds: number): Promise<void> {
    const answered = page.waitForResponse((answer) => new URL(answer.url()).pathname === new URL(page.url()).pathname);
    await page.clock.runFor(seconds * 1_000 + 500);
    await answered;
  }

  const asOf = (page: Page) => page.locator('[data-live] time').getAttribute('datetime');
  /** The answer is here; a busy machine takes a while to show it. */
  const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });
  const status = (page: Page): Promise<string> => page.locator('[data-live-status]').innerText();

  it('shows what is now: new runs, new numbers, a new chart, and times in the zone of the reader', async () => {
    const { page, seen, close } = await open(`${served.url}/?range=7d`);
    const active = page.locator('.tile .value').first();
    const before = { active: Number(await active.innerText()), asOf: await asOf(page) };
    mirror.emulator.mutate.addPipelineRun({ pipelineRunId: 'flow-new', name: 'brand new', status: 'Running' });
    await mirror.sync();
    await later(page, 30);
    await soon(() => active.innerText()).toBe(String(before.active + 1));
    expect(await page.locator('#verdict').innerText()).toContain('fresh');
    expect(await asOf(page)).not.toBe(before.asOf);
    expect(await page.locator('[data-live]').innerText()).not.toContain('UTC');
    expect(await page.locator('main time').allInnerTexts()).not.toContainEqual(expect.stringContaining('UTC'));
    expect(await page.locator('canvas').count()).toBe(1);
    expect(await page.evaluate(findFaults)).toEqual([]);
    expect(await status(page)).toBe('');
    expect(seen).toEqual([]);
    await close();
  });

  it('leaves focus, scrolling, what is open and what is selected where they are, whatever comes above them', async () => {
    const { page, seen, close } = await open(`${served.url}/?range=7d`);
    const link = page.locator('section[aria-labelledby=failures] a').first();
    await page.locator('summary').click();
    await link.focus();
    const place = () => link.evaluate((one) => Math.round(one.getBoundingClientRect().top));
    const before = await place();
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(200);
    // Findings in the verdict make everything below them move down.
    await mirror.pool.query(
      `insert into pai.quarantine (region, scope, stream, operation, entity, raw, error, first_seen_at, observed_at, fingerprint)
       values ('cn-test', 'cn-test:1', 'nodes', 'ListPipelineRunNodeStatus', 'node', '{}', 'none', now(), now(), 'live')`,
    );
    await mirror.pool.query(`update pai.pipeline_runs set status = 'Failed' where pipeline_run_id = 'flow-new'`);
    await later(page, 30);
    await soon(() => page.locator('#verdict').innerText()).toContain('needs a look');
    expect(await status(page)).toBe('Changed: The mirror is fresh, but something needs a look');
    expect(await link.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(await place()).toBe(before);
    expect(await page.locator('details').getAttribute('open')).toBe('');

    await page.evaluate(() => getSelection()?.selectAllChildren(document.querySelector('.tiles') as Element));
    const selected = await page.evaluate(() => String(getSelection()));
    await mirror.pool.query(`delete from pai.quarantine where fingerprint = 'live'`);
    await later(page, 30);
    await soon(() => page.locator('#verdict').innerText()).not.toContain('needs a look');
    expect(await page.evaluate(() => String(getSelection()))).toBe(selected);
    expect(seen).toEqual([]);
    await close();
  });

  it('goes to the table when the row that had the focus is gone', async () => {
    const { page, close } = await open(`${served.url}/`);
    const link = page.locator('section[aria-labelledby=now] tbody a').first();
    const id = decodeURIComponent(((await link.getAttribute('href')) ?? '').slice('/runs/'.length));
    await link.focus();
    await mirror.pool.query(`update pai.pipeline_runs set status = 'Succeeded' where pipeline_run_id = $1`, [id]);
    await later(page, 30);
    await soon(() => page.locator(`section[aria-labelledby=now] a[href="/runs/${id}"]`).count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('Active runs');
    await close();
  });

  it('can be paused, by keyboard too, and goes on at once when that is over', async () => {
    const { page, close } = await open(`${served.url}/mirror`);
    let asked = 0;
    page.on('request', () => {
      asked += 1;
    });
    await page.getByRole('button', { name: 'Pause' }).press('Enter');
    await page.clock.runFor(300_000);
    expect(asked).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).press('Enter');
    await soon(() => asked).toBe(1);
    await later(page, 30);
    expect(asked).toBe(2);
    await close();
  });

  it('says that the database is away and of when the page is, keeps what it shows, and goes on when it is back', async () => {
    const cable = await layCable(mirror.databaseUrl);
    const { url } = await servePage(cable.url);
    const { page, close } = await open(`${url}/`);
    const words = await page.locator('main').innerText();
    await cable.cut();
    await later(page, 30);
    await soon(() => status(page)).toContain('The database does not answer. This page is as of 2');
    expect(await status(page)).toContain('tried again every 30 seconds');
    expect(await page.locator('main').innerText()).toBe(words);

    const another = await open(`${url}/runs?outcome=failed`);
    expect(await another.page.locator('h1').innerText()).toBe('The database does not answer');
    expect(await another.page.evaluate(findFaults)).toEqual([]);
    await cable.mend();
    await later(page, 30);
    await soon(() => status(page)).toBe('');
    await later(another.page, 10);
    await another.page.waitForSelector('h1:has-text("Runs")');
    expect(another.page.url()).toBe(`${url}/runs?outcome=failed`);
    await another.close();
    await close();
  });

  it('says that the service is away, and goes on when it is back', async () => {
    const { page, close } = await open(`${served.url}/mirror`);
    await page.context().setOffline(true);
    await page.clock.runFor(30_500);
    await soon(() => status(page)).toContain('The mirror does not answer');
    await page.context().setOffline(false);
    await later(page, 30);
    await soon(() => status(page)).toBe('');
    await close();
  });

  it('does not ask again for lists and runs at their end, which nothing changes under the reader', async () => {
    for (const path of ['/runs', '/experiments', '/quarantine', '/runs/flow-hostile']) {
      const { page, close } = await open(`${served.url}${path}`);
      expect(await page.locator('[data-live]').count(), path).toBe(0);
      await close();
    }
  });
});
