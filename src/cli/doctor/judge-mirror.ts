/** What the state of the mirror means, and what to do about it. Pure. */
import { ageText, prunesAnything, type RetentionRule, type RetentionSettings } from '../../domain/retention.js';
import { type ScopePattern, scopeName } from '../../domain/scope.js';
import type { FreshnessFacts, LeaseFacts, QuarantineFacts } from '../../store/inspect/state.js';
import { failed, type Judged, ok, warning } from './check.js';

/** Whether PAI_SCOPES names the scope: what it named once is not mirrored any more, and gets stale by itself. */
export const isConfigured = (patterns: readonly ScopePattern[], scope: string): boolean =>
  patterns.some((pattern) =>
    pattern.workspaceId === '*' ? scope.startsWith(`${pattern.region}:`) : scopeName(pattern) === scope,
  );

export const duration = (seconds: number): string => {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`;
};

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** A replica renews long before; a moment late is a machine that is busy. */
const LATE_SECONDS = 60;
/** No lease lasts so long: it was taken by a clock that was ahead, and counts as run out. */
const TOO_LONG_SECONDS = 600;

const names = (leases: readonly LeaseFacts[]): string => {
  const some = leases.slice(0, 3).map(({ stream, scope }) => `${stream} of ${scope}`);
  return `${some.join(', ')}${leases.length > some.length ? ` and ${leases.length - some.length} more` : ''}`;
};

/** `isDead`: whether a holder is a process of this machine that is certainly gone. */
export function judgeLeases(leases: readonly LeaseFacts[], isDead: (holder: string) => boolean): Judged[] {
  const holders = [...new Set(leases.map(({ holder }) => holder))];
  const judged = holders.flatMap((holder) => {
    const own = leases.filter((lease) => lease.holder === holder);
    const over = own.filter(({ secondsLeft }) => secondsLeft <= -LATE_SECONDS);
    const beyond = own.filter(({ secondsLeft }) => secondsLeft > TOO_LONG_SECONDS);
    const held = own.filter(({ secondsLeft }) => secondsLeft > -LATE_SECONDS && secondsLeft <= TOO_LONG_SECONDS);
    return [
      ...(over.length > 0 ? [ranOut(holder, over)] : []),
      ...(beyond.length > 0 ? [fromTheFuture(holder, beyond)] : []),
      ...(held.length > 0 ? [isDead(holder) ? heldByDead(holder, held) : ok(holder, `runs ${names(held)}`)] : []),
    ];
  });
  return judged.length > 0 ? judged : [ok(null, 'nobody runs a stream at this moment, and none was left behind')];
}

const ranOut = (holder: string, leases: readonly LeaseFacts[]): Judged =>
  warning(
    holder,
    `its lease of ${names(leases)} ran out ${duration(-Math.max(...leases.map(({ secondsLeft }) => secondsLeft)))} ago and nobody took over: the process ended in the middle`,
    'start `pai-mirror start`; if it runs, its next tick of that stream takes over by itself',
  );

const heldByDead = (holder: string, leases: readonly LeaseFacts[]): Judged =>
  warning(
    holder,
    `holds ${names(leases)}, and that process is gone`,
    'nothing to repair: whoever starts next takes over at once. Start `pai-mirror start`, and see why it ended',
  );

const fromTheFuture = (holder: string, leases: readonly LeaseFacts[]): Judged =>
  warning(
    holder,
    `its lease of ${names(leases)} ends in ${duration(leases[0]?.secondsLeft ?? 0)}: the database's clock was ahead`,
    'it counts as run out; see that the clock of the database is right now',
  );

export function judgeQuarantine({ entries, oldest, groups }: QuarantineFacts): Judged {
  if (entries === 0) return ok(null, 'empty');
  const where = groups.map((group) => `${group.entries} of ${group.stream} in ${group.scope}`).join(', ');
  return warning(
    null,
    `${counted(entries, 'item', 'items')} could not be read or stored, since ${oldest}: ${where}`,
    '`pai-mirror quarantine list` says why; after an upgrade `pai-mirror quarantine retry` reads them again',
  );
}

const MANY_SUMS = 20_000;

export function judgeSums(due: number): Judged {
  const found = due === 0 ? 'up to date' : `${due} are due`;
  if (due < MANY_SUMS) return ok(null, found);
  const told = `${found}: the views are exact all the same, and slower`;
  return warning(null, told, 'let `pai-mirror start` run: it computes them; if it runs, see its log for "sums"');
}

