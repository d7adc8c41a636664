import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { SimulatedClock } from '../../src/emulator/clock.js';
import { startEmulator } from '../../src/emulator/server.js';
import { layCable } from '../support/cable.js';
import { environmentFor, startCli } from '../support/cli.js';
import { createDatabase } from '../support/database.js';
import { addressOf, ask } from '../support/http.js';

async function quietWorld() {
  const emulator = await startEmulator({
    history: 5,
    active: 1,
    experimentRuns: 2,
    clock: new SimulatedClock({ speed: 0 }),
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

it('lives while it waits for its database, is ready when it is there, and says so when that goes away', async () => {
  const emulator = await quietWorld();
  const cable = await layCable((await createDatabase()).url);
  await cable.cut();
  const service = startCli(['start'], { env: environmentFor(emulator, cable.url) });
  const url = await addressOf(service);
  const ready = async () => {
    const { status, text } = await ask(`${url}/readyz`);
    return `${status} ${text}`;
  };
  const lives = async () => expect(await ask(`${url}/healthz`)).toMatchObject({ status: 200, text: 'ok\n' });

  await lives();
  expect(await ready()).toMatch(/^503 \{"ready":false,"reason":"starting/);
  await cable.mend();
  await expect.poll(ready, { timeout: 60_000 }).toBe('200 {"ready":true}');
  await cable.cut();
  await expect.poll(ready, { timeout: 60_000 }).toBe('503 {"ready":false,"reason":"the database cannot be reached"}');
  await lives();
  await cable.mend();
  await expect.poll(ready, { timeout: 60_000 }).toBe('200 {"ready":true}');

  service.child.kill('SIGTERM');
  expect(await service.exited, service.stderr()).toBe(0);
});

it('ends with 1 before any pass when the port is in use, names it, and leaves no process behind', async () => {
  const emulator = await quietWorld();
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as { port: number };
  const { url } = await createDatabase({ empty: true });
  const service = startCli(['start'], { env: { ...environmentFor(emulator, url), HTTP_PORT: String(port) } });
  expect(await service.exited).toBe(1);
  expect(service.stderr()).toContain(`HTTP_PORT: found ${port} of 127.0.0.1 in use`);
  expect(emulator.stats.calls()).toBe(0);
});

it('takes any free port where another process has the usual one, and nobody chose it', async () => {
  const emulator = await quietWorld();
  const { url } = await createDatabase();
  // One of the two has the usual port, unless something else on this machine has it already.
  const env = { ...environmentFor(emulator, url), HTTP_PORT: '' };
  const services = [startCli(['start'], { env }), startCli(['start'], { env })];
  for (const service of services) await service.sees('pai-mirror started');
  const addresses = await Promise.all(services.map(addressOf));
  expect(new Set(addresses).size).toBe(2);
  expect(services.filter((service) => service.stderr().includes('any free one will do')).length).toBeGreaterThanOrEqual(
    1,
  );
  for (const service of services) service.child.kill('SIGTERM');
  for (const service of services) expect(await service.exited, service.stderr()).toBe(0);
});

it('does without HTTP when told to', async () => {
  const emulator = await quietWorld();
  const { url } = await createDatabase();
  const service = startCli(['start'], { env: { ...environmentFor(emulator, url), HTTP_PORT: 'off' } });
  await service.sees('pai-mirror started');
  expect(service.stderr()).not.toContain('HTTP is up');
  service.child.kill('SIGTERM');
  expect(await service.exited, service.stderr()).toBe(0);
});
