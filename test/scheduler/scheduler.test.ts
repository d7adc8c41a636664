import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Scope } from '../../src/domain/scope.js';
import { STREAMS, type Stream } from '../../src/domain/streams.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { capturingLogger } from '../support/logger.js';

const NEVER = '0 0 1 1 *';
const never = Object.fromEntries(STREAMS.map((stream) => [stream, NEVER])) as Record<Stream, string>;
const scopesNamed = (count: number): Scope[] =>
  Array.from({ length: count }, (_, index) => ({ region: 'cn-test', workspaceId: String(index) }));

interface Started {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly spacingMs: number;
  readonly followsUp: boolean;
  readonly finish: (wrote: boolean) => void;
  readonly fail: (error: Error) => void;
}

/** A scheduler whose passes last until the test ends them. */
function schedule(options: { schedules?: Partial<Record<Stream, string>>; scopes?: number } = {}) {
  const started: Started[] = [];
  const logger = capturingLogger();
  const scheduler = new Scheduler({
    schedules: { ...never, ...options.schedules },
    scopes: async () => scopesNamed(options.scopes ?? 1),
    runPass: ({ scope, stream, signal, spacingMs, followsUp }) =>
      new Promise((resolve, reject) => {
        const name = `${stream} ${scope.workspaceId}`;
        started.push({ name, signal, spacingMs, followsUp, finish: (wrote) => resolve({ wrote }), fail: reject });
      }),
    logger,
  });
  const names = (stream: Stream): string[] =>
    started.map(({ name }) => name).filter((name) => name.startsWith(`${stream} `));
  const find = (name: string): Started => {
    const found = started.find((pass) => pass.name === name);
    if (!found) throw new Error(`${name} has not started`);
    return found;
  };
  onTestFinished(async () => {
    const stopped = scheduler.stop();
    for (const pass of started) pass.finish(false);
    await stopped;
  });
  return { scheduler, started, names, find, logger };
}

it('runs every stream but reconcile at its start, and none twice at once however often it ticks', async () => {
  const { scheduler, started } = schedule({ schedules: { status: '* * * * * *' } });
  scheduler.start();
  await delay(2_300);
  expect(started.map(({ name }) => name)).toEqual(
    STREAMS.filter((stream) => stream !== 'reconcile').map((stream) => `${stream} 0`),
  );
});

it('runs a stream again at the next tick once the pass before has ended, also when that one broke', async () => {
  const { scheduler, names, find, logger } = schedule({ schedules: { status: '* * * * * *' } });
  scheduler.start();
  await delay(10);
  find('status 0').fail(new Error('out of luck'));
  await delay(1_300);
  expect(names('status').length).toBeGreaterThan(1);
  expect(logger.messages('error')).toEqual(['pass broke: out of luck']);
});

it.each(['pipeline-runs', 'status'] as const)(
  'runs nodes and details when %s wrote rows, and does not when it wrote none',
  async (stream) => {
    const { scheduler, names, find } = schedule();
    scheduler.start();
    await delay(10);
    find('nodes 0').finish(false);
    find('details 0').finish(false);
    await delay(10);
    find(`${stream} 0`).finish(true);
    await delay(10);
    expect([names('nodes').length, names('details').length]).toEqual([2, 2]);

    const other = schedule();
    other.scheduler.start();
    await delay(10);
    for (const name of ['nodes 0', 'details 0', `${stream} 0`]) other.find(name).finish(false);
    await delay(10);
    expect([other.names('nodes').length, other.names('details').length]).toEqual([1, 1]);
  },
);

it('runs a follower once more when it was under way while its rows were written', async () => {
  const { scheduler, names, find } = schedule();
  scheduler.start();
  await delay(10);
  find('status 0').finish(true);
  await delay(10);
  expect(names('nodes')).toHaveLength(1);
  find('nodes 0').finish(false);
  await delay(10);
  expect(names('nodes')).toHaveLength(2);
});

