/** Released migrations stay as they are, and every migration only adds. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMigrations } from '../../src/store/migrations.js';
import { recordedTags } from '../support/recording.js';
import { REPLICAS } from '../support/releases.js';
import { findings } from './migration-rules.js';

const ROOT = resolve(import.meta.dirname, '../..');
const migrations = await readMigrations();
const texts = migrations.map(({ tag }) => ({
  tag,
  sql: readFileSync(join(ROOT, 'migrations', `${tag}.sql`), 'utf8'),
}));
const released: Record<string, string> = JSON.parse(
  readFileSync(join(ROOT, 'test/fixtures/released-migrations.json'), 'utf8'),
);

/**
 * Why it is right all the same; docs/upgrading.md has how long it takes. Only for what costs something: a migration that
 * breaks older versions is no case for this list, it waits until nobody runs them.
 */
const REASONS: Readonly<Record<string, string>> = {
  '0001_history: costs: trigger pai.change_events': 'Came out together with the table; refuses what no version does.',
  '0002_comments: costs: call pai.describe_change_event_partition': 'Came out together with the table; only comments.',
  '0004_rollups: costs: index pai.sync_passes': 'A row a pass: small. Without it the views of freshness read them all.',
  '0004_rollups: costs: index pai.change_events': 'Partial, without discoveries: a few seconds for a million events.',
  '0004_rollups: costs: index pai.pipeline_runs':
    'Two, about a second for 200,000 runs; not CONCURRENTLY, which no transaction may do, and half a migration is worse.',
  '0004_rollups: costs: drop index pai.pipeline_runs_created':
    'No version asks by it; queries of people by time are served by the new one on (gmt_create_time, scope).',
  '0004_rollups: costs: trigger pai.pipeline_runs':
    'After each statement; refuses nothing, and adds rows to tables that older versions do not know.',
  '0004_rollups: costs: trigger pai.pipeline_run_nodes': 'The same for nodes: notes the runs whose sums are due.',
  '0004_rollups: costs: call pai.rebuild_rollups':
    'Notes what is to be summed up, one pass over the runs; the sums are computed later, a little at a time.',
  '0006_retention: costs: call pai.describe_change_event_partition': 'Only comments; locks keep no writer out.',
  '0006_retention: costs: another body of analytics.run_as_of':
    'Answers what it answered before where nothing was pruned, and older versions prune nothing and do not call it.',
  '0007_workspace_sums: costs: index pai.run_rollup':
    'A table of sums, 30,000 pages for a million runs; below a second.',
  '0007_workspace_sums: costs: another promise of pai.run_seconds': 'The same answers; no index is made of it.',
  '0007_workspace_sums: costs: another promise of pai.queue_seconds': 'The same answers; no index is made of it.',
  '0007_workspace_sums: costs: another promise of pai.node_seconds': 'The same answers; no index is made of it.',
  '0007_workspace_sums: costs: another body of analytics.active_runs':
    'The same rows and columns, computed in another order; replacing a view waits for nobody but its readers.',
};

