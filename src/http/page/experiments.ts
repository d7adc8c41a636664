/** Experiments, and one experiment: its runs, the best of them, metrics as curves. */
import type {
  BestMetrics,
  Curve,
  Experiment,
  ExperimentRun,
  Part,
  RunCursor,
  StreamFreshness,
} from '../../domain/page.js';
import { experimentAddress, experimentForm, runAddress } from './addresses.js';
import { emptyList } from './empty.js';
import { type Html, html, jsonBlock } from './html.js';
import { code, facts, named, pager, section, table, waiting } from './layout.js';
import { cursorText, queryString } from './parameters.js';
import { count, counted, number, shorten, time } from './words.js';

export const EXPERIMENTS_SHOWN = 50;
export const RUNS_SHOWN = 25;
export const CURVES_SHOWN = 5;
export const MOST_CHOSEN = 8;
export const POINTS_SHOWN = 400;
export const RUNS_COMPARED = 300;
/** Metrics of one run: more are for the dashboards. */
export const KEYS_SHOWN = 20;
const METRIC_COLUMNS = 4;
const CHARTS_SHOWN = 6;

/** `streams`: what they have done so far, where there is no experiment at all. */
export function experimentsList(
  part: Part<Experiment>,
  after: RunCursor | null,
  streams: readonly StreamFreshness[] | null,
): Html {
  const last = part.rows.at(-1);
  return html`<h1>Experiments</h1>
${
  last === undefined
    ? streams !== null
      ? emptyList(streams, 'experiment-runs')
      : waiting('No older experiments', html`<a href="/experiments">The newest ones</a>`)
    : table(
        'Experiments, those with the newest runs first',
        [
          { title: 'Experiment' },
          { title: 'Runs', kind: 'number' },
          { title: 'Latest run' },
          { title: 'First run', kind: 'narrow' },
          { title: 'Workspace', kind: 'narrow' },
        ],
        part.rows.map((row) => [
          html`<a href="${experimentAddress(row.experimentId)}">${named(row.experimentId, 'without an id')}</a>`,
          count(row.runs),
          time(row.lastCreatedAt),
          time(row.firstCreatedAt),
          row.scope,
        ]),
      )
}
${pager('Pages of experiments', [
  [after === null ? null : '/experiments', 'Newest'],
  [
    part.hasMore && last !== undefined
      ? `/experiments${queryString({ after: cursorText({ createdAt: last.lastCreatedAt, id: `${last.scope} ${last.experimentId}` }) })}`
      : null,
    'Older',
  ],
])}`;
}

export interface ExperimentAnswers {
  readonly id: string;
  readonly scopes: readonly Experiment[];
  readonly runs: Part<ExperimentRun>;
  readonly after: RunCursor | null;
  readonly best: BestMetrics;
  readonly curves: readonly Curve[];
  /** Those whose curves are shown. */
  readonly chosen: readonly string[];
}

export function experimentPage(answers: ExperimentAnswers): Html {
  const { id, scopes, best } = answers;
  const total = scopes.reduce((sum, { runs }) => sum + runs, 0);
  const form = experimentForm(id);
  return html`<p class="crumbs"><a href="/experiments">Experiments</a> <span aria-hidden="true">/</span> <code>${id}</code></p>
<h1><bdi>${id}</bdi></h1>
${facts([
  ['Runs', count(total)],
  ['Workspace', scopes.map(({ scope }) => scope).join(', ')],
  [
    'Latest run',
    time(
      scopes
        .map(({ lastCreatedAt }) => lastCreatedAt)
        .sort()
        .at(-1) ?? null,
    ),
  ],
])}
${section('best', 'Best runs', bestTable(best, total))}
<form action="${form.action}" method="get">
${form.id !== null && html`<input type="hidden" name="id" value="${form.id}">`}
${answers.after !== null && html`<input type="hidden" name="after" value="${cursorText(answers.after)}">`}
${section('curves', 'Metrics over steps', curveCharts(answers))}
${section('runs', 'Runs, newest first', runsTable(answers))}
</form>`;
}

