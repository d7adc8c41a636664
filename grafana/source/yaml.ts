/** Writes plain data as YAML: enough for Grafana's provisioning files, and so plain that every parser agrees. */

type Scalar = string | number | boolean | null;
export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

/** Words that are safe without quotes; `on`, `no` and their like are booleans to some parsers. */
const BARE = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][A-Za-z0-9_-]*$/i;

const isScalar = (value: Plain): value is Scalar => value === null || typeof value !== 'object';

/** JSON's text of a string is a double-quoted string of YAML. */
const scalar = (value: Scalar): string =>
  typeof value === 'string' && BARE.test(value) ? value : JSON.stringify(value);

/** A document with a line end at its end. Empty lists and objects are written as in JSON. */
export const toYaml = (value: Plain): string => `${lines(value).join('\n')}\n`;

function lines(value: Plain): string[] {
  if (isScalar(value)) return [scalar(value)];
  if (Array.isArray(value)) return value.length === 0 ? ['[]'] : value.flatMap(item);
  const entries = Object.entries(value);
  return entries.length === 0 ? ['{}'] : entries.flatMap(([key, inner]) => entry(key, inner));
}

/** `- first line`, and the others below it. */
const item = (value: Plain): string[] => lines(value).map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));

function entry(key: string, value: Plain): string[] {
  const name = `${scalar(key)}:`;
  // A text of several lines (a query) stays readable: a block, without the line end that it has not.
  if (typeof value === 'string' && isBlock(value))
    return [`${name} |-`, ...value.split('\n').map((line) => `  ${line}`)];
  const inner = lines(value);
  const [first = ''] = inner;
  const fits = isScalar(value) || first === '[]' || first === '{}';
  return fits ? [`${name} ${first}`] : [name, ...inner.map((line) => `  ${line}`)];
}

/** The first line tells the indentation, and white space at the end of a line or of the text would be doubtful. */
const isBlock = (text: string): boolean => text.includes('\n') && !/^\s|\s$|[^\S\n]\n|\n\n|[^\n\x20-\x7e]/.test(text);
