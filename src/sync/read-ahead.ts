import pLimit from 'p-limit';

export type Settled<T, R> =
  | { readonly item: T; readonly ok: true; readonly value: R }
  | { readonly item: T; readonly ok: false; readonly error: unknown };

interface Pending<T, R> {
  readonly result: Promise<Settled<T, R>>;
  settled: boolean;
}

/**
 * Calls `work` for every item, at most `concurrency` at once, and yields the results in the order of the items, in
 * groups: the first that is awaited and those after it that have settled already (at most `groupSize`). Calls go on
 * while the consumer stores a group, until `ahead` items wait or are under way (default: twice the concurrency); no more
 * than these and one group are ever held: that is the bound of the memory in flight. A failed call is a result, not an
 * exception; leaving the loop early stops new calls.
 */
export async function* readAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  options: { readonly concurrency: number; readonly groupSize?: number; readonly ahead?: number },
  work: (item: T) => Promise<R>,
): AsyncGenerator<Settled<T, R>[]> {
  const limit = pLimit(options.concurrency);
  const groupSize = options.groupSize ?? options.concurrency;
  const ahead = Math.max(options.concurrency, options.ahead ?? options.concurrency * 2);
  const iterator = toAsyncIterator(items);
  const queue: Pending<T, R>[] = [];
  let exhausted = false;
  const fill = async (): Promise<void> => {
    while (!exhausted && queue.length < ahead) {
      const next = await iterator.next();
      if (next.done) exhausted = true;
      else queue.push(start(limit, next.value, work));
    }
  };
  try {
    for (await fill(); queue.length > 0; await fill()) yield await takeGroup(queue, groupSize);
  } finally {
    limit.clearQueue();
  }
}

/** The results of a group up to the first failed one: what came in before is worth storing. */
export function untilFailure<T, R>(
  group: readonly Settled<T, R>[],
): {
  readonly good: readonly { readonly item: T; readonly value: R }[];
  readonly error: { readonly reason: unknown } | null;
} {
  const good: { item: T; value: R }[] = [];
  for (const result of group) {
    if (!result.ok) return { good, error: { reason: result.error } };
    good.push(result);
  }
  return { good, error: null };
}

async function takeGroup<T, R>(queue: Pending<T, R>[], groupSize: number): Promise<Settled<T, R>[]> {
  const head = queue.shift() as Pending<T, R>;
  const group = [await head.result];
  while (group.length < groupSize && queue[0]?.settled) group.push(await (queue.shift() as Pending<T, R>).result);
  return group;
}

function start<T, R>(limit: ReturnType<typeof pLimit>, item: T, work: (item: T) => Promise<R>): Pending<T, R> {
  const result = limit(() => work(item)).then(
    (value): Settled<T, R> => ({ item, ok: true, value }),
    (error: unknown): Settled<T, R> => ({ item, ok: false, error }),
  );
  const pending: Pending<T, R> = { result, settled: false };
  void result.then(() => {
    pending.settled = true;
  });
  return pending;
}

async function* toAsyncIterator<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
