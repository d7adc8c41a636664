import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FILES } from '../../grafana/source/files.js';

const GRAFANA = resolve(import.meta.dirname, '../../grafana');

/** `npm run grafana` is this test with `--update`: then it writes what it would compare. */
describe('the files for Grafana', () => {
  test.each(Object.keys(FILES))('%s is what its source makes', async (file) => {
    await expect(FILES[file]).toMatchFileSnapshot(`../../grafana/${file}`);
  });

  test('are all made from source: none is left over', () => {
    const found = ['dashboards', 'provisioning'].flatMap((folder) =>
      readdirSync(resolve(GRAFANA, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(GRAFANA.length + 1)),
    );
    expect(found.sort()).toEqual(Object.keys(FILES).sort());
  });
});
