/**
 * Records what a mirror says to its database. Of an earlier version it is run in a checkout of that version, which has
 * `startMirror` and the emulator, too: see test/fixtures/released/README.md.
 */
import pg from 'pg';
import { type Answer, answerOf, type Call, type Recording } from './recording.js';

interface Noted {
  readonly at: number;
  readonly connection: number;
  readonly text: string;
  readonly name: string | undefined;
  readonly values: unknown[] | undefined;
  copy?: string;
  rows: number | null;
  answer?: Answer | undefined;
  passId?: string;
}

type Query = (this: object, ...args: unknown[]) => unknown;
interface Result {
  readonly rowCount: number | null;
  readonly rows: Record<string, unknown>[];
}
interface CopyStream {
  readonly text: string;
  readonly submit?: unknown;
  readonly rowCount?: number;
  write(chunk: unknown, ...rest: unknown[]): boolean;
  once(event: string, listener: () => void): void;
}

/** The machine's name and the process's number say nothing about the statement. */
const HOLDER = 'replica#1/1/00000000-0000-0000-0000-000000000000';

const isStream = (config: unknown): config is CopyStream =>
  typeof config === 'object' && typeof (config as CopyStream).submit === 'function';

/** Notes the statements of all clients of `pg` in this process, one after the other. */
export class Recorder {
  private readonly noted: Noted[] = [];
  private readonly original: Query = pg.Client.prototype.query as unknown as Query;
  private readonly connections = new WeakMap<object, number>();
  private count = 0;
  private isOn = false;

  /** `clock` tells the database's time in microseconds. */
  constructor(private readonly clock: () => number) {
    const { original } = this;
    const observe = (client: object, args: unknown[]): unknown => this.observe(client, args);
    const isOn = (): boolean => this.isOn;
    const query: Query = function (...args) {
      return isOn() ? observe(this, args) : original.apply(this, args);
    };
    Object.assign(pg.Client.prototype, { query });
  }

  stop(): void {
    Object.assign(pg.Client.prototype, { query: this.original });
  }

  async during(work: () => Promise<unknown>): Promise<void> {
    this.isOn = true;
    await work().finally(() => {
      this.isOn = false;
    });
  }

  private observe(client: object, args: unknown[]): unknown {
    const noted = this.note(client, args);
    if (isStream(args[0])) {
      this.listen(noted, args[0]);
      return this.original.apply(client, args);
    }
    const last = args.at(-1);
    if (typeof last === 'function') {
      args[args.length - 1] = (error: unknown, result: Result) => {
        if (!error) this.answered(noted, result);
        last(error, result);
      };
      return this.original.apply(client, args);
    }
    return (this.original.apply(client, args) as Promise<Result>).then((result) => {
      this.answered(noted, result);
      return result;
    });
  }

  private note(client: object, args: unknown[]): Noted {
    const [config, second] = args as [string | { text: string; name?: string; values?: unknown[] }, unknown];
    if (!this.connections.has(client)) this.connections.set(client, ++this.count);
    const given = typeof config === 'string' ? { text: config } : config;
    const values = given.values ?? (Array.isArray(second) ? second : undefined);
    const noted: Noted = {
      at: this.clock(),
      connection: this.connections.get(client) as number,
      text: given.text,
      name: given.name,
      // As JSON has it: a Date would be its text anyway.
      values: values && (JSON.parse(JSON.stringify(values)) as unknown[]),
      rows: null,
    };
    this.noted.push(noted);
    return noted;
  }

  private listen(noted: Noted, stream: CopyStream): void {
    const chunks: Buffer[] = [];
    const write = stream.write.bind(stream);
    stream.write = (chunk, ...rest) => {
      chunks.push(Buffer.from(chunk as Buffer));
      return write(chunk, ...rest);
    };
    stream.once('finish', () => {
      noted.copy = Buffer.concat(chunks).toString();
      noted.rows = stream.rowCount ?? null;
    });
  }

  private answered(noted: Noted, result: Result | Result[]): void {
    const one = Array.isArray(result) ? result.at(-1) : result;
    noted.rows = one?.rowCount ?? null;
    noted.answer = answerOf(one?.rows[0]);
    if (noted.text.includes('insert into pai.sync_passes')) noted.passId = String(one?.rows[0]?.id);
  }

  recording(head: Omit<Recording, 'statements' | 'calls'>): Recording {
    const statements = [...new Set(this.noted.map(({ text }) => text))];
    const calls = this.noted.map(({ at, connection, text, name, values, copy, rows, answer, passId }): Call => {
      const takesLease = text.includes('insert into pai.sync_leases');
      return {
        at: at - head.from,
        connection,
        statement: statements.indexOf(text),
        ...(name === undefined ? {} : { name }),
        ...(values === undefined
          ? {}
          : { values: values.map((value, at) => (takesLease && at === 2 ? HOLDER : value)) }),
        ...(copy === undefined ? {} : { copy }),
        rows,
        ...(answer === undefined ? {} : { answer }),
        ...(passId === undefined ? {} : { passId }),
      };
    });
    return { ...head, statements, calls };
  }
}
