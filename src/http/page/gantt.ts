/**
 * The nodes of a run as bars over time, in a table: a row a node, its bar in the last cell. So the chart and the table that
 * says the same in words are one, and stay so on a phone. Bars are SVG in percent: no script, no inline style.
 */
import type { Instant } from '../../domain/entities.js';
import { instantToMillis } from '../../domain/instant.js';
import type { RunNode } from '../../domain/page.js';
import { type Html, html } from './html.js';
import { badge, named } from './layout.js';
import { span } from './words.js';

export interface Axis {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Seconds since `from`, ascending, the first is 0. */
  readonly ticks: readonly number[];
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Round steps, five or fewer of them. */
const MOST_TICKS = 5;

/** From the earliest start to the latest end, or to `now` while something has no end. Null: nothing has started. */
export function axisOf(
  nodes: readonly Pick<RunNode, 'startedAt' | 'finishedAt' | 'outcome'>[],
  now: Instant,
): Axis | null {
  const started = nodes.filter(({ startedAt }) => startedAt !== null);
  if (started.length === 0) return null;
  const starts = started.map(({ startedAt }) => instantToMillis(startedAt as Instant));
  const ends = started.map((node) => endOf(node, now));
  const from = starts.reduce((least, one) => Math.min(least, one));
  const to = Math.max(
    from + 1_000,
    ends.reduce((most, one) => Math.max(most, one)),
  );
  const seconds = (to - from) / 1_000;
  const step = STEPS.find((one) => seconds / one <= MOST_TICKS) ?? Math.ceil(seconds / MOST_TICKS);
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
  return { from, to, ticks };
}

/** An active node is drawn until now; one that has ended without a time of its end is a mark at its start. */
function endOf(
  { startedAt, finishedAt, outcome }: Pick<RunNode, 'startedAt' | 'finishedAt' | 'outcome'>,
  now: Instant,
): number {
  const start = instantToMillis(startedAt as Instant);
  if (finishedAt !== null) return Math.max(start, instantToMillis(finishedAt));
  return outcome === 'active' ? Math.max(start, instantToMillis(now)) : start;
}

const place = (millis: number, { from, to }: Axis): string => ((100 * (millis - from)) / (to - from)).toFixed(3);

/** The least width, percent: what took no time is seen. */
const LEAST = 0.4;

export function bar(node: RunNode, axis: Axis, now: Instant): Html {
  const grid = axis.ticks.map((tick) => {
    const x = place(axis.from + tick * 1_000, axis);
    return html`<line class="grid" x1="${x}%" x2="${x}%" y1="0" y2="100%"/>`;
  });
  return html`<svg class="bar" width="100%" height="22" aria-hidden="true">${grid}${node.startedAt !== null && rect(node, axis, now)}</svg>`;
}

function rect(node: RunNode, axis: Axis, now: Instant): Html {
  const start = Number(place(instantToMillis(node.startedAt as Instant), axis));
  const width = Math.max(LEAST, Number(place(endOf(node, now), axis)) - start);
  const x = Math.min(start, 100 - LEAST);
  return html`<rect class="b-${node.outcome}${node.isRoot && ' b-root'}" x="${x.toFixed(3)}%" y="${node.isRoot ? 8 : 4}" width="${Math.min(width, 100 - x).toFixed(3)}%" height="${node.isRoot ? 6 : 14}" rx="3"/>`;
}

const axisHead = (axis: Axis): Html => {
  const labels = axis.ticks.map((tick, index) => {
    const x = place(axis.from + tick * 1_000, axis);
    const anchor = index === 0 ? 'start' : Number(x) > 92 ? 'end' : 'middle';
    return html`<text x="${x}%" y="13" text-anchor="${anchor}">${tick === 0 ? '0' : span(tick)}</text>`;
  });
  return html`<span class="hidden">Bar over time</span><svg class="axis" width="100%" height="18" aria-hidden="true">${labels}</svg>`;
};

const outcomeWords = (node: RunNode): Html => badge(node.outcome, node.status);

export function gantt(nodes: readonly RunNode[], axis: Axis | null, now: Instant): Html {
  const rows = nodes.map(
    (node) => html`<tr role="row">
<th scope="row" role="rowheader">${named(node.name, 'without a name')}${node.isRoot && html`<span class="tag">whole run</span>`}${node.isCritical && html`<span class="tag">longest</span>`}<span class="sub">${node.nodeId}${node.nodeType !== 'Logical' && ` · ${node.nodeType}`}</span></th>
<td role="cell">${outcomeWords(node)}</td>
<td role="cell" class="number narrow">${startOf(node, axis)}</td>
<td role="cell" class="number">${span(node.runSeconds)}</td>
<td role="cell" class="bars">${axis === null ? html`<span class="none">–</span>` : bar(node, axis, now)}</td>
</tr>
`,
  );
  return html`<div class="scroll" role="region" aria-label="Nodes over time" tabindex="0"><table class="gantt" role="table">
<caption class="hidden">Nodes in the order of their start, with their times as bars</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Node</th><th scope="col" role="columnheader">Status</th><th scope="col" role="columnheader" class="number narrow">Starts after</th><th scope="col" role="columnheader" class="number">Took</th><th scope="col" role="columnheader" class="bars">${axis === null ? 'Time' : axisHead(axis)}</th></tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></div>`;
}

const startOf = ({ startedAt }: RunNode, axis: Axis | null): string =>
  startedAt === null || axis === null ? '–' : span(Math.round((instantToMillis(startedAt) - axis.from) / 1_000));
