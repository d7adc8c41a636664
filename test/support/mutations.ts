/**
 * Answers of PAI, spoiled. JSON is kept as a tree in which an object is a list of pairs (so that a key may come twice)
 * and anything may be a text of its own (so that numbers keep their digits and nonsense can stand anywhere).
 */
import type { Random } from '../../src/emulator/random.js';

/** Stands in the JSON as it is. */
export class Text {
  constructor(readonly text: string) {}
}
export class Pairs {
  constructor(readonly pairs: [string, Tree][]) {}
}
export type Tree = Pairs | Text | Tree[] | string | number | boolean | null;

export function toTree(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(toTree);
  if (typeof value !== 'object' || value === null) return value as Tree;
  return new Pairs(Object.entries(value).map(([key, member]) => [key, toTree(member)]));
}

export function toText(tree: Tree): string {
  if (tree instanceof Text) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(toText).join(',')}]`;
  if (!(tree instanceof Pairs)) return JSON.stringify(tree);
  return `{${tree.pairs.map(([key, member]) => `${JSON.stringify(key)}:${toText(member)}`).join(',')}}`;
}

export function copy(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(copy);
  return tree instanceof Pairs ? new Pairs(tree.pairs.map(([key, member]) => [key, copy(member)])) : tree;
}

/** The value of a key; where it comes twice the last, as for every reader. */
export const fieldOf = (tree: Tree, key: string): Tree | undefined =>
  tree instanceof Pairs ? tree.pairs.findLast(([name]) => name === key)?.[1] : undefined;

export function setField(tree: Pairs, key: string, value: Tree): void {
  const pair = tree.pairs.findLast(([name]) => name === key);
  if (pair === undefined) tree.pairs.push([key, value]);
  else pair[1] = value;
}

const deep = (levels: number, inner: string): Text => new Text('['.repeat(levels) + inner + ']'.repeat(levels));

/** Text that does not compress, for the limits of an index row. */
const noise = (random: Random, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(33 + (random.bits() % 90))).join('');

/** Each makes a value that should not be there. */
const VALUES: readonly ((random: Random) => Tree)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 1.5,
  () => '',
  () => ' \n',
  () => 'x',
  () => [],
  () => [[]],
  () => [null, 1],
  () => new Pairs([]),
  () => new Pairs([['a', 1]]),
  () => new Pairs([['\u0000', new Text('1e400')]]),
  () => new Pairs([['__proto__', new Pairs([['Key', 'k']])]]),
  () => 'a\u0000b',
  () => new Text('"\\ud800"'),
  () => new Text('"\\udc00\\ud800"'),
  () => '\u{1f600}',
  () => '{"a":"\\u0000"}',
  () => '{"a":1e999999}',
  () => `${'['.repeat(2000)}${']'.repeat(2000)}`,
  () => '{"a":1,"a":"\\ud800"}',
  () => '{\\"a\\": \\"\\u0000\\"}',
  () => '2021-02-30T00:00:00Z',
  () => '0000-01-01T00:00:00Z',
  () => '9999-12-31T23:59:59.999999999-23:59',
  () => '2021-01-30T12:51:60Z',
  () => '2021-01-30',
  () => 'NaN',
  () => '-Infinity',
  () => '1'.repeat(400),
  () => `${'1'.repeat(5000)}x`,
  () => new Text('1e400'),
  () => new Text('-1e-400'),
  () => new Text('-0'),
  () => new Text('1E+5'),
  () => new Text('9223372036854775807'),
  () => new Text('9223372036854775808'),
  () => new Text('-9223372036854775809'),
  () => new Text('123456789012345678901234567890.5'),
  () => new Text('7'.repeat(3000)),
  () => new Text('1e20000'),
  () => new Text('253402300800000'),
  (random) => deep(random.between(400, 600), '1'),
  // Deeper than a stack can walk, and seldom: it takes a thousand times as long as any other.
  (random) => deep(random.between(0, 4) === 0 ? random.between(3000, 9000) : 500, '1.50'),
  (random) => noise(random, 300),
  (random) => noise(random, 12_000),
];

const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '\u0000',
  'a\u0000',
  'New',
  'PipelineRunId ',
  'status',
  'x'.repeat(5000),
];

export interface Mutations {
  /** Keys whose values are only taken away or replaced by what is no id: ids have to stay apart. */
  readonly ids: ReadonlySet<string>;
  /** Whether members of inner lists may be repeated. */
  readonly repeat: boolean;
}

const NO_IDS: readonly ((random: Random) => Tree)[] = [
  () => null,
  () => true,
  () => '',
  () => ' \n',
  () => [],
  () => new Pairs([['a', 1]]),
  (random) => `a\u0000${random.bits()}`,
  (random) => noise(random, 257),
  (random) => new Text(`1${String(random.bits()).padStart(10, '0')}${String(random.bits()).padStart(10, '0')}`),
];

/** Spoils one place of the tree, and returns the tree that is left of it. */
export function mutate(tree: Tree, random: Random, rules: Mutations): Tree {
  if (tree instanceof Pairs && tree.pairs.length > 0 && random.between(0, 19) > 0)
    return mutatePairs(tree, random, rules);
  if (Array.isArray(tree) && tree.length > 0 && random.between(0, 4) > 0) return mutateList(tree, random, rules);
  return random.pick(VALUES)(random);
}

function mutatePairs(tree: Pairs, random: Random, rules: Mutations): Tree {
  const at = random.between(0, tree.pairs.length - 1);
  const [key, value] = tree.pairs[at] as [string, Tree];
  const what = random.between(0, 9);
  if (rules.ids.has(key)) {
    if (what < 3) tree.pairs.splice(at, 1);
    else tree.pairs[at] = [key, random.pick(NO_IDS)(random)];
  } else if (what === 0) tree.pairs.splice(at, 1);
  else if (what === 1) tree.pairs.push([key, random.pick(VALUES)(random)]);
  else if (what === 2) tree.pairs.push([random.pick(KEYS), random.pick(VALUES)(random)]);
  else if (what === 3) tree.pairs[at] = [random.pick(KEYS), value];
  else tree.pairs[at] = [key, mutate(value, random, rules)];
  return tree;
}

function mutateList(tree: Tree[], random: Random, rules: Mutations): Tree {
  const at = random.between(0, tree.length - 1);
  const what = random.between(0, 5);
  if (what === 0) tree.splice(at, 1);
  else if (what === 1 && rules.repeat) tree.push(copy(tree[at] as Tree));
  else if (what === 2) tree[at] = random.pick([null, 1, 'x', true, [], new Text('12345678901234567890')]);
  else tree[at] = mutate(tree[at] as Tree, random, rules);
  return tree;
}

/** Spoils the text of a whole answer. */
export const TEXTS: readonly ((text: string, random: Random) => string)[] = [
  () => '',
  () => ' \n',
  () => 'null',
  () => '[]',
  () => '"PipelineRuns"',
  () => '<html><body>502 Bad Gateway</body></html>',
  (text) => `\ufeff${text}`,
  (text) => `${text}${text}`,
  (text) => `${text} x`,
  (text) => `[${text}]`,
  (text) => text.replaceAll('"', "'"),
  (text) => text.replaceAll('":', '" '),
  (text, random) => text.slice(0, random.between(0, text.length)),
  (text, random) => text.slice(random.between(1, text.length)),
  (text, random) => {
    const bytes = Buffer.from(text);
    for (let count = random.between(1, 5); count > 0; count -= 1) {
      bytes[random.between(0, bytes.length - 1)] = random.between(128, 255);
    }
    // As the transport reads it.
    return bytes.toString('utf8');
  },
  (text, random) => {
    const at = random.between(0, text.length);
    return text.slice(0, at) + String.fromCharCode(random.between(0, 127)) + text.slice(at);
  },
  (_, random) => '['.repeat(random.between(1, 200_000)),
  (_, random) => '{"a":'.repeat(random.between(1, 50_000)),
];
