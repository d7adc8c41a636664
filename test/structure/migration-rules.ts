/**
 * What a migration may do: only add. Replicas of the version before it go on working beside it (test/store/upgrade.test.ts
 * plays them), and may be started again after a rollback. Pure: texts in, findings out.
 */

export interface MigrationText {
  readonly tag: string;
  readonly sql: string;
}

/**
 * `breaks`: an older replica could fail, or lose what it relies on. `costs`: it works on, but waits while this runs, or what
 * it calls does something else: somebody has to have thought about it.
 */
export interface Finding {
  readonly tag: string;
  readonly level: 'breaks' | 'costs';
  /** `drop column pai.quarantine`; one a kind and object. */
  readonly what: string;
}

/** Without comments, without what stands in quotes, white space made one: an empty string stands for each literal. */
export function bare(sql: string): string {
  return sql
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|[eE]?'(?:[^']|'')*'/g, (found) =>
      found.startsWith('--') || found.startsWith('/*') ? ' ' : "''",
    )
    .replaceAll('"', '')
    .replace(/\s+/g, ' ');
}

const statementsOf = (sql: string): string[] =>
  bare(sql)
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');

/** `create table pai.x`: what later statements of the same migration may do with as they like. */
const CREATED =
  /^create (?:unlogged |temporary )?(?:table|view|function|schema|sequence|type)(?: if not exists)? ([\w.]+)/i;

type Rule = readonly [level: Finding['level'], kind: string, pattern: RegExp];

/** The first group is the object. Those of ALTER TABLE look at one action each. */
const ACTIONS: readonly Rule[] = [
  ['breaks', 'new constraint', /^add (?:constraint|check|unique|primary key|foreign key|exclude)/i],
  ['breaks', 'drop', /^drop (?!index|default|not null)(?:column |constraint )?/i],
  ['breaks', 'drop default of', /^alter (?:column )?\w+ drop default/i],
  ['breaks', 'rename', /^rename/i],
  ['breaks', 'change the type of', /^alter (?:column )?\w+ (?:set data )?type/i],
  ['breaks', 'not null without a default', /^alter (?:column )?\w+ set not null/i],
  [
    'breaks',
    'not null without a default',
    /^add (?:column )?(?!constraint)(?=.*\bnot null)(?!.*\b(?:default|generated)\b)/i,
  ],
  [
    'breaks',
    'a column that is unique or checked',
    /^add (?:column )?(?!constraint)\w+ .*\b(?:unique|primary key|check|references)\b/i,
  ],
  ['breaks', 'detach a partition of', /^detach/i],
  ['breaks', 'security of', /^(?:enable|force) row level|^owner to/i],
  ['costs', 'a default that is computed', /^add (?:column )?.*\bdefault (?!''|-?\d|true|false|null\b|'')/i],
];

const STATEMENTS: readonly Rule[] = [
  ['breaks', 'drop', /^drop (?!index)(?:materialized )?\w+ (?:if exists )?([\w.]+)/i],
  ['breaks', 'rename', /^alter (?!table)\w+ (?:if exists )?([\w.]+).* rename/i],
  [
    'breaks',
    'new unique index',
    /^create unique index (?:concurrently )?(?:if not exists )?\w* ?on (?:only )?([\w.]+)/i,
  ],
  ['breaks', 'revoke', /^revoke .* on (?:table |schema )?([\w.]+)/i],
  ['breaks', 'policy or rule', /^create (?:or replace )?(?:policy|rule) \w+ .*?\bon ([\w.]+)/i],
  ['breaks', 'change rows of', /^(?:update|delete from|truncate(?: table)?) (?:only )?([\w.]+)/i],
  ['costs', 'index', /^create index (?:concurrently )?(?:if not exists )?\w* ?on (?:only )?([\w.]+)/i],
  ['costs', 'drop index', /^drop index (?:if exists )?([\w.]+)/i],
  ['costs', 'trigger', /^create (?:or replace )?(?:constraint )?trigger \w+ .*?\bon ([\w.]+)/i],
  ['costs', 'another body of', /^create or replace (?:function|view|procedure) ([\w.]+)/i],
  [
    'costs',
    'another promise of',
    /^alter function ([\w.]+)(?:\([^)]*\))? (?:immutable|stable|volatile|parallel|cost|rows)/i,
  ],
  ['costs', 'call', /^select ([\w.]+)\(/i],
  ['costs', 'block of code', /^(do)\b/i],
];

/** Nothing that these do touches what is there. */
const HARMLESS =
  /^(?:comment on|create (?!or replace|unique|trigger|constraint|index|policy|rule)|grant|alter sequence \S+ owned by|set local|reset)/i;

function ofAlterTable(statement: string): Omit<Finding, 'tag'>[] {
  const found = /^alter table (?:if exists )?(?:only )?([\w.]+) (.*)$/i.exec(statement);
  if (!found) return [];
  const [, table, actions] = found as unknown as [string, string, string];
  // A comma inside of parentheses is a part of one action.
  return actions.split(/,(?![^(]*\)) /).flatMap((action) => {
    const rule = ACTIONS.find(([, , pattern]) => pattern.test(action.trim()));
    if (rule) return [{ level: rule[0], what: `${rule[1]} ${table}` }];
    return /^add (?:column )?\w+/i.test(action.trim())
      ? []
      : [{ level: 'breaks' as const, what: `alter table ${table}: ${action.trim()}` }];
  });
}

function ofStatement(statement: string): Omit<Finding, 'tag'>[] {
  if (/^alter table/i.test(statement)) return ofAlterTable(statement);
  const rule = STATEMENTS.map(([level, kind, pattern]) => ({ level, kind, found: pattern.exec(statement) })).find(
    ({ found }) => found !== null,
  );
  if (rule?.found) return [{ level: rule.level, what: `${rule.kind} ${rule.found[1]}` }];
  // What nobody has thought of is not taken for harmless.
  return HARMLESS.test(statement) ? [] : [{ level: 'breaks', what: `not known: ${statement.slice(0, 60)}` }];
}

/** What every migration does to things that were there before it, each thing once, in order. */
export function findings(migrations: readonly MigrationText[]): Finding[] {
  return migrations.flatMap(({ tag, sql }) => {
    const own = new Set<string>();
    const found = new Map<string, Finding>();
    for (const statement of statementsOf(sql)) {
      const created = CREATED.exec(statement)?.[1];
      if (created !== undefined) own.add(created.toLowerCase());
      for (const { level, what } of ofStatement(statement)) {
        const object = (what.split(' ').at(-1) as string).toLowerCase();
        // What a function does is not read here, also not that of a new one.
        if (!own.has(object) || what.startsWith('call ')) found.set(what, { tag, level, what });
      }
    }
    return [...found.values()];
  });
}
