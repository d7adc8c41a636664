/** The parts of README.md that are made from the code: the table of the commands and those of the configuration. */
import type { Command, Option } from 'commander';
import type { Variable } from '../../src/config/variables.js';

interface Group {
  readonly title: string;
  readonly variables: Readonly<Record<string, Variable<unknown>>>;
}

/** More options than this say nothing in a cell; `--help` lists them. */
const MOST_OPTIONS = 6;

const markers = (name: string) => ({ start: `<!-- ${name}: made by npm run docs -->`, end: `<!-- end of ${name} -->` });

/** `text` with what stands between the markers of `name` replaced. Throws when they are not there once each. */
export function withPart(text: string, name: string, part: string): string {
  const { start, end } = markers(name);
  const [before, rest, ...moreStarts] = text.split(start);
  const [, after, ...moreEnds] = (rest ?? '').split(end);
  if (after === undefined || moreStarts.length > 0 || moreEnds.length > 0)
    throw new Error(`${name}: found other than one "${start}" followed by one "${end}"`);
  return `${before}${start}\n\n${part.trim()}\n\n${end}${after}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text}\``;
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n');
}

const defaultOf = ({ fallback, otherwise }: Variable<unknown>): string => {
  if (otherwise !== '') return fallback === null || fallback === '' ? otherwise : `${code(fallback)}: ${otherwise}`;
  return code(fallback as string);
};

export const configurationTables = (groups: readonly Group[]): string =>
  groups
    .map(({ title, variables }) => {
      const rows = Object.entries(variables).map(([name, variable]) => [
        code(name),
        variable.meaning,
        variable.kind.expected,
        defaultOf(variable),
      ]);
      return `${title}:\n\n${table(['Variable', 'Meaning', 'Expects', 'Default'], rows)}`;
    })
    .join('\n\n');

const usageOf = ({ flags }: Option): string => `[${flags}]`;

/** `quarantine list [--json] …` */
function signatureOf(command: Command, parents: readonly string[]): string {
  const options = command.options.filter(({ hidden }) => !hidden);
  const flags = options.length > MOST_OPTIONS ? ['[options]'] : options.map(usageOf);
  const values = command.registeredArguments.map((argument) => `[${argument.name()}${argument.variadic ? '...' : ''}]`);
  return [...parents, command.name(), ...values, ...flags].join(' ');
}

function rowsOf(command: Command, parents: readonly string[] = []): string[][] {
  if (command.commands.length > 0)
    return command.commands.flatMap((child) => rowsOf(child, [...parents, command.name()]));
  return [[code(signatureOf(command, parents)), command.description()]];
}

export const commandTable = (program: Command): string =>
  table(
    ['Command', 'Does'],
    program.commands.flatMap((command) => rowsOf(command)),
  );
