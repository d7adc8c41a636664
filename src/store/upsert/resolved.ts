import { column, quote, type SqlColumn } from '../sql.js';
import type { UpsertSpec } from './spec.js';

/** The columns of a spec, resolved once. */
export interface Resolved {
  readonly spec: UpsertSpec;
  readonly keys: readonly SqlColumn[];
  readonly merged: readonly (SqlColumn & { readonly property: string; readonly rule: string })[];
  /** `x.key1 = y.key1 and …` */
  readonly sameKey: (x: string, y: string) => string;
}

export function resolve(spec: UpsertSpec): Resolved {
  const keys = spec.keys.map((property) => column(spec.table, property));
  const merged = Object.entries(spec.merge).map(([property, rule]) => {
    const found = column(spec.table, property);
    return { ...found, property, rule: rule(found.sql) };
  });
  return {
    spec,
    keys,
    merged,
    sameKey: (x, y) => keys.map((key) => `${x}.${key.sql} = ${y}.${key.sql}`).join(' and '),
  };
}

/** Merged value and known value of a column, as the inner parts of the statement name them. */
export const after = (name: string): string => quote(`n_${name}`);
export const before = (name: string): string => quote(`o_${name}`);
