import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ALERT_RULES } from '../../../grafana/source/alerts.js';
import type { RunNode, StreamFreshness } from '../../../src/domain/page.js';
import { loadAssets } from '../../../src/http/page/assets.js';
import { axisOf, bar } from '../../../src/http/page/gantt.js';
import { escapeHtml, html, jsonBlock, webAddress } from '../../../src/http/page/html.js';
import { cursor, cursorText, ParameterError, queryString, text, when } from '../../../src/http/page/parameters.js';
import { judge, judgeStream } from '../../../src/http/page/verdict.js';
import { number, percent, roughly, span } from '../../../src/http/page/words.js';

describe('the template', () => {
  it('escapes whatever is put in, but for what it has made itself, and shows nothing for nothing', () => {
    const hostile = `<script>alert("1")</script> & 'x'`;
    const escaped = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;';
    expect(html`<p title="${hostile}">${[hostile, html`<b>${1}</b>`, null, undefined, false]}</p>`.text).toBe(
      `<p title="${escaped}">${escaped}<b>1</b></p>`,
    );
  });

  it('leaves no character that HTML has no place for', () => {
    expect(escapeHtml('a\u0000b\u001bc\ud800d\ue000\t\n😀')).toBe('a\ufffdb\ufffdc\ufffdd\ue000\t\n😀');
  });

  it('puts JSON where nothing in it can end the element, and it stays the same JSON', () => {
    const value = { a: '</script><!-- <b>', b: ['\u2028'] };
    const block = jsonBlock('x', value).text;
    const [, inner = ''] = /^<script type="application\/json" id="x">([^<]*)<\/script>$/.exec(block) ?? [];
    expect(JSON.parse(inner)).toEqual(value);
  });

  it('links only the web', () => {
    expect(webAddress('https://pai.example.com/a?b=1#c')).toBe('https://pai.example.com/a?b=1#c');
    for (const bad of ['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'data:text/html,x', '/runs', '', null])
      expect(webAddress(bad)).toBeNull();
  });

  it('quotes the value of every attribute, and puts none into a script or a style', () => {
    const folder = resolve(import.meta.dirname, '../../../src/http/page');
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      const source = readFileSync(join(folder, file), 'utf8');
      expect(source.match(/[\s"][a-z-]+=\$\{/g), file).toBeNull();
      // The one block of data for a script is made where its text is made safe.
      const raw = source.match(/<(?:script|style)[^>]*>\$\{|style="|\son[a-z]+="/g) ?? [];
      expect(raw.length, file).toBe(file === 'html.ts' ? 1 : 0);
    }
  });
});

describe('the colours', () => {
  const css = readFileSync(resolve(import.meta.dirname, '../../../src/http/page/assets/page.css'), 'utf8');
  const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
    Object.fromEntries(
      [...(block as string).matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]),
    ),
  ) as [Record<string, string>, Record<string, string>];
  const brightness = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, other: string): number => {
    const [less = 0, more = 0] = [brightness(one), brightness(other)].sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };

  test.each([
    ['light', light],
    ['dark', { ...light, ...dark }],
  ] as const)('of the %s scheme are far enough apart: text 4.5, what is drawn 3', (_, colors) => {
    const of = (name: string): string => colors[name] ?? `no ${name}`;
    const tooPale: string[] = [];
    const check = (names: readonly string[], grounds: readonly string[], least: number): void => {
      for (const name of names)
        for (const ground of grounds)
          if (!(contrast(of(name), of(ground)) >= least))
            tooPale.push(`${name} on ${ground}: ${contrast(of(name), of(ground))}`);
    };
    const drawn = Object.keys(colors).filter((name) => /^--[oc]-/.test(name));
    expect(drawn).toHaveLength(14);
    check(['--text', '--muted', '--accent'], ['--ground', '--surface', '--raised'], 4.5);
    for (const tone of ['good', 'warn', 'bad', 'wait'])
      check([`--${tone}`, '--text', '--muted', '--accent'], [`--${tone}-ground`], 4.5);
    check(['--warn', '--bad'], ['--surface'], 4.5);
    check([...drawn, '--edge', '--focus'], ['--surface', '--ground'], 3);
    expect(tooPale).toEqual([]);
    expect(contrast('#2450b8', '#ffffff')).toBeGreaterThan(4.5);
    expect([contrast('#000000', '#ffffff'), contrast('#777777', '#777777')]).toEqual([21, 1]);
  });
});

describe('words', () => {
  test.each([
    [null, '–'],
    [0, '0 s'],
    [0.42, '0.4 s'],
    [59, '59 s'],
    [60, '1 min'],
    [725, '12 min 5 s'],
    [3_600, '1 h'],
    [90_061, '1 d 1 h'],
    [86_400 * 3 + 30, '3 d'],
    [-5, '−5 s'],
  ])('%s seconds are %s', (seconds, expected) => {
    expect(span(seconds)).toBe(expected);
  });

  it('are short where a rough one is enough, and say numbers of any size', () => {
    expect([roughly(0), roughly(61), roughly(7_300), roughly(200_000)]).toEqual(['0 s', '1 min', '2 h', '2 d']);
    expect([percent(1, 3), percent(3, 3), percent(0, 0)]).toEqual(['33.3 %', '100 %', '–']);
    expect([number(1_234), number(0.000012345678), number(Number.NaN), number(null)]).toEqual([
      '1,234',
      '0.000012346',
      'NaN',
      '–',
    ]);
  });
});

describe('the address', () => {
  it('is told what was found and what was expected', () => {
    const message = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        if (error instanceof ParameterError) return error.message;
      }
      return 'no mistake';
    };
    expect(message(() => when({ from: 'yesterday' }, 'from', false))).toBe(
      'from: found "yesterday", expected a day such as 2026-03-16 (UTC) or a time such as 2026-03-16T09:30:00Z',
    );
    expect(message(() => when({ to: '2026-02-31' }, 'to', true))).toContain('to: found "2026-02-31"');
    expect(message(() => text({ q: ['a', 'b'] }, 'q'))).toBe('q: found "a, b", expected one value');
    expect(message(() => text({ q: 'x'.repeat(201) }, 'q'))).toContain('at most 200 characters');
    expect(message(() => cursor({ after: 'x~y' }, 'after'))).toContain('after: found "x~y"');
    expect(text({ q: '  ' }, 'q')).toBeNull();
  });

  it('means a whole day by its end, and says places in a list that are read back', () => {
    expect(when({ to: '2026-03-16' }, 'to', true)).toBe('2026-03-17T00:00:00.000000Z');
    expect(when({ from: '2026-03-16T08:00:00+08:00' }, 'from', false)).toBe('2026-03-16T00:00:00.000000Z');
    for (const place of [
      { createdAt: '2026-03-16T08:00:00.123456Z', id: 'flow~1 & more' },
      { createdAt: null, id: '' },
    ]) {
      const query = new URLSearchParams(queryString({ after: cursorText(place) }));
      expect(cursor({ after: query.get('after') as string }, 'after')).toEqual(place);
    }
  });
});

