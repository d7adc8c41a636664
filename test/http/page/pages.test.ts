import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { instantFromMillis } from '../../../src/domain/instant.js';
import { SimulatedClock } from '../../../src/emulator/clock.js';
import { DEFAULT_BOUNDS } from '../../../src/store/page/search.js';
import { layCable } from '../../support/cable.js';
import { createDatabase } from '../../support/database.js';
import { ask } from '../../support/http.js';
import { startMirror, type TestMirror } from '../../support/mirror.js';
import { linksOf, linkTo, runsOf, type ServedPage, servePage, wordsOf } from './serve.js';

const HOSTILE = `<script>alert("pai")</script><img src=x onerror='alert(1)'>`;
const HOUR = 3_600_000;

let mirror: TestMirror;
let page: ServedPage;
const closing: (() => Promise<void>)[] = [];
const onStarted = (close: () => Promise<void>): void => void closing.push(close);

beforeAll(async () => {
  const clock = new SimulatedClock({ speed: 0 });
  mirror = await startMirror({
    onStarted,
    emulator: {
      workspaces: 2,
      pipelines: 3,
      history: 130,
      historyDays: 20,
      active: 6,
      experimentRuns: 60,
      nodesPerRun: [3, 6],
      clock,
      seed: 11,
    },
  });
  const { mutate } = mirror.emulator;
  const now = clock.now();
  const at = (back: number) => instantFromMillis(now - back);
  mutate.addPipelineRun({
    pipelineRunId: 'flow-hostile',
    name: HOSTILE,
    status: 'Failed',
    message: HOSTILE,
    userId: HOSTILE,
    sourceId: HOSTILE,
    pipelineRunUri: 'javascript:alert(1)',
    gmtCreateTime: at(2 * HOUR),
    startedAt: at(2 * HOUR),
    finishedAt: at(HOUR),
  });
  mutate.setDetails('flow-hostile', { arguments: { json: JSON.stringify({ [HOSTILE]: HOSTILE }), raw: null } });
  mutate.addPipelineRun({ pipelineRunId: 'flow-untimed', name: 'no creation', status: 'Running', gmtCreateTime: null });
  mutate.addPipelineRun({
    pipelineRunId: 'flow-stuck',
    name: 'slow one',
    status: 'Running',
    gmtCreateTime: at(30 * HOUR),
    startedAt: at(30 * HOUR),
  });
  await mirror.sync();
  await mirror.pool.query(
    `insert into pai.quarantine (region, scope, stream, operation, entity, entity_id, raw, error, request_id, first_seen_at, observed_at, fingerprint)
     select 'cn-test', 'cn-test:1', 'nodes', 'ListPipelineRunNodeStatus', 'pipeline_run', 'flow-hostile', '{}', $1 || n, 'request', now(), now(), 'test ' || n
     from generate_series(1, 60) n`,
    [HOSTILE],
  );
  // On a busy machine no time would be long enough for a search, or a comparison, to come to its end.
  page = await servePage(mirror.databaseUrl, { onStarted, bounds: { ...DEFAULT_BOUNDS, mostMs: 60_000 } });
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Every run of the list, page by page; `between` happens after each page. */
async function walk(
  served: ServedPage,
  first: string,
  between: () => Promise<void> = async () => {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let href: string | null = first, turn = 0; href !== null; turn += 1) {
    expect(turn).toBeLessThan(200);
    const { status, text } = await served.get(href);
    expect(status).toBe(200);
    ids.push(...runsOf(text));
    await between();
    href = linkTo(text, 'Older') ?? linkTo(text, 'Search further back');
  }
  return ids;
}

const idsWhere = async (where: string): Promise<string[]> =>
  (
    await mirror.pool.query<{ id: string }>(
      `select pipeline_run_id as id from analytics.pipeline_runs where ${where} order by created_at desc nulls last, pipeline_run_id desc`,
    )
  ).rows.map(({ id }) => id);

describe('the overview', () => {
  it('says what is wrong first, what runs, what is stuck, what became of the runs and how fresh each stream is', async () => {
    const { status, headers, text } = await page.get('/?range=30d');
    const words = wordsOf(text);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(words).toContain('The mirror is fresh, but something needs a look');
    expect(words).toContain('60 items wait in quarantine');
    expect(words).toContain('12 of 12 streams of 2 workspaces are up to date.');
    expect(words).toMatch(/slow one flow-stuck Running stuck\?/);
    const { rows } = await mirror.pool.query<{ runs: string; failed: string }>(
      `select sum(runs) as runs, sum(failed) as failed from analytics.daily_runs_by_workspace where day > now() - interval '30 days'`,
    );
    expect(words).toContain(`${rows[0]?.runs} runs in 30 days`);
    expect(words).toContain(`${rows[0]?.failed} failed in 30 days`);
  });

  it('says the same of what is active and stuck as the view does, whichever range is shown', async () => {
    const { rows } = await mirror.pool.query<{ active: string; stuck: string }>(
      'select count(*) as active, count(*) filter (where is_stuck) as stuck from analytics.active_runs',
    );
    expect(Number(rows[0]?.stuck)).toBeGreaterThan(0);
    for (const range of ['24h', '7d', '30d', '90d']) {
      const words = wordsOf((await page.get(`/?range=${range}`)).text);
      expect(words).toContain(`${rows[0]?.active} active now ${rows[0]?.stuck} longer than usual`);
    }
  });

  it('shows the counts of each hour or day beside the chart, and they add up', async () => {
    for (const [range, count] of [
      ['24h', 24],
      ['7d', 168],
      ['90d', 90],
    ] as const) {
      const { text } = await page.get(`/?range=${range}`);
      const [, json = ''] = /id="outcomes-data">([^<]*)</.exec(text) ?? [];
      const data = JSON.parse(json) as { times: number[]; series: { name: string; values: number[] }[] };
      expect(data.times).toHaveLength(count);
      expect(new Set(data.times).size).toBe(count);
      const total = data.series.flatMap(({ values }) => values).reduce((sum, one) => sum + one, 0);
      const { rows } = await mirror.pool.query<{ runs: number }>(
        'select count(*)::int as runs from pai.pipeline_runs where coalesce(gmt_create_time, started_at, first_seen_at) >= to_timestamp($1)',
        [data.times[0]],
      );
      expect(total).toBe(rows[0]?.runs);
    }
  });
});

describe('the list of runs', () => {
  it('shows every run exactly once, newest first, while new ones arrive', async () => {
    const before = await idsWhere('true');
    let arrived = 0;
    const ids = await walk(page, '/runs', async () => {
      arrived += 1;
      mirror.emulator.mutate.addPipelineRun({ pipelineRunId: `flow-late-${arrived}` });
      await mirror.sync(['pipeline-runs']);
    });
    expect(arrived).toBeGreaterThan(2);
    expect(ids).toEqual(before);
    expect(ids.at(-1)).toBe('flow-untimed');
  });

  it('finds by each filter what the view finds, also in windows so small that each search is broken off', async () => {
    const small = await servePage(mirror.databaseUrl, {
      bounds: { firstWindow: 7, mostInWindow: 9, mostLooked: 20, mostMs: 60_000 },
    });
    const [some] = (
      await mirror.pool.query(`select * from analytics.pipeline_runs where outcome = 'succeeded' limit 1`)
    ).rows;
    const searches: [string, string][] = [
      ['outcome=failed', `outcome = 'failed'`],
      ['outcome=active', `outcome = 'active'`],
      ['outcome=deleted', `outcome = 'deleted'`],
      ['status=running', `status = 'Running'`],
      [`workspace=${some.scope}`, `scope = '${some.scope}'`],
      [`pipeline=${some.pipeline_id}`, `pipeline_id = '${some.pipeline_id}'`],
      [`user=${some.user_id}`, `user_id = '${some.user_id}'`],
      [`q=${encodeURIComponent(some.name.slice(1).toUpperCase())}`, `strpos(name, '${some.name.slice(1)}') > 0`],
      ['q=100%25', `strpos(name, '100%') > 0`],
      [`from=${some.created_at.toISOString()}`, `created_at >= '${some.created_at.toISOString()}'`],
      [
        `to=${some.created_at.toISOString().slice(0, 10)}&outcome=failed`,
        `created_at < date_trunc('day', '${some.created_at.toISOString()}'::timestamptz) + interval '1 day' and outcome = 'failed'`,
      ],
      [
        `pipeline=${some.pipeline_id}&outcome=succeeded&user=${some.user_id}`,
        `pipeline_id = '${some.pipeline_id}' and outcome = 'succeeded' and user_id = '${some.user_id}'`,
      ],
    ];
    let found = 0;
    for (const [query, where] of searches) {
      const expected = await idsWhere(where);
      found += expected.length;
      for (const served of [page, small]) expect(await walk(served, `/runs?${query}`), query).toEqual(expected);
    }
    expect(found).toBeGreaterThan(200);
  });

  it('says that a search was broken off, how far it came, and where it goes on', async () => {
    const small = await servePage(mirror.databaseUrl, {
      bounds: { firstWindow: 5, mostInWindow: 60, mostLooked: 20, mostMs: 60_000 },
    });
    const { text } = await small.get('/runs?q=no-run-is-called-so');
    expect(wordsOf(text)).toMatch(
      /Nothing found so far.* Looked at \d+ runs, back to .* and stopped there to stay quick: none of them match/,
    );
    expect(linkTo(text, 'Search further back')).toContain('q=no-run-is-called-so&after=');
  });

  it('finds runs of any time by an id, or by how it begins', async () => {
    const [id = ''] = (await idsWhere('true')).slice(-10);
    for (const text of [id, id.slice(0, -2), id.toUpperCase()])
      expect(runsOf((await page.get(`/runs?q=${text}`)).text)).toContain(id);
    const small = await servePage(mirror.databaseUrl, {
      bounds: { firstWindow: 5, mostInWindow: 5, mostLooked: 5, mostMs: 60_000 },
    });
    expect(runsOf((await small.get(`/runs?q=${id.slice(0, -2)}`)).text)).toEqual([id]);
  });
});

describe('one run', () => {
  it('shows its nodes as bars and in words, its statuses, history, documents and outputs', async () => {
    const { rows } = await mirror.pool.query<{ id: string; nodes: string[]; seconds: string }>(
      `select r.pipeline_run_id as id, array_agg(n.node_name) as nodes from analytics.pipeline_runs r
       join analytics.nodes n using (pipeline_run_id) join analytics.run_details d using (pipeline_run_id)
       where r.outcome = 'succeeded' and exists (select from analytics.node_outputs o where o.pipeline_run_id = r.pipeline_run_id)
       group by 1 limit 1`,
    );
    const run = rows[0] as { id: string; nodes: string[] };
    const { status, text } = await page.get(`/runs/${run.id}`);
    const words = wordsOf(text);
    expect(status).toBe(200);
    for (const name of run.nodes) expect(words).toContain(name);
    expect(text.match(/<svg class="bar"/g)).toHaveLength(run.nodes.length);
    expect(text.match(/<rect class="b-succeeded/g)?.length).toBe(run.nodes.length);
    for (const part of ['Succeeded', 'run discovered', 'Manifest', 'Arguments', 'Options', 'Output'])
      expect(words).toContain(part);
    expect(linksOf(text)).toContainEqual(expect.stringMatching(/^https:\/\//));
    const manifest = await page.get(`/runs/${run.id}/manifest`);
    expect(manifest.headers['content-type']).toBe('application/json; charset=utf-8');
    const stored = await mirror.pool.query('select manifest from analytics.run_details where pipeline_run_id = $1', [
      run.id,
    ]);
    expect(JSON.parse(manifest.text)).toEqual(stored.rows[0].manifest);
  });

  it('pages its history, each event once', async () => {
    const { rows } = await mirror.pool.query<{ id: string; events: number }>(
      'select entity_id as id, count(*)::int as events from analytics.history group by 1 order by 2 desc limit 1',
    );
    const { id } = rows[0] as { id: string };
    await mirror.pool.query(
      `insert into pai.change_events (entity, entity_id, region, scope, kind, changes, observed_at)
       select 'pipeline_run', $1, 'cn-test', 'cn-test:1', 'changed', jsonb_build_object('extra', jsonb_build_array(n, 12345678901234567890 + n)), now()
       from generate_series(1, 70) n`,
      [id],
    );
    const seen: string[] = [];
    for (let href: string | null = `/runs/${id}`; href !== null; ) {
      const { text } = await page.get(href.replace(/#.*/, ''));
      seen.push(...(wordsOf(text).match(/extra: \d+ to \d+/g) ?? []));
      href = linkTo(text, 'Older events');
    }
    // Exact, whatever their size: a double would have rounded them.
    expect(seen).toEqual(
      Array.from({ length: 70 }, (_, i) => `extra: ${70 - i} to ${12345678901234567890n + 70n - BigInt(i)}`),
    );
  });

  it('says what was looked for when there is no such run, experiment, document or file', async () => {
    for (const [path, words] of [
      ['/runs/flow-nowhere', 'There is no run flow-nowhere in the database'],
      [`/runs/${encodeURIComponent(HOSTILE)}`, `There is no run ${HOSTILE}`],
      ['/runs/%00', 'Not in the mirror'],
      ['/runs/flow-nowhere/manifest', 'There is no manifest of the run flow-nowhere'],
      ['/runs/flow-hostile/secrets', 'There is no document secrets'],
      ['/experiments/nowhere', 'There is no experiment nowhere'],
      ['/assets/page.css', 'There is no file page.css'],
    ] as const) {
      const { status, text } = await page.get(path);
      expect([path, status]).toEqual([path, 404]);
      expect(wordsOf(text)).toContain(words);
    }
  });
});

describe('experiments', () => {
  it('are listed with their runs, the best of these as the view has it, and curves of the newest', async () => {
    const { text } = await page.get('/experiments');
    const addresses = linksOf(text).filter((href) => href.startsWith('/experiments/'));
    const { rows } = await mirror.pool.query<{ id: string }>(
      'select distinct experiment_id as id from analytics.experiments',
    );
    expect(addresses.map((href) => decodeURIComponent(href.slice('/experiments/'.length))).sort()).toEqual(
      rows.map(({ id }) => id).sort(),
    );
    let metrics = 0;
    for (const { id } of rows) {
      const one = (await page.get(`/experiments/${id}`)).text;
      const best = await mirror.pool.query<{ key: string; best_run_id: string }>(
        'select key, best_run_id from analytics.experiment_metrics where experiment_id = $1',
        [id],
      );
      for (const { key, best_run_id: run } of best.rows)
        expect(wordsOf(one)).toMatch(new RegExp(` ${key} [^ ]+ ${run} (less|more) `));
      for (const [, json = ''] of one.matchAll(/id="curves-\d+">([^<]*)</g)) {
        const { series } = JSON.parse(json) as { series: { steps: number[]; values: unknown[] }[] };
        expect(series.length).toBeGreaterThan(0);
        for (const { steps, values } of series) {
          expect(values).toHaveLength(steps.length);
          expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
        }
      }
      metrics += best.rows.length;
    }
    expect(metrics).toBeGreaterThan(0);
  });

  it('draw the runs that are chosen, and refuse too many', async () => {
    const { rows } = await mirror.pool.query<{ id: string; experiment: string }>(
      'select distinct run_id as id, experiment_id as experiment from analytics.metric_points order by 1 limit 1',
    );
    const [{ id, experiment }] = rows as [{ id: string; experiment: string }];
    const { text } = await page.get(`/experiments/${experiment}?run=${id}`);
    const [, json = ''] = /id="curves-0">([^<]*)</.exec(text) ?? [];
    expect(JSON.parse(json).series).toHaveLength(1);
    const many = await page.get(`/experiments/${experiment}?${'run=x&'.repeat(9)}`);
    expect(many.status).toBe(400);
    expect(wordsOf(many.text)).toContain('run : found "9 runs", expected 8 at most');
  });
});

describe('quarantine and passes', () => {
  it('are paged, each item once', async () => {
    const numbers: number[] = [];
    for (let href: string | null = '/quarantine'; href !== null; ) {
      const { text } = await page.get(href);
      numbers.push(...[...text.matchAll(/no\. (\d+)</g)].map(([, id]) => Number(id)));
      href = linkTo(text, 'Older');
    }
    expect(numbers).toHaveLength(60);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(new Set(numbers).size).toBe(60);
  });

  it('tell each pass, and the failed ones alone', async () => {
    const { rows } = await mirror.pool.query<{ stream: string }>(
      'select stream from analytics.mirror_passes order by id desc limit 1',
    );
    expect(wordsOf((await page.get('/mirror')).text)).toContain(`${rows[0]?.stream} succeeded`);
    expect(wordsOf((await page.get('/mirror?passes=failed')).text)).toContain(
      'No pass has failed in the last 24 hours',
    );
    expect(wordsOf((await page.get('/quarantine?show=all')).text)).toContain('All items, newest first');
  });
});

it('shows whatever PAI says as text: no name, message, id or document becomes markup or a link', async () => {
  for (const path of [
    '/',
    '/runs',
    `/runs?q=${encodeURIComponent(HOSTILE)}`,
    '/runs/flow-hostile',
    '/quarantine',
    '/mirror',
  ]) {
    const { text } = await page.get(path);
    expect(
      text.replace(/<script (src="\/assets\/[\w.]+" defer|type="application\/json" id="[\w-]+")>/g, ''),
      path,
    ).not.toContain('<script');
    expect(text, path).not.toMatch(/<img|javascript:|onerror='/);
  }
  const words = wordsOf((await page.get('/runs/flow-hostile')).text);
  expect(words.split(HOSTILE).length).toBeGreaterThan(5);
});

it('names the parameter that is wrong, what was found and what is expected', async () => {
  for (const [path, words] of [
    ['/?range=year', 'range : found "year", expected one of 24h, 7d, 30d, 90d'],
    ['/runs?outcome=lost', 'outcome : found "lost", expected one of active, succeeded'],
    ['/runs?from=16.03.2026', 'from : found "16.03.2026", expected a day such as'],
    ['/runs?after=x', 'after : found "x"'],
    ['/runs?q=a&q=b', 'q : found "a, b", expected one value'],
    ['/runs?user=%00', 'no zero character'],
    ['/runs/flow-hostile?nodes=-1', 'nodes : found "-1"'],
    ['/runs/flow-hostile?history=99999999999999999999', 'history :'],
    ['/quarantine?before=x', 'before : found "x", expected a whole number'],
    [`/runs?q=${encodeURIComponent(HOSTILE.repeat(4))}`, 'at most 200 characters'],
  ] as const) {
    const { status, text } = await page.get(path);
    expect([path, status]).toEqual([path, 400]);
    expect(wordsOf(text)).toContain(words);
    expect(text).not.toContain('<img');
  }
});

it('says on an empty database what each page waits for, instead of showing an empty table', async () => {
  const empty = await servePage((await createDatabase()).url);
  for (const [path, words] of [
    ['/', 'Nothing has been mirrored yet'],
    ['/', 'No runs in the last 24 hours'],
    ['/?range=90d', 'No runs yet'],
    ['/runs', 'Nothing has been mirrored yet No pass has read pipeline runs so far'],
    ['/runs', 'pai-mirror doctor says what is in its way'],
    ['/runs?q=x', 'No run matches'],
    ['/experiments', 'Nothing has been mirrored yet No pass has read experiment runs so far'],
    ['/mirror', 'No stream has begun yet'],
    ['/mirror', 'No pass yet'],
    ['/quarantine', 'Nothing is in quarantine'],
  ] as const) {
    const { status, text } = await empty.get(path);
    expect(status).toBe(200);
    expect(wordsOf(text), path).toContain(words);
    expect(text, path).not.toContain('<table');
  }
});

it('says where the mirror is whole and PAI has nothing that there is nothing to wait for', async () => {
  const { databaseUrl, sync } = await startMirror({
    onStarted: onTestFinished,
    emulator: {
      workspaces: 2,
      pipelines: 2,
      history: 0,
      active: 0,
      experimentRuns: 0,
      clock: new SimulatedClock({ speed: 0 }),
    },
  });
  await sync();
  const empty = await servePage(databaseUrl);
  for (const [path, words] of [
    ['/', 'The mirror is healthy and fresh'],
    ['/', 'Nothing runs at the moment'],
    ['/runs', /PAI has no pipeline runs The mirror has read the whole list of 2 workspaces, the last time \d+ s ago/],
    ['/runs?outcome=failed', 'No run matches'],
    ['/experiments', 'PAI has no experiment runs'],
  ] as const)
    expect(wordsOf((await empty.get(path)).text), path).toMatch(words);
});

it('says before the schema is there what makes it, and while the mirror starts that it does', async () => {
  const bare = await servePage((await createDatabase({ empty: true })).url);
  for (const path of ['/', '/runs', '/runs/x', '/experiments', '/mirror', '/quarantine']) {
    const { status, text } = await bare.get(path);
    expect([path, status]).toEqual([path, 503]);
    expect(wordsOf(text)).toContain(
      'The database is not migrated It lacks a view that this page reads: pai-mirror migrate makes it',
    );
    expect(text).toContain('<code>pai-mirror migrate</code>');
  }
  const { status, text } = await (await servePage(mirror.databaseUrl, { isOpen: false })).get('/runs');
  expect(status).toBe(503);
  expect(wordsOf(text)).toContain('The mirror is starting Its database is being opened or migrated');
});

it('says that the database is away, with 503 and no word of where it is, and shows the pages again when it is back', async () => {
  const cable = await layCable(mirror.databaseUrl);
  const served = await servePage(cable.url);
  expect((await served.get('/runs')).status).toBe(200);
  await cable.cut();
  const { status, headers, text } = await served.get('/');
  expect(status).toBe(503);
  expect(headers['retry-after']).toBe('10');
  expect(wordsOf(text)).toContain('The database does not answer');
  expect(text).not.toMatch(/127\.0\.0\.1|ECONN|password/);
  expect(served.logger.messages('warn').join()).toContain('a page could not be shown');
  await cable.mend();
  expect((await served.get('/runs')).status).toBe(200);
});

it('serves style and scripts for good, by addresses of their content, and nothing twice', async () => {
  const { text } = await page.get('/');
  const files = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, file]) => file as string);
  expect(files.length).toBe(7);
  for (const file of files) {
    const { status, headers } = await page.get(file);
    expect(status).toBe(200);
    expect(headers['cache-control']).toContain('immutable');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const again = await ask(`${page.url}${file}`, { headers: { 'if-none-match': headers.etag as string } });
    expect([again.status, again.text]).toEqual([304, '']);
  }
});

it('reads schema analytics, and nothing else', () => {
  const folder = resolve(import.meta.dirname, '../../../src/store/page');
  const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const relations = sources.flatMap((source) =>
    [...source.matchAll(/\b(?:from|join)\s+((?:analytics|pai|pg_catalog|information_schema)\.[\w${}]+|pg_\w+)/gi)].map(
      ([, name]) => name as string,
    ),
  );
  expect(relations.length).toBeGreaterThan(25);
  expect(relations.filter((name) => !name.startsWith('analytics.'))).toEqual([]);
});
