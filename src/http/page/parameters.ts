/** The query of an address: checked once, mistakes told by name. An empty field of a form is one that was not filled in. */
import type { Instant } from '../../domain/entities.js';
import { instantFromMillis } from '../../domain/instant.js';
import type { RunCursor } from '../../domain/page.js';

/** Answered with 400. */
export class ParameterError extends Error {
  constructor(
    readonly parameter: string,
    found: string,
    expected: string,
  ) {
    super(
      `${parameter}: found ${JSON.stringify(found.length > 60 ? `${found.slice(0, 57)}...` : found)}, expected ${expected}`,
    );
  }
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export const MOST_CHARACTERS = 200;

/** Ids end where an address does: the server reads 2,048 characters of one. */
export const MOST_OF_ID = 2_000;

/**
 * As somebody typed it, without the blanks around it. Throws ParameterError when it is there twice, too long, or holds what
 * no text of PostgreSQL can.
 */
export function text(query: Query, name: string, most = MOST_CHARACTERS): string | null {
  const value = exactly(query, name, Number.POSITIVE_INFINITY)?.trim() ?? '';
  if (value.length > most) throw new ParameterError(name, value, `at most ${most} characters`);
  return value === '' ? null : value;
}

/** As a link of the page has it: an id may begin or end with a blank, or be nothing but that. */
export function exactly(query: Query, name: string, most = MOST_OF_ID): string | null {
  const value = query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new ParameterError(name, value.join(', '), 'one value');
  if (value.length > most) throw new ParameterError(name, value, `at most ${most} characters`);
  if (value.includes('\0')) throw new ParameterError(name, value, 'no zero character');
  return value;
}

export function oneOf<T extends string>(query: Query, name: string, values: readonly T[]): T | null {
  const value = text(query, name);
  if (value === null) return null;
  const found = values.find((one) => one === value);
  if (found === undefined) throw new ParameterError(name, value, `one of ${values.join(', ')}`);
  return found;
}

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;
const WHEN_EXPECTED = 'a day such as 2026-03-16 (UTC) or a time such as 2026-03-16T09:30:00Z';

/** `to` of a day means its end: the instant is that from which on nothing is meant any more. */
export function when(query: Query, name: string, isEnd: boolean): Instant | null {
  const value = text(query, name);
  if (value === null) return null;
  const isDay = DAY.test(value);
  const start = isDay || INSTANT.test(value) ? Date.parse(isDay ? `${value}T00:00:00Z` : value) : Number.NaN;
  const millis = start + (isDay && isEnd ? DAY_MS : 0);
  if (!isDayOfCalendar(value) || !(millis >= FIRST_MS && millis <= LAST_MS))
    throw new ParameterError(name, value, WHEN_EXPECTED);
  return instantFromMillis(millis);
}

/** PostgreSQL has no year 0; the year 10000 has a digit too many. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** JavaScript reads 2026-02-31 as a day of March, PostgreSQL refuses it. */
function isDayOfCalendar(text: string): boolean {
  const millis = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(text.slice(0, 10));
}

/** A number that PostgreSQL takes for a bigint, as text. */
export function eventId(query: Query, name: string): string | null {
  const value = text(query, name);
  if (value !== null && !/^\d{1,18}$/.test(value)) throw new ParameterError(name, value, 'a whole number');
  return value;
}

export function wholeNumber(query: Query, name: string, most: number): number | null {
  const value = text(query, name);
  if (value === null) return null;
  if (!/^\d{1,9}$/.test(value) || Number(value) > most)
    throw new ParameterError(name, value, `a whole number from 0 to ${most}`);
  return Number(value);
}

const CURSOR = /^(-|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z)~(.*)$/s;

/** Where a list goes on: time and id of the last run before, `2026-03-16T09:30:00.000000Z~flow-x`. */
export function cursor(query: Query, name: string): RunCursor | null {
  // Longer than an id by the time in front of it, and a scope.
  const value = exactly(query, name, MOST_OF_ID + 100) ?? '';
  if (value === '') return null;
  const [, at = '', id = ''] = CURSOR.exec(value) ?? [];
  if (at === '' || (at !== '-' && !isCursorTime(at)))
    throw new ParameterError(name, value, 'the address of a link on this page: a time, ~ and an id');
  return { createdAt: at === '-' ? null : at, id };
}

/** What PostgreSQL is given as a time. */
const isCursorTime = (at: string): boolean =>
  isDayOfCalendar(at) && Date.parse(at) >= FIRST_MS && !at.slice(11).startsWith('24');

export const cursorText = ({ createdAt, id }: RunCursor): string => `${createdAt ?? '-'}~${id}`;

/** `a=1&b=2` without what is null, in front a `?`; the same address for the same search. */
export function queryString(values: Readonly<Record<string, string | readonly string[] | null>>): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one) => [name, one] as [string, string]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
