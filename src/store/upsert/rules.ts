import type { Rule } from './spec.js';

/** The answer is the authority: also an absent field is a fact. */
export const take: Rule = (c) => `i.${c}`;

/** The newest value that any answer carried: an absent field says nothing. */
export const latest: Rule = (c) => `coalesce(i.${c}, k.${c})`;

/** Completes what the mirror does not know, and overwrites nothing. */
export const fill: Rule = (c) => `coalesce(k.${c}, i.${c})`;

/** Only what the row began with. */
export const initial: Rule = (c) => `case when v.is_new then i.${c} else k.${c} end`;

/** A new version replaces the row; within one version an absent field never clears a known one. */
export const versioned: Rule = (c) => `case when v.moved then i.${c} else coalesce(i.${c}, k.${c}) end`;

/** Follows a new version only: for a field that may differ from answer to answer though the run is the same. */
export const perVersion: Rule = (c) => `case when v.moved then i.${c} else coalesce(k.${c}, i.${c}) end`;

export const always =
  (expression: string): Rule =>
  () =>
    expression;

/**
 * The root node is an empty text until the workflow is initialised, and no answer may put a known one back to that
 * within one version.
 */
export const rootNode: Rule = (c) =>
  `case when v.moved then i.${c} else coalesce(nullif(i.${c}, ''), k.${c}, i.${c}) end`;
export const polledRootNode: Rule = (c) => `coalesce(nullif(i.${c}, ''), k.${c}, i.${c})`;
export const filledRootNode: Rule = (c) => `coalesce(nullif(k.${c}, ''), i.${c}, k.${c})`;

/**
 * A time of a node: the tree shows it cut to seconds or even minutes where the poll shows milliseconds, and a cut form
 * of the known time is no news.
 */
export const nodeTime: Rule = (c) =>
  `case when not v.moved and i.${c} in (date_trunc('minute', k.${c}), date_trunc('second', k.${c})) then k.${c}
        else ${versioned(c)} end`;

/** The two columns of one JSON document go together: either both from the answer, or both as they are. */
export function versionedDocument(property: string): { [property: string]: Rule } {
  const json = property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const present = `(v.moved or i."${json}" is not null or i."${json}_raw" is not null)`;
  const rule: Rule = (c) => `case when ${present} then i.${c} else k.${c} end`;
  return { [property]: rule, [`${property}Raw`]: rule };
}

/**
 * The source's own clock says that the answer shows an older version than the stored one. A stored time of the future
 * proves nothing (the source's mistake, which it may have mended since): otherwise the row would be frozen until then.
 */
export const olderVersion = `i.gmt_modified_time < k.gmt_modified_time
  and k.gmt_modified_time < i.observed_at + interval '1 day'`;

/**
 * The answer shows a newer version than the stored one, although it was asked for earlier: the question was on its way
 * for longer. (A time of the future proves nothing here either.)
 */
export const newerVersion = `i.gmt_modified_time < i.observed_at + interval '1 day'
  and (k.gmt_modified_time is null or i.gmt_modified_time > k.gmt_modified_time)`;

/** As `rule`, but a late answer has no say: for what moves without a new version, too. */
export const unlessLate =
  (rule: Rule): Rule =>
  (c) =>
    `case when v.is_late then k.${c} else ${rule(c)} end`;

/** The answer names the row: it is neither gone nor missing. */
export const present = {
  deletedAt: unlessLate(always('null::timestamptz')),
  missingSince: unlessLate(always('null::timestamptz')),
};
