import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Answer } from '../domain/answers.js';
import type { CallReport } from '../domain/call-report.js';
import type { Endpoint } from '../domain/endpoint.js';
import type { Instant } from '../domain/entities.js';
import { PaiError } from '../domain/errors.js';
import { instantFromMillis } from '../domain/instant.js';
import type { Clock } from '../util/clock.js';
import { logContextOf } from '../util/log-context.js';
import type { Logger } from '../util/logger.js';
import { turnOf } from '../util/open-calls.js';
import { isUrgent } from '../util/urgency.js';
import { orAborted } from './abort.js';
import { CallFailure, embeddedErrorCode, errorField } from './call-failure.js';
import type { CredentialSource, Keys } from './credentials.js';
import { BadAnswer, openPage, type Page } from './decode/page.js';
import type { Product } from './endpoints.js';
import { classify, describeClock, paiError, type Verdict } from './errors.js';
import type { BudgetName, Operation, PaiRequest } from './operations.js';
import type { Budget } from './rate-limit.js';
import { pauseBefore, type RetryPolicy } from './retry.js';
import { httpDateMillis, type RawAnswer, type Transport } from './transport.js';

export interface CallerOptions {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly endpointOf: (product: Product, region: string) => Endpoint;
  readonly budgetOf: (name: BudgetName, region: string) => Budget;
  readonly retry: RetryPolicy;
  /** Calls of one budget under way at once, and with them sockets: the client's agent sets no bound. Urgent ones apart. */
  readonly maxCalls: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1), for the jitter. */
  readonly random: () => number;
  readonly onCall: (report: CallReport) => void;
}

/** How far one request has come. */
interface Progress {
  attempts: number;
  resigned: boolean;
  refreshed: boolean;
  redated: boolean;
  keys: Keys | null;
  /** When the last attempt was sent: the observation's time, and the same in milliseconds for its duration. */
  sentAt: Instant;
  sentMs: number;
}

const newProgress = (): Progress => ({
  attempts: 0,
  resigned: false,
  refreshed: false,
  redated: false,
  keys: null,
  sentAt: '',
  sentMs: 0,
});

interface Reported {
  readonly operation: Operation;
  readonly region: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Outcome {
  /** `ok`, or the code of the error. */
  readonly code: string;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
}

/** Permissions that one attempt may be too late for; then it counts as failed. */
const MAX_LATE = 10;

/** Brings one request through: credentials, rate limit, call, decoding, and again where that helps. */
export class Caller {
  /**
   * Of each budget its own: calls that wait for a paused one would keep the others out. Urgent ones apart, too: they would
   * wait for a turn behind all those that wait for a permission.
   */
  private readonly turns = { urgent: new Map<Budget, LimitFunction>(), others: new Map<Budget, LimitFunction>() };
  private readonly stamp: () => Instant;

  constructor(private readonly options: CallerOptions) {
    this.stamp = stamper(options.clock);
  }

  /** `decode` may throw BadAnswer, which counts as a failed attempt. Throws PaiError, or the signal's reason. */
  async call<T>(
    region: string,
    request: PaiRequest,
    decode: (page: Page) => T,
    signal: AbortSignal,
  ): Promise<T & Answer> {
    const { operation } = request;
    // Many calls share one signal and listen to it while they are under way: no leak, so no warning.
    setMaxListeners(0, signal);
    const budget = this.options.budgetOf(operation.budget, region);
    const progress = newProgress();
    for (;;) {
      try {
        const { raw, page } = await this.attempt(region, request, budget, progress, signal);
        const decoded = decodePage(page, raw, decode);
        budget.succeeded();
        const { requestId } = page;
        this.report({ operation, region, progress, signal }, { code: 'ok', httpStatus: raw.httpStatus, requestId });
        return { ...decoded, ...evidenceOf(raw, page, progress) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CallFailure)) throw this.unsent(error, { operation, region, progress, signal });
        const verdict = classify(error, operation);
        const { httpStatus, requestId } = error;
        this.report({ operation, region, progress, signal }, { code: verdict.code, httpStatus, requestId });
        await this.recover(error, verdict, { operation, region, budget, progress, signal });
      }
    }
  }

