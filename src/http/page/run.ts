/** One run: what became of it, its nodes over time, its statuses, its history, its documents and outputs. */
import {
  DOCUMENTS,
  type HistoryEvent,
  type JsonText,
  type NodeOutput,
  type Part,
  type RunDetail,
  type RunDocuments,
  type RunNode,
  type StatusInterval,
} from '../../domain/page.js';
import { documentAddress, experimentAddress, runAddress } from './addresses.js';
import { axisOf, gantt } from './gantt.js';
import { type Html, html, type Piece, webAddress } from './html.js';
import { badge, code, facts, named, pager, section, table, timeFact, waiting } from './layout.js';
import { queryString } from './parameters.js';
import { count, counted, shorten, span, time } from './words.js';

export const NODES_SHOWN = 200;
export const INTERVALS_SHOWN = 50;
export const EVENTS_SHOWN = 30;
export const OUTPUTS_SHOWN = 50;
export const DOCUMENT_CHARACTERS = 40_000;

export interface RunAnswers {
  readonly run: RunDetail;
  readonly nodes: Part<RunNode>;
  /** Nodes before these. */
  readonly skipped: number;
  readonly intervals: readonly StatusInterval[];
  readonly history: Part<HistoryEvent>;
  readonly isOlderHistory: boolean;
  readonly documents: RunDocuments | null;
  readonly outputs: Part<NodeOutput>;
  readonly isLaterOutputs: boolean;
}

export function runPage(answers: RunAnswers): Html {
  const { run } = answers;
  return html`<p class="crumbs"><a href="/runs">Runs</a> <span aria-hidden="true">/</span> <code>${run.id}</code></p>
<div class="title"><h1>${named(run.name, 'Run without a name')}</h1>${badge(run.outcome, run.status)}</div>
<p class="actions">${links(run)}</p>
${notes(run)}
${run.error !== null && run.error.trim() !== '' && html`<div class="error"><h2>Why it failed</h2><pre>${run.error}</pre></div>`}
${factsOf(run)}
${section('nodes', 'Nodes over time', nodesOf(answers))}
${section('statuses', 'How long in which status', statusesOf(answers.intervals))}
${section('history', 'History', historyOf(answers))}
${section('details', 'Details', documentsOf(run, answers.documents))}
${section('outputs', 'Outputs', outputsOf(answers))}`;
}

function links(run: RunDetail): Html {
  const console = webAddress(run.url);
  return html`${console !== null && html`<a class="button" href="${console}" rel="noreferrer noopener">Open in the PAI console</a>`}
${run.experimentIds.map((id) => html`<a class="button" href="${experimentAddress(id)}">Experiment ${shorten(id, 40)}</a>`)}
${run.pipelineId !== null && run.pipelineId !== '' && html`<a class="button" href="/runs${queryString({ pipeline: run.pipelineId })}">Runs of this pipeline</a>`}`;
}

const notes = ({ deletedAt, missingSince }: RunDetail): Piece => [
  deletedAt !== null &&
    html`<p class="note">PAI has deleted this run; that was seen ${time(deletedAt)}. The mirror keeps what it knew.</p>`,
  deletedAt === null &&
    missingSince !== null &&
    html`<p class="note">PAI has not named this run since ${time(missingSince)}. The mirror keeps what it knew.</p>`,
];

const factsOf = (run: RunDetail): Html =>
  facts([
    timeFact('Created', run.createdAt),
    timeFact('Started', run.startedAt),
    timeFact('Finished', run.finishedAt),
    ['In the queue', span(run.queueSeconds)],
    [run.outcome === 'active' ? 'At work so far' : 'At work', span(run.runSeconds)],
    ['Workspace', html`<a href="/runs${queryString({ workspace: run.scope })}">${run.scope}</a>`],
    ['Pipeline', code(run.pipelineId)],
    [
      'User',
      run.userId === null || run.userId === ''
        ? code(null)
        : html`<a href="/runs${queryString({ user: run.userId })}">${run.userId}</a>`,
    ],
    ['Source', [code(run.sourceType), run.sourceId !== null && run.sourceId !== '' && html` ${code(run.sourceId)}`]],
    timeFact('Changed at the source', run.modifiedAt),
    timeFact('First seen by the mirror', run.firstSeenAt),
    ['Last changed in the mirror', time(run.updatedAt)],
    ['Revision', count(run.revision)],
  ]);

