/** Whatever an id is made of, its page is found by the links to it; what is no address is told so. */
import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../support/database.js';
import { ask } from '../../support/http.js';
import { linksOf, linkTo, type ServedPage, servePage, unescaped, wordsOf } from './serve.js';

const IDS = [
  `flow-${'x'.repeat(100)}`,
  `flow-${'long-'.repeat(190)}`,
  'a/b',
  '/',
  '//evil.example.com/',
  '..',
  '.',
  '...',
  '../../etc/passwd',
  '%2e%2e',
  '%',
  '100%25',
  'a%2Fb',
  'a?b=c#d',
  'a;b&c=d',
  'a b',
  ' a ',
  'a+b',
  '\\',
  `"'<b>`,
  '-',
  'manifest',
  'flow~1',
  'Zürich',
  '日本語のラン',
  'اسم',
  '👩‍🚀',
  '\u202eabc',
  'e\u0301',
  '',
];

let page: ServedPage;
const closing: (() => Promise<void>)[] = [];

/** A run of each id, with a document and outputs for two pages; an experiment of each, in two workspaces, of 30 runs. */
const FILL = [
  `insert into pai.pipeline_runs (pipeline_run_id, name, status, gmt_create_time, region, scope, pipeline_id, user_id, revision,
     observed_at, updated_at, first_seen_at)
   select id, 'name of ' || id, 'Succeeded', now() - n * interval '1 minute', 'cn-test', 'cn-test:1', 'p' || id, 'u' || id, 1,
     now(), now(), now()
   from unnest($1::text[]) with ordinality as t(id, n)`,
  `insert into pai.pipeline_run_details (pipeline_run_id, manifest, region, scope, fetched_at, updated_at, first_seen_at)
   select id, jsonb_build_object('of', id), 'cn-test', 'cn-test:1', now(), now(), now() from unnest($1::text[]) as id`,
  `insert into pai.node_outputs (pipeline_run_id, id, name, region, observed_at, updated_at, first_seen_at)
   select id, case n % 2 when 0 then ' ' else '' end || repeat('o', 300) || lpad(n::text, 3, '0') || ' ', 'output ' || n,
     'cn-test', now(), now(), now()
   from unnest($1::text[]) as id, generate_series(1, 60) as n`,
  `insert into pai.runs (run_id, name, experiment_id, gmt_create_time, region, scope, source_type, source_id, revision,
     observed_at, updated_at, first_seen_at)
   select 'run-' || n || '-' || id, 'try ' || n, id, now() - n * interval '1 hour', 'cn-test', 'cn-test:' || n % 2, 'PAIFLOW', id, 1,
     now(), now(), now()
   from unnest($1::text[]) as id, generate_series(1, 30) as n`,
];

beforeAll(async () => {
  const { url } = await createDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of FILL) await client.query(sql, [IDS]);
  } finally {
    await client.end();
  }
  page = await servePage(url, { onStarted: (close) => void closing.push(close) });
  return async () => {
    for (const close of closing) await close();
  };
});

