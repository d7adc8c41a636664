/** What the tests in a browser share: a mirror with something in it, and a visitor who notices what a page does wrong. */
import type { Browser, Page } from 'playwright-core';
import { instantFromMillis } from '../../../src/domain/instant.js';
import { SimulatedClock } from '../../../src/emulator/clock.js';
import { startMirror, type TestMirror } from '../../support/mirror.js';

const HOSTILE = `<img src=x onerror="window.wasHacked=true"><script>window.wasHacked=true</script>`;
const HOUR = 3_600_000;

/** An id that no path of a browser could hold otherwise, and longer than a router likes. */
export const LONG_ID = `flow-${'long/'.repeat(40)}..`;

/** Two workspaces with runs of all kinds, experiments, and runs whose texts are markup with scripts, endless, or of another direction. */
export async function mirrorSomething(onStarted: (close: () => Promise<void>) => void): Promise<TestMirror> {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    onStarted,
    emulator: {
      workspaces: 2,
      pipelines: 3,
      history: 90,
      historyDays: 3,
      active: 5,
      experimentRuns: 40,
      nodesPerRun: [4, 8],
      clock,
      seed: 3,
    },
  });
  mirror.emulator.mutate.addPipelineRun({
    pipelineRunId: 'flow-hostile',
    name: HOSTILE,
    status: 'Failed',
    message: HOSTILE,
    userId: HOSTILE,
    gmtCreateTime: instantFromMillis(clock.now() - HOUR),
    startedAt: instantFromMillis(clock.now() - HOUR),
    finishedAt: instantFromMillis(clock.now()),
  });
  const common = {
    gmtCreateTime: instantFromMillis(clock.now() - HOUR / 2),
    startedAt: instantFromMillis(clock.now() - HOUR / 2),
  };
  mirror.emulator.mutate.addPipelineRun({
    ...common,
    pipelineRunId: LONG_ID,
    name: 'endless'.repeat(60),
    status: 'Failed',
    message: 'without-a-blank-'.repeat(200),
    userId: 'user'.repeat(30),
    finishedAt: instantFromMillis(clock.now()),
  });
  mirror.emulator.mutate.addPipelineRun({
    ...common,
    pipelineRunId: 'flow-rtl',
    name: 'تدريب النموذج (٢) \u202eabc',
    status: 'Running',
  });
  await mirror.sync();
  await mirror.store.refreshRollups();
  return mirror;
}

/** What a page does that it must not: errors, refusals of its own policy, requests to elsewhere. */
export function watch(page: Page, own: string): string[] {
  const seen: string[] = [];
  page.on('console', (message) => {
    // Said about this test, which looks at the charts.
    if (message.text().includes('Multiple readback operations')) return;
    // Said about a page that is one of an error.
    if (/the server responded with a status of (400|404|503)/.test(message.text())) return;
    if (['error', 'warning'].includes(message.type())) seen.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => seen.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${own}/`)) seen.push(`elsewhere: ${request.url()}`);
  });
  return seen;
}

export interface Visitor {
  readonly page: Page;
  /** What the page did that it must not. */
  readonly seen: string[];
  close(): Promise<void>;
}

export type Visit = (
  url: string,
  size: { width: number; height: number },
  colorScheme: 'light' | 'dark',
  javaScriptEnabled?: boolean,
) => Promise<Visitor>;

/** From Shanghai, with a profile of their own. */
export async function visitWith(browser: Browser, ...how: Parameters<Visit>): Promise<Visitor> {
  const [url, viewport, colorScheme, javaScriptEnabled = true] = how;
  const context = await browser.newContext({
    viewport,
    colorScheme,
    locale: 'en-US',
    timezoneId: 'Asia/Shanghai',
    javaScriptEnabled,
  });
  const page = await context.newPage();
  const seen = watch(page, new URL(url).origin);
  await page.goto(url, { waitUntil: 'load' });
  return { page, seen, close: () => context.close() };
}
