/** What links of the documentation lead to. Pure. */

export interface Link {
  /** As it is written: `operations.md#first-load`, `#words`, `https://…`. */
  readonly target: string;
  readonly line: number;
}

/** Blocks between fences are emptied, lines stay where they are: what they show is no link and no heading. */
function withoutCode(text: string): string[] {
  let fence: string | null = null;
  return text.split('\n').map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3) ?? null;
    if (mark !== null && (fence === null || fence === mark)) {
      fence = fence === null ? mark : null;
      return '';
    }
    return fence === null ? line : '';
  });
}

/** The name that GitHub gives to a heading; of equal ones the second is `name-1`. */
export const slugOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

export const headingsOf = (text: string): string[] =>
  withoutCode(text).flatMap((line) => /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1] ?? []);

export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    headingsOf(text).map((heading) => {
      const slug = slugOf(heading);
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

export const linksOf = (text: string): Link[] =>
  withoutCode(text).flatMap((line, index) =>
    [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => ({
      target,
      line: index + 1,
    })),
  );

/** What stands below a heading, up to the next one of its level or above. Throws when there is no such heading. */
export function sectionOf(text: string, heading: string): string {
  const lines = withoutCode(text);
  const all = text.split('\n');
  const start = lines.findIndex((line) => /^#{1,6}\s/.test(line) && line.replace(/^#+\s+/, '').trim() === heading);
  if (start < 0) throw new Error(`found no heading "${heading}"`);
  const level = /^#+/.exec(lines[start] as string)?.[0].length ?? 0;
  const isEnd = (line: string): boolean => (/^(#+)\s/.exec(line)?.[1]?.length ?? 7) <= level;
  const end = lines.findIndex((line, index) => index > start && isEnd(line));
  return all.slice(start + 1, end < 0 ? all.length : end).join('\n');
}
