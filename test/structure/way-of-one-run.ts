/**
 * The picture docs/images/way-of-one-run.svg, made from the names of the streams. Plain SVG, with no font of its own; on a
 * ground of its own, so that it reads the same in a light and in a dark page, and follows the reader's scheme where it can.
 */
import type { Stream } from '../../src/domain/streams.js';

interface Step {
  readonly calls: readonly string[];
  readonly does: readonly string[];
  readonly writes: readonly string[];
}

/** By stream, in the order in which a run goes through them. */
export const STEPS: { readonly [stream in Stream]: Step } = {
  'pipeline-runs': {
    calls: ['ListPipelineRuns'],
    does: ['what is new or modified,', 'down to the watermark'],
    writes: ['pipeline_runs'],
  },
  status: {
    calls: ['ListPipelineRunsStatus', '(runs, 100 a call)'],
    does: ['every run that has not ended,', 'wherever the watermark is'],
    writes: ['pipeline_runs:', 'status, deleted_at'],
  },
  nodes: {
    calls: ['ListPipelineRunNodeStatus', 'ListPipelineRunsStatus (nodes)'],
    does: ['the tree of every run that', 'changed; nodes under way'],
    writes: ['pipeline_run_nodes', 'node_outputs'],
  },
  details: {
    calls: ['GetPipelineRun'],
    does: ['manifest and arguments,', 'again after a change'],
    writes: ['pipeline_run_details'],
  },
  'experiment-runs': {
    calls: ['ListRuns'],
    does: ['the latest week, again', 'and again'],
    writes: ['runs, run_params,', 'run_labels, run_metrics'],
  },
  reconcile: {
    calls: ['ListPipelineRuns, ListRuns', 'GetPipelineRun (who is absent)'],
    does: ['everything once more:', 'count, repair, report'],
    writes: ['repairs; missing_since,', 'deleted_at'],
  },
};

const WIDTH = 1040;
const ROW = 66;
const TOP = 112;
const BOX = 50;
const COLUMNS = { calls: 20, gate: 262, stream: 316, commit: 666, writes: 720 };
const WIDTHS = { calls: 220, stream: 330, writes: 260 };
const BAR = 30;
/** Where what stands in the right column ends. */
const EDGE = COLUMNS.writes + WIDTHS.writes;

const START = 'a tick of the schedule, or rows that another stream wrote: take the lease, run one pass under its fence';

const STYLE = `
  .ground { fill: #ffffff; stroke: #d0d7de; }
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328; }
  .small { font-size: 12.5px; fill: #57606a; }
  .head { font-weight: 600; }
  .box { stroke-width: 1.5; rx: 6; }
  .pai { fill: #fff4e5; stroke: #c77700; }
  .stream { fill: #e8f1fd; stroke: #2f6fc4; }
  .store { fill: #e9f6ec; stroke: #2b8a3e; }
  .gate { fill: #f3ecfb; stroke: #7b4bb7; }
  .line { stroke: #57606a; stroke-width: 1.5; fill: none; marker-end: url(#arrow); }
  .due { stroke: #2b8a3e; stroke-dasharray: 5 4; }
  #arrow path { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #30363d; }
    text { fill: #e6edf3; }
    .small { fill: #9da7b3; }
    .pai { fill: #33230b; stroke: #e0982f; }
    .stream { fill: #10243f; stroke: #5a9bed; }
    .store { fill: #10281a; stroke: #4fb066; }
    .gate { fill: #241a35; stroke: #a77ee0; }
    .line { stroke: #9da7b3; }
    .due { stroke: #4fb066; }
    #arrow path { fill: #9da7b3; }
  }`;

const text = (x: number, y: number, words: string, kind = '', anchor = 'start'): string =>
  `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${words}</text>`;

