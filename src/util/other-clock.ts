/**
 * How far somebody else's clock is ahead of ours, from questions and answers. What they said lies between our sending
 * and our receiving, so every answer bounds the difference from both sides, a quick one narrowly; a slow one (a stalled
 * process, a slow network) leaves what is known as it is, and a jump of either clock is corrected by the next answer.
 */
export class OtherClock {
  private ahead: number | null = null;

  /** At some time between `sentAt` and `receivedAt` of our clock it was `theirs` by theirs. Milliseconds. */
  heard(sentAt: number, receivedAt: number, theirs: number): void {
    const [least, most] = [theirs - receivedAt, theirs - sentAt];
    // At first the least: what is planned by their clock comes rather late than early.
    this.ahead = Math.min(Math.max(this.ahead ?? least, least), most);
  }

  /** By our clock; only after the first answer. */
  toOurs(theirs: number): number {
    return theirs - (this.ahead ?? 0);
  }

  /** By theirs; only after the first answer. */
  fromOurs(ours: number): number {
    return ours + (this.ahead ?? 0);
  }
}
