/** Whole requests to the status page, by the server of the service: the questions to the database and the HTML from them. */
import type pg from 'pg';
import { pageRoutes } from '../../src/http/page/routes.js';
import { createServer } from '../../src/http/server.js';
import { pageData } from '../../src/store/page/page-data.js';
import { ReadDatabase } from '../../src/store/read-database.js';
import { silentLogger } from '../../src/util/logger.js';
import { BenchError } from '../failure.js';
import { percentile } from '../statistics.js';
import { WORST_EXPERIMENT, WORST_NODES, WORST_RUN } from './worst-sql.js';

/** Every page, and the searches that have most to look at; `$name` is a place that the mirror is asked for. */
const PATHS: readonly (readonly [name: string, path: string])[] = [
  ['overview, 24 hours', '/'],
  ['overview, 7 days', '/?range=7d'],
  ['overview, 30 days', '/?range=30d'],
  ['overview, 90 days', '/?range=90d'],
  ['runs, newest', '/runs'],
  ['runs, a page from the middle', '/runs?after=$middle~'],
  ['runs, the last page', '/runs?after=$oldest~'],
  ['runs that failed', '/runs?outcome=failed'],
  ['runs that are active', '/runs?outcome=active'],
  ['runs of a workspace', '/runs?workspace=cn-bench:10001'],
  ['runs of a workspace that has none', '/runs?workspace=cn-bench:1'],
  ['runs of a user that failed', '/runs?user=200003&outcome=failed'],
  ['runs by a part of the name', '/runs?q=pipeline+3'],
  ['runs by a name that none has', '/runs?q=no-run-is-called-so'],
  ['the same, of the pipeline with most runs', '/runs?q=no-run-is-called-so&pipeline=$pipeline'],
  ['runs with an outcome that none has', '/runs?outcome=deleted'],
  ['runs by the beginning of an id', '/runs?q=flow-abcd'],
  ['one run', '/runs/$run'],
  ['a run of 5,000 nodes', `/runs/${WORST_RUN}`],
  ['the last of its nodes', `/runs/${WORST_RUN}?nodes=${WORST_NODES - 100}`],
  ['its manifest, half a megabyte', `/runs/${WORST_RUN}/manifest`],
  ['experiments', '/experiments'],
  ['one experiment', '/experiments/exp-7'],
  ['an experiment of 100,000 points', `/experiments/${WORST_EXPERIMENT}`],
  ['mirror', '/mirror'],
  ['mirror, failed passes', '/mirror?passes=failed'],
  ['quarantine of 50,000 items', '/quarantine'],
  ['the last page of it', '/quarantine?show=all&before=$item'],
];

/** Milliseconds. */
export interface TimedPage {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** The first time; those after it are the others. */
  readonly first: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Of CPU a request: all processes of the server of the database, and this one, which asks as well; null where that cannot be seen. */
  readonly databaseCpu: number | null;
  readonly ownCpu: number;
}

interface Asking {
  readonly databaseUrl: string;
  /** `$run` of the paths. */
  readonly run: string;
  readonly repeat: number;
  /** Of the server of the database, so far. */
  readonly cpuSeconds: () => Promise<number | null>;
}

/** One request at a time. An answer that is no page ends it. */
export async function timePages({ databaseUrl, run, repeat, cpuSeconds }: Asking): Promise<TimedPage[]> {
  const database = new ReadDatabase({ connectionString: databaseUrl, logger: silentLogger });
  const server = await createServer({
    access: { host: '127.0.0.1', token: null },
    routes: [pageRoutes({ data: pageData(() => database.pool), logger: silentLogger })],
    logger: silentLogger,
  });
  try {
    const url = await server.listen(0);
    const places = { ...(await placesOf(database.pool)), run };
    const timed: TimedPage[] = [];
    for (const [name, path] of PATHS) {
      const filled = path.replace(/\$(\w+)/, (_, place: keyof typeof places) => encodeURIComponent(places[place]));
      timed.push(await timePage(name, url, filled, repeat, cpuSeconds));
    }
    return timed;
  } finally {
    await server.close();
    await database.close();
  }
}

interface Places {
  readonly middle: string;
  readonly oldest: string;
  readonly pipeline: string;
  readonly item: string;
}

async function placesOf(pool: pg.Pool): Promise<Places> {
  const text = (time: string): string => `to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  const { rows } = await pool.query<Places>(
    `select ${text(`now() - interval '45 days'`)} as middle,
       (select ${text(`min(created_at) + interval '5 minutes'`)} from analytics.pipeline_runs) as oldest,
       (select pipeline_id from analytics.pipelines order by runs desc limit 1) as pipeline,
       (select (min(id) + 60)::text from analytics.mirror_quarantine) as item`,
  );
  return rows[0] as Places;
}

async function timePage(
  name: string,
  url: string,
  path: string,
  repeat: number,
  cpuSeconds: Asking['cpuSeconds'],
): Promise<TimedPage> {
  let bytes = 0;
  const once = async (): Promise<number> => {
    const begun = performance.now();
    const answer = await fetch(`${url}${path}`);
    bytes = (await answer.text()).length;
    if (answer.status !== 200) throw new BenchError(`${name}: found status ${answer.status}, expected 200`);
    return performance.now() - begun;
  };
  const first = await once();
  const samples: number[] = [];
  const [database, own] = [await cpuSeconds(), process.cpuUsage()];
  for (let turn = 0; turn < repeat; turn += 1) samples.push(await once());
  const { user, system } = process.cpuUsage(own);
  const after = await cpuSeconds();
  return {
    name,
    path,
    bytes,
    first,
    p50: percentile(samples, 50),
    p95: percentile(samples, 95),
    max: Math.max(...samples),
    databaseCpu: database === null || after === null ? null : ((after - database) * 1_000) / repeat,
    ownCpu: (user + system) / 1_000 / repeat,
  };
}