const AT = '2026-03-16T08:00:00.000000Z';

const node = (fields: Partial<RunNode>): RunNode => ({
  nodeId: 'n',
  nodeType: 'Logical',
  name: 'n',
  status: 'Succeeded',
  outcome: 'succeeded',
  startedAt: AT,
  finishedAt: '2026-03-16T08:01:40.000000Z',
  runSeconds: 100,
  isRoot: false,
  isCritical: false,
  ...fields,
});

describe('the bars of the nodes', () => {
  const later = '2026-03-16T08:02:00.000000Z';

  it('share one axis from the first start to the last end, or to now while something runs', () => {
    expect(axisOf([node({})], later)).toMatchObject({ ticks: [0, 30, 60, 90] });
    const axis = axisOf([node({}), node({ outcome: 'active', finishedAt: null })], later);
    expect((axis as { to: number }).to - (axis as { from: number }).from).toBe(120_000);
    expect(axisOf([node({ startedAt: null })], later)).toBeNull();
  });

  it('stay within it, are seen however short, and are not drawn for what has not started', () => {
    const axis = axisOf([node({})], later) as NonNullable<ReturnType<typeof axisOf>>;
    const rect = (fields: Partial<RunNode>) =>
      /<rect[^>]*x="([\d.]+)%"[^>]*width="([\d.]+)%"/.exec(bar(node(fields), axis, later).text);
    expect(rect({})?.slice(1)).toEqual(['0.000', '100.000']);
    const end = '2026-03-16T08:01:40.000000Z';
    const [, x, width] = rect({ startedAt: end, finishedAt: end }) ?? [];
    expect(Number(x) + Number(width)).toBeLessThanOrEqual(100);
    expect(Number(width)).toBeGreaterThan(0);
    expect(rect({ startedAt: null })).toBeNull();
  });
});

