/** What must hold for a dashboard as Grafana reads it: plain JSON, nothing of its source. */
import { relationsOf } from './sql-relations.js';

export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly TargetJson[];
  readonly [more: string]: unknown;
}

export interface TargetJson {
  readonly refId: string;
  readonly rawSql: string;
  readonly format: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
}

const COLUMNS = 24;
const BUILT_IN = /^__/;

/** Every broken rule of all dashboards together, one sentence each. */
export function findFaults(dashboards: readonly DashboardJson[]): string[] {
  const uids = dashboards.map(({ uid }) => uid);
  const twice = uids.filter((uid, index) => uids.indexOf(uid) !== index).map((uid) => `uid ${uid} is there twice`);
  return [...twice, ...dashboards.flatMap((dashboard) => faultsOf(dashboard, dashboards))];
}

function faultsOf(dashboard: DashboardJson, all: readonly DashboardJson[]): string[] {
  const faults = [
    ...faultsOfPlaces(dashboard.panels),
    ...dashboard.panels.flatMap((panel) => faultsOfPanel(panel)),
    ...faultsOfVariables(dashboard),
    ...faultsOfLinks(dashboard, all),
  ];
  return faults.map((fault) => `${dashboard.uid}: ${fault}`);
}

/** Inside the grid, none over another, ids once. */
function faultsOfPlaces(panels: readonly PanelJson[]): string[] {
  const faults: string[] = [];
  panels.forEach((panel, index) => {
    const { x, y, w, h } = panel.gridPos;
    if (x < 0 || w < 1 || h < 1 || x + w > COLUMNS) faults.push(`${panel.title}: is outside the grid`);
    for (const other of panels.slice(0, index)) {
      if (other.id === panel.id) faults.push(`${panel.title}: has the id of ${other.title}`);
      const o = other.gridPos;
      const apart = x >= o.x + o.w || o.x >= x + w || y >= o.y + o.h || o.y >= y + h;
      if (!apart) faults.push(`${panel.title}: lies over ${other.title}`);
    }
  });
  return faults;
}

const isOurs = (found: { readonly type: string; readonly uid: string } | undefined): boolean =>
  found?.type === 'grafana-postgresql-datasource' && found.uid === 'pai-mirror';

function faultsOfPanel({ type, title, description = '', datasource, targets = [] }: PanelJson): string[] {
  if (type === 'row') return [];
  const faults: [boolean, string][] = [
    [description.length < 20, 'has no description'],
    [!isOurs(datasource), 'has another data source'],
    [targets.length === 0, 'asks nothing'],
    [new Set(targets.map(({ refId }) => refId)).size !== targets.length, 'has a refId twice'],
    [targets.some((target) => !isOurs(target.datasource)), 'has a query of another data source'],
    [targets.some(({ format }) => format !== 'table' && format !== 'time_series'), 'has a query without a format'],
  ];
  const broken = faults.filter(([found]) => found).map(([, what]) => `${title}: ${what}`);
  return [...broken, ...targets.flatMap(({ rawSql }) => faultsOfSql(rawSql).map((fault) => `${title}: ${fault}`))];
}

/** Reads nothing but views of `analytics`, changes nothing, and ends. */
export function faultsOfSql(sql: string): string[] {
  const foreign = relationsOf(sql).filter((relation) => !/^analytics\.[a-z_]+$/.test(relation));
  const faults = foreign.map((relation) => `reads ${relation}, which is not in schema analytics`);
  if (/\bpai\./.test(sql)) faults.push('names schema pai');
  if (/\b(insert|update|delete|truncate|create|alter|drop|grant|set)\s/i.test(sql)) faults.push('is no mere query');
  if (sql.includes(';')) faults.push('is more than one statement');
  return faults;
}

const used = (text: string): string[] =>
  [...text.matchAll(/\$\{(\w+)(?::\w+)?\}|\$(\w+)\b(?!\()/g)]
    .map(([, braced, bare]) => (braced ?? bare) as string)
    .filter((name) => !BUILT_IN.test(name));

/** Every `$…` of a query names a variable of the dashboard, in the one form that quotes; each is declared before use. */
function faultsOfVariables({ panels, templating }: DashboardJson): string[] {
  const { list } = templating;
  const names = list.map(({ name }) => name);
  const known = (text: string, among: readonly string[]): string[] =>
    used(text).filter((name) => !among.includes(name));
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.flatMap(({ rawSql }) => [
      ...known(rawSql, names).map((name) => `${title}: there is no variable ${name}`),
      ...unquoted(rawSql).map((found) => `${title}: ${found} is not quoted (:sqlstring)`),
    ]),
  );
  const ofVariables = list.flatMap((variable, index) => [
    ...known(variable.query, names.slice(0, index)).map((name) => `${variable.name}: ${name} comes later, or never`),
    ...unquoted(variable.query).map((found) => `${variable.name}: ${found} is not quoted (:sqlstring)`),
    ...(variable.type === 'query' && !isOurs(variable.datasource) ? [`${variable.name}: has another data source`] : []),
    ...(variable.type === 'query' ? faultsOfSql(variable.query).map((fault) => `${variable.name}: ${fault}`) : []),
    ...(variable.includeAll && variable.allValue !== "'*'" ? [`${variable.name}: All is a list of all values`] : []),
  ]);
  return [...ofPanels, ...ofVariables];
}

const unquoted = (sql: string): string[] =>
  [...sql.matchAll(/\$\{(\w+)(?::(\w+))?\}/g)].filter(([, , format]) => format !== 'sqlstring').map(([text]) => text);

/** The links of panels, cells and rows, wherever they are in the JSON. */
function urlsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(urlsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'url' && typeof inner === 'string' ? [inner] : urlsOf(inner),
  );
}

/** A link leads to a dashboard that exists, sets variables that it has, and takes values from variables that are here. */
function faultsOfLinks({ panels, templating }: DashboardJson, all: readonly DashboardJson[]): string[] {
  const here = templating.list.map(({ name }) => name);
  return urlsOf(panels).flatMap((url) => {
    const faults = used(url)
      .filter((name) => !here.includes(name))
      .map((name) => `${url}: there is no variable ${name} here`);
    const uid = /^\/d\/([^/?]+)/.exec(url)?.[1];
    if (uid === undefined) return url.startsWith('${__data.fields.') ? faults : [...faults, `${url}: leads out`];
    const target = all.find((dashboard) => dashboard.uid === uid);
    if (target === undefined) return [...faults, `${url}: there is no dashboard ${uid}`];
    const there = target.templating.list.map(({ name }) => name);
    const set = [
      ...[...url.matchAll(/[?&]var-(\w+)=/g)].map(([, name]) => name as string),
      ...[...url.matchAll(/\$\{(\w+):queryparam\}/g)].map(([, name]) => name as string),
    ];
    return [
      ...faults,
      ...set.filter((name) => !there.includes(name)).map((name) => `${url}: ${uid} has no variable ${name}`),
    ];
  });
}