it('a follower asks for what was made due only, and a tick that finds it under way gets its own pass afterwards', async () => {
  const { scheduler, started, find } = schedule({ schedules: { nodes: '* * * * * *' } });
  const ofNodes = () => started.filter(({ name }) => name === 'nodes 0');
  scheduler.start();
  await delay(10);
  find('nodes 0').finish(false);
  await delay(10);
  find('status 0').finish(true);
  await delay(10);
  expect(ofNodes().map(({ followsUp }) => followsUp)).toEqual([false, true]);
  await delay(1_200);
  expect(ofNodes()).toHaveLength(2);
  ofNodes()[1]?.finish(false);
  await delay(10);
  expect(ofNodes().map(({ followsUp }) => followsUp)).toEqual([false, true, false]);
  expect(ofNodes()[2]?.spacingMs).toBeGreaterThanOrEqual(500);
});

it('asks for a distance to the last pass of all replicas at a tick, and for none where rows have just been written', async () => {
  const { scheduler, started, find } = schedule({ schedules: { status: '* * * * * *' } });
  scheduler.start();
  await delay(10);
  // A little more than was asked for at the tick: the time since then.
  expect(find('experiment-runs 0').spacingMs).toBeGreaterThanOrEqual(10_000);
  expect(find('status 0').spacingMs).toBeGreaterThanOrEqual(500);
  expect(find('status 0').spacingMs).toBeLessThan(10_000);
  find('status 0').finish(true);
  find('nodes 0').finish(false);
  await delay(10);
  const ofNodes = started.filter(({ name }) => name === 'nodes 0').map(({ spacingMs }) => spacingMs);
  expect(ofNodes).toEqual([expect.any(Number), 0]);
});

it('what began since a tick does for a scope that had to wait for its turn', async () => {
  const { scheduler, started, find } = schedule({ scopes: 5 });
  scheduler.start();
  await delay(300);
  find('status 0').finish(false);
  await delay(10);
  const spacing = started.find(({ name }) => name === 'status 4')?.spacingMs;
  expect(spacing).toBeGreaterThan(10_250);
});

it('runs nodes and details when reconcile repaired rows', async () => {
  const { scheduler, names, find } = schedule({ schedules: { reconcile: '* * * * * *' } });
  scheduler.start();
  await delay(10);
  find('nodes 0').finish(false);
  find('details 0').finish(false);
  await delay(1_200);
  find('reconcile 0').finish(true);
  await delay(10);
  expect([names('nodes').length, names('details').length]).toEqual([2, 2]);
});

it('invariant 9: runs a stream in a few scopes at once and in all of them in turn', async () => {
  const { scheduler, started, names } = schedule({ scopes: 30 });
  scheduler.start();
  await delay(10);
  expect(names('status')).toEqual(['status 0', 'status 1', 'status 2', 'status 3']);
  for (let turn = 0; turn < 30; turn += 1) {
    for (const pass of started) pass.finish(false);
    await delay(1);
  }
  expect(names('status')).toEqual(scopesNamed(30).map(({ workspaceId }) => `status ${workspaceId}`));
});

it('stop aborts the passes under way, starts none of those that wait, and waits for the end of the others', async () => {
  const { scheduler, started, find } = schedule({ scopes: 6 });
  scheduler.start();
  await delay(10);
  const before = started.length;
  let stopped = false;
  const stopping = scheduler.stop().then(() => {
    stopped = true;
  });
  await delay(20);
  expect(find('status 0').signal.aborted).toBe(true);
  expect(stopped).toBe(false);
  for (const pass of started) pass.finish(true);
  await stopping;
  expect(started).toHaveLength(before);
});

it('lets any number of passes listen for the end of the service without a warning on stderr', async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const { scheduler, started } = schedule({ scopes: 4 });
  scheduler.start();
  await delay(50);
  expect(started.length).toBeGreaterThan(10);
  for (const { signal } of started) signal.addEventListener('abort', () => {}, { once: true });
  await delay(50);
  expect(warnings).toEqual([]);
});
