/** Whole requests to the status page, by the server of the service: the questions to the database and the HTML from them. */
import { pageRoutes } from '../../src/http/page/routes.js';
import { createServer } from '../../src/http/server.js';
import { pageData } from '../../src/store/page/page-data.js';
import { ReadDatabase } from '../../src/store/read-database.js';
import { silentLogger } from '../../src/util/logger.js';
import { BenchError } from '../failure.js';
import { median } from '../statistics.js';
import type { Timed } from './time-questions.js';

/** Every page, and the searches that have most to look at. */
const PATHS: readonly (readonly [name: string, path: string])[] = [
  ['overview, 24 hours', '/'],
  ['overview, 7 days', '/?range=7d'],
  ['overview, 30 days', '/?range=30d'],
  ['overview, 90 days', '/?range=90d'],
  ['runs, newest', '/runs'],
  ['runs, a page from the middle', '/runs?after=$middle~'],
  ['runs that failed', '/runs?outcome=failed'],
  ['runs that are active', '/runs?outcome=active'],
  ['runs of a workspace', '/runs?workspace=cn-bench:10001'],
  ['runs of a user that failed', '/runs?user=200003&outcome=failed'],
  ['runs by a part of the name', '/runs?q=pipeline+3'],
  ['runs by a name that none has', '/runs?q=no-run-is-called-so'],
  ['runs with an outcome that none has', '/runs?outcome=deleted'],
  ['runs by the beginning of an id', '/runs?q=flow-abcd'],
  ['one run', '/runs/$run'],
  ['experiments', '/experiments'],
  ['one experiment', '/experiments/exp-7'],
  ['mirror', '/mirror'],
  ['mirror, failed passes', '/mirror?passes=failed'],
  ['quarantine', '/quarantine'],
];

/** Warm, one at a time; `rows` is the size of the answer in bytes. An answer that is no page ends it. */
export async function timePage(databaseUrl: string, run: string, repeat: number): Promise<Timed[]> {
  const database = new ReadDatabase({ connectionString: databaseUrl, logger: silentLogger });
  const server = await createServer({
    access: { host: '127.0.0.1', token: null },
    routes: [pageRoutes({ data: pageData(() => database.pool), logger: silentLogger })],
    logger: silentLogger,
  });
  try {
    const url = await server.listen(0);
    const middle = `${new Date(Date.now() - 45 * 86_400_000).toISOString().slice(0, 23)}000Z`;
    const timed: Timed[] = [];
    for (const [name, path] of PATHS)
      timed.push(await timeRequest(name, `${url}${path.replace('$middle', middle).replace('$run', run)}`, repeat));
    return timed;
  } finally {
    await server.close();
    await database.close();
  }
}

async function timeRequest(name: string, url: string, repeat: number): Promise<Timed> {
  let rows = 0;
  const once = async (): Promise<number> => {
    const begun = performance.now();
    const answer = await fetch(url);
    rows = (await answer.text()).length;
    if (answer.status !== 200) throw new BenchError(`${name}: found status ${answer.status}, expected 200`);
    return performance.now() - begun;
  };
  const first = await once();
  const samples: number[] = [];
  for (let turn = 0; turn < repeat; turn += 1) samples.push(await once());
  return {
    group: 'page',
    name,
    sql: url,
    rows,
    first,
    median: median(samples),
    worst: Math.max(...samples),
    plan: null,
  };
}
