/** The status page over a database, in the server that it has in the service. */
import { onTestFinished } from 'vitest';
import { StoreError } from '../../../src/domain/errors.js';
import { pageRoutes } from '../../../src/http/page/routes.js';
import { createServer } from '../../../src/http/server.js';
import { pageData } from '../../../src/store/page/page-data.js';
import type { SearchBounds } from '../../../src/store/page/search.js';
import { ReadDatabase } from '../../../src/store/read-database.js';
import { ask, type HttpAnswer } from '../../support/http.js';
import { type CapturingLogger, capturingLogger } from '../../support/logger.js';

export interface ServedPage {
  readonly url: string;
  readonly logger: CapturingLogger;
  get(path: string): Promise<HttpAnswer>;
}

export interface ServeOptions {
  readonly bounds?: SearchBounds;
  /** Not: the mirror is starting, and has no database yet. */
  readonly isOpen?: boolean;
  /** Given what closes it; default: it goes away with the test. */
  readonly onStarted?: (close: () => Promise<void>) => void;
}

export async function servePage(databaseUrl: string, options: ServeOptions = {}): Promise<ServedPage> {
  const logger = capturingLogger();
  const database = new ReadDatabase({ connectionString: databaseUrl, logger });
  const pool = () => {
    if (options.isOpen === false)
      throw new StoreError('not open yet', { code: 'STORE_STARTING', retryable: true, blast: 'global' });
    return database.pool;
  };
  const data = pageData(pool, options.bounds);
  const server = await createServer({
    access: { host: '127.0.0.1', token: null },
    routes: [pageRoutes({ data, logger })],
    logger,
  });
  (options.onStarted ?? onTestFinished)(async () => {
    await server.close();
    await database.close();
  });
  const url = await server.listen(0);
  return { url, logger, get: (path) => ask(`${url}${path}`) };
}

/** What HTML means by a text or a value. */
export const unescaped = (text: string): string =>
  text
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** The words of a page, without its markup. */
export const wordsOf = (page: string): string =>
  unescaped(page.replace(/<script[\s\S]*?<\/script>|<[^>]*>/g, ' ')).replace(/\s+/g, ' ');

/** Where the links of a page lead, in its order. */
export const linksOf = (page: string): string[] =>
  [...page.matchAll(/ href="([^"]*)"/g)].map(([, href]) => unescaped(href as string));

/** Ids of the runs that a page links, in its order, each once. */
export const runsOf = (page: string): string[] => [
  ...new Set(
    linksOf(page).flatMap((href) => {
      const [, id] = /^\/runs\/([^/?#]+)$/.exec(href) ?? [];
      return id === undefined ? [] : [decodeURIComponent(id)];
    }),
  ),
];

/** Where the link with that text leads; null: there is none. */
export function linkTo(page: string, text: string): string | null {
  const found = [...page.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)<\/a>/g)].find(([, , shown]) => shown === text);
  return found?.[1] === undefined ? null : unescaped(found[1]);
}