describe('every migration', () => {
  const found = findings(texts).map(({ tag, level, what }) => `${tag}: ${level}: ${what}`);

  test('only adds, and what makes an older replica wait or calls something else has a reason', () => {
    expect(found).toEqual(Object.keys(REASONS));
    expect(
      Object.entries(REASONS).filter(([what, reason]) => what.includes(': breaks: ') || reason.length < 20),
    ).toEqual([]);
  });

  test.each([
    ['drop table pai.runs', 'drop pai.runs'],
    ['drop view if exists analytics.scopes', 'drop analytics.scopes'],
    ['drop function pai.run_outcome(text)', 'drop pai.run_outcome'],
    ['alter table pai.runs drop column name', 'drop pai.runs'],
    ['ALTER TABLE "pai"."runs" DROP CONSTRAINT "runs_pkey"', 'drop pai.runs'],
    ['alter table pai.runs rename column name to title', 'rename pai.runs'],
    ['alter view analytics.scopes rename to s', 'rename analytics.scopes'],
    ['alter table pai.runs alter column name type varchar(10)', 'change the type of pai.runs'],
    ['alter table pai.runs alter name set data type bigint', 'change the type of pai.runs'],
    ['alter table pai.runs alter column name set not null', 'not null without a default pai.runs'],
    ['alter table pai.runs alter column name drop default', 'drop default of pai.runs'],
    ['ALTER TABLE "pai"."runs" ADD COLUMN "next" text NOT NULL;', 'not null without a default pai.runs'],
    [
      `alter table pai.runs add column a text default 'x', add column next text not null`,
      'not null without a default pai.runs',
    ],
    ['alter table pai.runs add column next text unique', 'a column that is unique or checked pai.runs'],
    ['alter table pai.runs add constraint c check (length(name) < 10)', 'new constraint pai.runs'],
    ['alter table pai.runs add foreign key (name) references pai.names', 'new constraint pai.runs'],
    ['alter table pai.change_events detach partition pai.x', 'detach a partition of pai.change_events'],
    ['alter table pai.runs enable row level security', 'security of pai.runs'],
    ['alter table pai.runs set unlogged', 'alter table pai.runs: set unlogged'],
    ['create unique index i on pai.runs (name)', 'new unique index pai.runs'],
    ['revoke select on pai.runs from pai_reader', 'revoke pai.runs'],
    ['update pai.runs set name = null', 'change rows of pai.runs'],
    ['delete from pai.runs', 'change rows of pai.runs'],
    ['truncate pai.runs', 'change rows of pai.runs'],
    [
      'alter function pai.f(text, int) owner to somebody',
      'not known: alter function pai.f(text, int) owner to somebody',
    ],
    ['vacuum full pai.runs', 'not known: vacuum full pai.runs'],
  ])('is refused when it says %s', (sql, what) => {
    expect(findings([{ tag: 'x', sql }])).toEqual([{ tag: 'x', level: 'breaks', what }]);
  });

  test.each([
    ['create index i on pai.runs (name)', 'index pai.runs'],
    ['drop index pai.runs_created', 'drop index pai.runs_created'],
    ['create trigger t after insert on pai.runs for each row execute function f()', 'trigger pai.runs'],
    [
      'create or replace function pai.run_outcome(text) returns text language sql as $$ select 1 $$',
      'another body of pai.run_outcome',
    ],
    ['alter table pai.runs add column at timestamptz not null default now()', 'a default that is computed pai.runs'],
    ['alter function pai.run_outcome(text) stable', 'another promise of pai.run_outcome'],
    ['do $$ begin drop table pai.runs; end $$', 'block of code do'],
    ['create function pai.f() returns void language sql as $$ drop table pai.runs $$; select pai.f()', 'call pai.f'],
  ])('needs a reason when it says %s', (sql, what) => {
    expect(findings([{ tag: 'x', sql }])).toEqual([{ tag: 'x', level: 'costs', what }]);
  });

  test.each([
    'create table pai.next (id text primary key, n int not null); create unique index on pai.next (n); drop table pai.next',
    `alter table pai.runs add column next text; alter table pai.runs add column form text default 'drop table' not null`,
    'create view analytics.next as select * from pai.runs',
    `comment on table pai.runs is 'drop table; rename'; -- update pai.runs`,
    'create function pai.f() returns void language plpgsql as $body$ begin delete from pai.runs; end $body$',
  ])('may say %s', (sql) => {
    expect(findings([{ tag: 'x', sql }])).toEqual([]);
  });
});

describe('released migrations', () => {
  test('are never edited', () => {
    expect(Object.keys(released).length).toBeGreaterThan(6);
    const now = Object.fromEntries(migrations.map(({ tag, hash }) => [tag, hash]));
    expect(Object.fromEntries(Object.keys(released).map((tag) => [tag, now[tag]]))).toEqual(released);
  });

  test('come before those that are not released yet', () => {
    expect(migrations.map(({ tag }) => tag).slice(0, Object.keys(released).length)).toEqual(Object.keys(released));
  });

  test('before the newest have a recording of what replicas of that schema say, or nobody can write to it', async () => {
    const before = migrations.slice(0, -1).map(({ tag }) => tag);
    expect(Object.keys(REPLICAS)).toEqual(expect.arrayContaining(before));
    const named = Object.values(REPLICAS).filter((tag) => tag !== null);
    expect([...new Set(named)].sort()).toEqual(await recordedTags());
  });
});
