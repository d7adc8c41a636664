/** Why there is nothing to show: decided from what the streams have done, so that nobody waits for what will not come. */
import type { StreamFreshness } from '../../domain/page.js';
import { type Html, html, type Piece } from './html.js';
import { waiting } from './layout.js';
import { counted, roughly } from './words.js';

/** The stream that brings them. */
export type Things = 'pipeline-runs' | 'experiment-runs';

const WORDS: Readonly<Record<Things, { readonly one: string; readonly many: string }>> = {
  'pipeline-runs': { one: 'pipeline run', many: 'pipeline runs' },
  'experiment-runs': { one: 'experiment run', many: 'experiment runs' },
};

export interface Emptiness {
  readonly why: 'never begun' | 'failing' | 'loading' | 'nothing there';
  readonly headline: string;
  readonly lines: readonly Piece[];
}

const DOCTOR = html`<code>pai-mirror doctor</code> says what is in its way.`;
const OVERVIEW = html`<a href="/">The overview</a> tells how far it is.`;

/** For a list without a filter that has no row. */
export function emptiness(streams: readonly StreamFreshness[], things: Things): Emptiness {
  const { one, many } = WORDS[things];
  const ofThese = streams.filter(({ stream }) => stream === things);
  if (ofThese.length === 0)
    return {
      why: 'never begun',
      headline: 'Nothing has been mirrored yet',
      lines: [
        html`No pass has read ${many} so far: <code>pai-mirror start</code> begins one at once and reads everything that PAI has, the newest first.`,
        DOCTOR,
      ],
    };
  const unread = ofThese.filter(({ ageSeconds }) => ageSeconds === null);
  const failing = unread.filter(({ lastOutcome, isRunning }) => lastOutcome === 'failed' && !isRunning);
  if (failing.length > 0)
    return {
      why: 'failing',
      headline: `No ${one} yet: the first pass has failed`,
      lines: [html`It is tried again. <a href="/mirror?passes=failed#passes">The failed passes</a> say why; ${DOCTOR}`],
    };
  if (unread.length > 0)
    return { why: 'loading', headline: `No ${one} yet: the first pass is under way`, lines: [OVERVIEW] };
  const latest = Math.max(...ofThese.map(({ ageSeconds }) => ageSeconds ?? 0));
  return {
    why: 'nothing there',
    headline: `PAI has no ${many}`,
    lines: [
      `The mirror has read the whole list of ${counted(ofThese.length, 'workspace')}, the last time ${roughly(latest)} ago, and there were none.`,
      'They appear here with the next pass after PAI lists them.',
    ],
  };
}

export function emptyList(streams: readonly StreamFreshness[], things: Things): Html {
  const { headline, lines } = emptiness(streams, things);
  return waiting(headline, ...lines);
}
