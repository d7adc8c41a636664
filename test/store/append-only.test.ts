import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Instant } from '../../src/domain/entities.js';
import { migrate } from '../../src/store/migrate.js';
import { createDatabase } from '../support/database.js';
import { capturingLogger } from '../support/logger.js';
import { Mirror, observed, pipelineRun, useMirror } from './fixtures.js';

const mirror = useMirror();

const discover = (id: string, observedAt: Instant) =>
  mirror().commit({ pipelineRuns: [{ evidence: { observedAt, requestId: null }, items: [pipelineRun(id)] }] });

const partitionOf = async (id: string): Promise<unknown> =>
  (await mirror().row(`select tableoid::regclass::text as name from pai.change_events where entity_id = $1`, [id]))
    .name;

const partitions = async (): Promise<string[]> =>
  (
    await mirror().sql<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'pai.change_events'::regclass order by 1`,
    )
  ).map(({ name }) => name);

/** The first of a month, `months` after this one, as `2026-11`. */
function monthAfter(months: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 7);
}
/** COPY … FROM STDIN, which pg itself does not speak. */
async function copyIn(url: string, text: string, data: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  interface Wire {
    query(text: string): void;
    sendCopyFromChunk(chunk: Buffer): void;
    endCopyFrom(): void;
  }
  try {
    await new Promise<void>((resolve, reject) => {
      client.query({
        submit: (wire: unknown) => (wire as Wire).query(text),
        handleCopyInResponse: (wire: Wire) => {
          wire.sendCopyFromChunk(Buffer.from(data));
          wire.endCopyFrom();
        },
        handleCommandComplete: () => {},
        handleReadyForQuery: () => resolve(),
        handleError: reject,
      } as unknown as pg.Submittable);
    });
  } finally {
    await client.end();
  }
}

const nameOf = (month: string): string => `pai.change_events_${month.replace('-', '_')}`;

describe('the history is append-only', () => {
  test('complaint 9: UPDATE, DELETE and TRUNCATE are refused on the whole and on every partition, also where no row is touched', async () => {
    await mirror().store.ensurePartitions(5);
    await discover('r1', `${monthAfter(5)}-15T00:00:00.000000Z`);
    await discover('r2', '1999-01-01T00:00:00.000000Z');
    const tables = ['pai.change_events', ...(await partitions())];
    expect(tables).toContain('pai.change_events_default');
    expect(tables).toContain(nameOf(monthAfter(5)));
    for (const table of tables) {
      for (const statement of [
        `update ${table} set kind = 'x'`,
        `update ${table} set kind = 'x' where false`,
        `delete from ${table}`,
        `delete from ${table} where false`,
        `truncate ${table}`,
        `truncate pai.quarantine, ${table}`,
        `insert into ${table} select * from pai.change_events limit 0
           on conflict (entity_id, event_id, observed_at) do update set kind = 'x'`,
      ]) {
        await expect(mirror().sql(statement), statement).rejects.toMatchObject({
          code: '23001',
          message: /append-only/,
        });
      }
    }
    expect(await mirror().events()).toHaveLength(2);
  });

  test('MERGE, ON CONFLICT DO UPDATE of a row that is there, and TRUNCATE CASCADE from another table are refused too', async () => {
    await mirror().commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    const refused = (statement: string) =>
      expect(mirror().sql(statement), statement).rejects.toMatchObject({ code: '23001', message: /append-only/ });
    await refused(`insert into pai.change_events select * from pai.change_events
      on conflict (entity_id, event_id, observed_at) do update set kind = 'x'`);
    const { version } = await mirror().row(`select current_setting('server_version_num')::int as version`);
    if ((version as number) >= 150000) {
      const merge = (
        action: string,
      ) => `merge into pai.change_events e using (select 'r1' as id) s on e.entity_id = s.id
        when matched then ${action}`;
      await refused(merge(`update set kind = 'x'`));
      await refused(merge('delete'));
    }
    await mirror().sql(`create table public.answers (id text primary key);
      insert into public.answers select request_id from pai.change_events;
      alter table pai.change_events add constraint of_answer foreign key (request_id) references public.answers (id)`);
    await refused('truncate public.answers cascade');
    await mirror().sql('alter table pai.change_events drop constraint of_answer; drop table public.answers');
    expect(await mirror().events()).toMatchObject([{ kind: 'discovered' }]);
  });

  test('INSERT and COPY add to it, and a whole month can be detached, attached again and dropped', async () => {
    await discover('r1', `${monthAfter(0)}-15T00:00:00.000000Z`);
    const partition = (await partitionOf('r1')) as string;
    const { bound } = await mirror().row(
      `select pg_get_expr(relpartbound, oid) as bound from pg_class where oid = '${partition}'::regclass`,
    );
    await mirror().sql(`insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
      select entity, 'r2', region, scope, kind, observed_at from pai.change_events`);
    const line = ['run', 'r3', 'cn-shanghai', 'cn-shanghai:15945', 'discovered', `${monthAfter(0)}-16T00:00:00Z`].join(
      '	',
    );
    const columns = 'entity, entity_id, region, scope, kind, observed_at';
    await copyIn(
      mirror().url,
      `copy pai.change_events (${columns}) from stdin`,
      `${line}
`,
    );
    await mirror().sql(`alter table pai.change_events detach partition ${partition}`);
    expect(await mirror().events()).toEqual([]);
    await mirror().sql(`alter table pai.change_events attach partition ${partition} ${bound}`);
    expect(await mirror().events()).toHaveLength(3);
    await mirror().sql(`drop table ${partition}`);
    expect(await mirror().events()).toEqual([]);
    await mirror().store.ensurePartitions(3);
  });
});

describe('the partitions of the history', () => {
  test('that are all missing stop nothing: the events wait in the default one and get their months later, none lost or renumbered', async () => {
    for (const name of await partitions()) if (!name.endsWith('_default')) await mirror().sql(`drop table ${name}`);
    const months = [-14, -1, 0, 2].map(monthAfter);
    for (const month of months) {
      // The first and the last moment of a month, in UTC.
      await discover(`first-${month}`, `${month}-01T00:00:00.000000Z`);
      const last = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1) - 1).toISOString();
      await discover(`last-${month}`, last.replace('Z', '999Z'));
    }
    await discover('far past', '0044-03-15T12:00:00.000000Z');
    await discover('far future', '9999-12-31T23:59:59.999999Z');
    const all = () => mirror().sql('select * from pai.change_events order by event_id');
    const before = await all();
    expect(await partitionOf(`first-${months[2]}`)).toBe('pai.change_events_default');

    const created = await mirror().store.ensurePartitions(3);
    expect(created.sort()).toEqual([-14, -1, 0, 1, 2, 3].map((n) => nameOf(monthAfter(n)).slice('pai.'.length)).sort());
    for (const month of months) {
      expect(await partitionOf(`first-${month}`)).toBe(nameOf(month));
      expect(await partitionOf(`last-${month}`)).toBe(nameOf(month));
    }
    expect(await partitionOf('far past')).toBe('pai.change_events_default');
    expect(await partitionOf('far future')).toBe('pai.change_events_default');
    expect(await all()).toEqual(before);
    expect(await mirror().store.ensurePartitions(3)).toEqual([]);

    // They are as well guarded and described as any other.
    for (const table of ['pai.change_events_default', nameOf(months[0] as string)]) {
      for (const statement of [`delete from ${table}`, `delete from ${table} where false`, `truncate ${table}`]) {
        await expect(mirror().sql(statement), statement).rejects.toMatchObject({ code: '23001' });
      }
    }
    const { note } = await mirror().row(`select obj_description('${nameOf(months[0] as string)}'::regclass) as note`);
    expect(note).toMatch(/^One part of change_events/);
  });

  test('that were detached and kept are not filled again: later events of their month wait in the default one', async () => {
    const month = monthAfter(-20);
    await discover('r1', `${month}-10T00:00:00.000000Z`);
    await mirror().store.ensurePartitions(3);
    await mirror().sql(`alter table pai.change_events detach partition ${nameOf(month)}`);
    await discover('r2', `${month}-11T00:00:00.000000Z`);
    await discover('r3', `${monthAfter(-21)}-11T00:00:00.000000Z`);
    await mirror().store.ensurePartitions(3);
    expect(await partitionOf('r2')).toBe('pai.change_events_default');
    expect(await partitionOf('r3')).toBe(nameOf(monthAfter(-21)));
    await mirror().sql(`drop table ${nameOf(month)}`);
  });

  test('turn with the year: December ends where January begins', async () => {
    const toDecember = 11 - new Date().getUTCMonth();
    await mirror().store.ensurePartitions(toDecember + 1);
    const year = new Date().getUTCFullYear();
    await discover('last', `${year}-12-31T23:59:59.999999Z`);
    await discover('first', `${year + 1}-01-01T00:00:00.000000Z`);
    expect(await partitionOf('last')).toBe(`pai.change_events_${year}_12`);
    expect(await partitionOf('first')).toBe(`pai.change_events_${year + 1}_01`);
  });

  test('that cannot be made keep no service from starting', async () => {
    const { url } = await createDatabase();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    try {
      await other.query('begin; lock table pai.change_events_default in access share mode');
      await other.query(`select pg_advisory_xact_lock(hashtext('pai.change_events'))`);
      const logger = capturingLogger();
      expect(await migrate({ connectionString: url, logger })).toMatchObject({ applied: [] });
      expect(logger.messages('warn')).toEqual([expect.stringContaining('could not be made ahead of time')]);
    } finally {
      await other.end();
    }
  });
});

test('complaint 13: a database with another time zone and date style mirrors the same instants into the same months', async () => {
  const { url } = await createDatabase({ empty: true });
  const name = new URL(url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(
    `alter database "${name}" set timezone = 'Asia/Kolkata'; alter database "${name}" set datestyle = 'German'`,
  );
  await admin.end();
  await migrate({ connectionString: url });
  const there = new Mirror(url);
  try {
    const { ahead } = await there.row(
      `select count(*)::int as ahead from pg_inherits where inhparent = 'pai.change_events'::regclass`,
    );
    expect(ahead).toBe(5);
    const month = monthAfter(1);
    const run = pipelineRun('r1', {
      startedAt: `${month}-01T00:00:00.123456Z`,
      gmtModifiedTime: `${month}-01T00:00:00.000000Z`,
    });
    const evidence = { observedAt: `${month}-01T00:00:00.000001Z`, requestId: null };
    await there.commit({
      pipelineRuns: [{ evidence, items: [run] }],
      cursor: { watermark: run.gmtModifiedTime, state: {} },
    });
    const late = { observedAt: `${month}-01T00:30:00.000000Z`, requestId: null };
    await there.commit({
      pipelineRuns: [
        {
          evidence: late,
          items: [
            { ...run, startedAt: `${month}-01T00:00:00.654321Z`, gmtModifiedTime: `${month}-01T00:20:00.000000Z` },
          ],
        },
      ],
    });
    expect(
      await there.row(
        `select started_at = $1::timestamptz as same, tableoid::regclass::text as table from pai.pipeline_runs`,
        [`${month}-01T00:00:00.654321Z`],
      ),
    ).toMatchObject({ same: true });
    const events = await there.sql(
      `select tableoid::regclass::text as partition, changes -> 'started_at' as started from pai.change_events order by event_id`,
    );
    expect(events).toEqual([
      { partition: nameOf(month), started: null },
      { partition: nameOf(month), started: [`${month}-01T00:00:00.123456+00:00`, `${month}-01T00:00:00.654321+00:00`] },
    ]);
    expect(
      (await there.store.readCursor({ region: 'cn-shanghai', workspaceId: '15945' }, 'pipeline-runs'))?.watermark,
    ).toBe(`${month}-01T00:00:00.000000Z`);
    expect(Math.abs(Date.parse(await there.store.now()) - Date.now())).toBeLessThan(600_000);
    // Also partitions that a session of this database makes, or moves out of the default one, begin with the month in UTC.
    for (const { name: partition } of await there.sql<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'pai.change_events'::regclass and inhrelid::regclass::text <> 'pai.change_events_default'`,
    ))
      await there.sql(`alter table pai.change_events detach partition ${partition}; drop table ${partition}`);
    await there.commit({ pipelineRuns: [{ evidence, items: [{ ...run, pipelineRunId: 'r2' }] }] });
    await migrate({ connectionString: url });
    expect(
      await there.row(`select tableoid::regclass::text as partition from pai.change_events where entity_id = 'r2'`),
    ).toEqual({ partition: nameOf(month) });
  } finally {
    await there.close();
  }
});

test('all partitions dropped by hand, the default one too, are made anew by the next commit, with their guards', async () => {
  const { url } = await createDatabase();
  const there = new Mirror(url);
  try {
    for (const { name } of await there.sql<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'pai.change_events'::regclass`,
    ))
      await there.sql(`drop table ${name}`);
    // A running service makes them by itself, with the first commit that finds none.
    await there.commit({ pipelineRuns: observed(0, pipelineRun('r1')) });
    expect(await there.kinds('r1')).toEqual(['discovered']);
    const logger = capturingLogger();
    await migrate({ connectionString: url, logger });
    expect(logger.messages('warn')).toEqual([]);
    for (const statement of ['delete from', 'truncate'])
      await expect(there.sql(`${statement} pai.change_events_default`)).rejects.toThrow('append-only');
    expect(
      await there.row(`select obj_description('pai.change_events_default'::regclass) is not null as described`),
    ).toEqual({ described: true });
  } finally {
    await there.close();
  }
});
