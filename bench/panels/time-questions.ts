/** Asks and takes the time. */
import type pg from 'pg';
import { median } from '../statistics.js';
import type { Question } from './questions.js';

export interface Timed extends Question {
  readonly rows: number;
  /** Milliseconds until the last row is here: of the first time, and of those after it. */
  readonly first: number;
  readonly median: number;
  readonly worst: number;
  /** EXPLAIN (ANALYZE, BUFFERS) of what took longer than `explainAbove` milliseconds; else null. */
  readonly plan: string | null;
}

/** Warm: the first of `1 + repeat` times is told apart. An error names the question. */
export async function timeQuestion(
  client: pg.Client,
  question: Question,
  { repeat, explainAbove }: { readonly repeat: number; readonly explainAbove: number },
): Promise<Timed> {
  let rows = 0;
  const once = async (): Promise<number> => {
    const begun = performance.now();
    const result = await client.query({ text: question.sql, rowMode: 'array' });
    rows = result.rows.length;
    return performance.now() - begun;
  };
  try {
    const first = await once();
    const samples: number[] = [];
    for (let turn = 0; turn < repeat; turn += 1) samples.push(await once());
    const middle = median(samples);
    const plan = middle > explainAbove ? await explain(client, question.sql) : null;
    return { ...question, rows, first, median: middle, worst: Math.max(...samples), plan };
  } catch (error) {
    throw new Error(`${question.group}, ${question.name}: ${(error as Error).message}\n${question.sql}`, {
      cause: error,
    });
  }
}

async function explain(client: pg.Client, sql: string): Promise<string> {
  const { rows } = await client.query<[string]>({ text: `explain (analyze, buffers) ${sql}`, rowMode: 'array' });
  return rows.map(([line]) => line).join('\n');
}