const stream = (fields: Partial<StreamFreshness>): StreamFreshness => ({
  scope: 'cn:1',
  stream: 'pipeline-runs',
  watermark: AT,
  lastSucceededAt: AT,
  ageSeconds: 20,
  startedSecondsAgo: 20,
  isRunning: false,
  lastOutcome: 'succeeded',
  lastError: null,
  failedInARow: 0,
  ...fields,
});

const FINE = { quarantined: 0, failingItems: 0, throttled: [] };

describe('the verdict', () => {
  test.each<[string, Partial<StreamFreshness>, string, string]>([
    ['fresh', {}, 'good', 'complete 20 s ago'],
    ['fresh after one failure', { failedInARow: 1, lastOutcome: 'failed' }, 'good', 'the last pass failed'],
    [
      'failing again and again',
      { failedInARow: 3, lastOutcome: 'failed' },
      'warning',
      'fails again and again, 3 times',
    ],
    ['old', { ageSeconds: 1_801 }, 'bad', 'is not fresh: complete 30 min 1 s ago, allowed are 30 min'],
    ['old enough for another stream', { stream: 'nodes', ageSeconds: 1_801 }, 'good', 'complete 30 min ago'],
    [
      'never done, and failing',
      { ageSeconds: null, lastOutcome: 'failed', failedInARow: 2 },
      'bad',
      'has never succeeded: 2 passes failed',
    ],
    [
      'at its first pass',
      { ageSeconds: null, isRunning: true, startedSecondsAgo: 9_999 },
      'waiting',
      'first pass is under way',
    ],
    [
      'never done for long',
      { ageSeconds: null, lastOutcome: null, startedSecondsAgo: 9_999 },
      'bad',
      'has not succeeded yet',
    ],
  ])('on a stream that is %s', (_what, fields, level, sentence) => {
    expect(judgeStream(stream(fields))).toMatchObject({ level, sentence: expect.stringContaining(sentence) });
  });

  it('tells what is wrong first, with its reason', () => {
    const failing = stream({ stream: 'nodes', ageSeconds: 9_000, failedInARow: 4, lastError: 'Forbidden.RAM' });
    const verdict = judge([stream({}), failing], { ...FINE, quarantined: 1 });
    expect(verdict).toMatchObject({ level: 'bad', headline: 'The mirror is not fresh' });
    expect(verdict.findings.map(({ level }) => level)).toEqual(['bad', 'warning']);
    expect(verdict.findings[0]).toMatchObject({
      detail: 'Forbidden.RAM',
      text: expect.stringContaining('nodes of cn:1'),
    });
    expect(verdict.findings[1]?.text).toBe('1 item waits in quarantine: they could not be decoded or stored');
  });

  it('is good when all is well, and waits on an empty database', () => {
    expect(judge([stream({})], FINE)).toMatchObject({ level: 'good', findings: [] });
    expect(judge([], FINE)).toMatchObject({ level: 'waiting', headline: 'Nothing has been mirrored yet' });
  });

  it('allows what the alert rules allow', () => {
    const sql = ALERT_RULES.find(({ uid }) => uid === 'pai-mirror-not-fresh')?.sql ?? '';
    for (const seconds of ['86400', '1800', '7200']) expect(sql).toContain(seconds);
    expect(judgeStream(stream({ stream: 'reconcile', ageSeconds: 86_399 })).level).toBe('good');
    expect(judgeStream(stream({ stream: 'reconcile', ageSeconds: 86_401 })).level).toBe('bad');
  });
});

it('serves its own files and those of the installed uPlot by names that change with their content', () => {
  const assets = loadAssets();
  for (const file of ['page.css', 'page.js', 'charts.js', 'icon.svg', 'uPlot.iife.min.js', 'uPlot.min.css']) {
    const [, hash] = /\.([0-9a-f]{12})\.\w+$/.exec(assets.addressOf(file)) ?? [];
    expect(assets.find(assets.addressOf(file).slice('/assets/'.length))).toMatchObject({ etag: `"${hash}"` });
  }
  expect(assets.find('page.css')).toBeNull();
  expect(assets.find('../package.json')).toBeNull();
});
