import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/util/on-abort.js';

test('a listener is called once, when the signal aborts', () => {
  const controller = new AbortController();
  let calls = 0;
  onAbort(controller.signal, () => {
    calls += 1;
  });
  expect(calls).toBe(0);
  controller.abort();
  controller.abort();
  expect(calls).toBe(1);
});

test('a listener that was let go is not called, and the others still are', () => {
  const controller = new AbortController();
  const called: string[] = [];
  const stopFirst = onAbort(controller.signal, () => called.push('first'));
  onAbort(controller.signal, () => called.push('second'));
  const stopThird = onAbort(controller.signal, () => called.push('third'));
  stopFirst();
  stopThird();
  stopThird();
  controller.abort();
  expect(called).toEqual(['second']);
});

test('nothing stays on a signal once everybody has let go', () => {
  const { signal } = new AbortController();
  for (const stop of [1, 2, 3].map(() => onAbort(signal, () => {}))) stop();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a signal that has aborted before calls nobody', () => {
  let calls = 0;
  onAbort(AbortSignal.abort(), () => {
    calls += 1;
  });
  expect(calls).toBe(0);
});
