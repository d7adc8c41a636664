/** Rules as the environment says them, and one run of retention. */
import { NOTHING_PRUNED, parseAge, parseRules, type RetentionSettings } from '../../src/domain/retention.js';
import type { PrunedRun } from '../../src/store/retention/prune-runs.js';
import type { RetentionReport } from '../../src/store/retention/report.js';
import { runRetention } from '../../src/store/retention/retention.js';

export interface RuleTexts {
  readonly experiments?: string;
  readonly history?: string;
  readonly passes?: string;
  readonly quarantine?: string;
}

/** Throws where a text is wrong. */
export function retentionOf(rules: string, texts: RuleTexts = {}): RetentionSettings {
  const parsed = (text: string, hasOutcome: boolean) => {
    const result = parseRules(text, { hasOutcome });
    if ('mistakes' in result) throw new Error(result.mistakes.join('; '));
    return result.value;
  };
  const age = (text: string | undefined) => (text === undefined ? null : parseAge(text));
  return {
    ...NOTHING_PRUNED,
    runs: parsed(rules, true),
    experiments: parsed(texts.experiments ?? '', false),
    history: age(texts.history),
    passes: age(texts.passes),
    quarantine: age(texts.quarantine),
  };
}

export async function prune(
  connectionString: string,
  settings: RetentionSettings,
  options: {
    readonly dryRun?: boolean;
    readonly runsAtOnce?: number;
    readonly lockTimeoutMs?: number;
    readonly signal?: AbortSignal;
  } = {},
): Promise<{ readonly runs: PrunedRun[]; readonly report: RetentionReport }> {
  const runs: PrunedRun[] = [];
  const report = await runRetention({
    connectionString,
    settings,
    dryRun: false,
    signal: new AbortController().signal,
    onPruned: (some) => void runs.push(...some),
    ...options,
  });
  if (report === null) throw new Error('another process is pruning');
  return { runs, report };
}
