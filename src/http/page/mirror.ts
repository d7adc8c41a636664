/** The mirror itself: freshness of every stream, passes; and what is in quarantine. */
import type { Part, Pass, QuarantinedItem, StreamFreshness, Troubles } from '../../domain/page.js';
import { runAddress } from './addresses.js';
import { type Html, html } from './html.js';
import { badge, code, NOT_MIRRORED, pager, section, table, waiting } from './layout.js';
import { banner, freshnessTable } from './overview.js';
import { queryString } from './parameters.js';
import { judge } from './verdict.js';
import { count, shorten, span, time } from './words.js';

export const PASSES_SHOWN = 40;
export const QUARANTINE_SHOWN = 50;
const ALL_SCOPES = 500;

export interface MirrorAnswers {
  readonly streams: readonly StreamFreshness[];
  readonly troubles: Troubles;
  readonly passes: Part<Pass>;
  readonly failedOnly: boolean;
  readonly before: string | null;
}

export function mirrorPage({ streams, troubles, passes, failedOnly, before }: MirrorAnswers): Html {
  const choices = html`<ul class="choices" aria-label="Which passes">${[
    [false, 'All'] as const,
    [true, 'Failed, last 24 hours'] as const,
  ].map(
    ([value, label]) =>
      html`<li><a href="/mirror${value && '?passes=failed'}#passes"${value === failedOnly ? html` aria-current="true"` : html``}>${label}</a></li>`,
  )}</ul>`;
  return html`<h1>Mirror</h1>
${banner(judge(streams, troubles))}
${section('streams', 'How fresh each stream is', freshnessTable(streams, ALL_SCOPES))}
${section('passes', 'Passes, newest first', passesTable(passes, failedOnly, before), choices)}`;
}

function passesTable({ rows, hasMore }: Part<Pass>, failedOnly: boolean, before: string | null): Html {
  const last = rows.at(-1);
  if (last === undefined)
    return failedOnly ? waiting('No pass has failed in the last 24 hours', '') : waiting('No pass yet', NOT_MIRRORED);
  const filter = { passes: failedOnly ? 'failed' : null };
  return html`${table(
    'Executions of the streams, newest first',
    [
      { title: 'Began' },
      { title: 'Stream' },
      { title: 'Outcome' },
      { title: 'Took', kind: 'number' },
      { title: 'Calls', kind: 'narrow number' },
      { title: 'Read', kind: 'narrow number' },
      { title: 'Written', kind: 'narrow number' },
      { title: 'Workspace', kind: 'narrow' },
    ],
    rows.map((pass) => [
      time(pass.startedAt),
      pass.stream,
      html`${badge(outcomeOf(pass), pass.outcome ?? 'under way')}${pass.error !== null && html`<span class="detail">${shorten(pass.error, 200)}</span>`}`,
      span(pass.seconds),
      count(pass.calls),
      count(pass.rowsRead),
      count(pass.written),
      pass.scope,
    ]),
  )}${pager('Pages of passes', [
    [before === null ? null : `/mirror${queryString(filter)}#passes`, 'Newest'],
    [hasMore ? `/mirror${queryString({ ...filter, before: last.id })}#passes` : null, 'Older'],
  ])}`;
}

const outcomeOf = ({ outcome }: Pass): string => (outcome === null ? 'active' : outcome);

export interface QuarantineAnswers {
  readonly items: Part<QuarantinedItem>;
  readonly all: boolean;
  readonly before: string | null;
}

export function quarantinePage({ items, all, before }: QuarantineAnswers): Html {
  const choices = html`<ul class="choices" aria-label="Which items">${[
    [false, 'Waiting'] as const,
    [true, 'All, resolved ones too'] as const,
  ].map(
    ([value, label]) =>
      html`<li><a href="/quarantine${value && '?show=all'}"${value === all ? html` aria-current="true"` : html``}>${label}</a></li>`,
  )}</ul>`;
  return html`<h1>Quarantine</h1>
<p class="lead">Items of PAI’s answers that could not be decoded or stored. Nothing else waits for them. <code>pai-mirror quarantine retry</code> tries them again.</p>
${section('items', all ? 'All items, newest first' : 'Items that wait, newest first', itemsTable({ items, all, before }), choices)}`;
}

function itemsTable({ items, all, before }: QuarantineAnswers): Html {
  const last = items.rows.at(-1);
  if (last === undefined)
    return all
      ? waiting('Nothing was ever in quarantine', '')
      : waiting('Nothing is in quarantine', 'Every item of every answer was stored.');
  const filter = { show: all ? 'all' : null };
  return html`${table(
    'Items in quarantine, newest first',
    [
      { title: 'Item' },
      { title: 'Why' },
      { title: 'Since' },
      { title: 'Of', kind: 'narrow' },
      { title: 'Request id', kind: 'narrow' },
      ...(all ? [{ title: 'Resolved' }] : []),
    ],
    items.rows.map((item) => [
      html`${itemLink(item)}<span class="sub">no. ${item.id}</span>`,
      longMessage(item.error),
      time(item.firstSeenAt),
      html`${item.operation}<span class="sub">${item.stream} of ${item.scope}</span>`,
      code(item.requestId),
      ...(all
        ? [
            item.resolvedAt === null
              ? 'waits'
              : html`${time(item.resolvedAt)}<span class="sub">${item.resolution}</span>`,
          ]
        : []),
    ]),
  )}${pager('Pages of items', [
    [before === null ? null : `/quarantine${queryString(filter)}`, 'Newest'],
    [items.hasMore ? `/quarantine${queryString({ ...filter, before: last.id })}` : null, 'Older'],
  ])}`;
}

const FIRST_OF_MESSAGE = 160;

/** Of a long one the beginning: the rest opens, or a row would fill a phone's screen. */
const longMessage = (text: string): Html =>
  text.length <= FIRST_OF_MESSAGE
    ? html`<span class="message">${text}</span>`
    : html`<details class="long"><summary><span class="message">${shorten(text, FIRST_OF_MESSAGE)}</span></summary><span class="message">${text}</span></details>`;

const itemLink = ({ entity, entityId }: QuarantinedItem): Html =>
  entity === 'pipeline_run' && entityId !== null
    ? html`<a href="${runAddress(entityId)}">${entityId}</a>`
    : html`${entity ?? 'item'} ${code(entityId)}`;
