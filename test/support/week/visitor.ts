/** A person who looks at the status page all the time: every page, runs and experiments that are there at the moment. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import { ask } from '../http.js';

export interface Visitor {
  /** Answers by page and status, such as `/runs/:id 200`. */
  readonly answers: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const PAGES = ['/', '/runs', '/runs?outcome=failed', '/runs?q=training', '/experiments', '/mirror', '/quarantine'];

/** One page after the other, with a pause between them, until `stop` or the end of the test. */
export function visit(url: string, pool: Pool, pauseMs: number): Visitor {
  const answers = new Map<string, number>();
  const ending = new AbortController();
  const look = async (page: string, address: string): Promise<void> => {
    const { status, text } = await ask(`${url}${address}`);
    // A page that breaks off in the middle was answered with 200 as well.
    const outcome = status === 200 && !text.trimEnd().endsWith('</html>') ? 'cut' : status;
    const key = `${page} ${outcome}`;
    answers.set(key, (answers.get(key) ?? 0) + 1);
    await delay(pauseMs, undefined, { signal: ending.signal });
  };
  const round = async (): Promise<void> => {
    for (const page of PAGES) await look(page, page);
    for (const id of await someIds(pool, 'select pipeline_run_id as id from pai.pipeline_runs'))
      await look('/runs/:id', `/runs/${encodeURIComponent(id)}`);
    for (const id of await someIds(pool, 'select distinct experiment_id as id from pai.runs'))
      await look('/experiments/:id', `/experiments/${encodeURIComponent(id)}`);
  };
  const work = (async () => {
    while (!ending.signal.aborted) {
      await round().catch((error: unknown) => {
        if (!ending.signal.aborted) answers.set(String(error), (answers.get(String(error)) ?? 0) + 1);
      });
    }
  })();
  const stop = async (): Promise<void> => {
    ending.abort();
    await work;
  };
  onTestFinished(stop);
  return { answers, stop };
}

async function someIds(pool: Pool, sql: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(`select id from (${sql}) ids order by random() limit 3`);
  return rows.map(({ id }) => id);
}