function bestTable({ metrics, compared }: BestMetrics, total: number): Html {
  if (metrics.length === 0)
    return waiting(
      compared < total ? `No metrics in ${counted(compared, 'newest run')}` : 'No metrics yet',
      'The best run of each metric appears here with the first point that a run logs.',
    );
  return html`${table(
    'The best run by each metric',
    [
      { title: 'Metric' },
      { title: 'Best', kind: 'number' },
      { title: 'Run' },
      { title: 'Better is', kind: 'narrow' },
      { title: 'Runs', kind: 'narrow number' },
    ],
    metrics.map(({ key, bestValue, bestRunId, lowerIsBetter, runs }) => [
      named(key, 'without a name'),
      number(bestValue),
      code(bestRunId),
      lowerIsBetter ? 'less' : 'more',
      count(runs),
    ]),
  )}${total > compared && html`<p class="note">Of the ${counted(compared, 'newest run')}; the view <code>experiment_metrics</code> compares all ${count(total)}.</p>`}`;
}

function curveCharts({ curves, runs }: ExperimentAnswers): Html {
  if (curves.length === 0)
    return waiting('No curves', 'Choose runs that have metrics in the list below; a curve needs points.');
  const keys = [...new Set(curves.map(({ key }) => key))];
  const names = new Map(runs.rows.map(({ runId, name }) => [runId, name]));
  const charts = keys.slice(0, CHARTS_SHOWN).map((key, index) => {
    const ofKey = curves.filter((curve) => curve.key === key);
    const series = ofKey.map(({ runId, steps, values }) => ({
      name: shorten(names.get(runId) ?? runId, 40),
      steps,
      values,
    }));
    return html`<figure class="curve"><figcaption>${named(key, 'without a name')}</figcaption><div class="chart" data-chart="curves" data-source="${`curves-${index}`}" role="img" aria-label="${`${key} over steps of ${counted(series.length, 'run')}`}"></div>${jsonBlock(`curves-${index}`, { series })}</figure>`;
  });
  return html`<div class="curves">${charts}</div>
<noscript><p class="note">Curves need JavaScript; the list below has the latest values.</p></noscript>
${keys.length > CHARTS_SHOWN && html`<p class="note">${counted(keys.length - CHARTS_SHOWN, 'more metric is', 'more metrics are')} not drawn: ${keys.slice(CHARTS_SHOWN).join(', ')}</p>`}`;
}

function runsTable({ id, runs, after, chosen }: ExperimentAnswers): Html {
  const last = runs.rows.at(-1);
  if (last === undefined) return waiting('No older runs', html`<a href="${experimentAddress(id)}">The newest ones</a>`);
  const keys = [...new Set(runs.rows.flatMap(({ metrics }) => Object.keys(metrics)))].sort().slice(0, METRIC_COLUMNS);
  return html`${table(
    'Runs of the experiment, newest first, with the latest value of each metric',
    [
      { title: 'Run' },
      ...keys.map((title) => ({ title, kind: 'number' as const })),
      { title: 'Params', kind: 'narrow' },
      { title: 'Created' },
    ],
    runs.rows.map((run) => [
      html`<label class="pick"><input type="checkbox" name="run" value="${run.runId}"${chosen.includes(run.runId) ? html` checked` : html``}> ${named(run.name, 'without a name')}</label><span class="sub">${run.runId}${run.pipelineRunId !== null && html` · <a href="${runAddress(run.pipelineRunId)}">its pipeline run</a>`}</span>`,
      ...keys.map((key) => number(run.metrics[key] ?? null)),
      html`<span class="params">${run.params.map(([key, value]) => html`<span class="param"><span class="none">${key}</span> ${shorten(value ?? '–', 30)}</span>`)}</span>`,
      time(run.createdAt),
    ]),
  )}<div class="pager"><button type="submit">Draw the chosen runs</button>${after !== null && html`<a class="button" href="${experimentAddress(id)}">Newest</a>`}${runs.hasMore && html`<a class="button" href="${experimentAddress(id, { after: cursorText({ createdAt: last.createdAt, id: last.runId }) })}">Older</a>`}</div>`;
}
