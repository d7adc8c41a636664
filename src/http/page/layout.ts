/** The frame of every page, and the small parts that pages share. */
import type { Instant } from '../../domain/entities.js';
import { runAddress } from './addresses.js';
import { type Html, html, NOTHING, type Piece } from './html.js';
import { shorten, time } from './words.js';

export interface PageAssets {
  /** Addresses by file: `page.css` → `/assets/page.1a2b3c.css`. */
  readonly addressOf: (file: string) => string;
}

export interface PageOptions {
  readonly title: string;
  /** The entry of the navigation that it belongs to. */
  readonly section: Section | null;
  readonly body: Piece;
  /** Whether it draws charts. */
  readonly charts?: boolean;
  /** Kept as it is now, by a look every so many seconds. */
  readonly live?: number;
  /** Says why there is no page: the page comes in its place as soon as there is one. */
  readonly isFailure?: boolean;
}

export type Section = keyof typeof SECTIONS;

const SECTIONS = {
  overview: ['/', 'Overview'],
  runs: ['/runs', 'Runs'],
  experiments: ['/experiments', 'Experiments'],
  mirror: ['/mirror', 'Mirror'],
  quarantine: ['/quarantine', 'Quarantine'],
} as const;

/** `now`: when it was made. */
export function page(assets: PageAssets, options: PageOptions, now: Instant): string {
  const { title, section, body, charts = false, live } = options;
  const { addressOf } = assets;
  const navigation = Object.entries(SECTIONS).map(
    ([name, [href, label]]) =>
      html`<li><a href="${href}"${name === section ? html` aria-current="page"` : NOTHING}>${label}</a></li>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · pai-mirror</title>
<link rel="icon" href="${addressOf('icon.svg')}" type="image/svg+xml">
${charts && html`<link rel="stylesheet" href="${addressOf('uPlot.min.css')}">`}
<link rel="stylesheet" href="${addressOf('page.css')}">
${live !== undefined && html`<script src="${addressOf('live.js')}" defer></script>`}
<script src="${addressOf('page.js')}" defer></script>
${charts && html`<script src="${addressOf('uPlot.iife.min.js')}" defer></script><script src="${addressOf('charts.js')}" defer></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="frame">
<a class="brand" href="/"><svg class="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"><rect class="mark-back" width="32" height="32" rx="8"/><path class="mark-line" d="M8 21V11l8 6 8-6v10"/></svg>pai-mirror</a>
<nav aria-label="Pages"><ul>${navigation}</ul></nav>
${live !== undefined && liveBar(live, options.isFailure === true, now)}
</div></header>
<main id="main" class="frame" tabindex="-1">
${body}
</main>
${live !== undefined && html`<p class="trouble" role="status" data-live-status></p>`}
<footer class="frame"><p>Read-only, from the views of schema <code>analytics</code>. Times are in <span data-zone>UTC</span>.</p></footer>
</body>
</html>
`.text;
}

/** Without JavaScript it says of when the page is. */
const liveBar = (seconds: number, isFailure: boolean, now: Instant): Html =>
  html`<div class="live" data-live="${seconds}"${isFailure && html` data-live-failure`}><span>As of ${time(now)}</span> <button type="button" aria-describedby="live-what" hidden>Pause</button><span class="hidden" id="live-what">This page is brought up to date every ${seconds} seconds.</span></div>`;

/** What stands where a table would be empty. */
export const waiting = (headline: string, ...lines: readonly Piece[]): Html =>
  html`<div class="empty"><p class="empty-headline">${headline}</p>${lines.filter((line) => line !== '').map((line) => html`<p>${line}</p>`)}</div>`;

export const NOT_MIRRORED = html`The mirror fills this page by itself: <code>pai-mirror start</code> reads everything that PAI has, the newest first. <a href="/">The overview</a> tells how far it is.`;

const OUTCOME_WORDS: Readonly<Record<string, string>> = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  terminated: 'Terminated',
  skipped: 'Skipped',
  active: 'Active',
  missing: 'Missing',
  deleted: 'Deleted',
};

/** PAI's word for the status, in the colour of the outcome. */
export const badge = (outcome: string, status: string | null = null): Html => {
  const known = outcome in OUTCOME_WORDS;
  const word =
    outcome === 'missing' || outcome === 'deleted' || status === null ? (OUTCOME_WORDS[outcome] ?? outcome) : status;
  return html`<span class="badge o-${known ? outcome : 'other'}">${shorten(word, 40)}</span>`;
};

/** A name in whatever script, kept apart from what is around it. */
export const named = (name: string | null, otherwise: string): Html =>
  name === null || name.trim() === ''
    ? html`<span class="none">${otherwise}</span>`
    : html`<bdi>${shorten(name, 160)}</bdi>`;

export const runLink = (id: string, name: string | null): Html =>
  html`<a href="${runAddress(id)}">${named(name, 'without a name')}</a>`;

export const code = (text: string | null): Html =>
  text === null || text === '' ? html`<span class="none">–</span>` : html`<code>${text}</code>`;

export interface Column {
  readonly title: string;
  /** `narrow`: not shown on a phone; `number`: to the right. */
  readonly kind?: 'narrow' | 'number' | 'narrow number';
}

/** Can be scrolled sideways by keyboard too, where it is wider than the screen. */
export const table = (caption: string, columns: readonly Column[], rows: readonly (readonly Piece[])[]): Html =>
  html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption class="hidden">${caption}</caption>
<thead><tr>${columns.map(({ title, kind }) => html`<th scope="col" class="${kind ?? ''}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, index) => cellOf(cell, columns[index]?.kind, index === 0))}</tr>
`,
  )}</tbody></table></div>`;

const cellOf = (cell: Piece, kind: string | undefined, isFirst: boolean): Html =>
  isFirst ? html`<th scope="row" class="${kind ?? ''}">${cell}</th>` : html`<td class="${kind ?? ''}">${cell}</td>`;

export const facts = (pairs: readonly (readonly [term: string, value: Piece])[]): Html =>
  html`<dl class="facts">${pairs.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;

/** `Started` `2026-…` */
export const timeFact = (term: string, instant: string | null): readonly [string, Piece] => [term, time(instant)];

export const section = (id: string, title: string, body: Piece, aside: Piece = null): Html =>
  html`<section aria-labelledby="${id}"><div class="section-head"><h2 id="${id}">${title}</h2>${aside}</div>${body}</section>`;

export const pager = (label: string, links: readonly (readonly [href: string | null, text: string])[]): Html | null => {
  const shown = links.filter(([href]) => href !== null);
  if (shown.length === 0) return null;
  return html`<nav class="pager" aria-label="${label}">${shown.map(([href, text]) => html`<a class="button" href="${href}">${text}</a>`)}</nav>`;
};