function nodesOf({ run, nodes, skipped }: RunAnswers): Html {
  if (nodes.rows.length === 0)
    return waiting(
      'No nodes yet',
      run.outcome === 'active'
        ? 'The mirror reads the nodes of a run within seconds after it has changed.'
        : 'The run had none, or the mirror has not read them yet.',
    );
  const axis = axisOf(nodes.rows, run.now);
  return html`${gantt(nodes.rows, axis, run.now)}${pager('Pages of nodes', [
    [skipped === 0 ? null : `${runAddress(run.id)}#nodes`, 'First nodes'],
    [
      nodes.hasMore ? `${runAddress(run.id, { nodes: String(skipped + nodes.rows.length) })}#nodes` : null,
      'More nodes',
    ],
  ])}`;
}

function statusesOf(intervals: readonly StatusInterval[]): Html {
  if (intervals.length === 0)
    return waiting('No history of this run', 'It was dropped by retention, or the run is from before the mirror.');
  return table(
    'Statuses in the order of time',
    [{ title: 'Status' }, { title: 'From' }, { title: 'Until', kind: 'narrow' }, { title: 'For', kind: 'number' }],
    intervals.map(({ status, from, to, seconds }) => [
      status ?? html`<span class="none">none</span>`,
      time(from),
      to === null && seconds !== null ? html`<span class="none">now</span>` : time(to),
      seconds === null ? '–' : span(seconds),
    ]),
  );
}

function historyOf({ run, history, isOlderHistory }: RunAnswers): Html {
  const last = history.rows.at(-1);
  if (last === undefined) return waiting('No events', 'The mirror writes one for each change that it sees.');
  return html`${table(
    'What the mirror saw of the run and its nodes, newest first',
    [{ title: 'Seen' }, { title: 'What' }, { title: 'Changes' }, { title: 'Request id', kind: 'narrow' }],
    history.rows.map((event) => [time(event.at), whatOf(event), changesOf(event), code(event.requestId)]),
  )}${pager('Pages of history', [
    [isOlderHistory ? `${runAddress(run.id)}#history` : null, 'Newest events'],
    [history.hasMore ? `${runAddress(run.id, { history: last.eventId })}#history` : null, 'Older events'],
  ])}`;
}

const whatOf = ({ entity, nodeId, kind }: HistoryEvent): Html =>
  html`${entity === 'pipeline_run' ? 'run' : entity} ${kind}${nodeId !== null && html`<span class="sub">${nodeId}</span>`}`;

const CHANGES_SHOWN = 6;

function changesOf({ changes, fromStatus, toStatus }: HistoryEvent): Html {
  const others = changes.filter(([field]) => field !== 'status');
  const status =
    fromStatus !== toStatus &&
    html`<li>status: ${fromStatus ?? 'none'} <span class="none">to</span> ${toStatus ?? 'none'}</li>`;
  if (status === false && others.length === 0) return html`<span class="none">–</span>`;
  return html`<ul class="changes">${status}${others.slice(0, CHANGES_SHOWN).map(([field, before, after]) => html`<li>${field}: ${shown(before)} <span class="none">to</span> ${shown(after)}</li>`)}${others.length > CHANGES_SHOWN && html`<li class="none">and ${counted(others.length - CHANGES_SHOWN, 'more field')}</li>`}</ul>`;
}

const shown = (value: string | null): Html =>
  value === null ? html`<span class="none">none</span>` : html`<bdi>${shorten(value, 80)}</bdi>`;

const TITLES = { manifest: 'Manifest', arguments: 'Arguments', options: 'Options' } as const;

function documentsOf(run: RunDetail, found: RunDocuments | null): Html {
  if (found === null)
    return waiting(
      'No details yet',
      'The mirror asks for manifest, arguments and options once a run, within a minute of its discovery.',
    );
  return html`<p class="note">Fetched ${time(found.fetchedAt)}.</p>${DOCUMENTS.map((name) => {
    const document = found.documents[name];
    if (document === null) return html`<p class="document-none">${TITLES[name]}: <span class="none">none</span></p>`;
    return html`<details class="document"><summary>${TITLES[name]} <span class="none">${counted(document.characters, 'character')}</span></summary><pre tabindex="0"><code>${document.text}</code></pre>${cutNote(document, documentAddress(run.id, name))}</details>`;
  })}`;
}

const cutNote = ({ text, characters }: JsonText, whole: string): Html =>
  characters > text.length
    ? html`<p class="note">The first ${count(text.length)} characters. <a href="${whole}">All of it</a></p>`
    : html`<p class="note"><a href="${whole}">As a file</a></p>`;

function outputsOf({ run, outputs, isLaterOutputs }: RunAnswers): Html {
  const last = outputs.rows.at(-1);
  if (last === undefined) return waiting('No outputs', 'PAI tells the outputs of a node when the node has ended.');
  return html`${table(
    'Outputs of the nodes',
    [{ title: 'Output' }, { title: 'Type', kind: 'narrow' }, { title: 'Value' }, { title: 'Producer', kind: 'narrow' }],
    outputs.rows.map((output) => [
      html`${named(output.name, output.outputId)}<span class="sub">${output.outputId}${output.deletedAt !== null && html` · gone since ${time(output.deletedAt)}`}</span>`,
      code(output.type),
      output.value === null ? code(null) : html`<pre class="excerpt">${shorten(output.value.text, 400)}</pre>`,
      code(output.producer),
    ]),
  )}${pager('Pages of outputs', [
    [isLaterOutputs ? `${runAddress(run.id)}#outputs` : null, 'First outputs'],
    [outputs.hasMore ? `${runAddress(run.id, { outputs: last.outputId })}#outputs` : null, 'More outputs'],
  ])}`;
}

/** For the title of the window: the name, or the id. */
export const titleOf = ({ name, id }: RunDetail): string =>
  name === null || name.trim() === '' ? id : shorten(name, 80);
