import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/emulator/faults.js';
import { Faults } from '../../src/emulator/faults.js';
import type { Emulator } from '../../src/emulator/server.js';
import { call, get, useEmulators } from './harness.js';

const start = useEmulators();
const RUNS = '/api/v1/pipelineruns';

interface RawReply {
  readonly status: number;
  readonly body: string;
  readonly chunks: number;
  /** The body ended as announced. */
  readonly complete: boolean;
}

/** A bare request, so that broken answers can be looked at; rejects when the connection breaks before the headers. */
function raw(emulator: Emulator, path = RUNS, timeout = 0): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    let hasBegun = false;
    const sent = request(emulator.url + path, { agent: false }, (response) => {
      hasBegun = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          chunks: chunks.length,
          complete: response.complete,
        }),
      );
    });
    if (timeout > 0) sent.setTimeout(timeout, () => sent.destroy(new Error('no answer')));
    // Once an answer has begun, its end tells of the error, and what arrived before it.
    sent.on('error', (error) => {
      if (!hasBegun) reject(error);
    });
    sent.end();
  });
}

async function emulatorWith(...faults: Fault[]): Promise<Emulator> {
  const emulator = await start({ history: 20 });
  emulator.faults.add(...faults);
  return emulator;
}

describe('a fault on the wire', () => {
  it('throttles with the code, a chosen status and a wait hint', async () => {
    const emulator = await emulatorWith(
      { operation: 'ListPipelineRuns', kind: 'throttle', times: 1 },
      { operation: '*', kind: 'throttle', status: 429, code: 'Throttling', retryAfterMillis: 1_500 },
    );
    const first = await get(emulator, RUNS);
    expect([first.status, first.json.Code]).toEqual([400, 'Throttling.User']);
    expect(first.headers.get('x-acs-retry-after')).toBeNull();
    const second = await get(emulator, RUNS);
    expect([second.status, second.json.Code]).toEqual([429, 'Throttling']);
    expect(second.headers.get('x-acs-retry-after')).toBe('1500');
  });

  it('answers any error', async () => {
    const emulator = await emulatorWith({
      operation: '*',
      kind: 'error',
      status: 403,
      code: 'NoPermission',
      message: 'no',
    });
    const { status, json } = await get(emulator, RUNS);
    expect([status, json.Code, json.Message]).toEqual([403, 'NoPermission', 'no']);
  });

  it('answers HTML and nothing at all, as a gateway does', async () => {
    const emulator = await emulatorWith(
      { operation: '*', kind: 'html-5xx', times: 1 },
      { operation: '*', kind: 'empty-5xx', status: 503, times: 1 },
      { operation: '*', kind: 'not-json', times: 1 },
    );
    const html = await get(emulator, RUNS);
    expect([html.status, html.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(html.text).toContain('<html>');
    const empty = await get(emulator, RUNS);
    expect([empty.status, empty.text]).toEqual([503, '']);
    const text = await get(emulator, RUNS);
    expect([text.status, text.json]).toEqual([200, undefined]);
    expect((await get(emulator, RUNS)).json.TotalCount).toBeGreaterThan(0);
  });

  it('resets the connection', async () => {
    const emulator = await emulatorWith({ operation: '*', kind: 'reset', times: 1 });
    await expect(raw(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(raw(emulator)).resolves.toMatchObject({ status: 200, complete: true });
  });

  it('stalls without an answer', async () => {
    const emulator = await emulatorWith({ operation: '*', kind: 'stall' });
    await expect(raw(emulator, RUNS, 200)).rejects.toThrow('no answer');
    expect(emulator.stats.arrivals()).toMatchObject([{ operation: 'ListPipelineRuns', status: 0, fault: 'stall' }]);
  });

  it('truncates the body in the middle', async () => {
    const emulator = await emulatorWith({ operation: '*', kind: 'truncate' });
    const reply = await raw(emulator);
    expect(reply).toMatchObject({ status: 200, complete: false });
    expect(reply.body.startsWith('{"RequestId"')).toBe(true);
    expect(() => JSON.parse(reply.body)).toThrow();
  });

  it('lets the body drip, complete in the end', async () => {
    const emulator = await emulatorWith({ operation: '*', kind: 'drip', chunkBytes: 400, intervalMillis: 2 });
    const reply = await raw(emulator, `${RUNS}?PageSize=5`);
    expect(reply.complete).toBe(true);
    expect(reply.chunks).toBeGreaterThan(2);
    expect(JSON.parse(reply.body).PipelineRuns).toHaveLength(5);
  });

  it('waits before the usual answer', async () => {
    const emulator = await emulatorWith({ operation: '*', kind: 'latency', millis: 60 });
    const from = performance.now();
    expect((await get(emulator, RUNS)).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(55);
  });

  it('replaces the answer byte for byte', async () => {
    const body = '{"RequestId":"x\\n", "UserId": 1557702098194904123,\n "é": "\\u00e9" }\n';
    const emulator = await emulatorWith({ operation: 'ListPipelineRuns', kind: 'replace', body });
    expect((await raw(emulator)).body).toBe(body);
  });
});

describe('which calls a fault meets', () => {
  const meets = (faults: Faults, operation = 'ListRuns', target = '/x', body = ''): string | null =>
    faults.next(operation, target, body)?.kind ?? null;

  it('those of its operation, after some and a number of times', () => {
    const faults = new Faults(1);
    faults.add({ operation: 'ListRuns', kind: 'error', after: 2, times: 2 });
    const met = Array.from({ length: 6 }, () => [meets(faults, 'GetPipelineRun'), meets(faults)]);
    expect(met.map(([, own]) => own)).toEqual([null, null, 'error', 'error', null, null]);
    expect(met.every(([other]) => other === null)).toBe(true);
    expect(faults.list()).toMatchObject([{ matched: 6, fired: 2 }]);
  });

  it('those whose path or body contains a text', () => {
    const faults = new Faults(1);
    faults.add({ operation: '*', kind: 'error', match: 'flow-7' });
    expect(meets(faults, 'GetPipelineRun', '/api/v1/pipelineruns/flow-7')).toBe('error');
    expect(meets(faults, 'ListPipelineRunsStatus', '/api', '{"PipelineRuns":["flow-7"]}')).toBe('error');
    expect(meets(faults, 'ListRuns', '/api/v1/runs', 'flow-8')).toBeNull();
  });

  it('some of them by chance, the same ones for the same seed', () => {
    const draw = (seed: number): (string | null)[] => {
      const faults = new Faults(seed);
      faults.add({ operation: '*', kind: 'reset', probability: 0.3 });
      return Array.from({ length: 400 }, () => meets(faults));
    };
    const fired = draw(4).filter((kind) => kind !== null).length;
    expect(fired).toBeGreaterThan(80);
    expect(fired).toBeLessThan(160);
    expect(draw(4)).toEqual(draw(4));
    expect(draw(4)).not.toEqual(draw(5));
  });

  it.each([
    [{ operation: '*', kind: 'explode' }, 'fault kind: found "explode"'],
    [{ kind: 'error' }, 'fault operation'],
    [{ operation: '*', kind: 'error', times: 0 }, 'fault times: found 0'],
    [{ operation: '*', kind: 'error', probability: 2 }, 'fault probability: found 2'],
    [{ operation: '*', kind: 'error', after: -1 }, 'fault after: found -1'],
  ])('refuses %j', (fault, message) => {
    expect(() => new Faults(1).add(fault as Fault)).toThrow(message);
  });
});

describe('the control paths', () => {
  it('add, show and clear faults, and count calls', async () => {
    const emulator = await start({ history: 5 });
    const added = await call(emulator, 'POST', '/_emulator/faults', [
      { operation: 'ListPipelineRuns', kind: 'throttle' },
    ]);
    expect(added.json.faults).toMatchObject([{ kind: 'throttle', matched: 0 }]);
    expect((await get(emulator, RUNS)).status).toBe(400);
    await call(emulator, 'DELETE', '/_emulator/faults');
    expect((await get(emulator, RUNS)).status).toBe(200);
    const { json } = await get(emulator, '/_emulator/stats');
    expect(json.operations).toEqual({ ListPipelineRuns: { calls: 2, ok: 1, refused: 1, faults: 1 } });
    const { arrivals } = (await get(emulator, '/_emulator/arrivals')).json;
    expect(arrivals).toMatchObject([
      { status: 400, fault: 'throttle' },
      { status: 200, fault: null },
    ]);
    await call(emulator, 'DELETE', '/_emulator/stats');
    expect(emulator.stats.calls()).toBe(0);
  });

  it('move the clock and change the world', async () => {
    const emulator = await start({ history: 5, active: 5, arrivalsPerMinute: 10 });
    const before = emulator.world.pipelineRuns();
    await call(emulator, 'POST', '/_emulator/advance', { ms: 3_600_000 });
    expect(emulator.world.pipelineRuns().length).toBeGreaterThan(before.length + 100);
    const id = before[0]?.pipelineRunId as string;
    const args = [id, { status: 'Suspended' }];
    const changed = await call(emulator, 'POST', '/_emulator/mutate', { method: 'updatePipelineRun', args });
    expect(changed.json).toMatchObject({ pipelineRunId: id, status: 'Suspended' });
    expect(emulator.world.pipelineRun(id)?.status).toBe('Suspended');
    expect((await get(emulator, '/_emulator/world')).json.workspaces).toEqual(emulator.world.workspaces());
  });

  it.each([
    ['POST', '/_emulator/faults', { operation: '*', kind: 'none' }],
    ['POST', '/_emulator/advance', { ms: 'soon' }],
    ['POST', '/_emulator/mutate', { method: 'setStatus', args: [0] }],
    ['POST', '/_emulator/mutate', { method: 'constructor' }],
    ['POST', '/_emulator/mutate', { method: 'deletePipelineRun', args: ['flow-none'] }],
    ['GET', '/_emulator/nothing', undefined],
  ])('refuse %s %s %j', async (method, path, body) => {
    const emulator = await start({ history: 1 });
    const { status, json } = await call(emulator, method, path, body);
    expect(status).toBe(400);
    expect(json.error).toMatch(/found/);
  });
});

describe('closing', () => {
  it('ends at once, with calls stalled, waiting and dripping', async () => {
    const emulator = await emulatorWith(
      { operation: '*', kind: 'stall', match: 'PageSize=1' },
      { operation: '*', kind: 'latency', millis: 600_000, match: 'PageSize=2' },
      { operation: '*', kind: 'drip', match: 'PageSize=3' },
    );
    const calls = [1, 2, 3].map((size) => raw(emulator, `${RUNS}?PageSize=${size}`).catch((error: Error) => error));
    while (emulator.stats.calls() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await emulator.close();
    const [stalled, waiting, dripping] = await Promise.all(calls);
    expect(stalled).toBeInstanceOf(Error);
    expect(waiting).toBeInstanceOf(Error);
    expect(dripping instanceof Error || !dripping?.complete).toBe(true);
  });
});
