import { posix } from 'node:path';
import { importsOf, packageOf, readsEnvironment, reexports } from './source-imports.js';

/** Path below src (`pai/client.ts`) to text. */
export type Sources = ReadonlyMap<string, string>;

/**
 * The folders of src that each folder may import from, besides itself (design.md, Layout); `.` is src itself: main and
 * app. A folder that is not named here does not exist by the design.
 */
const ALLOWED: Readonly<Record<string, readonly string[] | 'everything'>> = {
  domain: [],
  util: [],
  config: ['domain', 'util'],
  pai: ['domain', 'util'],
  store: ['domain', 'util'],
  sync: ['domain', 'util'],
  emulator: ['domain', 'util'],
  embedded: ['domain', 'util'],
  scheduler: ['domain', 'util', 'sync'],
  http: ['domain', 'util', 'sync'],
  cli: 'everything',
  '.': 'everything',
};

/** Files of src itself that know less than `app` does. */
const MODEST_FILES: Readonly<Record<string, readonly string[]>> = { 'config.ts': ['config', 'domain', 'util'] };

/** Packages that only some folders may import. */
const RESERVED: readonly { readonly name: RegExp; readonly folders: readonly string[] }[] = [
  { name: /^@alicloud\//, folders: ['pai'] },
  { name: /^pg(-|$)/, folders: ['store', 'embedded'] },
  { name: /^drizzle-/, folders: ['store'] },
];

const MOST_LINES = 500;

const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] as string) : '.');

/** The file of src that a relative import leads to: `../domain/scope.js` → `domain/scope.ts`. */
const targetOf = (file: string, specifier: string): string =>
  posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');

/** Every broken rule, one sentence each. */
export function findViolations(sources: Sources): string[] {
  const ofFiles = [...sources].flatMap(([file, text]) => [
    ...findWrongImports(file, text, sources),
    ...findBadHabits(file, text),
  ]);
  const cycle = findCycle(sources);
  return cycle === null ? ofFiles : [...ofFiles, `cycle: ${cycle.join(' → ')}`];
}

function findWrongImports(file: string, text: string, sources: Sources): string[] {
  const allowed = MODEST_FILES[file] ?? ALLOWED[folderOf(file)];
  if (allowed === undefined) return [`${file}: design.md has no folder src/${folderOf(file)}`];
  return importsOf(text).flatMap((specifier) => {
    const wrong =
      packageOf(specifier) === null ? wrongFolder(file, specifier, allowed, sources) : wrongPackage(file, specifier);
    return wrong === null ? [] : [`${file}: ${wrong}`];
  });
}

function wrongPackage(file: string, specifier: string): string | null {
  const name = packageOf(specifier) ?? '';
  const rule = RESERVED.find((reserved) => reserved.name.test(name));
  if (rule === undefined || rule.folders.includes(folderOf(file))) return null;
  return `only ${rule.folders.join(' and ')} may import ${name}`;
}

function wrongFolder(
  file: string,
  specifier: string,
  allowed: readonly string[] | 'everything',
  sources: Sources,
): string | null {
  if (!specifier.startsWith('.')) return null;
  const target = targetOf(file, specifier);
  // JSON and the like, beside src: not source code.
  if (!sources.has(target))
    return target.endsWith('.ts') ? `imports ${specifier}, and there is no src/${target}` : null;
  const [from, to] = [folderOf(file), folderOf(target)];
  if (allowed === 'everything' || allowed.includes(to)) return null;
  if (to === from && MODEST_FILES[file] === undefined) return null;
  return `${from} may not import ${to} (${specifier})`;
}

function findBadHabits(file: string, text: string): string[] {
  const lines = text.split('\n').length - 1;
  const habits: [boolean, string][] = [
    [lines > MOST_LINES, `${lines} lines, at most ${MOST_LINES}`],
    [file !== 'config.ts' && readsEnvironment(text), 'only config.ts reads the environment'],
    [/(^|\/)index\.ts$/.test(file) || reexports(text), 'is a barrel (re-exports)'],
  ];
  return habits.filter(([found]) => found).map(([, what]) => `${file}: ${what}`);
}

/** One cycle, if there is any, its first file repeated at the end. */
export function findCycle(sources: Sources): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file) || !sources.has(file)) return null;
    path.push(file);
    for (const specifier of importsOf(sources.get(file) as string)) {
      const cycle = specifier.startsWith('.') ? visit(targetOf(file, specifier)) : null;
      if (cycle !== null) return cycle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of sources.keys()) {
    const cycle = visit(file);
    if (cycle !== null) return cycle;
  }
  return null;
}
