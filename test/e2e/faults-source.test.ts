/** The network to PAI breaks in every way it can, its tokens expire, its service is away: passes as commands run them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import type { Fault } from '../../src/emulator/faults.js';
import { startEmulator } from '../../src/emulator/server.js';
import { environmentFor, startCli } from '../support/cli.js';
import { differences } from '../support/compare.js';
import { createDatabase } from '../support/database.js';
import { startMirror } from '../support/mirror.js';

const BROKEN: readonly (readonly [Omit<Fault, 'operation'>, RegExp])[] = [
  [{ kind: 'reset' }, /no complete answer \(ECONNRESET\)/],
  [{ kind: 'stall' }, /no complete answer within 250 ms/],
  [{ kind: 'drip', chunkBytes: 1, intervalMillis: 50 }, /no complete answer within 250 ms/],
  [{ kind: 'truncate' }, /no complete answer/],
  [{ kind: 'not-json' }, /HTTP 200 .*not/],
  [{ kind: 'html-5xx', status: 503 }, /HTTP 503/],
  [{ kind: 'empty-5xx', status: 504 }, /HTTP 504/],
];

describe('invariant 1, when the network to PAI fails', () => {
  // Each of them alone is tested at the transport; here it is what becomes of a pass.
  it.each(BROKEN.filter(([{ kind }]) => ['stall', 'truncate', 'html-5xx'].includes(kind)))(
    '%o ends the stream that needs the operation, by its name and cause, and no other',
    async (fault, cause) => {
      const clock = new SimulatedClock({ speed: 0 });
      const mirror = await startMirror({
        emulator: { workspaces: 1, history: 6, active: 4, experimentRuns: 4, clock, seed: 5 },
        callTimeoutMs: 250,
      });
      mirror.emulator.faults.add({ ...fault, operation: 'ListPipelineRunNodeStatus' });
      const reports = await mirror.sync();
      for (const { stream, outcome, error } of reports) {
        expect(outcome, `${stream}: ${error}`).toBe(stream === 'nodes' ? 'failed' : 'succeeded');
        if (outcome === 'failed') {
          expect(error).toMatch(/ListPipelineRunNodeStatus in cn-test failed/);
          expect(error).toMatch(cause);
        }
      }
      mirror.emulator.faults.clear();
      clock.advance(60_000);
      mirror.emulator.world.tick();
      expect((await mirror.sync()).map(({ outcome }) => outcome)).not.toContain('failed');
      expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
    },
  );

  it('of calls that fail now and then, in every way at once, nothing is lost', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({
      emulator: { workspaces: 1, history: 30, active: 6, experimentRuns: 6, clock, seed: 9 },
      settings: { pageSize: 5 },
      callTimeoutMs: 250,
    });
    for (const [fault] of BROKEN) mirror.emulator.faults.add({ ...fault, operation: '*', probability: 0.03 });
    for (let round = 0; round < 2; round += 1) {
      await mirror.sync();
      clock.advance(120_000);
      mirror.emulator.world.tick();
    }
    expect(mirror.emulator.faults.list().reduce((sum, { fired }) => sum + fired, 0)).toBeGreaterThan(10);
    mirror.emulator.faults.clear();
    expect((await mirror.sync()).map(({ outcome }) => outcome)).not.toContain('failed');
    expect(await differences(mirror.emulator.world, mirror.pool)).toEqual([]);
  });

  it('a PAI that refuses connections for a while fails every pass with the reason, and is caught up with', async () => {
    const clock = new SimulatedClock({ speed: 0 });
    const mirror = await startMirror({ emulator: { workspaces: 1, history: 10, active: 5, experimentRuns: 5, clock } });
    await mirror.sync();
    const { world, port } = mirror.emulator;
    await mirror.emulator.close();
    clock.advance(600_000);
    world.tick();
    const away = await mirror.sync(['pipeline-runs', 'status', 'experiment-runs', 'reconcile']);
    expect(away.map(({ outcome }) => outcome)).toEqual(away.map(() => 'failed'));
    for (const { error } of away)
      expect(error).toMatch(/List\w+ in cn-test failed: no complete answer \(ECONNREFUSED\)/);
    const again = await startEmulator({ world, port });
    onTestFinished(() => again.close());
    expect((await mirror.sync()).map(({ outcome }) => outcome)).not.toContain('failed');
    expect(await differences(world, mirror.pool)).toEqual([]);
  });
});

describe('tokens that expire', () => {
  /** Hands out one session after the other, as the credentials service of a cluster does. */
  async function tokenService(sessions: readonly object[]) {
    let asked = 0;
    let current = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end(JSON.stringify({ Code: 'Success', ...sessions[current] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}/`,
      asked: () => asked,
      next: () => {
        current += 1;
      },
    };
  }

  it('are refreshed by the service, which goes on without a failed pass, and no output holds a secret', async () => {
    const far = new Date(Date.now() + 3_600_000).toISOString();
    const session = (number: number) => ({
      AccessKeyId: `STS.session${number}`,
      AccessKeySecret: `top-secret-of-session-${number}`,
      SecurityToken: `token-of-session-${number}`,
      Expiration: far,
    });
    const tokens = await tokenService([session(1), session(2)]);
    let expired = false;
    const keyOf = (number: number) => ({
      accessKeyId: `STS.session${number}`,
      accessKeySecret: `top-secret-of-session-${number}`,
      securityToken: `token-of-session-${number}`,
    });
    // PAI revokes the first session before its time: only the refusal tells.
    const first = {
      ...keyOf(1),
      get expiresAt() {
        return expired ? 0 : Number.MAX_SAFE_INTEGER;
      },
    };
    const clock = new SimulatedClock({ speed: 0 });
    const emulator = await startEmulator({
      history: 10,
      active: 3,
      experimentRuns: 3,
      clock,
      accessKeys: [first, keyOf(2)],
    });
    onTestFinished(() => emulator.close());
    const database = await createDatabase();
    const { ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ...env } = environmentFor(
      emulator,
      database.url,
    );
    const service = startCli(['start'], {
      env: {
        ...env,
        HOME: '/nonexistent',
        ALIBABA_CLOUD_CREDENTIALS_URI: tokens.url,
        ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
        POLL_CRON: '* * * * * *',
        DISCOVER_CRON: '* * * * * *',
        LOG_LEVEL: 'debug',
      },
    });
    const pool = new Pool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    const passes = async (outcome: string): Promise<number> =>
      (await pool.query(`select count(*)::int as n from pai.sync_passes where outcome = $1`, [outcome])).rows[0].n;
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      for (const end = Date.now() + 60_000; Date.now() < end && !(await holds()); ) await delay(100);
    };
    await until(async () => (await passes('succeeded')) >= 8);
    expired = true;
    tokens.next();
    const before = await passes('succeeded');
    await until(async () => (await passes('succeeded')) >= before + 4);
    expect(await passes('succeeded'), service.stderr()).toBeGreaterThanOrEqual(before + 4);
    expect(await passes('failed')).toBe(0);
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(service.stderr()).toContain('InvalidSecurityToken.Expired');
    expect(service.stdout() + service.stderr()).not.toMatch(/top-secret|token-of-session/);
    expect(tokens.asked()).toBeLessThan(6);
  });
});
