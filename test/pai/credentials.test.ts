import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaultCredentials, type Keys, SharedCredentials } from '../../src/pai/credentials.js';
import { silentLogger } from '../../src/util/logger.js';
import { FakeClock, KEYS, never } from './support.js';

const session = (number: number): Keys => ({ ...KEYS, securityToken: `session-${number}` });

/** A chain that fails when it is asked twice at once, as the real one does, and sticks to its failure. */
function chain(answers: (Keys | Error)[]) {
  const asked: number[] = [];
  let objects = 0;
  let busy = false;
  const newProvider = () => {
    objects += 1;
    let stuck = false;
    return async (): Promise<Keys> => {
      if (busy) throw new Error('asked twice at once');
      busy = true;
      asked.push(objects);
      await new Promise((resolve) => setImmediate(resolve));
      busy = false;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (stuck || !answer || answer instanceof Error) {
        stuck = true;
        throw answer instanceof Error ? answer : new Error('useless message');
      }
      return answer;
    };
  };
  const clock = new FakeClock();
  return { asked, clock, source: new SharedCredentials({ clock, logger: silentLogger, newProvider }) };
}

test('concurrent first callers share one question', async () => {
  const { asked, source } = chain([session(1)]);
  const keys = await Promise.all(Array.from({ length: 20 }, () => source.current(never())));
  expect(new Set(keys.map((each) => each.securityToken))).toEqual(new Set(['session-1']));
  expect(asked).toEqual([1]);
});

test('the provider is asked again after a minute, since only it knows when a session ends', async () => {
  const { asked, clock, source } = chain([session(1), session(2)]);
  await source.current(never());
  clock.set(clock.now() + 59_000);
  expect(await source.current(never())).toEqual(session(1));
  clock.set(clock.now() + 2000);
  expect(await source.current(never())).toEqual(session(2));
  expect(asked).toEqual([1, 1]);
});

test('when asking again fails the known keys stay in use, and the next question goes to a new provider', async () => {
  const { asked, clock, source } = chain([session(1), new Error('metadata service away'), session(3)]);
  await source.current(never());
  clock.set(clock.now() + 61_000);
  expect(await source.current(never())).toEqual(session(1));
  clock.set(clock.now() + 61_000);
  expect(await source.current(never())).toEqual(session(3));
  expect(asked).toEqual([1, 1, 2]);
});

test('a chain that failed as a whole is replaced by a new one', async () => {
  const { asked, source } = chain([new Error('nothing there'), session(1)]);
  await expect(source.current(never())).rejects.toMatchObject({ code: 'PAI_NO_CREDENTIALS', blast: 'global' });
  expect(await source.current(never())).toEqual(session(1));
  expect(asked).toEqual([1, 2]);
});

test('many calls that find their token expired refresh it once, with a new provider', async () => {
  const { asked, source } = chain([session(1), session(2)]);
  const expired = await source.current(never());
  const keys = await Promise.all(Array.from({ length: 10 }, () => source.refresh(expired, never())));
  expect(keys).toEqual(Array.from({ length: 10 }, () => session(2)));
  expect(await source.refresh(expired, never())).toEqual(session(2));
  expect(asked).toEqual([1, 2]);
});

test('a refresh during a question that ends with the expired keys asks once more', async () => {
  const { asked, clock, source } = chain([session(1), session(1), session(2)]);
  const expired = await source.current(never());
  clock.set(clock.now() + 61_000);
  const rereading = source.current(never());
  expect(await source.refresh(expired, never())).toEqual(session(2));
  expect(await rereading).toEqual(session(1));
  expect(asked).toEqual([1, 1, 2]);
});

test('an abort ends the wait for credentials and leaves the question to the others', async () => {
  const { asked, source } = chain([session(1)]);
  const abort = new AbortController();
  const leaving = source.current(abort.signal);
  const staying = source.current(never());
  abort.abort('gone');
  await expect(leaving).rejects.toBe('gone');
  expect(await staying).toEqual(session(1));
  expect(asked).toEqual([1]);
});

test('what providers say about their failure is shown without the keys that it may contain', async () => {
  const said = `parse config from '/root/.aliyun/config.json' failed: LTAI5tFakeFakeFakeFake {"access_key_secret": "abc"`;
  const failed = await chain([new Error(said)])
    .source.current(never())
    .catch((thrown: unknown) => thrown);
  expect(String(failed)).toContain('/root/.aliyun/config.json');
  expect(String(failed)).not.toMatch(/LTAI5t|abc/);
});

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pai-mirror-home-'));
  for (const name of Object.keys(process.env)) if (/^ALIBABA_?CLOUD_/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('ALIBABA_CLOUD_ECS_METADATA_DISABLED', 'true');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

test('the default chain reads the environment', async () => {
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', 'id-from-environment');
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'secret-from-environment');
  const source = defaultCredentials({ clock: new FakeClock(), logger: silentLogger });
  const all = await Promise.all([source.current(never()), source.current(never())]);
  const keys = { accessKeyId: 'id-from-environment', accessKeySecret: 'secret-from-environment', securityToken: null };
  expect(all).toEqual([keys, keys]);
  vi.stubEnv('ALIBABA_CLOUD_SECURITY_TOKEN', 'token-from-environment');
  expect(await source.refresh(keys, never())).toEqual({ ...keys, securityToken: 'token-from-environment' });
});

test('when the default chain finds nothing the error lists where it looked, and a later try finds new keys', async () => {
  const source = defaultCredentials({ clock: new FakeClock(), logger: silentLogger });
  const failed = await source.current(never()).catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject({ name: 'PaiError', code: 'PAI_NO_CREDENTIALS', blast: 'global', retryable: false });
  for (const place of [
    'ALIBABA_CLOUD_ACCESS_KEY_ID',
    'ALIBABA_CLOUD_OIDC_TOKEN_FILE',
    '~/.aliyun/config.json',
    'ECS',
  ]) {
    expect(String(failed)).toContain(place);
  }
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', 'id');
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'secret');
  expect((await source.current(never())).accessKeyId).toBe('id');
});
