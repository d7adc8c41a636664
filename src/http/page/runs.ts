/** The list of runs and its search. */
import {
  OUTCOMES,
  type RunCursor,
  type RunPage,
  type RunRow,
  type RunSearch,
  type StreamFreshness,
} from '../../domain/page.js';
import { emptyList } from './empty.js';
import { type Html, html, type Piece } from './html.js';
import { badge, code, pager, runLink, section, table, waiting } from './layout.js';
import { cursorText, MOST_CHARACTERS, MOST_OF_ID, type Query, queryString, text } from './parameters.js';
import { count, counted, span, time } from './words.js';

export const ROWS = 50;

export interface RunsAnswers {
  readonly search: RunSearch;
  /** The fields as they were filled in. */
  readonly query: Query;
  readonly after: RunCursor | null;
  readonly page: RunPage;
  /** Runs whose id begins with the text, of any time, which the page itself does not show. */
  readonly byId: readonly RunRow[];
  readonly scopes: readonly string[];
  /** Where there is no run at all: what the streams have done so far. */
  readonly streams: readonly StreamFreshness[] | null;
}

const FIELDS = ['q', 'outcome', 'status', 'workspace', 'pipeline', 'user', 'from', 'to'] as const;

export function runs(answers: RunsAnswers): Html {
  const { query, page, after, byId, scopes, streams } = answers;
  const filters = Object.fromEntries(FIELDS.map((name) => [name, text(query, name, MOST_OF_ID)]));
  const isFiltered = Object.values(filters).some((value) => value !== null);
  return html`<h1>Runs</h1>
${searchForm(filters, scopes)}
${byId.length > 0 && section('by-id', 'Runs with such an id', runsTable('Runs whose id begins so', byId))}
${section('list', isFiltered ? 'Runs that match, newest first' : 'All runs, newest first', [
  streams !== null
    ? emptyList(streams, 'pipeline-runs')
    : page.rows.length === 0
      ? nothingFound(page, after)
      : runsTable('Pipeline runs, newest first', page.rows),
  progress(page, isFiltered),
  pager('Pages of runs', [
    [after === null ? null : `/runs${queryString(filters)}`, 'Newest'],
    [
      page.next === null ? null : `/runs${queryString({ ...filters, after: cursorText(page.next) })}`,
      page.isPartial ? 'Search further back' : 'Older',
    ],
  ]),
])}`;
}

/** Every run was looked for, and there is none. */
export const isEmptyMirror = (search: RunSearch, after: RunCursor | null, { rows, next }: RunPage): boolean =>
  rows.length === 0 && next === null && after === null && Object.values(search).every((value) => value === null);

const nothingFound = (page: RunPage, after: RunCursor | null): Html =>
  page.next === null
    ? waiting(
        after === null ? 'No run matches' : 'No older run matches',
        'Take a filter away, or look at a longer time.',
      )
    : waiting('Nothing found so far', 'The search goes on with the link below.');

/** Says that the search was bounded, and how far it came. */
function progress({ looked, isPartial, next, rows }: RunPage, isFiltered: boolean): Piece {
  if (!isFiltered || looked === 0) return null;
  const place = next?.createdAt == null ? null : html`, back to ${time(next.createdAt)}`;
  if (!isPartial)
    return html`<p class="note">${counted(rows.length, 'run')} of ${counted(looked, 'run')} that were looked at${place}.</p>`;
  return html`<p class="note">Looked at ${counted(looked, 'run')}${place}, and stopped there to stay quick: ${rows.length === 0 ? 'none' : count(rows.length)} of them match. A range of times or a pipeline makes the search shorter.</p>`;
}

function searchForm(filters: Readonly<Record<string, string | null>>, scopes: readonly string[]): Html {
  const isMore = ['status', 'pipeline', 'user', 'from', 'to'].some((name) => filters[name] !== null);
  return html`<search><form class="search" action="/runs" method="get">
<div class="field grow"><label for="q">Name or id</label><input id="q" name="q" type="search" maxlength="${MOST_CHARACTERS}" autocomplete="off" value="${filters.q ?? ''}" placeholder="in the name, or the beginning of an id"></div>
${choice('outcome', 'Outcome', filters.outcome ?? null, OUTCOMES)}
${choice('workspace', 'Workspace', filters.workspace ?? null, scopes)}
<button type="submit">Search</button>
<details class="more"${isMore ? html` open` : html``}><summary>More filters</summary><div class="fields">
${field('pipeline', 'Pipeline id', filters.pipeline)}
${field('user', 'User id', filters.user)}
${field('status', 'Status, in PAI’s word', filters.status)}
${field('from', 'Created from (UTC)', filters.from, '2026-03-01')}
${field('to', 'Created until (UTC)', filters.to, '2026-03-31')}
</div></details>
</form></search>`;
}

const field = (name: string, label: string, value: string | null | undefined, placeholder = ''): Html =>
  html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" maxlength="${MOST_OF_ID}" autocomplete="off" value="${value ?? ''}" placeholder="${placeholder}"></div>`;

function choice(name: string, label: string, chosen: string | null, values: readonly string[]): Html {
  const all = chosen === null || values.includes(chosen) ? values : [chosen, ...values];
  const options = all.map(
    (value) => html`<option value="${value}"${value === chosen ? html` selected` : html``}>${value}</option>`,
  );
  return html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}"><option value="">any</option>${options}</select></div>`;
}

export const runsTable = (caption: string, rows: readonly RunRow[]): Html =>
  table(
    caption,
    [
      { title: 'Run' },
      { title: 'Status' },
      { title: 'Created' },
      { title: 'Took', kind: 'narrow number' },
      { title: 'Pipeline', kind: 'narrow' },
      { title: 'Workspace', kind: 'narrow' },
      { title: 'User', kind: 'narrow' },
    ],
    rows.map((run) => [
      html`${runLink(run.id, run.name)}<span class="sub">${run.id}</span>`,
      badge(run.outcome, run.status),
      time(run.createdAt),
      span(run.runSeconds),
      run.pipelineId === null || run.pipelineId === ''
        ? code(null)
        : html`<a class="quiet" href="/runs${queryString({ pipeline: run.pipelineId })}">${code(run.pipelineId)}</a>`,
      run.scope,
      run.userId === null || run.userId === ''
        ? code(null)
        : html`<a class="quiet" href="/runs${queryString({ user: run.userId })}">${run.userId}</a>`,
    ]),
  );
