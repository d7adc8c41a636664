/** An export holds what the mirror held at one moment, can be loaded elsewhere, and tells when something is wrong with it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { emptyDirectory, startCli } from '../support/cli.js';
import { runCommand } from '../support/command.js';
import { createDatabase } from '../support/database.js';
import { startMirror } from '../support/mirror.js';
import { prune, retentionOf } from '../support/retention.js';

const TABLES =
  'pipeline_runs pipeline_run_details pipeline_run_nodes node_outputs runs run_params run_labels run_metrics change_events pruned_runs quarantine'.split(
    ' ',
  );

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Everything that CSV, JSON and SQL could stumble over. */
const AWKWARD = `
  update pai.pipeline_runs set name = e'a "quoted", name\\nof two lines \\\\N \\\\. ☃', message = '', source_id = null
    where pipeline_run_id = (select min(pipeline_run_id) from pai.pipeline_runs);
  update pai.pipeline_runs set name = '\\.' where pipeline_run_id = (select max(pipeline_run_id) from pai.pipeline_runs);
  update pai.run_metrics set value = 'NaN' where (run_id, key, step) = (select run_id, key, step from pai.run_metrics order by 1, 2, 3 limit 1);
  update pai.run_metrics set value = 0.1::float8 + 0.2::float8 where (run_id, key, step) = (select run_id, key, step from pai.run_metrics order by 1 desc, 2, 3 limit 1);
  insert into pai.quarantine (scope, region, stream, operation, entity, raw, fingerprint, error, observed_at, first_seen_at)
    values ('cn-test:1', 'cn-test', 'nodes', 'GetPipelineRun', 'pipeline_run', e'{"a":"\\n\\"\\r\\n"}', 'x', 'odd', now(), now())`;

async function mirrored(): Promise<string> {
  const clock = new SimulatedClock({ speed: 0 });
  const mirror = await startMirror({
    emulator: {
      workspaces: 2,
      history: 40,
      historyDays: 100,
      active: 3,
      arrivalsPerMinute: 0,
      experimentRuns: 12,
      clock,
      seed: 5,
    },
  });
  await mirror.sync();
  await prune(mirror.databaseUrl, retentionOf('*/Failed=60d', { experiments: '*=80d' }));
  await mirror.pool.query(AWKWARD);
  return mirror.databaseUrl;
}

const run = (args: readonly string[], url: string) => runCommand(['export', ...args], { env: { DATABASE_URL: url } });

async function exported(url: string, ...args: string[]): Promise<string> {
  const directory = join(emptyDirectory(), 'export');
  const { code, stderr } = await run(['--out', directory, ...args], url);
  expect(code, stderr).toBe(0);
  return directory;
}

const digestOf = async (client: pg.Client, table: string, where = 'true') =>
  (
    await client.query(
      `select count(*)::int as rows, md5(string_agg(t::text, chr(10) order by t::text collate "C")) as digest from pai.${table} t where ${where}`,
    )
  ).rows[0];

/** As the README says. */
async function load(directory: string, client: pg.Client): Promise<void> {
  const { tables } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  for (const { table, file, columns } of tables) {
    const names = columns.map(({ name }: { name: string }) => `"${name}"`).join(', ');
    await pipeline(
      createReadStream(join(directory, file)),
      createGunzip(),
      client.query(copyFrom(`copy pai.${table} (${names}) from stdin with (format csv, header true)`)),
    );
  }
}

test('loads into an empty database as it was, table by table, and is whole by its own check', async () => {
  const url = await mirrored();
  const directory = await exported(url);
  const verified = await runCommand(['export', '--verify', directory]);
  expect(verified.stdout).toMatch(/whole and right, 11 tables/);
  expect(verified.code).toBe(0);
  expect((await readdir(directory)).sort()).toEqual(
    [...TABLES.map((table) => `${table}.csv.gz`), 'dictionary.md', 'manifest.json'].sort(),
  );

  const source = await connect(url);
  const copy = await connect((await createDatabase()).url);
  await load(directory, copy);
  for (const table of TABLES) {
    const expected = await digestOf(source, table);
    expect(expected.rows, table).toBeGreaterThan(0);
    expect(await digestOf(copy, table), table).toEqual(expected);
  }
});

