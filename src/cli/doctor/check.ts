/** One look at one part of the mirror, and the loop that runs them: each has a time-out, and none can stop the others. */
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, StoreError } from '../../domain/errors.js';

/** `skipped`: not looked at, because something that it needs has failed. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a judge says of one thing. */
export interface Judged {
  /** The thing, when a check looks at several: a variable, an endpoint, an operation in a scope. */
  readonly subject: string | null;
  readonly verdict: Verdict;
  /** What was found. */
  readonly found: string;
  /** What to do about it; null when nothing is to be done. */
  readonly remedy: string | null;
}

/** One line of the report. The names of checks are stable: scripts select by them. */
export interface Finding extends Judged {
  readonly check: string;
}

export interface Check {
  readonly name: string;
  /** Checks that must not have failed (or been skipped) for this one to make sense. */
  readonly needs?: readonly string[];
  /** Default 20 s. */
  readonly timeoutMs?: number;
  /** Asked after it ran: whether those that need it can go on. Default: unless it has failed. */
  isUsable?(): boolean;
  run(signal: AbortSignal): Promise<readonly Judged[]> | readonly Judged[];
}

const TIMEOUT_MS = 20_000;

export const ok = (subject: string | null, found: string): Judged => ({
  subject,
  verdict: 'ok',
  found,
  remedy: null,
});

export const warning = (subject: string | null, found: string, remedy: string): Judged => ({
  subject,
  verdict: 'warning',
  found,
  remedy,
});

export const failed = (subject: string | null, found: string, remedy: string): Judged => ({
  subject,
  verdict: 'failed',
  found,
  remedy,
});

export const skipped = (subject: string | null, found: string): Judged => ({
  subject,
  verdict: 'skipped',
  found,
  remedy: null,
});

export interface Examination {
  readonly findings: readonly Finding[];
  /** A check did not end in time: what it waits for may keep the process alive. */
  readonly hung: boolean;
}

/** One after the other, in the order given: that is the order of the report, and later ones use what earlier ones found. */
export async function runChecks(checks: readonly Check[]): Promise<Examination> {
  const findings: Finding[] = [];
  /** Name of a check to the check that failed, itself or the one that it waited for. */
  const unusable = new Map<string, string>();
  let hung = false;
  for (const check of checks) {
    const missing = check.needs?.find((name) => unusable.has(name));
    const cause = missing === undefined ? undefined : unusable.get(missing);
    const outcome =
      cause === undefined ? await runOne(check) : { hung: false, judged: [skipped(null, `needs ${cause}`)] };
    hung ||= outcome.hung;
    findings.push(...outcome.judged.map((judged) => ({ check: check.name, ...judged })));
    if (cause !== undefined) unusable.set(check.name, cause);
    else if (!isUsable(check, outcome.judged)) unusable.set(check.name, check.name);
  }
  return { findings, hung };
}

const isUsable = (check: Check, judged: readonly Judged[]): boolean =>
  !judged.some(({ verdict }) => verdict === 'failed') && (check.isUsable?.() ?? true);

async function runOne(check: Check): Promise<{ judged: readonly Judged[]; hung: boolean }> {
  const limitMs = check.timeoutMs ?? TIMEOUT_MS;
  const controller = new AbortController();
  const over = new AbortController();
  const timeout = delay(limitMs, 'late' as const, { signal: over.signal }).catch(() => 'late' as const);
  const work = Promise.resolve().then(() => check.run(controller.signal));
  try {
    const first = await Promise.race([work, timeout]);
    if (first !== 'late') return { judged: first, hung: false };
    controller.abort(new Error('the check took too long'));
    // Whatever it was waiting for settles later, or never.
    work.catch(() => {});
    const found = `no result within ${limitMs / 1_000} s`;
    return { judged: [failed(null, found, 'see whether the network or the server answers at all')], hung: true };
  } catch (error) {
    return { judged: [failed(null, describeError(error), remedyOf(error))], hung: false };
  } finally {
    over.abort();
  }
}

/** What a look into the database failed with, where the check itself has nothing to say of it. */
const REMEDIES: Readonly<Record<string, string>> = {
  STORE_TIMEOUT: 'see who holds a lock or keeps the server busy: pg_stat_activity, pg_locks',
  STORE_SCHEMA: 'see what `schema` says above: something that the migrations made was dropped or renamed by hand',
  STORE_PERMISSION: 'see what `database-rights` says above',
  STORE_UNAVAILABLE: 'see whether the server runs, and its log',
};

const remedyOf = (error: unknown): string =>
  (error instanceof StoreError ? REMEDIES[error.code] : undefined) ?? 'see the message';

/** 0 also with warnings. A wrong configuration is usage, as for every command. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const bad = findings.filter(({ verdict }) => verdict === 'failed');
  if (bad.some(({ check }) => check === 'configuration')) return 2;
  return bad.length > 0 ? 1 : 0;
}
