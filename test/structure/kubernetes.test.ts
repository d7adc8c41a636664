import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { VARIABLES } from '../../src/config/variables.js';
import { parseConfig } from '../../src/config.js';
import { healthRoutes } from '../../src/http/routes/health.js';
import { metricsRoutes } from '../../src/http/routes/metrics.js';
import { createServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/util/logger.js';
import { ask } from '../support/http.js';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = resolve(ROOT, 'kubernetes');
const OWN_LABELS = { 'app.kubernetes.io/name': 'pai-mirror' };

// biome-ignore lint/suspicious/noExplicitAny: what the manifests hold is what the tests are about
type Manifest = any;

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const read = (file: string): Manifest => parse(textOf(file));

const configuration = parseEnv(textOf('configuration.env')) as Record<string, string>;
const pod = read('deployment.yaml').spec.template;
const [container] = pod.spec.containers;

/** Variables that @alicloud/credentials reads, by its source. */
function credentialVariables(): Set<string> {
  const folder = resolve(ROOT, 'node_modules/@alicloud/credentials/dist/src');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const text = sources.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  return new Set([...text.matchAll(/process\.env\.(ALIBABA_CLOUD_[A-Z_]+)/g)].map(([, name]) => name as string));
}

/** The environment of the container, with something that will do for each secret. */
function environment(): Record<string, string> {
  const secrets = { DATABASE_URL: 'postgresql://u:p@host/db', HTTP_TOKEN: 'a-token-of-this-test' };
  expect(container.envFrom).toEqual([{ configMapRef: { name: 'pai-mirror' } }]);
  const required = container.env.filter(({ valueFrom }: Manifest) => valueFrom.secretKeyRef.optional !== true);
  expect(required.map(({ name }: Manifest) => name)).toEqual(Object.keys(secrets));
  return { ...configuration, ...secrets };
}

describe('the manifests', () => {
  test.each(files)('%s is one document without a mistake', (file) => {
    const documents = parseAllDocuments(textOf(file));
    expect(documents).toHaveLength(1);
    expect(documents.flatMap(({ errors, warnings }: Manifest) => [...errors, ...warnings])).toEqual([]);
    const { apiVersion, kind, metadata } = read(file);
    expect([apiVersion, kind]).toEqual([expect.stringMatching(/^([a-z.0-9]+\/)?v\d/), expect.stringMatching(/^[A-Z]/)]);
    // All that there is carries the one name, so that it can be found and removed.
    if (!/Kustomization|Component/.test(kind)) expect(metadata.name).toBe('pai-mirror');
  });

  test('are all named by a kustomization, but for the example of a secret', () => {
    const named = ['.', 'monitoring'].flatMap((folder) =>
      read(join(folder, 'kustomization.yaml')).resources.map((file: string) => join(folder, file)),
    );
    expect(named.filter((file) => !existsSync(join(FOLDER, file)))).toEqual([]);
    const rest = files.filter((file) => !named.includes(file) && !file.endsWith('kustomization.yaml'));
    expect(rest).toEqual(['secret.example.yaml']);
    const { configMapGenerator, images, namespace } = read('kustomization.yaml');
    expect(configMapGenerator).toEqual([{ name: 'pai-mirror', envs: ['configuration.env'] }]);
    expect(images[0].name).toBe(container.image);
    expect(namespace).toBe(read('namespace.yaml').metadata.name);
  });

  test('hold no secret', () => {
    for (const [key, value] of Object.entries(read('secret.example.yaml').stringData))
      expect([key, value]).toEqual([key, '']);
    for (const { name, value, valueFrom } of container.env) {
      expect(value, name).toBeUndefined();
      expect(valueFrom.secretKeyRef).toMatchObject({ name: 'pai-mirror', key: name });
    }
    expect(Object.keys(configuration).filter((name) => /TOKEN|SECRET|PASSWORD|KEY|DATABASE_URL/.test(name))).toEqual(
      [],
    );
    const all = files.map(textOf).join('\n') + textOf('configuration.env');
    expect(all).not.toMatch(/LTAI\w{8}|postgres(ql)?:\/\/(?!user:password@host)/);
  });

  test('choose the same pods everywhere, and one account', () => {
    expect(pod.metadata.labels).toEqual(OWN_LABELS);
    const selectors = [
      read('deployment.yaml').spec.selector.matchLabels,
      read('service.yaml').spec.selector,
      read('disruption-budget.yaml').spec.selector.matchLabels,
      read('network-policy.yaml').spec.podSelector.matchLabels,
      read('monitoring/pod-monitor.yaml').spec.selector.matchLabels,
      ...pod.spec.topologySpreadConstraints.map(({ labelSelector }: Manifest) => labelSelector.matchLabels),
    ];
    for (const selector of selectors) expect(selector).toEqual(OWN_LABELS);
    expect(selectors).toHaveLength(7);
    expect(pod.spec.serviceAccountName).toBe(read('service-account.yaml').metadata.name);
  });
});

describe('the pods', () => {
  test('get variables that there are, with values that the mirror takes', () => {
    const known = credentialVariables();
    expect(known).toContain('ALIBABA_CLOUD_OIDC_TOKEN_FILE');
    const names = [...Object.keys(configuration), ...container.env.map(({ name }: Manifest) => name)];
    expect(names.filter((name) => !(name in VARIABLES) && !known.has(name))).toEqual([]);
    const config = parseConfig(environment(), { scopes: true });
    expect(config.scopes.length).toBeGreaterThan(0);
    expect(config).toMatchObject({ httpHost: '0.0.0.0', httpPublic: false, httpToken: expect.any(String) });
  });

  test('get no variables out of the names of Services, which could be read as settings', () => {
    expect(pod.spec.enableServiceLinks).toBe(false);
  });

  test('get the token of RRSA, and never the keys of their node', () => {
    expect(read('namespace.yaml').metadata.labels['pod-identity.alibabacloud.com/injection']).toBe('on');
    const { metadata, automountServiceAccountToken } = read('service-account.yaml');
    expect(metadata.annotations['pod-identity.alibabacloud.com/role-name']).toMatch(/^[\w-]+$/);
    expect([automountServiceAccountToken, pod.spec.automountServiceAccountToken]).toEqual([false, false]);
    expect(configuration.ALIBABA_CLOUD_ECS_METADATA_DISABLED).toBe('true');
  });

  test('have no right that they do not need', () => {
    expect(pod.spec.securityContext).toEqual({
      ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    const everyContainer = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    for (const { name, securityContext, volumeMounts } of everyContainer) {
      const least = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
      expect(securityContext, name).toEqual(least);
      expect(volumeMounts, name).toBeUndefined();
    }
    expect(read('namespace.yaml').metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    const { runAsUser, runAsGroup } = pod.spec.securityContext;
    expect(readFileSync(resolve(ROOT, 'Dockerfile'), 'utf8')).toContain(`USER ${runAsUser}:${runAsGroup}\n`);
  });

  test('are two, on nodes of their own where there are such, one of which is always there', () => {
    const { replicas, strategy } = read('deployment.yaml').spec;
    expect([replicas, strategy.rollingUpdate]).toEqual([2, { maxSurge: 1, maxUnavailable: 0 }]);
    expect(read('disruption-budget.yaml').spec.maxUnavailable).toBe(1);
    const topology = pod.spec.topologySpreadConstraints.map(({ topologyKey }: Manifest) => topologyKey);
    expect(topology).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(10);
    expect(container.resources).toMatchObject({
      requests: { cpu: '100m', memory: '192Mi' },
      limits: { memory: '512Mi' },
    });
  });
});

describe('the port', () => {
  test('is one and the same: of the configuration, the container, probes, Service, policy and scrapes', () => {
    const { httpPort } = parseConfig(environment(), { scopes: true });
    expect(container.ports).toEqual([{ name: 'http', containerPort: httpPort }]);
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) expect(probe.httpGet.port).toBe('http');
    expect(read('service.yaml').spec.ports).toEqual([{ name: 'http', port: httpPort, targetPort: 'http' }]);
    expect(read('network-policy.yaml').spec.ingress[0].ports).toEqual([{ port: 'http', protocol: 'TCP' }]);
    const [scrape] = read('monitoring/pod-monitor.yaml').spec.podMetricsEndpoints;
    expect(scrape).toMatchObject({
      port: 'http',
      authorization: { type: 'Bearer', credentials: { key: 'HTTP_TOKEN' } },
    });
  });

  test('answers what probes and Prometheus ask, the probes without the token', async () => {
    const routes = [
      healthRoutes({ reason: async () => null } as never),
      metricsRoutes({ scrape: async () => 'numbers', contentType: 'text/plain' } as never),
    ];
    const access = { host: '127.0.0.1', token: 'a-token-of-this-test' };
    const server = await createServer({ access, routes, logger: silentLogger });
    onTestFinished(() => server.close());
    const url = await server.listen(0);
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe])
      expect((await ask(`${url}${probe.httpGet.path}`)).status, probe.httpGet.path).toBe(200);
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual(['/healthz', '/readyz']);
    const [{ path }] = read('monitoring/pod-monitor.yaml').spec.podMetricsEndpoints;
    expect((await ask(`${url}${path}`)).status).toBe(401);
    const headers = { authorization: `Bearer ${access.token}` };
    expect((await ask(`${url}${path}`, { headers })).text).toBe('numbers');
  });

  test('is all that is let in, and from the monitoring only; out go names, PostgreSQL and HTTPS', () => {
    const { policyTypes, ingress, egress } = read('network-policy.yaml').spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(ingress.map(({ from }: Manifest) => from)).toEqual([
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    ]);
    const ports = egress.map((rule: Manifest) =>
      rule.ports.map(({ port, protocol }: Manifest) => `${protocol} ${port}`),
    );
    expect(ports).toEqual([['UDP 53', 'TCP 53'], ['TCP 5432'], ['TCP 443']]);
    expect(egress[0].to).toHaveLength(2);
  });
});
