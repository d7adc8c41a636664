/** The first page: is the mirror healthy, what runs now, what became of the runs. */
import type {
  ActiveRun,
  ActiveRuns,
  FailurePattern,
  OutcomeCounts,
  Step,
  StreamFreshness,
  Troubles,
} from '../../domain/page.js';
import { type Html, html, inCode, jsonBlock } from './html.js';
import { badge, named, runLink, section, table, waiting } from './layout.js';
import { judge, judgeStream, type Verdict } from './verdict.js';
import { count, counted, percent, roughly, shorten, span, time } from './words.js';

export const RANGES = {
  '24h': { label: '24 hours', step: 'hour', count: 24, days: 1 },
  '7d': { label: '7 days', step: 'hour', count: 168, days: 7 },
  '30d': { label: '30 days', step: 'day', count: 30, days: 30 },
  '90d': { label: '90 days', step: 'day', count: 90, days: 90 },
} as const satisfies Record<string, { label: string; step: Step; count: number; days: number }>;

export type Range = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as Range[];
export const FIRST_RANGE: Range = '24h';

export const ACTIVE_SHOWN = 5;
export const FAILURES_SHOWN = 6;
/** Patterns of a longer time are for the dashboards: they took longer than the rest of the page. */
export const FAILURES_DAYS = 7;
const FINDINGS_SHOWN = 8;
const SCOPES_SHOWN = 12;

export interface OverviewAnswers {
  readonly streams: readonly StreamFreshness[];
  readonly troubles: Troubles;
  readonly active: ActiveRuns;
  readonly range: Range;
  readonly series: readonly OutcomeCounts[];
  readonly failures: readonly FailurePattern[];
}

export function overview(answers: OverviewAnswers): Html {
  const { streams, troubles, active, series } = answers;
  const verdict = judge(streams, troubles);
  return html`<h1 class="hidden">Overview</h1>
${banner(verdict)}
${tiles(answers)}
${section('now', 'Running now', runningNow(active, streams.length === 0), active.total > active.runs.length && html`<a href="/runs?outcome=active">all ${count(active.total)}</a>`)}
${section('time', 'Runs over time', overTime(answers.range, series), rangeLinks(answers.range))}
${section('failures', `Why runs failed, last ${failureDays(answers.range) === 1 ? '24 hours' : `${FAILURES_DAYS} days`}`, failuresList(answers))}
${section('streams', 'How fresh each stream is', freshnessTable(streams, SCOPES_SHOWN), html`<a href="/mirror">more about the mirror</a>`)}`;
}

export const banner = (
  verdict: Verdict,
): Html => html`<section class="verdict v-${verdict.level}" aria-labelledby="verdict">
<h2 id="verdict">${verdict.headline}</h2>
<p>${inCode(verdict.summary)}</p>
${verdict.findings.length > 0 && html`<ul class="findings">${verdict.findings.slice(0, FINDINGS_SHOWN).map(finding)}</ul>`}
${verdict.findings.length > FINDINGS_SHOWN && html`<p><a href="/mirror">${counted(verdict.findings.length - FINDINGS_SHOWN, 'more finding')}</a></p>`}
</section>`;

const finding = ({ level, text, detail, link }: Verdict['findings'][number]): Html =>
  html`<li class="v-${level}">${link === null ? text : html`<a href="${link}">${text}</a>`}${detail !== null && html`<span class="detail">${shorten(detail, 240)}</span>`}</li>`;

const sum = (series: readonly OutcomeCounts[], pick: (counts: OutcomeCounts) => number): number =>
  series.reduce((total, counts) => total + pick(counts), 0);

const allOf = ({ succeeded, failed, terminated, skipped, active, lost }: OutcomeCounts): number =>
  succeeded + failed + terminated + skipped + active + lost;

