import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readAlerts } from '../../grafana/queries.js';
import { ALERT_RULES, ALERTING } from '../../grafana/source/alerts.js';
import { FILES } from '../../grafana/source/files.js';
import { DATASOURCES, PROVIDERS } from '../../grafana/source/provisioning.js';
import { toYaml } from '../../grafana/source/yaml.js';
import { type DashboardJson, faultsOfSql, findFaults, type PanelJson } from './grafana-rules.js';
import { relationsOf } from './sql-relations.js';

const FOLDER = resolve(import.meta.dirname, '../../grafana/dashboards');

const readDashboards = (): DashboardJson[] =>
  readdirSync(FOLDER).map((file) => JSON.parse(readFileSync(resolve(FOLDER, file), 'utf8')) as DashboardJson);

describe('the dashboards', () => {
  test('are the five, with uids that links and bookmarks can rely on', () => {
    const uids = readDashboards().map(({ uid }) => uid);
    expect(uids.sort()).toEqual(['pai-experiments', 'pai-fleet', 'pai-mirror-health', 'pai-pipeline', 'pai-run']);
  });

  test('fit the grid, describe every panel, define every variable, quote every value, read only analytics, link to what is there', () => {
    const dashboards = readDashboards();
    expect(dashboards.flatMap(({ panels }) => panels).length).toBeGreaterThan(50);
    expect(findFaults(dashboards)).toEqual([]);
  });
});

describe('the rules catch', () => {
  const [fleet] = readDashboards().filter(({ uid }) => uid === 'pai-fleet') as [DashboardJson];
  const first = fleet.panels[0] as PanelJson;
  const [target] = first.targets as [NonNullable<PanelJson['targets']>[number]];
  const withPanel = (panel: Partial<PanelJson>): DashboardJson => ({ ...fleet, panels: [{ ...first, ...panel }] });
  const withSql = (rawSql: string): DashboardJson => withPanel({ targets: [{ ...target, rawSql }] });
  const withUrl = (url: string): DashboardJson => withPanel({ links: [{ url }] });

  test.each<[string, DashboardJson, string]>([
    ['a panel outside', withPanel({ gridPos: { x: 20, y: 0, w: 5, h: 4 } }), 'is outside the grid'],
    ['two panels in one place', { ...fleet, panels: [first, { ...first, id: 99 }] }, 'lies over'],
    ['an id twice', { ...fleet, panels: [first, { ...first, gridPos: { x: 0, y: 9, w: 1, h: 1 } }] }, 'has the id of'],
    ['a panel without a description', withPanel({ description: '' }), 'has no description'],
    ['another data source', withPanel({ datasource: { type: 'postgres', uid: 'x' } }), 'has another data source'],
    ['a table', withSql('select 1 from pai.pipeline_runs'), 'reads pai.pipeline_runs'],
    [
      'a view by its bare name',
      withSql('select 1 from analytics.scopes, runs join daily_runs on true'),
      'reads daily_runs',
    ],
    ['a statement that writes', withSql('delete from analytics.scopes'), 'is no mere query'],
    ['two statements', withSql('select 1; select 2'), 'is more than one statement'],
    ['an unknown variable', withSql('select ${nobody:sqlstring}'), 'there is no variable nobody'],
    ['a bare variable', withSql("select '$nobody'"), 'there is no variable nobody'],
    ['a value as it is', withSql("select '${scope:raw}'"), '${scope:raw} is not quoted'],
    ['a link to nowhere', withUrl('/d/pai-nothing'), 'there is no dashboard pai-nothing'],
    ['a link that sets what is not there', withUrl('/d/pai-fleet?var-nobody=1'), 'pai-fleet has no variable nobody'],
    ['a link with an unknown value', withUrl('/d/pai-fleet?var-scope=${nobody}'), 'there is no variable nobody here'],
    ['a link out', withUrl('https://example.com'), 'leads out'],
    [
      'an All that lists everything',
      {
        ...fleet,
        templating: { list: fleet.templating.list.map(({ allValue: _, ...rest }) => rest) },
      },
      'All is a list of all values',
    ],
    [
      'a variable that needs a later one',
      { ...fleet, templating: { list: fleet.templating.list.toReversed() } },
      'comes later, or never',
    ],
  ])('%s', (_what, dashboard, expected) => {
    const others = readDashboards().filter(({ uid }) => uid !== fleet.uid);
    expect(findFaults([dashboard, ...others]).join('\n')).toContain(expected);
  });
});

describe('the reader of relations', () => {
  test('finds those of FROM and JOIN, and no function, subquery, WITH or text', () => {
    const sql = `with a as (select 1 from x.one), b as (select 2)
      select extract(epoch from t), 'from nothing' -- from nobody
      from a join b on true left join x.two as t on true cross join unnest(array[1]) as u
      cross join lateral (select 1 from x.three) as l`;
    expect(relationsOf(sql)).toEqual(['x.one', 'x.two', 'x.three']);
    const recursive = 'with recursive a as (select 1 from x.one union all select n + 1 from a) select n from a';
    expect(relationsOf(recursive)).toEqual(['x.one']);
  });
});

describe('the alert rules', () => {
  test('read only analytics, and hold no $, which Grafana would take for an environment variable', () => {
    expect(readAlerts().flatMap(({ rawSql }) => faultsOfSql(rawSql))).toEqual([]);
    expect(FILES['provisioning/alerting/pai-mirror.yaml']).not.toContain('$');
  });

  test('have names of their own, and lead to a dashboard that exists', () => {
    const uids = ALERT_RULES.map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    const known = readDashboards().map(({ uid }) => uid);
    expect(ALERT_RULES.filter(({ dashboard }) => !known.includes(dashboard))).toEqual([]);
  });

  test('name in their summary only labels that their query gives', () => {
    for (const { title, summary, sql } of ALERT_RULES)
      for (const [, label = ''] of summary.matchAll(/\.Labels\.(\w+)/g))
        expect(sql.split('from')[0], title).toMatch(new RegExp(`\\b${label}\\b`));
  });
});

describe('the provisioning files', () => {
  test.each([
    ['datasources', DATASOURCES],
    ['dashboards', PROVIDERS],
    ['alerting', ALERTING],
  ])('%s: a parser of YAML reads what the source says', (name, source) => {
    expect(parse(readFileSync(resolve(FOLDER, `../provisioning/${name}/pai-mirror.yaml`), 'utf8'))).toEqual(source);
  });

  test('hold no password, and name no database of their own', () => {
    const [{ url, user, secureJsonData, jsonData }] = DATASOURCES.datasources as [
      (typeof DATASOURCES.datasources)[number],
    ];
    for (const value of [url, user, secureJsonData.password, jsonData.database, jsonData.sslmode])
      expect(value).toMatch(/^\$\{PAI_MIRROR_DB_[A-Z]+\}$/);
  });
});

describe('YAML', () => {
  test.each([
    [{ a: 'on', b: ['x', { c: 1, d: [] }], e: 'one\ntwo', f: 'é\n"', g: null, h: {}, i: '2024', j: 'k-l' }],
    [[[1, [2]], 'a: b', '- c', '# d', "e'", '', ' f', 'g\n', 'h\n\ni', 'j \nk', '%', '@l', '0x1', '1e3', '~', 'True']],
    ['- x\n  y: |'],
  ])('%j is read as it was written', (value) => {
    expect(parse(toYaml(value))).toEqual(value);
  });
});