  private async attempt(
    region: string,
    request: PaiRequest,
    budget: Budget,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<{ raw: RawAnswer; page: Page }> {
    const open = async (): Promise<RawAnswer> => {
      signal.throwIfAborted();
      const keys = await this.options.credentials.current(signal);
      progress.keys = keys;
      progress.attempts += 1;
      const endpoint = this.options.endpointOf(request.operation.product, region);
      return this.inTime(budget, signal, (mayGo) => {
        progress.sentAt = this.stamp();
        progress.sentMs = this.options.clock.now();
        return this.options.transport.send(endpoint, keys, request, signal, mayGo);
      });
    };
    const turn = turnOf(signal)(() => this.turnsOf(budget, signal)(open));
    const raw = await orAborted(turn, signal);
    return { raw, page: pageOf(raw) };
  }

  /**
   * Sends with a permission that is taken last, right before the call: it is good for a moment, and reading credentials or
   * waiting for a turn would make a bunch of calls out of well-spaced ones. A request that is held back because even
   * that moment was too long (a stalled process, a renewed lease) has called nobody, and waits for its turn once more.
   */
  private async inTime<T>(budget: Budget, signal: AbortSignal, send: (mayGo: () => boolean) => Promise<T>): Promise<T> {
    for (let late = 0; ; late += 1) {
      const permission = await budget.take(signal);
      try {
        return await send(() => permission.use());
      } catch (error) {
        if (!(error instanceof CallFailure) || permission.use() || late >= MAX_LATE) throw error;
      }
    }
  }

  private turnsOf(budget: Budget, signal: AbortSignal): LimitFunction {
    const turns = isUrgent(signal) ? this.turns.urgent : this.turns.others;
    const found = turns.get(budget) ?? pLimit(this.options.maxCalls);
    turns.set(budget, found);
    return found;
  }

  /** Returns when the request may be tried again; throws the PaiError when it may not. */
  private async recover(
    failure: CallFailure,
    verdict: Verdict,
    call: {
      readonly operation: Operation;
      readonly region: string;
      readonly budget: Budget;
      readonly progress: Progress;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { operation, region, budget, progress, signal } = call;
    const { clock, credentials, logger, random, retry } = this.options;
    tellBudget(budget, failure, verdict);
    const pauseMs = pauseBefore(verdict.remedy, failure, progress, retry, random());
    if (pauseMs === null)
      throw paiError(failure, verdict, { ...call, attempts: progress.attempts, secrets: secretsOf(progress.keys) });
    const { attempts } = progress;
    const { httpStatus, paiCode, requestId } = failure;
    const told = { attempts, code: verdict.code, httpStatus, paiCode, requestId, pauseMs };
    logger.warn(
      { ...logContextOf(signal), operation: operation.name, region, ...told },
      'a call to PAI failed and is tried again',
    );
    if (verdict.remedy === 'resign') progress.resigned = true;
    if (verdict.remedy === 'redate') this.redate(failure, progress);
    if (verdict.remedy === 'refresh') {
      progress.refreshed = true;
      if (progress.keys !== null) await credentials.refresh(progress.keys, signal);
    }
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
  }

  /** The source tells its own time: calls are dated by that until this machine's clock is set right. */
  private redate(failure: CallFailure, progress: Progress): void {
    progress.redated = true;
    this.options.transport.dateAhead(failure.sourceAheadMs ?? 0);
    this.options.logger.warn({}, `${describeClock(failure.sourceAheadMs)}; calls are signed with PAI's time for now`);
  }

  /** Nothing was sent, for want of keys: who counts calls by their outcome hears of that, too. Returns the error. */
  private unsent(error: unknown, { operation, region, progress }: Reported): unknown {
    if (error instanceof PaiError)
      this.options.onCall({
        operation: operation.name,
        region,
        attempt: progress.attempts + 1,
        durationMs: null,
        outcome: error.code,
        httpStatus: null,
      });
    return error;
  }

  /** For the metrics, and a line of the log for whoever looks for one call. */
  private report({ operation, region, progress, signal }: Reported, outcome: Outcome): void {
    const { code, httpStatus, requestId } = outcome;
    const { attempts: attempt, sentMs } = progress;
    const durationMs = this.options.clock.now() - sentMs;
    const call = { operation: operation.name, region, attempt, durationMs, outcome: code, httpStatus };
    this.options.onCall(call);
    this.options.logger.debug({ ...logContextOf(signal), ...call, requestId }, 'PAI was called');
  }
}

/** That a run does not exist is an answer like any other; a refusal for another reason says nothing about the pace. */
function tellBudget(budget: Budget, failure: CallFailure, verdict: Verdict): void {
  if (verdict.remedy === 'throttle') budget.throttled(failure.retryAfterMs ?? undefined);
  else if (verdict.remedy === 'retry') budget.failed();
  else if (verdict.notFound) budget.succeeded();
}

/** Opens the answer; an error document that came with HTTP 200 is that error. */
function pageOf(raw: RawAnswer): Page {
  const page = orBadAnswer(raw, () => openPage(raw.text));
  const paiCode = embeddedErrorCode(page.body);
  if (paiCode === null) return page;
  const { httpStatus } = raw;
  const message = errorField(page.body, 'Message') ?? 'without a message';
  throw new CallFailure('answer', message, { httpStatus, paiCode, requestId: page.requestId });
}

const decodePage = <T>(page: Page, raw: RawAnswer, decode: (page: Page) => T): T =>
  orBadAnswer(raw, () => decode(page), page.requestId);

function orBadAnswer<T>(raw: RawAnswer, work: () => T, requestId: string | null = null): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error;
    throw new CallFailure('bad-answer', error.message, { httpStatus: raw.httpStatus, requestId });
  }
}

const evidenceOf = (raw: RawAnswer, page: Page, progress: Progress): Answer => ({
  requestId: page.requestId,
  observedAt: progress.sentAt,
  serverTime: serverTimeOf(raw.headers.date),
  attempts: progress.attempts,
  size: raw.text.length,
  rejected: page.rejected,
});

function serverTimeOf(date: string | undefined): Instant | null {
  const millis = httpDateMillis(date);
  return millis === null ? null : instantFromMillis(millis);
}

const secretsOf = (keys: Keys | null): string[] =>
  keys === null ? [] : [keys.accessKeySecret, keys.securityToken ?? ''];

/** Instants in call order: calls within one millisecond get its microseconds one after the other. */
function stamper(clock: Clock): () => Instant {
  let last = 0;
  let micros = 0;
  return () => {
    const now = Math.floor(clock.now());
    micros = now === last ? Math.min(micros + 1, 999) : 0;
    last = now;
    return `${instantFromMillis(now).slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
  };
}