/** The text of a page that has to be there. */
async function read(path: string): Promise<string> {
  const { status, text } = await page.get(path.replace(/#.*/, ''));
  expect([path, status]).toEqual([path, 200]);
  return text;
}

const crumbOf = (text: string): string =>
  wordsOf(/<p class="crumbs">.*?<code>(.*?)<\/code>/s.exec(text)?.[1] ?? 'no crumb');

const shownAs = (id: string): string => wordsOf(id.replaceAll('&', '&amp;').replaceAll('<', '&lt;'));

describe('an id of any characters', () => {
  it('leads from the list to its run, its document, its later outputs, its experiment and back', async () => {
    const links = linksOf(await read('/runs')).filter((href) => /^\/runs\/[^/]+$/.test(href));
    expect(new Set(links).size).toBe(IDS.length);
    for (const [index, href] of links.entries()) {
      const id = IDS[index] as string;
      const text = await read(href);
      expect(crumbOf(text)).toBe(shownAs(id));
      const document = linksOf(text).find((link) => /^\/runs\/[^/]+\/manifest/.test(link));
      expect(JSON.parse(await read(document ?? `no document of ${id}`))).toEqual({ of: id });
      const outputs = new Set((text.match(/output \d+</g) ?? []).concat());
      const more = await read(linkTo(text, 'More outputs') as string);
      expect(crumbOf(more)).toBe(shownAs(id));
      for (const output of more.match(/output \d+</g) ?? []) outputs.add(output);
      expect(outputs.size).toBe(60);
      if (id === '') continue;
      const experiment = await read(linksOf(text).find((link) => link.startsWith('/experiments/')) as string);
      expect(crumbOf(experiment)).toBe(shownAs(id));
      expect(linksOf(experiment)).toContain(href);
    }
  });

  it('has a page of its own as an experiment: older runs, and the form that draws curves', async () => {
    for (const id of IDS.filter((one) => one !== '')) {
      const first = await read(`/experiments/-?${new URLSearchParams({ id })}`);
      const older = await read(linkTo(first, 'Older') as string);
      for (const text of [first, older]) {
        expect(crumbOf(text)).toBe(shownAs(id));
        const [, form = ''] = /<form (action="[^"]*" method="get">.*?)<\/form>/s.exec(text) ?? [];
        const [, action = ''] = /^action="([^"]*)"/.exec(form) ?? [];
        const hidden = [...form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
          ([, name, value]) => [name as string, unescaped(value as string)] as [string, string],
        );
        expect(crumbOf(await read(`${unescaped(action)}?${new URLSearchParams(hidden)}`))).toBe(shownAs(id));
      }
      expect(first.match(/try \d+</g)?.length).toBe(25);
      expect(older.match(/try \d+</g)?.length).toBe(5);
    }
  });

  it('is walked over page by page in the list of experiments, each once a workspace', async () => {
    const many = IDS.filter((one) => one !== '');
    const seen: string[] = [];
    for (let href: string | null = '/experiments', turn = 0; href !== null; turn += 1) {
      expect(turn).toBeLessThan(10);
      const text = await read(href);
      seen.push(...linksOf(text).filter((link) => /^\/experiments\/[^?]|^\/experiments\/-\?id=/.test(link)));
      href = linkTo(text, 'Older');
    }
    expect(seen).toHaveLength(2 * many.length);
    expect(new Set(seen).size).toBe(many.length);
  });

  it('is found by the pipeline and the user of a run, and by the beginning of itself', async () => {
    // What is typed into a field loses the blanks around it, and the search for a name ends at 200 characters.
    for (const id of IDS.filter((one) => one.trim() === one && one !== '')) {
      for (const search of [{ pipeline: `p${id}` }, { user: `u${id}` }, { q: id.slice(0, 200) }]) {
        const text = await read(`/runs?${new URLSearchParams(search)}`);
        expect(wordsOf(text), JSON.stringify(search)).toContain(shownAs(id).slice(0, 150));
      }
    }
  });
});

describe('an address that leads nowhere', () => {
  it('is a page for who reads pages, and what the server says for a program', async () => {
    for (const path of [
      '/nothing',
      '/run/flow-1',
      '/runs/a/b/c',
      '/favicon.ico',
      '/assets/a/b',
      `/${'<b>'.repeat(9)}`,
    ]) {
      const reader = await ask(`${page.url}${path}`, { headers: { accept: 'text/html,application/xhtml+xml' } });
      expect([path, reader.status]).toEqual([path, 404]);
      expect(wordsOf(reader.text)).toContain('There is no such page');
      expect(reader.text).not.toContain('<b>');
      const program = await ask(`${page.url}${path}`);
      expect([program.status, program.text]).toEqual([404, '{"error":"there is nothing here"}']);
    }
  });

  it('is no such address with a slash at its end, which somebody typed', async () => {
    for (const path of ['/runs/', '/experiments/', '/mirror/', '/quarantine/']) await read(path);
  });

  it.each([
    ['/runs?from=0000-01-01', 'from : found "0000-01-01", expected a day such as'],
    ['/runs?to=9999-12-31', 'to : found "9999-12-31", expected a day such as'],
    ['/runs?from=2026-02-31T00:00:00Z', 'from : found "2026-02-31T00:00:00Z"'],
    ['/runs?after=2026-02-31T00:00:00.000000Z~x', 'after : found "2026-02-31T00:00:00.000000Z~x"'],
    ['/runs?after=0000-02-01T00:00:00.000000Z~x', 'after : found'],
    ['/runs?after=2026-02-01T24:00:00.000000Z~x', 'after : found'],
    ['/runs?after=2026-02-01T23:59:60.000000Z~x', 'after : found'],
    ['/experiments?after=-', 'after : found "-"'],
    ['/runs/-?id=a&id=b', 'id : found "a, b", expected one value'],
    ['/runs/x?outputs=%00', 'outputs : found "\\u0000", expected no zero character'],
    ['/runs/x?nodes=1e3', 'nodes : found "1e3", expected a whole number from 0'],
    ['/mirror?passes=all', 'passes : found "all", expected one of failed'],
    ['/mirror?before=-1', 'before : found "-1"'],
    ['/quarantine?show=some', 'show : found "some", expected one of all'],
  ])('%s: 400, and says which parameter is wrong, what was found and what was expected', async (path, words) => {
    const { status, text } = await page.get(path);
    expect(status).toBe(400);
    expect(wordsOf(text)).toContain(words);
  });
});
