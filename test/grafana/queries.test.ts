import { describe, expect, test } from 'vitest';
import { ALL, type Expansion, expandQuery, type VariableValue } from '../../grafana/expand.js';
import { type Ask, chooseValues, readAlerts, readVariables } from '../../grafana/queries.js';
import type { Dashboard, Panel } from '../../grafana/source/dashboard.js';
import { DASHBOARDS } from '../../grafana/source/dashboards.js';
import { type Demo, startDemo } from './demo.js';
import { faultsOfAlert, faultsOfAnswer } from './shapes.js';

type Variables = Readonly<Record<string, VariableValue>>;

const DAY_MS = 86_400_000;
const dashboards = Object.values(DASHBOARDS);
const panelsOf = ({ panels }: Dashboard): Panel[] => panels.filter((panel): panel is Panel => panel.type !== 'row');

/** The range that a dashboard opens with, wide enough for a run of the demo. */
const RANGE = (): Omit<Expansion, 'variables'> => ({
  from: new Date(Date.now() - 20 * DAY_MS),
  to: new Date(),
  intervalMs: 6 * 3_600_000,
  timezone: 'Asia/Shanghai',
});

/** Panels that have nothing to show of this choice; some other choice must give them rows. */
class Seen {
  readonly faults: string[] = [];
  private readonly rows = new Map<string, number>();

  note(name: string, faults: readonly string[], rows: number): void {
    this.faults.push(...faults.map((fault) => `${name}: ${fault}`));
    this.rows.set(name, (this.rows.get(name) ?? 0) + rows);
  }

  empty(): string[] {
    return [...this.rows].filter(([, rows]) => rows === 0).map(([name]) => name);
  }
}

async function askAll({ reader }: Demo, seen: Seen, dashboard: Dashboard, expansion: Expansion): Promise<void> {
  for (const panel of panelsOf(dashboard)) {
    for (const { rawSql, refId } of panel.targets) {
      const name = `${dashboard.uid} · ${panel.title} · ${refId}`;
      try {
        const answer = await reader.query(expandQuery(rawSql, expansion));
        seen.note(name, faultsOfAnswer(panel, answer), answer.rows.length);
      } catch (error) {
        seen.note(name, [(error as Error).message], 0);
      }
    }
  }
}

/** What to choose besides what Grafana chooses by itself when a dashboard is opened. */
async function choices({ mirror }: Demo): Promise<Record<string, Variables[]>> {
  const one = async (sql: string): Promise<string> => {
    const { rows } = await mirror.pool.query<{ id: string }>(sql);
    if (rows[0] === undefined) throw new Error(`the demo has none: ${sql}`);
    return rows[0].id;
  };
  const stuck = await one('select pipeline_run_id as id from analytics.stuck_runs limit 1');
  const failed = await one(
    "select pipeline_run_id as id from analytics.pipeline_runs where outcome = 'failed' limit 1",
  );
  const tracked = await one('select pipeline_run_id as id from analytics.run_experiments limit 1');
  const output = await one('select pipeline_run_id as id from analytics.node_outputs limit 1');
  return { 'pai-run': [stuck, failed, tracked, output].map((id) => ({ run: id, run_id: id })) };
}

const askOf =
  ({ reader }: Demo): Ask =>
  async (sql) =>
    (await reader.query(sql)).rows;

describe('every query of every dashboard, as pai_reader', () => {
  test('answers in the shape that its panel needs, for All, for single values and for several, and none stays empty', async () => {
    const demo = await startDemo();
    const seen = new Seen();
    const range = RANGE();
    const special = await choices(demo);
    for (const dashboard of dashboards) {
      const { uid } = dashboard;
      const opened = await chooseValues(uid, askOf(demo), range);
      const single = await chooseValues(uid, askOf(demo), range, { all: false });
      const several = Object.fromEntries(
        Object.entries(single).map(([name, value]) => [name, opened[name] === ALL ? [String(value), "o'Neil"] : value]),
      );
      const more = (special[uid] ?? []).map((chosen) => ({ ...opened, ...chosen }));
      for (const variables of [opened, single, several, ...more])
        await askAll(demo, seen, dashboard, { ...range, variables });
      for (const { name } of readVariables(uid)) expect(single[name], `${uid}: variable ${name}`).not.toBe('');
    }
    for (const { title, rawSql } of readAlerts()) {
      const answer = await demo.reader.query(rawSql);
      seen.note(`alert · ${title}`, faultsOfAlert(answer), answer.rows.length);
    }
    expect(seen.faults).toEqual([]);
    expect(seen.empty()).toEqual([]);
    await expectNoWriting(demo);
    await expectQuietOnNothing(demo);
  });
});

/** The queries run as somebody who could not do harm. */
async function expectNoWriting({ reader }: Demo): Promise<void> {
  expect((await reader.query('select current_user as name')).rows).toEqual([{ name: 'pai_reader' }]);
  await reader.query('set default_transaction_read_only = off');
  await expect(reader.query('delete from pai.pipeline_runs')).rejects.toThrow('permission denied');
}

/** A range without a run, a run that does not exist, values that look like SQL: columns, and no error. */
async function expectQuietOnNothing(demo: Demo): Promise<void> {
  const seen = new Seen();
  const hostile = `x') or true; drop table pai.runs; --'"\\`;
  for (const dashboard of dashboards) {
    const variables: Record<string, VariableValue> = { run: hostile };
    for (const { name, includeAll } of readVariables(dashboard.uid))
      variables[name] = includeAll ? [hostile, hostile] : hostile;
    const nothing = { from: new Date(1000), to: new Date(2000), intervalMs: 1000, variables, timezone: 'UTC' };
    await askAll(demo, seen, dashboard, nothing);
    for (const { query } of readVariables(dashboard.uid)) await demo.reader.query(expandQuery(query, nothing));
  }
  expect(seen.faults).toEqual([]);
}
