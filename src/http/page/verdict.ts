/** Is the mirror healthy and fresh? Decided from its own tables, in words; what is wrong comes first. */
import type { StreamFreshness, Troubles } from '../../domain/page.js';
import { counted, roughly, span } from './words.js';

export type Level = 'bad' | 'warning' | 'waiting' | 'good';

export interface Finding {
  readonly level: Exclude<Level, 'good'>;
  readonly text: string;
  /** What the mirror, PAI or the database said. */
  readonly detail: string | null;
  /** A page that tells more. */
  readonly link: string | null;
}

export interface Verdict {
  readonly level: Level;
  readonly headline: string;
  readonly summary: string;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/** How long a stream may be without a success, seconds. The alert rules of Grafana have the same numbers. */
export const allowedAge = (stream: string): number => {
  if (stream === 'reconcile') return 86_400;
  return stream === 'pipeline-runs' || stream === 'status' ? 1_800 : 7_200;
};

const MANY_FAILURES = 3;

/** One stream's state, in a word for a badge and a sentence. */
export interface StreamState {
  readonly level: Level;
  readonly word: string;
  readonly sentence: string;
}

export function judgeStream(stream: StreamFreshness): StreamState {
  const { ageSeconds, failedInARow, lastOutcome, isRunning, startedSecondsAgo } = stream;
  const allowed = allowedAge(stream.stream);
  if (ageSeconds === null) {
    if (isRunning) return { level: 'waiting', word: 'first pass', sentence: 'its first pass is under way' };
    if (lastOutcome === 'failed')
      return {
        level: 'bad',
        word: 'never done',
        sentence: `has never succeeded: ${counted(failedInARow, 'pass', 'passes')} failed`,
      };
    const isLate = (startedSecondsAgo ?? 0) > allowed;
    return { level: isLate ? 'bad' : 'waiting', word: 'not yet', sentence: 'has not succeeded yet' };
  }
  const ago = `${roughly(ageSeconds)} ago`;
  if (ageSeconds > allowed)
    return {
      level: 'bad',
      word: ago,
      sentence: `is not fresh: complete ${span(ageSeconds)} ago, allowed are ${roughly(allowed)}${failures(failedInARow)}`,
    };
  if (failedInARow >= MANY_FAILURES)
    return {
      level: 'warning',
      word: ago,
      sentence: `fails again and again, ${counted(failedInARow, 'time')} in a row; complete ${span(ageSeconds)} ago`,
    };
  if (failedInARow > 0)
    return { level: 'good', word: ago, sentence: `complete ${ago}; the last pass failed and is tried again` };
  return { level: 'good', word: ago, sentence: `complete ${ago}${isRunning ? ', a pass is under way' : ''}` };
}

const failures = (inARow: number): string =>
  inARow === 0 ? '' : `; ${counted(inARow, 'pass has', 'passes have')} failed since`;

const ORDER: readonly Level[] = ['bad', 'warning', 'waiting', 'good'];

export function judge(streams: readonly StreamFreshness[], troubles: Troubles): Verdict {
  if (streams.length === 0)
    return {
      level: 'waiting',
      headline: 'Nothing has been mirrored yet',
      summary:
        'The mirror waits for its first pass: `pai-mirror start` begins one at once, `pai-mirror doctor` says what is in its way.',
      findings: findingsOf([], troubles),
    };
  const findings = findingsOf(streams, troubles);
  const level = findings[0]?.level ?? 'good';
  return { level, headline: HEADLINES[level], summary: summaryOf(streams), findings };
}

const HEADLINES: Readonly<Record<Level, string>> = {
  bad: 'The mirror is not fresh',
  warning: 'The mirror is fresh, but something needs a look',
  waiting: 'The mirror is loading for the first time',
  good: 'The mirror is healthy and fresh',
};

function summaryOf(streams: readonly StreamFreshness[]): string {
  const scopes = new Set(streams.map(({ scope }) => scope)).size;
  const fresh = streams.filter((stream) => judgeStream(stream).level === 'good');
  const oldest = Math.max(
    ...streams.filter(({ stream }) => stream === 'pipeline-runs').map(({ ageSeconds }) => ageSeconds ?? Number.NaN),
  );
  const runs = Number.isFinite(oldest)
    ? ` New and changed runs of every workspace were read ${roughly(oldest)} ago.`
    : '';
  return `${fresh.length} of ${streams.length} streams of ${counted(scopes, 'workspace')} are up to date.${runs}`;
}

function findingsOf(streams: readonly StreamFreshness[], troubles: Troubles): Finding[] {
  const ofStreams = streams.flatMap((stream): Finding[] => {
    const { level, sentence } = judgeStream(stream);
    if (level === 'good') return [];
    return [
      { level, text: `${stream.stream} of ${stream.scope} ${sentence}`, detail: stream.lastError, link: '/mirror' },
    ];
  });
  const findings = [...ofStreams, ...waiting(troubles)];
  return findings.sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));
}

function waiting({ quarantined, failingItems, throttled }: Troubles): Finding[] {
  const findings: Finding[] = throttled.map(({ region, name, pace }) => ({
    level: 'warning',
    text: `PAI throttles the calls of ${name} in ${region}: the mirror calls at ${Math.round(100 * pace)} % of its pace`,
    detail: null,
    link: '/mirror',
  }));
  if (quarantined > 0)
    findings.push({
      level: 'warning',
      text: `${counted(quarantined, 'item waits', 'items wait')} in quarantine: they could not be decoded or stored`,
      detail: null,
      link: '/quarantine',
    });
  if (failingItems > 0)
    findings.push({
      level: 'warning',
      text: `Calls for ${counted(failingItems, 'run')} have failed three times or more, and are tried again`,
      detail: null,
      link: '/mirror',
    });
  return findings;
}
