/** SIGINT and SIGTERM abort the signal; a second one ends the process at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly interrupted: Promise<void>;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  let resolve: () => void = () => {};
  const interrupted = new Promise<void>((done) => {
    resolve = done;
  });
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error('interrupted'));
    resolve();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    interrupted,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