function tiles({ active, troubles, range, series }: OverviewAnswers): Html {
  const [succeeded, failed] = [sum(series, (counts) => counts.succeeded), sum(series, (counts) => counts.failed)];
  const { label } = RANGES[range];
  const since = `from=${series[0]?.at.slice(0, 10) ?? ''}`;
  const tile = (href: string, value: string, text: string, tone = ''): Html =>
    html`<li><a class="tile ${tone}" href="${href}"><span class="value">${value}</span><span class="text">${text}</span></a></li>`;
  return html`<ul class="tiles" aria-label="Numbers">
${tile('/runs?outcome=active', count(active.total), 'active now')}
${tile('/runs?outcome=active', count(active.stuck), 'longer than usual', active.stuck > 0 ? 'warn' : '')}
${tile(`/runs?${since}`, count(sum(series, allOf)), `runs in ${label}`)}
${tile(`/runs?outcome=failed&${since}`, count(failed), `failed in ${label}`, failed > 0 ? 'fail' : '')}
${tile(`/?range=${range}#time`, percent(succeeded, succeeded + failed), 'success rate')}
${tile('/quarantine', count(troubles.quarantined), 'in quarantine', troubles.quarantined > 0 ? 'warn' : '')}
</ul>`;
}

function runningNow({ runs }: ActiveRuns, isNew: boolean): Html {
  if (runs.length === 0)
    return isNew
      ? waiting('No runs yet', 'They appear here while the first pass reads them, the newest first.')
      : waiting('Nothing runs at the moment', 'Runs appear here as soon as PAI lists them.');
  return table(
    'Active runs, those that take longer than usual first',
    [
      { title: 'Run' },
      { title: 'Status' },
      { title: 'So far', kind: 'number' },
      { title: 'Usual for its pipeline', kind: 'narrow' },
      { title: 'At work', kind: 'narrow' },
      { title: 'Workspace', kind: 'narrow' },
    ],
    runs.map((run) => [
      html`${runLink(run.id, run.name)}<span class="sub">${run.id}</span>`,
      html`${badge('active', run.status)}${run.isStuck && html` <span class="badge o-stuck">stuck?</span>`}`,
      span(run.elapsedSeconds),
      usual(run),
      run.runningNodes === null ? html`<span class="none">–</span>` : html`<bdi>${shorten(run.runningNodes, 60)}</bdi>`,
      run.scope,
    ]),
  );
}

/** A bar of how far it is for a run of its pipeline: full at the 95th percentile. */
function usual({ elapsedSeconds, p50Seconds, p95Seconds, comparedRuns, isStuck }: ActiveRun): Html {
  if (p50Seconds === null || p95Seconds === null) return html`<span class="none">nothing to compare with</span>`;
  const share = Math.min(100, (100 * (elapsedSeconds ?? 0)) / Math.max(1, p95Seconds));
  return html`<span class="usual"><svg class="meter" width="72" height="8" aria-hidden="true"><rect class="meter-back" width="72" height="8" rx="4"/><rect class="${isStuck ? 'meter-over' : 'meter-fill'}" width="${(0.72 * share).toFixed(1)}" height="8" rx="4"/></svg> ${span(p50Seconds)} to ${span(p95Seconds)}</span><span class="hidden"> (median and 95th percentile of ${counted(comparedRuns, 'run')})</span>`;
}

const rangeLinks = (chosen: Range): Html =>
  html`<ul class="choices" aria-label="Range of time">${RANGE_NAMES.map((name) => html`<li><a href="/?range=${name}#time"${name === chosen ? html` aria-current="true"` : html``}>${RANGES[name].label}</a></li>`)}</ul>`;

export const failureDays = (range: Range): number => Math.min(RANGES[range].days, FAILURES_DAYS);

const SERIES = ['succeeded', 'failed', 'terminated', 'skipped', 'lost', 'active'] as const;

function overTime(range: Range, series: readonly OutcomeCounts[]): Html {
  const total = sum(series, allOf);
  const { label, step } = RANGES[range];
  if (total === 0)
    return waiting(
      `No runs in the last ${label}`,
      'A run counts in the time of its creation. Choose a longer range, or wait for the first one.',
    );
  const data = {
    step,
    times: series.map(({ at }) => Math.floor(Date.parse(`${at.slice(0, 19)}Z`) / 1000)),
    series: SERIES.map((name) => ({ name, values: series.map((counts) => counts[name]) })).filter(
      ({ values, name }) => name === 'succeeded' || name === 'failed' || values.some((value) => value > 0),
    ),
  };
  return html`<figure><div class="chart" data-chart="outcomes" data-source="outcomes-data" role="img" aria-label="${`Runs by outcome each ${step} of the last ${label}: ${count(total)} in all. The table below has the numbers.`}"></div>
<noscript><p class="note">The chart needs JavaScript; the table below has the same numbers.</p></noscript></figure>
${jsonBlock('outcomes-data', data)}
<details><summary>The numbers as a table</summary>${countsTable(series, step)}</details>`;
}

const countsTable = (series: readonly OutcomeCounts[], step: Step): Html =>
  table(
    `Runs created each ${step}`,
    [
      { title: step === 'hour' ? 'Hour' : 'Day (UTC)' },
      ...[...SERIES, 'all'].map((title) => ({ title, kind: 'number' as const })),
    ],
    series
      .filter((counts) => allOf(counts) > 0)
      .toReversed()
      .map((counts) => [
        step === 'hour' ? time(counts.at) : counts.at.slice(0, 10),
        ...SERIES.map((name) => count(counts[name])),
        count(allOf(counts)),
      ]),
  );

function failuresList({ failures, range, series }: OverviewAnswers): Html {
  const label = failureDays(range) === 1 ? '24 hours' : `${FAILURES_DAYS} days`;
  if (failures.length === 0)
    return waiting(
      series.length > 0 && sum(series, allOf) > 0 ? `No run of the last ${label} failed` : 'No failures to explain',
      'Failed runs are put together by their messages, without what differs from run to run.',
    );
  return table(
    `Failed runs of the last ${label} by the pattern of their message`,
    [
      { title: 'Message, without ids and numbers' },
      { title: 'Runs', kind: 'number' },
      { title: 'Latest', kind: 'narrow' },
    ],
    failures.map(({ pattern, runs, lastRunId }) => [
      html`<span class="message">${named(pattern === null ? null : shorten(pattern, 200), 'without a message')}</span>`,
      count(runs),
      lastRunId === null ? '–' : runLink(lastRunId, lastRunId),
    ]),
  );
}

export const STREAM_TITLES: readonly (readonly [stream: string, title: string])[] = [
  ['pipeline-runs', 'Runs'],
  ['status', 'Status'],
  ['nodes', 'Nodes'],
  ['details', 'Details'],
  ['experiment-runs', 'Experiments'],
  ['reconcile', 'Reconcile'],
];

const WORST = ['bad', 'warning', 'waiting', 'good'];

/** A row a workspace, a column a stream; workspaces with something wrong first. */
export function freshnessTable(streams: readonly StreamFreshness[], most: number): Html {
  if (streams.length === 0)
    return waiting('No stream has begun yet', 'Each has its place here from its first pass on.');
  const scopes = new Map<string, StreamFreshness[]>();
  for (const stream of streams) scopes.set(stream.scope, [...(scopes.get(stream.scope) ?? []), stream]);
  const rank = (rows: readonly StreamFreshness[]): number =>
    Math.min(...rows.map((row) => WORST.indexOf(judgeStream(row).level)));
  const ordered = [...scopes].sort(([, one], [, other]) => rank(one) - rank(other));
  return html`${table(
    'Time since each stream of each workspace was last complete',
    [{ title: 'Workspace' }, ...STREAM_TITLES.map(([, title]) => ({ title }))],
    ordered
      .slice(0, most)
      .map(([scope, rows]) => [
        scope,
        ...STREAM_TITLES.map(([name]) => streamCell(rows.find(({ stream }) => stream === name))),
      ]),
  )}${ordered.length > most && html`<p class="note"><a href="/mirror">${counted(ordered.length - most, 'more workspace')}</a></p>`}`;
}

function streamCell(stream: StreamFreshness | undefined): Html {
  if (stream === undefined) return html`<span class="none">not begun</span>`;
  const { level, word, sentence } = judgeStream(stream);
  return html`<span class="state v-${level}" title="${`${stream.stream} ${sentence}`}">${word}${stream.isRunning && html`<span class="pulse" aria-hidden="true"></span><span class="hidden">, a pass is under way</span>`}</span>`;
}

export const ageText = (seconds: number | null): string => (seconds === null ? 'never' : `${roughly(seconds)} ago`);
