import type { Instant } from '../../domain/entities.js';
import type { Observation, Row } from './spec.js';

/** When this process saw the row last without news; null where it does not know. */
export type SeenAt = (observation: Observation) => Instant | null;

const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;

/** One element of an array in PostgreSQL's own notation; quoted always, so that only these two characters matter. */
function element(value: Row[string] | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return NEEDS_ESCAPE.test(value) ? `"${value.replace(ESCAPED, '\\$&')}"` : `"${value}"`;
}

function reader(property: string, seenAt: SeenAt): (observation: Observation) => Row[string] | undefined {
  if (property === 'observedAt') return ({ evidence }) => evidence.observedAt;
  if (property === 'answerRequestId') return ({ evidence }) => evidence.requestId;
  if (property === 'seenAt') return seenAt;
  return ({ row }) => row[property];
}

/** One array a property: pg would write it too, but takes half as long again for it. */
export function arrays(properties: readonly string[], observations: readonly Observation[], seenAt: SeenAt): string[] {
  return properties.map((property) => {
    const value = reader(property, seenAt);
    let text = '';
    for (const each of observations) text += text === '' ? element(value(each)) : `,${element(value(each))}`;
    return `{${text}}`;
  });
}
