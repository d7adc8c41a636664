/** The data dictionary as a page: what the database says of itself, and what the examples answer. Pure. */
import type {
  DictionaryColumn,
  DictionaryFunction,
  DictionaryRelation,
  DictionarySchema,
} from '../../src/store/dictionary.js';

export interface AnsweredExample {
  /** What somebody wants to know. */
  readonly question: string;
  readonly sql: string;
  /** As psql would show it. */
  readonly answer: string;
}

export interface Page {
  readonly title: string;
  readonly introduction: string;
  readonly schemas: readonly DictionarySchema[];
  /** Names in the order in which people should meet them; the others follow by name. */
  readonly order: readonly string[];
  /** By `schema.relation` or `schema.function`. */
  readonly examples: ReadonlyMap<string, AnsweredExample>;
  /** `schema.relation`: what only the mirror itself has to do with. */
  readonly internal: ReadonlySet<string>;
}

const INTERNAL = 'Internal: for the mirror itself; it may change with every version.';

export function renderDictionary(page: Page): string {
  const sections = page.schemas.flatMap((schema) => schemaSection(schema, page));
  return `${[`# ${page.title}`, page.introduction, ...sections].join('\n\n')}\n`;
}

function schemaSection(schema: DictionarySchema, page: Page): string[] {
  const relations = ordered(schema, page);
  const overview = relations.map(({ name, comment }) => [
    `[${name}](#${anchor(schema.name, name)})`,
    firstSentence(comment),
  ]);
  return [
    `## Schema ${schema.name}`,
    text(schema.comment),
    table(['name', 'what it is'], overview),
    ...relations.flatMap((relation) => relationSection(schema.name, relation, page)),
    ...functionSections(schema, page),
  ];
}

/** Those of the page's order first, then the others, what is internal last. */
function ordered(
  { name: schema, relations }: DictionarySchema,
  { order, internal }: Page,
): readonly DictionaryRelation[] {
  const rank = ({ name }: DictionaryRelation): number => {
    const place = order.indexOf(`${schema}.${name}`);
    const known = place === -1 ? order.length : place;
    return internal.has(`${schema}.${name}`) ? known + order.length + 1 : known;
  };
  return [...relations].sort((a, b) => rank(a) - rank(b));
}

function relationSection(schema: string, relation: DictionaryRelation, page: Page): string[] {
  const name = `${schema}.${relation.name}`;
  const facts = [
    page.internal.has(name) ? INTERNAL : '',
    relation.primaryKey.length > 0 ? `Primary key: ${relation.primaryKey.map(code).join(', ')}.` : '',
    relation.partitionedBy === null ? '' : `Partitioned by ${relation.partitionedBy}.`,
  ].filter((fact) => fact !== '');
  return [
    heading(schema, relation.name),
    text(relation.comment),
    ...(facts.length > 0 ? [facts.join(' ')] : []),
    table(['column', 'type', 'meaning'], relation.columns.map(columnCells)),
    ...exampleOf(name, page),
  ];
}

/** Those with an example are for people; the others are told in one table. */
function functionSections({ name: schema, functions }: DictionarySchema, page: Page): string[] {
  const signature = ({ name, parameters, returns }: DictionaryFunction): string =>
    code(`${schema}.${name}(${parameters}) returns ${returns}`);
  const shown = functions.filter(({ name }) => page.examples.has(`${schema}.${name}`));
  const others = functions.filter((one) => !shown.includes(one));
  const sections = shown.flatMap((one) => [
    heading(schema, `${one.name}()`),
    signature(one),
    text(one.comment),
    ...exampleOf(`${schema}.${one.name}`, page),
  ]);
  if (others.length === 0) return sections;
  const rows = others.map((one) => [signature(one), text(one.comment)]);
  return [...sections, `### Functions of schema ${schema}`, INTERNAL, table(['function', 'what it does'], rows)];
}

function exampleOf(name: string, { examples }: Page): string[] {
  const example = examples.get(name);
  if (example === undefined) return [];
  return [example.question, `\`\`\`sql\n${example.sql.trim()};\n\`\`\``, `\`\`\`text\n${example.answer}\n\`\`\``];
}

const columnCells = ({ name, type, nullable, comment }: DictionaryColumn): string[] => [
  code(name),
  nullable === false ? `${type}, not null` : type,
  text(comment),
];

const heading = (schema: string, name: string): string => `### ${schema}.${name}`;

/** As GitHub makes it of a heading: lower case, without what is neither letter, digit, `_` nor `-`. */
const anchor = (schema: string, name: string): string =>
  `${schema}${name}`.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '');

/** A missing comment is told as such, so that whoever reads the page sees it, not only a test. */
const text = (comment: string | null): string => comment?.trim() || '(no comment)';

const firstSentence = (comment: string | null): string => /^.*?\.(?=\s|$)/s.exec(text(comment))?.[0] ?? text(comment);

const code = (name: string): string => `\`${name}\``;

const cell = (content: string): string => content.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
