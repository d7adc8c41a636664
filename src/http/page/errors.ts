/** Pages for what could not be shown: each says what was asked, what is the matter, and where to go. */
import { html } from './html.js';
import type { PageOptions } from './layout.js';
import type { ParameterError } from './parameters.js';
import { shorten } from './words.js';

export const mistakePage = (mistake: ParameterError): PageOptions => ({
  title: 'Not understood',
  section: null,
  body: html`<h1>The address was not understood</h1><p class="lead"><code>${mistake.parameter}</code>${mistake.message.slice(mistake.parameter.length)}</p><p><a href="/runs">All runs</a> · <a href="/">Overview</a></p>`,
});

export const missingPage = (what: string, id: string): PageOptions => ({
  title: 'Not found',
  section: null,
  body: html`<h1>Not in the mirror</h1><p class="lead">There is no ${what} <code>${shorten(id, 200)}</code> in the database.</p>
<p>The mirror may not have read it yet, retention may have pruned it, or the address has a mistake.</p><p><a href="/runs">All runs</a> · <a href="/">Overview</a></p>`,
});

/** An address that leads to no page, whatever the mirror holds. */
export const nowherePage = (path: string): PageOptions => ({
  title: 'Not found',
  section: null,
  body: html`<h1>There is no such page</h1><p class="lead"><code>${shorten(path, 200)}</code> leads nowhere.</p><p><a href="/runs">All runs</a> · <a href="/">Overview</a></p>`,
});

/** By the code of StoreError. The message is for the log: it may hold names of hosts and users. */
const REASONS: Readonly<Record<string, string>> = {
  STORE_TIMEOUT: 'The database took too long to answer. A shorter range of time helps when it is busy.',
  STORE_STARTING: 'The database is starting or stopping.',
  STORE_TOO_MANY_CONNECTIONS: 'The database has no connection left for this page.',
  STORE_SCHEMA: 'The database lacks a view that this page reads: run `pai-mirror migrate`.',
  STORE_PERMISSION: 'The login of the mirror may not read schema analytics.',
  STORE_LOGIN: 'The database refused the login of the mirror.',
};

export const failurePage = (code: string): PageOptions => ({
  title: 'Database away',
  section: null,
  body: html`<h1>The database does not answer</h1><p class="lead">${REASONS[code] ?? 'The mirror cannot reach its database at the moment.'}</p>
<p>This page reads everything from there. The mirror tries again by itself; the log and <code>pai-mirror doctor</code> tell why (<code>${code}</code>).</p><p><a href="/">Try again</a></p>`,
});
