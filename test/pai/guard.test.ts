import { expect, test } from 'vitest';
import { LeaseLostError } from '../../src/domain/errors.js';
import { guardSignal } from '../../src/util/signal-guard.js';
import { clientOf, json, never, PAGE, SCOPE, startUpstream } from './support.js';

test('invariant 7: a call that is tried again asks first whether it still may, also after minutes of waiting', async () => {
  const upstream = await startUpstream((response) => json(response, { Code: 'InternalError', Message: 'x' }, 500));
  const client = clientOf(upstream, { retry: { attempts: 5, baseMs: 0, capMs: 0 } });
  const { signal } = new AbortController();
  let asked = 0;
  const check = async (): Promise<void> => {
    asked += 1;
    if (asked === 3) throw new LeaseLostError('cn-shanghai:15945', 'status');
  };
  guardSignal(signal, { check, isOver: () => false });
  await expect(client.listPipelineRuns(SCOPE, PAGE, signal)).rejects.toThrow(LeaseLostError);
  expect(upstream.seen).toHaveLength(2);
  await upstream.close();
});

test('a signal without a guard is only a signal', async () => {
  const upstream = await startUpstream((response) =>
    json(response, { RequestId: 'R', PipelineRuns: [], TotalCount: 0 }),
  );
  await clientOf(upstream).listPipelineRuns(SCOPE, PAGE, never());
  expect(upstream.seen).toHaveLength(1);
  await upstream.close();
});

test.each([
  ['while it signed the request', [true]],
  ['while it connected', [false, true]],
])('invariant 7: a process that stood still %s does not send it, and asks again whether it may', async (_, answers) => {
  const upstream = await startUpstream((response) =>
    json(response, { RequestId: 'R', PipelineRuns: [], TotalCount: 0 }),
  );
  const client = clientOf(upstream, { retry: { attempts: 5, baseMs: 0, capMs: 0 } });
  const { signal } = new AbortController();
  const seenAtCheck: number[] = [];
  const check = async (): Promise<void> => void seenAtCheck.push(upstream.seen.length);
  guardSignal(signal, { check, isOver: () => answers.shift() ?? false });
  await client.listPipelineRuns(SCOPE, PAGE, signal);
  expect({ seenAtCheck, seen: upstream.seen.length, left: answers }).toEqual({
    seenAtCheck: [0, 0],
    seen: 1,
    left: [],
  });
  await upstream.close();
});
