/** The bench could not measure: its message is all that a person needs. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