test('says in its manifest and its dictionary what it is', async () => {
  const url = await mirrored();
  const directory = await exported(url, '--scope', 'cn-test:*', '--from', '2020-01-01');
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({
    format: 'pai-mirror export',
    version: 1,
    schemaVersion: expect.stringMatching(/^\d{4}_/),
    range: { from: '2020-01-01T00:00:00.000000Z', to: null },
    scope: 'cn-test:*',
  });
  const metrics = manifest.tables.find(({ table }: { table: string }) => table === 'run_metrics');
  expect(metrics.columns).toContainEqual({ name: 'value', type: 'double precision' });
  const bytes = await readFile(join(directory, metrics.file));
  expect(metrics).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  expect(metrics.contentSha256).toBe(createHash('sha256').update(gunzipSync(bytes)).digest('hex'));
  const dictionary = await readFile(join(directory, 'dictionary.md'), 'utf8');
  const client = await connect(url);
  const { rows } = await client.query<{ name: string; type: string; comment: string }>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, col_description(a.attrelid, a.attnum) as comment from pg_attribute a
     where a.attrelid = any($1::text[]::regclass[]) and a.attnum > 0 and not a.attisdropped`,
    [TABLES.map((table) => `pai.${table}`)],
  );
  for (const { name, type, comment } of rows) expect(dictionary).toContain(`| ${name} | ${type} | ${comment} |`);
});

test('a range holds the runs created in it with all that hangs on them, and the events observed in it; a scope only its own', async () => {
  const url = await mirrored();
  const client = await connect(url);
  const { rows } = await client.query<{ middle: string; scope: string }>(
    `select to_char(percentile_disc(0.5) within group (order by gmt_create_time) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as middle, min(scope) as scope from pai.pipeline_runs`,
  );
  const { middle, scope } = rows[0] as { middle: string; scope: string };
  const parts: { [table: string]: number }[] = [];
  for (const args of [
    ['--to', middle],
    ['--from', middle],
    ['--scope', scope],
    ['--from', middle, '--scope', scope],
  ]) {
    const directory = await exported(url, ...args);
    const { tables } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
    parts.push(
      Object.fromEntries(tables.map(({ table, rows: found }: { table: string; rows: number }) => [table, found])),
    );
  }
  const [before, after, own, both] = parts as [
    (typeof parts)[0],
    (typeof parts)[0],
    (typeof parts)[0],
    (typeof parts)[0],
  ];
  for (const table of TABLES) {
    const { rows: all } = await digestOf(client, table);
    expect((before[table] ?? 0) + (after[table] ?? 0), table).toBe(all);
    const key = /^run_/.test(table)
      ? `run_id in (select run_id from pai.runs where scope = '${scope}')`
      : table === 'node_outputs'
        ? `pipeline_run_id in (select pipeline_run_id from pai.pipeline_runs where scope = '${scope}')`
        : `scope = '${scope}'`;
    expect(own[table], table).toBe((await digestOf(client, table, key)).rows);
  }
  expect(before.pipeline_runs).toBeGreaterThan(0);
  expect(both.pipeline_runs).toBe(
    (await digestOf(client, 'pipeline_runs', `scope = '${scope}' and gmt_create_time >= '${middle}'`)).rows,
  );
  expect(both.pipeline_run_nodes).toBe(
    (
      await digestOf(
        client,
        'pipeline_run_nodes',
        `pipeline_run_id in (select pipeline_run_id from pai.pipeline_runs where scope = '${scope}' and gmt_create_time >= '${middle}')`,
      )
    ).rows,
  );
});

describe('--verify', () => {
  let source: string;
  beforeAll(async () => {
    source = (await createDatabase()).url;
    const client = new pg.Client({ connectionString: source });
    await client.connect();
    await client.query(
      `insert into pai.runs (run_id, name, region, scope, first_seen_at, updated_at, observed_at, revision)
       select 'run-' || n, e'two\\nlines "and" quotes', 'cn-a', 'cn-a:1', now(), now(), now(), 1 from generate_series(1, 500) n`,
    );
    await client.end();
  });
  const faultsOf = async (spoil: (directory: string) => Promise<void>): Promise<string> => {
    const directory = await exported(source);
    await spoil(directory);
    const { code, stdout } = await runCommand(['export', '--verify', directory]);
    expect(code).toBe(1);
    return stdout;
  };
  /** The CSV changed, with its gzip and the manifest's checksums made to fit. */
  const forged = (edit: (csv: string) => string) => async (directory: string) => {
    const path = join(directory, 'runs.csv.gz');
    const csv = edit(gunzipSync(await readFile(path)).toString());
    const bytes = gzipSync(csv);
    await writeFile(path, bytes);
    const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
    const table = manifest.tables.find((one: { table: string }) => one.table === 'runs');
    const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
    Object.assign(table, {
      bytes: bytes.length,
      sha256: hash(bytes),
      contentBytes: Buffer.byteLength(csv),
      contentSha256: hash(csv),
    });
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
  };
  const at = (name: string) => (directory: string) => join(directory, name);
  const runs = at('runs.csv.gz');

  test('names a flipped byte, a cut file, a missing file and a changed dictionary', async () => {
    const flip = async (directory: string) => {
      const bytes = await readFile(runs(directory));
      bytes[bytes.length - 12] = (bytes[bytes.length - 12] as number) ^ 1;
      await writeFile(runs(directory), bytes);
    };
    expect(await faultsOf(flip)).toMatch(/runs\.csv\.gz: found SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/);
    const cut = await faultsOf((directory) => truncate(runs(directory), 100));
    expect(cut).toMatch(/runs\.csv\.gz: found bytes 100, expected \d+/);
    expect(cut).toMatch(/runs\.csv\.gz: found no whole gzip file/);
    expect(await faultsOf((directory) => rm(runs(directory)))).toMatch(/runs\.csv\.gz: ENOENT/);
    expect(await faultsOf((directory) => writeFile(join(directory, 'dictionary.md'), 'x'))).toMatch(
      /dictionary\.md: found bytes 1, expected/,
    );
  });

  test('counts records, not lines, and names rows and columns that differ though every checksum fits', async () => {
    expect(await faultsOf(forged((csv) => csv.replace(/^run-7,[\s\S]*?\n(?=run-)/m, '')))).toMatch(
      /runs\.csv\.gz: found rows 499, expected 500/,
    );
    expect(await faultsOf(forged((csv) => csv.replace('run_id,', 'run,')))).toMatch(
      /found columns run,.*, expected run_id,/,
    );
    expect(await faultsOf(forged((csv) => csv.replace('run-7,', 'run-7,,')))).toMatch(
      /record \d+ has 23 fields, expected 22/,
    );
  });

  test('refuses what is no finished export', async () => {
    expect(await faultsOf((directory) => rm(join(directory, 'manifest.json')))).toMatch(/expected a finished export/);
    expect(await faultsOf((directory) => writeFile(join(directory, 'manifest.json'), '{'))).toMatch(/found no JSON/);
    const outside = async (directory: string) => {
      const path = join(directory, 'manifest.json');
      await writeFile(path, (await readFile(path, 'utf8')).replace('"runs.csv.gz"', '"../runs.csv.gz"'));
    };
    expect(await faultsOf(outside)).toMatch(/tables\.\d+\.file/);
    const newer = async (directory: string) => {
      const path = join(directory, 'manifest.json');
      await writeFile(path, (await readFile(path, 'utf8')).replace('"version": 1', '"version": 2'));
    };
    expect(await faultsOf(newer)).toMatch(/version: .*expected a manifest of version 1/);
  });
});

test('is of one moment, though the mirror is written meanwhile', async () => {
  const { url } = await createDatabase();
  const client = await connect(url);
  const both = (from: number, to: number) =>
    client.query(
      `insert into pai.runs (run_id, region, scope, first_seen_at, updated_at, observed_at, revision)
         select 'run-' || n, 'cn-a', 'cn-a:1', now(), now(), now(), 1 from generate_series(${from}, ${to}) n;
       insert into pai.change_events (entity, entity_id, region, scope, kind, observed_at)
         select 'run', 'run-' || n, 'cn-a', 'cn-a:1', 'discovered', now() from generate_series(${from}, ${to}) n`,
    );
  await both(1, 20_000);
  let writes = 0;
  let isOver = false;
  const writing = (async () => {
    for (; !isOver; writes += 1) await both(100_000 + writes * 10, 100_009 + writes * 10);
  })();
  const directory = await exported(url);
  isOver = true;
  await writing;
  const { tables } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  const rows = (name: string) => tables.find(({ table }: { table: string }) => table === name).rows;
  expect(writes).toBeGreaterThan(1);
  expect(rows('runs')).toBe(rows('change_events'));
});

test('killed in the middle it leaves no manifest and no table under its final name that is not whole', async () => {
  const { url } = await createDatabase();
  const client = await connect(url);
  await client.query(
    `insert into pai.pipeline_runs (pipeline_run_id, name, region, scope, first_seen_at, updated_at, observed_at, revision)
     select 'flow-' || n, repeat(md5(n::text), 8), 'cn-a', 'cn-a:1', now(), now(), now(), 1 from generate_series(1, 60000) n`,
  );
  const directory = join(emptyDirectory(), 'export');
  const cli = startCli(['export', '--out', directory], { env: { DATABASE_URL: url } });
  await expect
    .poll(() => readdir(directory).catch(() => []), { interval: 5 })
    .toContain('pipeline_runs.csv.gz.partial');
  cli.child.kill('SIGKILL');
  await cli.exited;
  expect(await readdir(directory)).not.toContain('manifest.json');
  expect(await readdir(directory)).not.toContain('pipeline_runs.csv.gz');
  const { code, stdout } = await runCommand(['export', '--verify', directory]);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/expected a finished export/)]);
  expect(await run(['--out', directory], url)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/found .* in it, expected an empty directory/),
  });
});

test.each([
  [[], /expected --out DIR/],
  [['--verify', 'x', '--out', 'y'], /found --out beside it/],
  [['--out', 'y', '--from', 'monday'], /--from: found monday, expected a day or a time/],
  [['--out', 'y', '--from', '2026-02-01', '--to', '2026-01-01'], /expected --from to be earlier/],
  [['--out', 'y', '--format', 'parquet'], /Allowed choices are csv/],
  [['--out', 'y', '--scope', 'nowhere'], /found nowhere, expected region:workspaceId/],
])('export %j is wrong usage', async (args, message) => {
  const { code, stderr } = await runCommand(['export', ...args]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
