/** Plays what a released version said to its database (recording.ts): a replica of that version, as the database sees it. */
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { answerOf, type Call, databaseClock, type Recording } from './recording.js';

export interface Played {
  statements: number;
  /** The statement that took longest, in milliseconds: what it waited for a lock is a part of it. */
  slowestMs: number;
  slowest: string;
}

/** Times of the database, in both of the forms in which a recording has them. */
const TIME = /(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)\.(\d{6})(Z|\+00)/g;
const MINUTE = 60_000_000;
const RUN_ID = /\b(?:flow|run)-[0-9a-z]{6,}\b/g;

/** What pg_class says of a table's size is not the replica's doing. */
const DEPENDS_ON_ELSE = /from pg_class/;

export class Player {
  readonly played: Played = { statements: 0, slowestMs: 0, slowest: '' };
  readonly scope: string;
  private readonly clients = new Map<number, pg.Client>();
  private readonly passIds = new Map<string, string>();

  /** When each call of the recording was said, and when it was played, in microseconds. */
  private readonly times: { readonly recorded: number; readonly played: number }[] = [];
  private readonly moved = new Map<number, number>();

  private constructor(
    private readonly url: string,
    private readonly recording: Recording,
    private readonly suffix: string,
    private readonly clock: () => number,
  ) {
    this.scope = recording.scope + suffix;
  }

  /**
   * The recorded scope and its runs get names of their own with `suffix`, digits; without one they keep theirs. The
   * recorded times of the database become those of the play, in the same order; those of the source stay.
   */
  static async start(url: string, recording: Recording, suffix = ''): Promise<Player> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const clock = await databaseClock(client).finally(() => client.end());
    return new Player(url, recording, suffix, clock);
  }

  private text(text: string): string {
    return text
      .replaceAll(this.recording.scope, this.scope)
      .replace(RUN_ID, `$&${this.suffix}`)
      .replace(TIME, (found, day, t, time, micros, zone) => {
        const recorded = Date.parse(`${day}T${time}Z`) * 1000 + Number(micros) - this.recording.from;
        if (recorded < -MINUTE || recorded > (this.recording.calls.at(-1) as Call).at + MINUTE) return found;
        const now = this.timeOf(recorded);
        const [newDay, newTime] = new Date(Math.floor(now / 1000)).toISOString().slice(0, -1).split('T');
        return `${newDay}${t}${newTime}${String(now % 1000).padStart(3, '0')}${zone}`;
      });
  }

  /** A time between two calls of the recording comes to lie between the same two calls of the play. */
  private timeOf(recorded: number): number {
    const known = this.moved.get(recorded);
    if (known !== undefined) return known;
    const at = this.times.findLastIndex((time) => time.recorded <= recorded);
    const before = this.times[Math.max(at, 0)] as { recorded: number; played: number };
    const after = at < 0 ? undefined : this.times[at + 1];
    const share = after ? (after.played - before.played) / (after.recorded - before.recorded) : 1;
    const played = Math.round(before.played + (recorded - before.recorded) * share);
    this.moved.set(recorded, played);
    return played;
  }

  /** All statements, one after the other, as they were recorded. Throws when one fails or answers something else. */
  async play(calls: readonly Call[] = this.recording.calls): Promise<Played> {
    for (const call of calls) await this.say(call);
    return this.played;
  }

  async end(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.end()));
    this.clients.clear();
  }

  private async connect(connection: number): Promise<pg.Client> {
    const found = this.clients.get(connection);
    if (found) return found;
    const client = new pg.Client({ connectionString: this.url, application_name: `replica of ${this.recording.tag}` });
    await client.connect();
    this.clients.set(connection, client);
    return client;
  }

  private async say(call: Call): Promise<void> {
    const text = this.recording.statements[call.statement] as string;
    const client = await this.connect(call.connection);
    this.times.push({ recorded: call.at, played: this.clock() });
    const started = performance.now();
    const result = await this.send(client, call, text).catch((error: Error) => {
      throw new Error(`a replica of ${this.recording.tag}: ${error.message}, in: ${brief(text)}`, { cause: error });
    });
    const ms = performance.now() - started;
    this.played.statements += 1;
    if (ms > this.played.slowestMs) Object.assign(this.played, { slowestMs: ms, slowest: brief(text) });
    this.check(call, text, result);
  }

  private async send(client: pg.Client, call: Call, text: string): Promise<{ rows: number | null; first?: Row }> {
    if (call.copy !== undefined) {
      const stream = client.query(copyFrom(text));
      const data = this.text(call.copy);
      await new Promise<void>((done, failed) => {
        stream.once('error', failed);
        stream.once('finish', done);
        stream.end(data);
      });
      return { rows: stream.rowCount };
    }
    const name = call.name === undefined ? {} : { name: call.name };
    const finishesPass = text.includes('update pai.sync_passes') && !text.includes('insert into');
    const values = call.values?.map((value, at) =>
      finishesPass && at === 0 ? this.passIds.get(value as string) : this.value(value),
    );
    const answer = await client.query<Row>({ ...name, text, ...(values === undefined ? {} : { values }) });
    const one = (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryResult<Row>;
    const [first] = one.rows;
    if (call.passId !== undefined) this.passIds.set(call.passId, String(first?.id));
    return { rows: one.rowCount, ...(first === undefined ? {} : { first }) };
  }

  private value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    return typeof value === 'string' ? this.text(value) : value;
  }

  private check(call: Call, text: string, { rows, first }: { rows: number | null; first?: Row }): void {
    if (DEPENDS_ON_ELSE.test(text)) return;
    const answer = answerOf(first);
    if (rows === call.rows && isDeepStrictEqual(answer, call.answer)) return;
    const found = JSON.stringify({ rows, answer });
    const expected = JSON.stringify({ rows: call.rows, answer: call.answer });
    throw new Error(`a replica of ${this.recording.tag}: found ${found}, expected ${expected}, of: ${brief(text)}`);
  }
}

type Row = Record<string, unknown>;

/** What a statement is about: its beginning, and what it writes. */
const brief = (text: string): string =>
  `${text.replace(/\s+/g, ' ').slice(0, 60)} … ${/(?:insert into|update|delete from) "?pai"?\S+/.exec(text)?.[0] ?? ''}`;
