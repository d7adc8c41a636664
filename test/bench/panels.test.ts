import { Client } from 'pg';
import { expect, test } from 'vitest';
import { fillMirror, refreshAll } from '../../bench/panels/fill.js';
import { intervalOf, panelQuestions, spanMs, viewQuestions } from '../../bench/panels/questions.js';
import { timeQuestion } from '../../bench/panels/time-questions.js';
import { VIEW_QUESTIONS } from '../../bench/panels/view-questions.js';
import { createDatabase } from '../support/database.js';

const HOUR = 3_600_000;

test.each([
  ['now-7d', 168 * HOUR],
  ['now-6h', 6 * HOUR],
  ['15m', HOUR / 4],
])('%s are %d milliseconds', (text, ms) => expect(spanMs(text)).toBe(ms));

test.each(['7d ago', 'now', '', '5s'])('the time span %j is refused', (text) => {
  expect(() => spanMs(text)).toThrow(`found time span ${text}, expected`);
});

test.each([
  ['as wide as a thousand points ask for', 7 * 24 * HOUR, undefined, HOUR / 4],
  ['not narrower than the panel allows', 6 * HOUR, '15m', HOUR / 4],
  ['a minute at least', HOUR, undefined, HOUR / 60],
  ['a day at most', 9_000 * 24 * HOUR, undefined, 24 * HOUR],
])('a bucket is %s', (_, range, least, expected) => expect(intervalOf(range, least)).toBe(expected));

/** Small, but through every statement: what the tables and views became must not be found out by a run of half an hour. */
test('the mirror that panels are measured on can be filled, adds up, and answers every question', async () => {
  const client = new Client({ connectionString: (await createDatabase()).url });
  await client.connect();
  try {
    const steps = await fillMirror(client, { runs: 400, nodesPerRun: 4, active: 20 }, () => {});
    const rowsOf = (what: string) => steps.find((step) => step.what === what)?.rows;
    expect([rowsOf('pipeline_runs'), rowsOf('pipeline_run_nodes')]).toEqual([400, 1600]);
    expect(steps.filter(({ rows }) => rows === 0)).toEqual([]);
    expect(await refreshAll(client)).toBeGreaterThan(0);
    const one = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows[0];
    expect(await one('select sum(runs)::int as runs, sum(active)::int as active from analytics.run_buckets')).toEqual({
      runs: 400,
      active: 20,
    });
    expect(await one('select sum(nodes)::int as nodes from analytics.node_buckets')).toEqual({ nodes: 1200 });
    const run = String((await one('select max(pipeline_run_id) as id from analytics.node_outputs'))?.id);
    const panels = await panelQuestions(async (sql) => (await client.query(sql)).rows, run, new Date());
    for (const question of [...panels, ...viewQuestions(run)]) {
      const timed = await timeQuestion(client, question, { repeat: 1, explainAbove: 60_000 });
      expect(timed.plan).toBeNull();
    }
    const { rows } = await client.query<{ name: string }>(
      `select relname::text as name from pg_class where relnamespace = 'analytics'::regnamespace and relkind = 'v'`,
    );
    const asked = VIEW_QUESTIONS.map(([name]) => name.split(':')[0]);
    expect(rows.filter(({ name }) => !asked.includes(name))).toEqual([]);
  } finally {
    await client.end();
  }
});

test('a question that fails is named with its statement', async () => {
  const client = new Client({ connectionString: (await createDatabase({ empty: true })).url });
  await client.connect();
  try {
    const question = { group: 'view', name: 'nothing', sql: 'select * from nothing' };
    const asking = timeQuestion(client, question, { repeat: 1, explainAbove: 1 });
    await expect(asking).rejects.toThrow(/view, nothing: relation "nothing" does not exist\nselect \* from nothing/);
    const slow = await timeQuestion(
      client,
      { ...question, sql: 'select pg_sleep(0.01)' },
      { repeat: 1, explainAbove: 1 },
    );
    expect(slow).toMatchObject({ rows: 1, plan: expect.stringContaining('actual time') });
  } finally {
    await client.end();
  }
});
