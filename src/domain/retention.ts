/**
 * What may be pruned, as the configuration says it. Pure: the database decides which runs a rule matches (store/retention),
 * this file what the rules are, and what is wrong with them.
 */
import { parseScopePattern, type ScopePattern } from './scope.js';
import { TERMINAL_STATUSES } from './status.js';

/** Calendar months and years, as PostgreSQL counts them back from a day. */
export interface Age {
  readonly number: number;
  readonly unit: 'day' | 'week' | 'month' | 'year';
}

export interface RetentionRule {
  /** As written, without blanks: what reports name it by. */
  readonly text: string;
  /** Null: every scope. */
  readonly scope: ScopePattern | null;
  /** A terminal status; null: any. Experiment runs have none. */
  readonly outcome: string | null;
  /** Null: kept for ever. */
  readonly age: Age | null;
}

export interface RetentionSettings {
  /** Pipeline runs. The first rule that matches a run decides; what none matches is kept. */
  readonly runs: readonly RetentionRule[];
  /** Experiment runs. */
  readonly experiments: readonly RetentionRule[];
  /** Null: kept for ever. Whole months of change_events that ended longer ago. */
  readonly history: Age | null;
  /** Rows of sync_passes. */
  readonly passes: Age | null;
  /** Settled rows of quarantine. */
  readonly quarantine: Age | null;
}

export const NOTHING_PRUNED: RetentionSettings = {
  runs: [],
  experiments: [],
  history: null,
  passes: null,
  quarantine: null,
};

/** Whether anything can ever go. */
export const prunesAnything = ({ runs, experiments, history, passes, quarantine }: RetentionSettings): boolean =>
  [...runs, ...experiments].some(({ age }) => age !== null) ||
  [history, passes, quarantine].some((age) => age !== null);

const UNITS: { readonly [letter: string]: Age['unit'] } = { d: 'day', w: 'week', m: 'month', y: 'year' };

export const AGE_EXPECTED = 'a number of days, weeks, months or years from 1d on, such as 180d, 26w, 6m or 2y';

/** Null when the text is no age, or one that leads out of PostgreSQL's calendar. */
export function parseAge(text: string): Age | null {
  const match = /^(?:([1-9]\d{0,3})([dwm])|([1-9]\d{0,2})(y))$/.exec(text.trim());
  if (!match) return null;
  return { number: Number(match[1] ?? match[3]), unit: UNITS[(match[2] ?? match[4]) as string] as Age['unit'] };
}

/** `180 days`, for PostgreSQL and for people. */
export const ageText = ({ number, unit }: Age): string => `${number} ${unit}${number === 1 ? '' : 's'}`;

export type Parsed<T> = { readonly value: T } | { readonly mistakes: readonly string[] };

const OUTCOMES: readonly string[] = TERMINAL_STATUSES;

/** `SCOPE/OUTCOME=AGE`, or without `/OUTCOME` where `hasOutcome` is false. Returns the rule, or what is wrong with it. */
function parseRule(text: string, hasOutcome: boolean): RetentionRule | string {
  const [left = '', right, ...more] = text.split('=').map((part) => part.trim());
  if (right === undefined || more.length > 0) return `found ${JSON.stringify(text)}, expected one = in it`;
  const [scopeText = '', outcomeText, ...others] = left.split('/').map((part) => part.trim());
  if ((outcomeText !== undefined) !== hasOutcome || others.length > 0) {
    return `found ${JSON.stringify(text)}, expected ${hasOutcome ? 'SCOPE/OUTCOME=AGE' : 'SCOPE=AGE'}`;
  }
  const scope = scopeText === '*' ? null : parseScopePattern(scopeText);
  if (scope === null && scopeText !== '*') {
    return `found scope ${JSON.stringify(scopeText)} in ${JSON.stringify(text)}, expected *, region:* or region:workspaceId`;
  }
  const outcome = outcomeText === undefined || outcomeText === '*' ? null : outcomeText;
  if (outcome !== null && !OUTCOMES.includes(outcome)) {
    return `found outcome ${JSON.stringify(outcome)} in ${JSON.stringify(text)}, expected one of ${OUTCOMES.join(', ')} or *`;
  }
  const age = right === 'keep' ? null : parseAge(right);
  if (age === null && right !== 'keep') {
    return `found age ${JSON.stringify(right)} in ${JSON.stringify(text)}, expected keep, or ${AGE_EXPECTED}`;
  }
  return { text: `${left.replaceAll(/\s/g, '')}=${right}`, scope, outcome, age };
}

/** Whether every run that `later` matches is matched by `earlier`. */
function covers(earlier: RetentionRule, later: RetentionRule): boolean {
  const { scope, outcome } = earlier;
  const isWithin =
    scope === null ||
    (scope.region === later.scope?.region &&
      (scope.workspaceId === '*' || scope.workspaceId === later.scope.workspaceId));
  return isWithin && (outcome === null || outcome === later.outcome);
}

/** A rule that never has its say is a mistake: `*=1y, cn-shanghai:1=keep` would prune what somebody wanted to keep. */
function shadowed(rules: readonly RetentionRule[]): string[] {
  return rules.flatMap((rule, index) => {
    const before = rules.slice(0, index).find((earlier) => covers(earlier, rule));
    return before === undefined
      ? []
      : [
          `found ${JSON.stringify(rule.text)} behind ${JSON.stringify(before.text)}, which decides first; expected the narrower rule in front`,
        ];
  });
}

/** Rules, comma-separated; every mistake in one answer. */
export function parseRules(text: string, options: { readonly hasOutcome: boolean }): Parsed<RetentionRule[]> {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  const parsed = parts.map((part) => parseRule(part.trim(), options.hasOutcome));
  const mistakes = parsed.filter((rule) => typeof rule === 'string');
  const rules = parsed.filter((rule) => typeof rule !== 'string');
  const all = mistakes.length > 0 ? mistakes : shadowed(rules);
  return all.length > 0 ? { mistakes: all } : { value: rules };
}
