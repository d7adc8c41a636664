/** `emulator`: a PAI that runs on this machine, for trying things out, until it is stopped. */
import { SimulatedClock } from '../emulator/clock.js';
import { type Emulator, startEmulator } from '../emulator/server.js';
import type { ExitCode } from './context.js';
import type { Interrupt } from './interrupt.js';
import { stdoutOutput } from './output.js';

export interface EmulatorCommandOptions {
  readonly port: number;
  readonly seed: number;
  readonly workspaces: number;
  readonly history: number;
  readonly historyDays: number;
  readonly active: number;
  readonly experimentRuns: number;
  /** A minute. */
  readonly arrivals: number;
  readonly speed: number;
  readonly quirks: boolean;
  readonly frozen: boolean;
  /** The clock runs, and nothing happens by itself. */
  readonly still: boolean;
  readonly prerender: boolean;
}

export async function emulatorCommand(interrupt: Interrupt, options: EmulatorCommandOptions): Promise<ExitCode> {
  const output = stdoutOutput();
  const { port, seed, workspaces, history, historyDays, active, experimentRuns, frozen, prerender } = options;
  const emulator = await startEmulator({
    ...{ port, seed, workspaces, history, historyDays, active, experimentRuns, prerender },
    arrivalsPerMinute: options.arrivals,
    clock: new SimulatedClock({ speed: frozen ? 0 : options.speed }),
    live: !frozen && !options.still,
    quirks: options.quirks ? 'all' : 'none',
  });
  try {
    for (const line of howToUse(emulator, 'cn-emulator')) output.print(line);
    await interrupt.interrupted;
    return 0;
  } finally {
    await emulator.close();
  }
}

/** What to set so that pai-mirror reads from it. The keys are the emulator's own and open nothing else. */
function howToUse(emulator: Emulator, region: string): string[] {
  const key = emulator.accessKeys[0];
  const scopes = emulator.world.workspaces().map(({ workspaceId }) => `${region}:${workspaceId}`);
  return [
    `A PAI with ${scopes.length} workspaces answers at ${emulator.url} until Ctrl-C. To mirror it:`,
    '',
    `  export PAI_SCOPES=${scopes.join(',')}`,
    `  export PAI_FLOW_ENDPOINT=${emulator.url} PAI_AIWORKSPACE_ENDPOINT=${emulator.url}`,
    '  export PAI_FLOW_QPS=0 PAI_LIST_RUNS_QPS=0',
    `  export ALIBABA_CLOUD_ACCESS_KEY_ID=${key?.accessKeyId} ALIBABA_CLOUD_ACCESS_KEY_SECRET=${key?.accessKeySecret}`,
    '  npx pai-mirror sync',
    '',
  ];
}