const box = (x: number, y: number, width: number, height: number, kind: string): string =>
  `<rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;

const line = (x1: number, y1: number, x2: number, y2: number, kind = ''): string =>
  `<path class="line${kind === '' ? '' : ` ${kind}`}" d="M${x1} ${y1} L${x2} ${y2}"/>`;

/** One or two lines of text, in the middle of a row's height. */
function lines(x: number, y: number, words: readonly string[], kind: string): string[] {
  const first = y + BOX / 2 + 5 - (words.length - 1) * 9;
  return words.map((word, index) => text(x, first + index * 18, word, kind));
}

function rowOf(stream: string, step: Step, index: number): string[] {
  const y = TOP + index * ROW;
  const { calls, gate, stream: middle, commit, writes } = COLUMNS;
  const centre = y + BOX / 2;
  return [
    box(calls, y, WIDTHS.calls, BOX, 'pai'),
    ...lines(calls + 12, y, step.calls, 'small'),
    line(gate + 34, centre, middle - 4, centre),
    box(middle, y, WIDTHS.stream, BOX, 'stream'),
    text(middle + 12, centre + 5, stream, 'head'),
    ...lines(middle + 142, y, step.does, 'small'),
    line(middle + WIDTHS.stream, centre, commit - 4, centre),
    box(writes, y, WIDTHS.writes, BOX, 'store'),
    ...lines(writes + 12, y, step.writes, 'small'),
  ];
}

/** A bar that every row goes through. */
function bar(x: number, words: string, kind: string, height: number): string[] {
  const middle = TOP + height / 2;
  return [
    box(x, TOP, BAR, height, kind),
    `<text class="small" text-anchor="middle" transform="translate(${x + 19} ${middle}) rotate(-90)">${words}</text>`,
  ];
}

/** What the transaction writes besides rows, and who reads it. */
function below(y: number): string[] {
  const middle = y + BOX / 2;
  const from = COLUMNS.commit + BAR / 2;
  return [
    line(from, middle, COLUMNS.writes - 4, middle),
    line(from, middle, COLUMNS.stream + WIDTHS.stream + 4, middle),
    box(COLUMNS.writes, y, WIDTHS.writes, BOX, 'store'),
    ...lines(COLUMNS.writes + 12, y, ['change_events: what changed, and', 'the request id that proves it'], 'small'),
    box(COLUMNS.stream, y, WIDTHS.stream, BOX, 'store'),
    ...lines(
      COLUMNS.stream + 12,
      y,
      ['a note of each quarter hour that changed;', 'its sums follow within seconds'],
      'small',
    ),
    line(COLUMNS.stream, middle, COLUMNS.calls + WIDTHS.calls + 4, middle),
    box(COLUMNS.calls, y, WIDTHS.calls, BOX, 'store'),
    ...lines(COLUMNS.calls + 12, y, ['views of schema analytics:', 'Grafana, status page, SQL'], 'small'),
  ];
}

/** From the rows of runs to the streams that derive from them what is due. */
function due(): string[] {
  const rows = [2, 3].map((index) => TOP + index * ROW + BOX / 2);
  const top = TOP + BOX / 2;
  const x = EDGE + 20;
  return [
    ...rows.map((y) => `<path class="line due" d="M${EDGE} ${top} H${x} V${y} H${EDGE + 4}"/>`),
    `<text class="small" text-anchor="middle" transform="translate(${x + 16} ${(top + (rows[1] ?? top)) / 2}) rotate(-90)">makes these due</text>`,
  ];
}

export function wayOfOneRun(streams: readonly Stream[]): string {
  const bars = streams.length * ROW - (ROW - BOX);
  const bottom = TOP + bars + 38;
  const height = bottom + BOX + 20;
  const parts = [
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    box(COLUMNS.calls, 16, EDGE - COLUMNS.calls, 40, 'gate'),
    text((COLUMNS.calls + EDGE) / 2, 41, START, '', 'middle'),
    text(20, 96, 'PAI', 'head'),
    text(COLUMNS.stream, 96, 'six streams of every workspace', 'head'),
    text(COLUMNS.writes, 96, 'PostgreSQL, schema pai', 'head'),
    ...bar(COLUMNS.gate, 'call budget, shared by all replicas', 'gate', bars),
    ...bar(COLUMNS.commit, 'one transaction: fence, rows, history, cursor', 'gate', bars),
    ...streams.flatMap((stream, index) => rowOf(stream, STEPS[stream], index)),
    ...due(),
    `<path class="line" style="marker-end: none" d="M${COLUMNS.commit + BAR / 2} ${TOP + bars} V${bottom + BOX / 2}"/>`,
    ...below(bottom),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">The way of one run</title>
<desc id="d">PAI on the left, six streams in the middle (${streams.join(', ')}), tables on the right; a call budget before every call, one transaction before every table; below them history, sums and views.</desc>
<style>${STYLE}
</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>
${parts.join('\n')}
</svg>
`;
}
