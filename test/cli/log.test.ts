import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.js';
import { layCable } from '../support/cable.js';
import { environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { addressOf, ask } from '../support/http.js';

const SECRETS = {
  accessKeySecret: 'Secret/Of+The=AccessKey',
  securityToken: 'CAIS-security.token/of+a=session',
  httpToken: 'http-token-0123456789',
  readerPassword: 'pass word "of" the reader',
};
const EVERY_SECOND = {
  DISCOVER_CRON: '* * * * * *',
  POLL_CRON: '* * * * * *',
  NODES_CRON: '* * * * * *',
  DETAILS_CRON: '* * * * * *',
  EXPERIMENTS_CRON: '* * * * * *',
  RECONCILE_CRON: '*/2 * * * * *',
};

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

async function world(options: EmulatorOptions = {}): Promise<Emulator> {
  const clock = new SimulatedClock({ speed: 0 });
  const emulator = await startEmulator({ history: 30, active: 4, experimentRuns: 6, clock, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** As a source or a database might: by repeating what it was sent. */
function misbehave({ faults }: Emulator, databaseUrl: string): void {
  const echoed = `sent ${JSON.stringify(SECRETS)} ${Object.values(SECRETS).join(' ')} ${databaseUrl}`;
  faults.add(
    { operation: 'ListPipelineRuns', kind: 'throttle', times: 2, message: echoed },
    {
      operation: 'ListPipelineRunNodeStatus',
      kind: 'error',
      status: 500,
      code: 'InternalError',
      times: 2,
      message: echoed,
    },
    { operation: 'GetPipelineRun', kind: 'error', status: 403, code: 'NoPermission', times: 5, message: echoed },
    { operation: 'ListRuns', kind: 'html-5xx', times: 1, body: `<html>${echoed}</html>` },
    { operation: 'ListPipelineRunsStatus', kind: 'not-json', times: 2, body: echoed },
  );
}

describe('the log of a service', () => {
  it('shows no secret in any line, at the lowest level, through a full sync with faults of all parts', async () => {
    const { accessKeySecret, securityToken } = SECRETS;
    const emulator = await world({
      accessKeys: [{ accessKeyId: 'sts-key-of-the-test', accessKeySecret, securityToken }],
      quirks: 'all',
    });
    const { url } = await createDatabase();
    const cable = await layCable(url);
    misbehave(emulator, cable.url);
    const service = startCli(['start'], {
      env: {
        ...environmentFor(emulator, cable.url),
        ...EVERY_SECOND,
        ALIBABA_CLOUD_SECURITY_TOKEN: securityToken,
        HTTP_TOKEN: SECRETS.httpToken,
        READER_PASSWORD: SECRETS.readerPassword,
        LOG_LEVEL: 'trace',
      },
    });
    const address = await addressOf(service);
    await service.sees('"stream":"reconcile","pass":');
    await service.sees('NoPermission');
    const authorization = `Bearer ${SECRETS.httpToken}`;
    await ask(`${address}/metrics`, { headers: { authorization } });
    await ask(`${address}/nothing?token=${SECRETS.httpToken}`, { headers: { authorization: `${authorization}x` } });
    await cable.cut();
    await service.sees(/pass (failed|could not be started)/);
    await ask(`${address}/metrics`, { headers: { authorization } });
    await cable.mend();
    service.child.kill('SIGTERM');
    expect(await service.exited, service.stderr()).toBe(0);

    const password = new URL(url).password;
    expect(password.length).toBeGreaterThan(8);
    const all = [...service.stdout().split('\n'), ...service.stderr().split('\n')];
    for (const secret of [...Object.values(SECRETS), password])
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
        expect(
          all.filter((line) => line.includes(form)),
          form,
        ).toEqual([]);
    // They did come by, and each line is still JSON.
    const lines = linesOf(service.stderr());
    expect(service.stderr()).toMatch(/NoPermission.*\[secret\].*\[secret\]/);

    const calls = lines.filter(({ msg }) => msg === 'PAI was called' || msg.startsWith('a call to PAI failed'));
    expect(calls.length).toBeGreaterThan(20);
    const ofPasses = calls.filter(({ operation }) => operation !== 'ListWorkspaces');
    for (const line of [...ofPasses, ...lines.filter(({ msg }) => /^pass (finished|failed)/.test(msg))])
      expect(line).toMatchObject({
        scope: expect.stringMatching(/^cn-test:/),
        stream: expect.any(String),
        pass: expect.any(String),
      });
    for (const line of calls.filter(({ outcome }) => outcome === 'ok')) expect(line.requestId).toMatch(/./);
    expect(lines.some(({ msg }) => msg === 'request answered')).toBe(true);
  });

  it('says nothing at level info while nothing happens, however often it looks', async () => {
    const emulator = await world();
    const { url } = await createDatabase();
    const service = startCli(['start'], { env: { ...environmentFor(emulator, url), ...EVERY_SECOND } });
    const pool = new Pool({ connectionString: url, max: 1 });
    onTestFinished(() => pool.end());
    const passes = async (): Promise<number> => {
      const sql = `select count(*)::int as n from pai.sync_passes where outcome = 'succeeded'`;
      return (await pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
    };
    const idle = async (): Promise<number> => {
      const [lines, done] = [linesOf(service.stderr()).length, await passes()];
      await expect.poll(passes, { timeout: 60_000, interval: 200 }).toBeGreaterThanOrEqual(done + 20);
      return linesOf(service.stderr()).length - lines;
    };
    await service.sees('pai-mirror started');
    // What the first rounds found is told, some of it when a slow stream has its first turn; then there is nothing more to tell.
    await expect.poll(async () => [await idle(), await idle()], { timeout: 100_000 }).toEqual([0, 0]);
    const lines = linesOf(service.stderr());
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
    expect(lines.length).toBeLessThan(40);
    service.child.kill('SIGTERM');
    expect(await service.exited, service.stderr()).toBe(0);
  });
});
