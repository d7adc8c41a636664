/** Pages for what could not be shown: each says what was asked, what is the matter, and where to go. */
import { html, inCode } from './html.js';
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

interface Reason {
  readonly headline: string;
  /** Words between backticks are commands. */
  readonly text: string;
}

const AWAY = 'The database does not answer';

/** By the code of StoreError. The message is for the log: it may hold names of hosts and users. */
const REASONS: Readonly<Record<string, Reason>> = {
  STORE_TIMEOUT: {
    headline: 'The database took too long',
    text: 'It did not answer within the time that a page has. A shorter range of time helps when it is busy.',
  },
  STORE_STARTING: {
    headline: 'The mirror is starting',
    text: 'Its database is being opened or migrated, or PostgreSQL itself is starting or stopping. That takes moments; the first start of a new version over a large mirror may take minutes.',
  },
  STORE_TOO_MANY_CONNECTIONS: { headline: AWAY, text: 'It has no connection left for this page.' },
  STORE_SCHEMA: {
    headline: 'The database is not migrated',
    text: 'It lacks a view that this page reads: `pai-mirror migrate` makes it, and so does the next start.',
  },
  STORE_PERMISSION: {
    headline: 'The database refuses to answer',
    text: 'The login of the mirror may not read schema `analytics`.',
  },
  STORE_LOGIN: { headline: 'The database refuses to answer', text: 'It does not take the login of the mirror.' },
};

const OTHER: Reason = { headline: AWAY, text: 'The mirror cannot reach its database at the moment.' };

/** A browser that shows it looks again so often, and then shows the page that was asked for. */
const LOOK_AGAIN_SECONDS = 10;

export function failurePage(code: string): PageOptions {
  const { headline, text } = REASONS[code] ?? OTHER;
  return {
    title: headline,
    section: null,
    live: LOOK_AGAIN_SECONDS,
    isFailure: true,
    body: html`<h1>${headline}</h1><p class="lead">${inCode(text)}</p>
<p>This page reads everything from there, and is shown as soon as it can be. The mirror tries again by itself; its log and <code>pai-mirror doctor</code> tell why (<code>${code}</code>).</p><p><a href="">Try again</a></p>`,
  };
}
