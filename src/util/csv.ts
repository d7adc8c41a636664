/**
 * Counts the records of a CSV text (RFC 4180, as PostgreSQL writes it) and the fields of each, byte by byte: commas, quotes
 * and line ends are single bytes in UTF-8, and within quotes they are content. Holds nothing but the first record.
 */
const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Records that are named in a fault; all of them are counted. */
const FAULTS_NAMED = 5;

/** Bytes of a header at most: a file of another kind must not be read into memory whole. */
const MAX_HEADER = 65_536;

type State = 'start' | 'plain' | 'quoted' | 'closed';

export class CsvScanner {
  /** The header not counted. */
  records = 0;
  /** What is no CSV, or has another number of fields than the header; the first few in words. */
  readonly faults: string[] = [];
  faultCount = 0;
  private state: State = 'start';
  private fields = 1;
  private isEmpty = true;
  private headerBytes: number[] = [];
  private headerFields: number | null = null;

  /** Any piece of the text, in order. */
  write(chunk: Uint8Array): void {
    for (let index = 0; index < chunk.length; index += 1) this.step(chunk[index] as number);
  }

  /** After the last piece. */
  end(): void {
    if (this.state === 'quoted') this.fault('ends within quotes');
    else if (!this.isEmpty) this.fault('does not end with a line end');
    if (this.headerFields === null) this.fault('has no header');
  }

  /** The names in the header. */
  get header(): string[] {
    const text = Buffer.from(this.headerBytes).toString('utf8');
    return text === '' ? [] : text.split(',').map((name) => name.replace(/^"|"$/g, '').replaceAll('""', '"'));
  }

  private step(byte: number): void {
    if (this.headerFields === null && byte !== LF && byte !== CR) this.keepHeader(byte);
    if (this.state === 'quoted') {
      if (byte === QUOTE) this.state = 'closed';
      return;
    }
    if (byte === LF) {
      this.endRecord();
      return;
    }
    this.isEmpty = false;
    if (byte === COMMA) {
      this.fields += 1;
      this.state = 'start';
    } else if (byte === QUOTE) this.quote();
    else if (this.state === 'closed' && byte !== CR) this.fault('has text behind a closing quote');
    else if (this.state === 'start') this.state = 'plain';
  }

  /** One that opens, or the second of two that stand for one. */
  private quote(): void {
    if (this.state === 'plain') this.fault('has a quote inside a field without quotes');
    else this.state = 'quoted';
  }

  private keepHeader(byte: number): void {
    if (this.headerBytes.length < MAX_HEADER) this.headerBytes.push(byte);
  }

  private endRecord(): void {
    if (this.headerFields === null) this.headerFields = this.fields;
    else {
      if (this.fields !== this.headerFields) this.fault(`has ${this.fields} fields, expected ${this.headerFields}`);
      this.records += 1;
    }
    this.fields = 1;
    this.state = 'start';
    this.isEmpty = true;
  }

  private fault(what: string): void {
    this.faultCount += 1;
    if (this.faults.length < FAULTS_NAMED) this.faults.push(`record ${this.records + 1} ${what}`);
  }
}