export function judgeRetention(settings: RetentionSettings, scopes: readonly ScopePattern[]): Judged[] {
  if (!prunesAnything(settings)) return [ok(null, 'no rule: everything is kept for ever')];
  const rules = [...settings.runs, ...settings.experiments];
  const lost = rules.filter((rule) => rule.scope !== null && !scopes.some((scope) => overlaps(rule, scope)));
  if (lost.length > 0)
    return lost.map(({ text }) =>
      warning(
        text,
        'names a scope that PAI_SCOPES does not',
        'correct the rule, if that scope is no longer mirrored on purpose',
      ),
    );
  const ages = [
    ['history', settings.history],
    ['passes', settings.passes],
    ['quarantine', settings.quarantine],
  ] as const;
  const others = ages.flatMap(([name, age]) => (age === null ? [] : [`${name} after ${ageText(age)}`]));
  return [ok(null, [...rules.map(({ text }) => text), ...others].join(', '))];
}

const overlaps = ({ scope }: RetentionRule, other: ScopePattern): boolean =>
  scope?.region === other.region &&
  (scope.workspaceId === '*' || other.workspaceId === '*' || scope.workspaceId === other.workspaceId);

/** Seconds. A stream that is a little late is no news, nor is a mirror that is filled by `sync` every half hour. */
const WARN_AT_LEAST = 900;
const FAIL_AT_LEAST = 3_600;

export interface FreshnessInput {
  readonly rows: readonly FreshnessFacts[];
  readonly scopes: readonly ScopePattern[];
  /** Seconds between two passes of a stream, as its schedule has it. */
  readonly periodOf: (stream: string) => number;
}

export function judgeFreshness({ rows, scopes, periodOf }: FreshnessInput): Judged[] {
  const own = rows.filter(({ scope }) => isConfigured(scopes, scope));
  const never = (subject: string | null): Judged =>
    warning(subject, 'nothing has been mirrored yet', 'run `pai-mirror start`, or `pai-mirror sync` for one round');
  if (own.length === 0) return [never(null)];
  const absent = scopes.filter((one) => !own.some(({ scope }) => isConfigured([one], scope)));
  const named = [...new Set(own.map(({ scope }) => scope))];
  return [
    ...absent.map((pattern) => never(scopeName(pattern))),
    ...named.flatMap((scope) =>
      judgeScope(
        scope,
        own.filter((row) => row.scope === scope),
        periodOf,
      ),
    ),
  ];
}

function judgeScope(scope: string, rows: readonly FreshnessFacts[], periodOf: FreshnessInput['periodOf']): Judged[] {
  const bad = rows.flatMap((row) => judgeStream(row, periodOf(row.stream)) ?? []);
  if (bad.length > 0) return bad;
  const ages = rows.map(({ stream, ageSeconds }) => `${stream} ${duration(ageSeconds ?? 0)}`);
  return [ok(scope, `last seen before: ${ages.join(', ')}`)];
}

/** Null when it is fresh. */
function judgeStream(row: FreshnessFacts, period: number): Judged | null {
  const { scope, stream, ageSeconds, lastError, failedInARow, holder, lastStartedSeconds } = row;
  const subject = `${scope} ${stream}`;
  const warnAfter = Math.max(WARN_AT_LEAST, 2 * period);
  const error = lastError === null ? '' : `; the last pass: ${lastError}`;
  const failures = failedInARow === 0 ? '' : `, ${counted(failedInARow, 'pass', 'passes')} failed since`;
  const isIdle = holder === null && (lastStartedSeconds ?? Number.POSITIVE_INFINITY) > warnAfter;
  const remedy = isIdle
    ? 'no process runs it: run `pai-mirror start`, and see why it ended'
    : lastError === null
      ? 'it is under way: see `pai-mirror status`, and the log of the service'
      : 'see what the error says, and the other lines of this report';
  if (ageSeconds === null) {
    const judge = failedInARow > 0 ? failed : warning;
    return judge(subject, `has never succeeded${failures.replace(' since', '')}${error}`, remedy);
  }
  const found = `succeeded ${duration(ageSeconds)} ago${failures}${error}`;
  if (ageSeconds > Math.max(FAIL_AT_LEAST, 4 * period)) return failed(subject, found, remedy);
  if (ageSeconds > warnAfter || failedInARow > 0) return warning(subject, found, remedy);
  return null;
}
