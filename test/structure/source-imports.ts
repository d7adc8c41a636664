/** Finds what a TypeScript file imports, without a parser: TypeScript 7 offers none to JavaScript. */

/**
 * Comments, strings, and regular expressions (told from a division by what stands behind them). All three are matched,
 * because each may hold what looks like the beginning of another: `'http://'`, `/['"]/`.
 */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*(?=\s*[.,;)\]}])/g;

const FROM = /(?:^|[;}\n])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"\n]+)['"]/g;
const BARE = /(?:^|[;}\n])\s*import\s*['"]([^'"\n]+)['"]/g;
const DYNAMIC = /\b(?:import|require)\s*\(\s*['"]([^'"\n]+)['"]/g;
const REEXPORT = /(?:^|[;}\n])\s*export\b[^'"`;=(]*?\bfrom\s*['"]/;
const ENVIRONMENT =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*['"]env['"]\s*\]|\{[^{}]*\benv\b[^{}]*\}\s*=\s*process\b/;

/** Strings stay: they hold the module names. */
export function withoutComments(source: string): string {
  return source.replaceAll(TOKEN, (text) => (text.startsWith('//') || text.startsWith('/*') ? ' ' : text));
}

/** Module names of static, side-effect and dynamic imports, re-exports and require calls, each once, in order of text. */
export function importsOf(source: string): string[] {
  const text = withoutComments(source);
  const found = [FROM, BARE, DYNAMIC].flatMap((pattern) => [...text.matchAll(pattern)]);
  found.sort((one, other) => one.index - other.index);
  return [...new Set(found.map((match) => match[1] as string))];
}

export const reexports = (source: string): boolean => REEXPORT.test(withoutComments(source));

export const readsEnvironment = (source: string): boolean => ENVIRONMENT.test(withoutComments(source));

/** `@alicloud/openapi-client/dist/x` → `@alicloud/openapi-client`; null for a relative path or a part of Node.js. */
export function packageOf(specifier: string): string | null {
  if (/^(\.|\/|node:)/.test(specifier)) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
