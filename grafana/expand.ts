/**
 * What becomes of a query between a panel and PostgreSQL, as Grafana does it: variables first (in the browser), then the
 * interval, then the macros of the PostgreSQL data source (in the server). Only what the dashboards use is understood;
 * anything else is an error, so that a query that is tested is the query that Grafana would send.
 */

/** What Grafana itself calls the choice "All". */
export const ALL = '$__all';

/**
 * The `allValue` of every variable that has "All". Grafana puts it into the query as it is, without quoting, so it carries
 * its own quotes; a filter is `('*' in (…) or column in (…))`, which PostgreSQL decides while planning.
 */
export const ALL_VALUE = "'*'";

/** One value, several, or ALL. */
export type VariableValue = string | readonly string[];

export interface Expansion {
  /** The dashboard's time range. */
  readonly from: Date;
  readonly to: Date;
  /** Milliseconds; Grafana takes the range over the panel's width in points, and not less than the panel's interval. */
  readonly intervalMs: number;
  readonly variables: Readonly<Record<string, VariableValue>>;
  /** The dashboard's time zone, an IANA name. Default `UTC`. */
  readonly timezone?: string;
}

/** The SQL that reaches the server. Throws Error naming what is not understood. */
export function expandQuery(sql: string, expansion: Expansion): string {
  return expandMacros(expandInterval(expandVariables(sql, expansion), expansion.intervalMs), expansion);
}

/** `$name`, `[[name]]`, `${name}`, `${name:format}`: all the ways to write a variable. */
const VARIABLE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}/g;

function expandVariables(sql: string, { variables, timezone }: Expansion): string {
  return sql.replace(VARIABLE, (written: string, bare, bracket, bracketFormat, name, path, format) => {
    const found: string = bare ?? bracket ?? name;
    // Macros and the interval look like variables and are none.
    if (found.startsWith('__') && found !== '__timezone') return written;
    if (path !== undefined) throw new Error(`${written}: a path is not understood, expected \${name:sqlstring}`);
    const value = found === '__timezone' ? (timezone ?? 'UTC') : variables[found];
    if (value === undefined) throw new Error(`${written}: there is no variable ${found}`);
    const how = bracketFormat ?? format;
    if (how !== 'sqlstring') throw new Error(`${written}: found format ${how ?? 'none'}, expected sqlstring`);
    return value === ALL ? ALL_VALUE : sqlStrings(value);
  });
}

/** Grafana's `sqlstring`: quotes doubled, values with commas between; a double quote gets a backslash. */
const sqlStrings = (value: VariableValue): string =>
  (typeof value === 'string' ? [value] : value)
    .map((one) => `'${one.replaceAll("'", "''").replaceAll('"', '\\"')}'`)
    .join(',');

const expandInterval = (sql: string, intervalMs: number): string =>
  sql.replaceAll('$__interval_ms', String(intervalMs)).replaceAll('$__interval', formatInterval(intervalMs));

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** As Grafana's server writes it: whole units of the largest one that fits, the rest dropped. */
export function formatInterval(intervalMs: number): string {
  for (const [unit, ms] of UNITS) if (intervalMs >= ms) return `${Math.floor(intervalMs / ms)}${unit}`;
  return '1ms';
}

/** Seconds in `30m`, quoted or not. Throws Error. */
function parseInterval(text: string): number {
  const [, count, unit] = /^'?(\d+)(ms|[smhdwy])'?$/.exec(text) ?? [];
  const ms = unit === 'w' ? 7 * 86_400_000 : UNITS.find(([name]) => name === unit)?.[1];
  if (ms === undefined) throw new Error(`found interval ${text}, expected a number and ms, s, m, h, d, w or y`);
  return (Number(count) * ms) / 1000;
}

/** A macro's arguments end at the first bracket: there is no nesting. */
const MACRO = /\$(\w+)\(([^)]*)\)/g;

function expandMacros(sql: string, expansion: Expansion): string {
  return sql.replace(MACRO, (call: string, name: string, inside: string, offset: number) => {
    const called = name === '__timeGroup' && sql[offset + call.length] === ',' ? '__timeGroupAlias' : name;
    const args = inside.split(',').map((arg) => arg.trim());
    return evaluate(called, args, expansion);
  });
}

function evaluate(name: string, args: readonly string[], { from, to }: Expansion): string {
  const [column = ''] = args;
  switch (name) {
    case '__time':
      return `${column} AS "time"`;
    case '__timeFilter':
      return `${column} BETWEEN ${instant(from)} AND ${instant(to)}`;
    case '__timeFrom':
      return instant(from);
    case '__timeTo':
      return instant(to);
    case '__timeGroup':
      return timeGroup(name, args);
    case '__timeGroupAlias':
      return `${timeGroup(name, args)} AS "time"`;
    default:
      throw new Error(`found macro $${name}, expected one of PostgreSQL's data source that the dashboards use`);
  }
}

/** Without the quotes' type: PostgreSQL takes it for whatever the other side is. No zero at the end, as Go writes it. */
const instant = (time: Date): string => `'${time.toISOString().replace(/\.?0*Z$/, 'Z')}'`;

function timeGroup(name: string, args: readonly string[]): string {
  const [column, interval] = args;
  if (column === undefined || interval === undefined) throw new Error(`$${name}: expected a column and an interval`);
  const seconds = parseInterval(interval);
  return `floor(extract(epoch from ${column})/${seconds})*${seconds}`;
}
