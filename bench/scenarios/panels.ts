/**
 * Every query of every dashboard, and the views by themselves, over a long history: each within 300 ms; and every page of
 * the status page, each within 200 ms.
 */
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import type pg from 'pg';
import { readerAddress } from '../../src/store/reader-address.js';
import { vacuum } from '../database.js';
import { BenchError } from '../failure.js';
import type { Figure } from '../figures.js';
import type { Lab, Outcome, OutcomeTable } from '../lab.js';
import { fillMirror, refreshAll, type Step } from '../panels/fill.js';
import { type TimedPage, timePages } from '../panels/page-requests.js';
import { panelQuestions, type Question, viewQuestions } from '../panels/questions.js';
import { type Timed, timeQuestion } from '../panels/time-questions.js';
import { WORST } from '../panels/worst-sql.js';
import { runCommand } from '../processes.js';
import { type BenchDatabase, createDatabase, ROOT_WITHOUT_ENV, settleServer, withClient } from '../server.js';

/** Milliseconds: what people take for at once. */
const GOAL_MS = 300;
const PAGE_GOAL_MS = 200;
/** Pages take so many more turns than panels: they are quick, and their 95th percentile is told. */
const PAGE_REPEATS = 4;

/** A run with everything: it failed not long ago, and its outputs and details were fetched. */
const RUN = `
  select r.pipeline_run_id as id from analytics.pipeline_runs r
  where r.outcome = 'failed' and exists (select from analytics.node_outputs o where o.pipeline_run_id = r.pipeline_run_id)
  order by r.created_at desc limit 1`;

interface Filled {
  readonly steps: readonly Step[];
  readonly buckets: number;
  readonly refreshSeconds: number;
}

export async function panelsScenario(lab: Lab): Promise<Outcome> {
  const database = await createDatabase(lab.cleanup, lab.server);
  // First, so that what keeps the reader out is not found out a quarter of an hour later.
  const address = await loginAsReader(lab, database);
  const filled = await fill(lab, database);
  await settleServer(lab.server.adminUrl);
  const begun = loadavg()[0] ?? 0;
  const panels = await ask(lab, address, (client, run) =>
    panelQuestions(async (sql) => (await client.query(sql)).rows, run, new Date()),
  );
  const views = await ask(lab, address, async (_, run) => viewQuestions(run));
  const pages = await askPages(lab, database);
  const loads = [begun, loadavg()[0] ?? 0] as const;
  return {
    figures: [...figuresOf(lab, filled, panels, views), pageFigure(lab, pages)],
    notes: notesOf(filled, [...panels, ...views], loads),
    tables: [tableOf('Panels', panels), tableOf('Views', views), pagesTable(pages)],
    raw: { ...filled, panels, views, pages },
  };
}

async function fill(lab: Lab, database: BenchDatabase): Promise<Filled> {
  const { panelRuns: runs, panelNodes, panelActive: active } = lab.options;
  lab.tell(`filling a mirror of ${runs.toLocaleString('en-US')} runs`);
  const sizes = {
    runs,
    active: Math.min(active, Math.floor(runs / 4)),
    nodesPerRun: Math.max(1, Math.round(panelNodes / runs)),
  };
  const filled = await withClient(database.url, async (client) => {
    const steps = await fillMirror(client, sizes, lab.tell);
    const begun = performance.now();
    const buckets = await refreshAll(client);
    return { steps, buckets, refreshSeconds: (performance.now() - begun) / 1_000 };
  });
  lab.tell(`  sums of ${filled.buckets.toLocaleString('en-US')} quarter hours: ${filled.refreshSeconds.toFixed(1)} s`);
  await vacuum(database.url);
  return filled;
}

/** `address`: with the login, and so with the settings, that a data source of Grafana gets. */
async function ask(
  lab: Lab,
  address: string,
  questionsOf: (client: pg.Client, run: string) => Promise<readonly Question[]>,
): Promise<Timed[]> {
  return withClient(address, async (client) => {
    const { rows } = await client.query<{ id: string }>(RUN);
    if (rows[0] === undefined) throw new BenchError('the mirror holds no failed run with outputs: expected one');
    const timed: Timed[] = [];
    for (const question of await questionsOf(client, rows[0].id)) {
      lab.tell(`  ${question.group}: ${question.name}`);
      timed.push(await timeOrFail(client, question, lab));
    }
    return timed;
  });
}

/** As the mirror's own role, as in the service. */
async function askPages(lab: Lab, { url }: BenchDatabase): Promise<TimedPage[]> {
  lab.tell('  pages');
  const run = await withClient(url, async (client) => {
    for (const sql of WORST) await client.query(sql);
    return (await client.query<{ id: string }>(RUN)).rows[0]?.id ?? '';
  });
  const repeat = PAGE_REPEATS * lab.options.panelRepeat;
  return timePages({ databaseUrl: url, run, repeat, cpuSeconds: () => lab.server.cpuSeconds() });
}

