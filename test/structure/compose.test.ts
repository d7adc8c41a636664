import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DATASOURCES, PROVIDERS } from '../../grafana/source/provisioning.js';

const ROOT = resolve(import.meta.dirname, '../..');
const readText = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

interface Service {
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly command?: readonly string[];
  readonly healthcheck?: unknown;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const compose = parse(readText('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, { readonly name?: string } | null>>;
};
const services = Object.entries(compose.services);

describe('compose.yaml', () => {
  test('opens no port but on the loopback address', () => {
    const ports = services.flatMap(([, { ports: found = [] }]) => found);
    expect(ports).toEqual(['127.0.0.1:${STATUS_PAGE_PORT:-8080}:8080', '127.0.0.1:${GRAFANA_PORT:-3000}:3000']);
  });

  test('holds no password: each is read from a file that the first start makes', () => {
    for (const [name, { environment = {} }] of services)
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY|TOKEN/.test(variable))
          expect(value === null || variable.endsWith('_FILE'), `${name}: ${variable}`).toBe(true);
  });

  test('shows the password of the owner to whoever needs it, and never to Grafana', () => {
    const who = (volume: string): string[] =>
      services
        .filter(([, { volumes = [] }]) => volumes.some((one) => one.startsWith(`${volume}:`)))
        .map(([name]) => name);
    expect(who('owner-password')).toEqual(['passwords', 'database', 'migrate', 'mirror']);
    expect(who('reader-password')).toEqual(['passwords', 'migrate', 'grafana']);
    expect(who('grafana-password')).toEqual(['passwords', 'grafana']);
    expect(who('page-password')).toEqual(['passwords', 'mirror']);
  });

  test('starts each service when what it needs is there, and each condition can come true', () => {
    const order = services.map(([name, { depends_on = {} }]) => [
      name,
      Object.entries(depends_on).map(([on, { condition }]) => `${on} ${condition}`),
    ]);
    expect(order).toEqual([
      ['passwords', []],
      ['database', ['passwords service_completed_successfully']],
      ['migrate', ['database service_healthy']],
      ['mirror', ['migrate service_completed_successfully']],
      ['grafana', ['migrate service_completed_successfully']],
    ]);
    expect(compose.services.database?.healthcheck).toBeDefined();
  });

  test('gives the containers of the image no rights, and nothing but volumes to write to', () => {
    const ours = services.filter(([name]) => !['database', 'grafana'].includes(name));
    expect(ours.map(([name]) => name)).toEqual(['passwords', 'migrate', 'mirror']);
    for (const [name, { read_only, cap_drop, security_opt }] of ours) {
      const found = { read_only, cap_drop, security_opt };
      expect(found, name).toEqual({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  test('lets the status page be reached, by a token that the first start makes, unless what it shows is made up', () => {
    const { environment, command = [], healthcheck } = compose.services.mirror ?? {};
    expect(environment).toMatchObject({ HTTP_HOST: '0.0.0.0', HTTP_PORT: 8080 });
    // That of the image, which asks by these two.
    expect(healthcheck).toBeUndefined();
    const script = command.join('\n');
    const [demo, real] = script.split(/^fi$/m);
    expect(demo).toMatch(/export HTTP_TOKEN= HTTP_PUBLIC=true\n\s*exec node \S+ demo/);
    expect(real).toContain('export HTTP_TOKEN="$${HTTP_TOKEN:-$$(cat /run/passwords/page/password)}"');
    expect(script).not.toMatch(/HTTP_TOKEN=\w/);
  });

  test('mounts what is there, and declares its volumes', () => {
    for (const [name, { volumes = [] }] of services)
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const known = source.startsWith('./') ? existsSync(resolve(ROOT, source)) : source in compose.volumes;
        expect(known, `${name}: ${source}`).toBe(true);
      }
  });

  test('sets every variable that the provisioning files of Grafana ask for', () => {
    const asked = new Set(
      [...JSON.stringify([DATASOURCES, PROVIDERS]).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name),
    );
    const { environment = {}, command = [] } = compose.services.grafana ?? {};
    const exported = [...command.join('\n').matchAll(/export (\w+)=/g)].map(([, name]) => name as string);
    expect([...asked].sort()).toEqual(
      [...Object.keys(environment), ...exported].filter((name) => name.startsWith('PAI_')).sort(),
    );
  });

  test('keeps the demo and real workspaces in volumes of their own, each database with the passwords that it knows', () => {
    for (const volume of ['database', 'owner-password', 'reader-password'])
      expect(compose.volumes[volume]?.name).toBe(`pai-mirror_${volume}\${PAI_SCOPES:+_pai}`);
  });
});

describe('Dockerfile', () => {
  const copied = [...readText('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
    (files as string).split(' '),
  );

  test('copies what is there, and .dockerignore lets that through and nothing else', () => {
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
    const lines = readText('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect([...lines].sort()).toEqual(['*', ...new Set(copied.map((file) => `!${file.replace('./', '')}`))].sort());
  });

  test('runs as somebody who is not root', () => {
    const [, last = ''] = /[\s\S]*^FROM ([\s\S]*)$/m.exec(readText('Dockerfile')) ?? [];
    // By number: Kubernetes cannot tell of a name that it is not root.
    expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  });

  test('says the version of package.json, and asks the health of whatever runs', () => {
    const text = readText('Dockerfile');
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(text).toContain(`ARG VERSION=${version}\n`);
    expect(text).toContain('["node", "/app/dist/main.js", "health", "--container"]');
  });
});
