import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { awaitServer } from '../../src/store/await-server.js';
import { systemClock } from '../../src/util/clock.js';
import { occupyPort } from '../embedded/postgres-helpers.js';
import { capturingLogger } from '../support/logger.js';

/** A clock on which every sleep lasts a millisecond. */
function quickClock() {
  let now = 0;
  const sleep = async (millis: number, signal?: AbortSignal): Promise<void> => {
    now += millis;
    await systemClock.sleep(1, signal);
  };
  return { now: () => now, sleep };
}

const waiting = (connectionString: string, limitMs: number, signal = new AbortController().signal) => {
  const logger = capturingLogger();
  return { logger, done: awaitServer({ connectionString, limitMs, clock: quickClock(), logger, signal }) };
};

async function unusedUrl(): Promise<string> {
  const squatter = await occupyPort(0);
  await squatter.free();
  return `postgresql://mirror:hunter2-secret@127.0.0.1:${squatter.port}/mirror`;
}

describe('waiting for the database', () => {
  it('returns at once, and says nothing, when it is there', async () => {
    const { logger, done } = waiting(inject('adminUrl'), 60_000);
    await done;
    expect(logger.entries).toEqual([]);
  });

  it('invariant 9: ends after its time, with a line every 15 seconds and no password in any of them', async () => {
    const { logger, done } = waiting(await unusedUrl(), 60_000);
    const error = await done.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
    expect(logger.messages()).toHaveLength(4);
    expect(logger.messages()[0]).toMatch(
      /not there yet, waiting for it up to 60 s: connecting to the database: .*ECONNREFUSED/,
    );
    expect(logger.messages()[3]).toMatch(/up to 15 s/);
    expect(JSON.stringify([logger.entries, String(error)])).not.toContain('hunter2');
  });

  it.each([
    ['a wrong password', (url: URL) => (url.password = 'hunter2-secret')],
    ['an unknown database', (url: URL) => (url.pathname = '/no_such_database')],
  ])('does not wait for what somebody has to correct: %s', async (_, spoil) => {
    const url = new URL(inject('adminUrl'));
    spoil(url);
    const { logger, done } = waiting(url.href, 60_000);
    const error = await done.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_LOGIN', retryable: false });
    expect(String(error)).toMatch(/DATABASE_URL/);
    expect(String(error)).not.toContain('hunter2');
    expect(logger.entries).toEqual([]);
  });

  it('ends with the reason of its signal', async () => {
    const abort = new AbortController();
    const { done } = waiting(await unusedUrl(), 60_000_000, abort.signal);
    const ended = expect(done).rejects.toThrow('told to stop');
    await delay(20);
    abort.abort(new Error('told to stop'));
    await ended;
  });

  it('goes on when somebody accepts connections and closes them without a word', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { logger, done } = waiting(`postgresql://mirror@127.0.0.1:${port}/mirror`, 2_000);
    await expect(done).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(logger.messages()).toHaveLength(1);
    server.close();
  });
});
