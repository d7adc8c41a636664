/** Keeps the number of series within bounds, however many workspaces an account has. Pure. */
export interface ScopedValue {
  readonly scope: string;
  readonly value: number;
}

/** Eight series a scope and six streams each with an age and a lag: 200 scopes make 4,000 series. */
export const MOST_SCOPES = 200;
export const OTHERS = 'other';

/**
 * The first scopes by name keep a series each, the rest share one as `other`: their sum, or the largest of them, which is
 * what an alert looks for. A scope never goes in and out of it, unless scopes before it come and go.
 */
export function boundScopes(
  values: readonly ScopedValue[],
  together: 'sum' | 'max',
  most = MOST_SCOPES,
): readonly ScopedValue[] {
  if (values.length <= most) return values;
  const sorted = [...values].sort((one, other) => (one.scope < other.scope ? -1 : 1));
  const rest = sorted.slice(most).map(({ value }) => value);
  const value = together === 'sum' ? rest.reduce((sum, one) => sum + one, 0) : Math.max(...rest);
  return [...sorted.slice(0, most), { scope: OTHERS, value }];
}
