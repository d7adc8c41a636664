/** As the first process of a container, where the kernel keeps away every signal that nobody listens to. */
import { describe, expect, inject, test } from 'vitest';
import { dockerOutput, waitFor } from './docker.js';
import { Pod, silenceDatabase } from './pod.js';

/** The exit code is this one, and it came before Docker's patience ended. Tells how long it took. */
function expectDown({ code, seconds }: { readonly code: number; readonly seconds: number }, expected: number): void {
  process.stdout.write(`${expect.getState().currentTestName}: ${seconds.toFixed(1)} s\n`);
  expect(code).toBe(expected);
  expect(seconds).toBeLessThan(10);
}

describe('the service as the first process', () => {
  test.each(['TERM', 'INT'])('ends with 0 within 10 seconds at SIG%s', async (name) => {
    const pod = await Pod.create();
    const service = await pod.start(['start']);
    await service.sees('pai-mirror started');
    await service.signal(name);
    expectDown(await service.end(), 0);
  });

  test('ends with 0 within 10 seconds while PAI keeps its calls waiting', async () => {
    const pod = await Pod.create();
    const answer = await pod.silencePai();
    const service = await pod.start(['start'], { env: { LOG_LEVEL: 'debug' } });
    await service.sees('pai-mirror started');
    await service.node('setTimeout(() => {}, 2000)');
    expectDown(await service.stop(), 0);
    await answer();
  });

  test('ends with 0 within 10 seconds before a database was ever there', async () => {
    const pod = await Pod.create();
    const refused = await pod.start(['start'], { env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' } });
    await refused.sees('the database is not there yet');
    expectDown(await refused.stop(), 0);
  });

  test('ends with 0 within 10 seconds when the database never answers its first connection', async () => {
    const pod = await Pod.create();
    const answer = await silenceDatabase();
    const service = await pod.start(['start']);
    await service.sees('HTTP is up');
    expectDown(await service.stop(), 0);
    await answer();
  });

  test('ends with 0 within 10 seconds while another process migrates the database', async () => {
    const pod = await Pod.create();
    const { pathname } = new URL(pod.env.DATABASE_URL as string);
    const psql = ['exec', '--detach', '--env', `PGPASSWORD=${inject('databasePassword')}`, inject('database'), 'psql'];
    const lock = 'select pg_advisory_lock(7305148210), pg_sleep(60)';
    await dockerOutput(...psql, '--host=127.0.0.1', '--username=postgres', pathname.slice(1), '--command', lock);
    const service = await pod.start(['start']);
    await service.sees('HTTP is up');
    await service.node('setTimeout(() => {}, 2000)');
    expect(await service.logs()).not.toContain('pai-mirror started');
    expectDown(await service.stop(), 0);
  });

  test('ends with 0 within 10 seconds when the database stopped answering while it worked', async () => {
    const pod = await Pod.create();
    const service = await pod.start(['start'], { env: { POLL_CRON: '* * * * * *', DISCOVER_CRON: '* * * * * *' } });
    await service.sees('pai-mirror started');
    const answer = await silenceDatabase();
    await service.node('setTimeout(() => {}, 3000)');
    expectDown(await service.stop(), 0);
    await answer();
  });
});

describe('a command as the first process', () => {
  test('ends at once at a signal, with the exit code that tells which', async () => {
    const pod = await Pod.create();
    const env = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' };
    for (const [signal, code] of [
      ['TERM', 143],
      ['INT', 130],
    ] as const) {
      const migrate = await pod.start(['migrate'], { env });
      await waitFor('the wait', 30_000, async () => (await migrate.logs()).includes('not there yet'));
      await migrate.signal(signal);
      expectDown(await migrate.end(), code);
    }
  });

  test('`sync` ends with 1 within 10 seconds while PAI keeps its calls waiting', async () => {
    const pod = await Pod.create();
    const answer = await pod.silencePai();
    const sync = await pod.start(['sync']);
    await sync.node('setTimeout(() => {}, 3000)');
    expectDown(await sync.stop(), 1);
    await answer();
  });
});
