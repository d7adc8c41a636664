/** Several `start` processes on one database, each with an access key of its own, so that the source can tell them apart. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Arrival } from '../../src/emulator/stats.js';
import { type CliProcess, emptyDirectory, startCli } from './cli.js';

export interface Member {
  /** Its AccessKeyId. */
  readonly name: string;
  readonly cli: CliProcess;
  /** Milliseconds since 1970; null while it lives. */
  killedAt: number | null;
}

/** As many keys for the emulator. */
export const keysFor = (count: number): { accessKeyId: string; accessKeySecret: string }[] =>
  Array.from({ length: count }, (_, index) => ({
    accessKeyId: `replica-${index}`,
    accessKeySecret: `secret-${index}`,
  }));

/** Resolves when all of them are up. */
export async function startFleet(count: number, env: Readonly<Record<string, string>>): Promise<Member[]> {
  const cwd = emptyDirectory();
  const members = keysFor(count).map(({ accessKeyId, accessKeySecret }): Member => {
    const own = { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret };
    return { name: accessKeyId, cli: startCli(['start'], { env: { ...env, ...own }, cwd }), killedAt: null };
  });
  await Promise.all(members.map(({ cli }) => cli.sees('pai-mirror started')));
  return members;
}

export function killNow(member: Member): void {
  member.cli.child.kill('SIGKILL');
  member.killedAt = Date.now();
}

/**
 * The mirror writes down when passes ran, not who ran them: that stands in the lease only until the next one takes it.
 * A trigger keeps it, with the time at which the lease was taken.
 */
export const KEEP_HOLDERS = `
  create table pai.test_holders (pass_id bigint primary key, holder text, acquired_at timestamptz);
  create function pai.test_keep_holder() returns trigger language plpgsql as $$ begin
    insert into pai.test_holders select new.id, l.holder, l.acquired_at
    from pai.sync_leases l where l.scope = new.scope and l.stream = new.stream;
    return null;
  end $$;
  create trigger test_keep_holder after insert on pai.sync_passes for each row execute function pai.test_keep_holder()`;

export interface RanPass {
  readonly id: number;
  readonly scope: string;
  readonly stream: string;
  readonly pid: number;
  readonly outcome: string | null;
  readonly error: string | null;
  /** Milliseconds since 1970 by the database's clock, which here is this machine's. */
  readonly acquiredAt: number;
  readonly startedAt: number;
  /** Null while it is open. */
  readonly finishedAt: number | null;
}

export async function ranPasses(pool: Pool): Promise<RanPass[]> {
  const millis = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;
  const { rows } = await pool.query<RanPass>(
    `select p.id::int, p.scope, p.stream, split_part(h.holder, '/', -2)::int as pid, p.outcome, p.error,
       ${millis('h.acquired_at')} as "acquiredAt", ${millis('p.started_at')} as "startedAt",
       ${millis('p.finished_at')} as "finishedAt"
     from pai.sync_passes p join pai.test_holders h on h.pass_id = p.id order by p.id`,
  );
  return rows;
}

/** Which streams make which call. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  ListPipelineRuns: ['pipeline-runs', 'reconcile'],
  ListPipelineRunsStatus: ['status', 'nodes'],
  ListPipelineRunNodeStatus: ['nodes'],
  GetPipelineRun: ['details', 'nodes', 'status', 'reconcile'],
  ListRuns: ['experiment-runs', 'reconcile'],
};

/** Map.groupBy, which Node.js 20 does not have. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * Calls that no pass accounts for: each must come from a replica that was just then running a stream of that scope which
 * makes such calls. A killed replica calls nobody; what the emulator noticed only after its end was sent before.
 */
export function strayCalls(
  arrivals: readonly Arrival[],
  passes: readonly RanPass[],
  members: readonly Member[],
  workspaceOf: (arrival: Arrival) => string | null,
): Arrival[] {
  const byPid = groupBy(passes, ({ pid }) => pid);
  return arrivals.filter((arrival) => {
    const streams = CALLERS[arrival.operation];
    const member = members.find(({ name }) => name === arrival.caller);
    if (streams === undefined || member === undefined) return false;
    if (member.killedAt !== null && arrival.at >= member.killedAt) return false;
    const workspace = workspaceOf(arrival);
    return !(byPid.get(member.cli.child.pid ?? 0) ?? []).some(
      ({ scope, stream, startedAt, finishedAt }) =>
        streams.includes(stream) &&
        (workspace === null || scope.endsWith(`:${workspace}`)) &&
        // The emulator's clock has whole milliseconds.
        arrival.at >= Math.floor(startedAt) &&
        arrival.at <= (finishedAt ?? Number.POSITIVE_INFINITY),
    );
  });
}

/** Stops a living member in the middle of a pass. */
export async function stopInAPass(
  pool: Pool,
  members: readonly Member[],
): Promise<{ readonly member: Member; readonly stream: string; readonly passId: number }> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const { rows } = await pool.query<{ pid: number; stream: string; passId: number }>(
      `select split_part(h.holder, '/', -2)::int as pid, p.stream, p.id::int as "passId"
       from pai.sync_passes p join pai.test_holders h on h.pass_id = p.id where p.finished_at is null order by random() limit 1`,
    );
    const found = rows[0];
    const member = members.find(({ cli, killedAt }) => cli.child.pid === found?.pid && killedAt === null);
    if (found && member) {
      member.cli.child.kill('SIGSTOP');
      const { rows: open } = await pool.query('select 1 from pai.sync_passes where id = $1 and finished_at is null', [
        found.passId,
      ]);
      if (open.length > 0) return { member, stream: found.stream, passId: found.passId };
      member.cli.child.kill('SIGCONT');
    }
    await delay(25);
  }
  throw new Error('no replica was met in the middle of a pass');
}