const pageFigure = (lab: Lab, pages: readonly TimedPage[]): Figure => ({
  scenario: 'panels',
  name: `slowest of ${pages.length} pages over ${lab.options.panelRuns.toLocaleString('en-US')} runs, ms`,
  measured: Math.max(...pages.map(({ p50 }) => p50)),
  floor: null,
  floorName: '',
  goal: { of: 'measured', atMost: PAGE_GOAL_MS },
});

/** One that fails, such as by the reader's time limit, has taken for ever; the others are worth knowing all the same. */
async function timeOrFail(client: pg.Client, question: Question, lab: Lab): Promise<Timed> {
  try {
    return await timeQuestion(client, question, { repeat: lab.options.panelRepeat, explainAbove: GOAL_MS });
  } catch (error) {
    const plan = (error as Error).message;
    lab.tell(`  ${plan}`);
    const [first, median, worst] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    return { ...question, rows: 0, first, median, worst, plan };
  }
}

/** By the command that users have for it, which refuses to replace a login on a server of yours: READER_PASSWORD then has to be its password. */
async function loginAsReader(lab: Lab, database: BenchDatabase): Promise<string> {
  const password = process.env.READER_PASSWORD ?? randomBytes(18).toString('base64url');
  const env = { DATABASE_URL: database.url, READER_PASSWORD: password };
  await runCommand(lab.cleanup, ['reader'], { directory: ROOT_WITHOUT_ENV, env });
  return readerAddress(database.url, password);
}

const worstOf = (timed: readonly Timed[]): number => Math.max(...timed.map(({ median }) => median));

function figuresOf(lab: Lab, filled: Filled, panels: readonly Timed[], views: readonly Timed[]): Figure[] {
  const size = `${lab.options.panelRuns.toLocaleString('en-US')} runs`;
  const figure = (name: string, measured: number, atMost: number | null): Figure => ({
    scenario: 'panels',
    name,
    measured,
    floor: null,
    floorName: '',
    goal: atMost === null ? null : { of: 'measured', atMost },
  });
  return [
    figure(`slowest of ${panels.length} panel queries over ${size}, ms`, worstOf(panels), GOAL_MS),
    figure(`panel queries over ${GOAL_MS} ms`, panels.filter(({ median }) => median > GOAL_MS).length, null),
    figure(`slowest of ${views.length} questions to views over ${size}, ms`, worstOf(views), null),
    figure(`sums of all ${filled.buckets.toLocaleString('en-US')} quarter hours, s`, filled.refreshSeconds, null),
  ];
}

const ms = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? 'failed' : value.toFixed(value < 10 ? 1 : 0);

const tableOf = (title: string, timed: readonly Timed[]): OutcomeTable => ({
  title: `${title}: milliseconds`,
  headings: ['of', 'question', 'rows', 'first', 'median', 'worst', ''],
  rows: timed.map(({ group, name, rows, first, median, worst }) => [
    group,
    name,
    rows.toLocaleString('en-US'),
    ms(first),
    ms(median),
    ms(worst),
    median > GOAL_MS ? `over ${GOAL_MS}` : '',
  ]),
});

const pagesTable = (timed: readonly TimedPage[]): OutcomeTable => ({
  title: 'Pages: milliseconds, and of CPU',
  headings: ['page', 'bytes', 'first', 'p50', 'p95', 'max', 'CPU database', 'CPU page', ''],
  rows: timed.map(({ name, bytes, first, p50, p95, max, databaseCpu, ownCpu }) => [
    name,
    bytes.toLocaleString('en-US'),
    ...[first, p50, p95, max].map(ms),
    databaseCpu === null ? '–' : ms(databaseCpu),
    ms(ownCpu),
    p50 > PAGE_GOAL_MS ? `over ${PAGE_GOAL_MS}` : '',
  ]),
});

function notesOf({ steps }: Filled, timed: readonly Timed[], [before, after]: readonly [number, number]): string[] {
  const loaded = steps.map(
    ({ what, rows, seconds }) => `${what} ${rows.toLocaleString('en-US')} in ${seconds.toFixed(0)} s`,
  );
  const slow = timed.filter(({ plan }) => plan !== null).length;
  return [
    `panels: filled by SQL: ${loaded.join(', ')}`,
    `panels: as pai_reader, one query at a time, until the last row was here; ${before.toFixed(1)} processes at work when it began, ${after.toFixed(1)} at its end`,
    ...(slow > 0 ? [`panels: the JSON holds the plans (or the errors) of the ${slow} slow ones`] : []),
  ];
}
