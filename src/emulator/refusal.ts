import { MirrorError } from '../domain/errors.js';

/** An answer that is an error: HTTP status, PAI's code and a message. Becomes the JSON body that the gateway sends. */
export class Refusal extends MirrorError {
  readonly status: number;
  readonly paiCode: string;

  constructor(status: number, paiCode: string, message: string) {
    super(message, { code: 'EMULATOR_REFUSAL', retryable: false, blast: 'item' });
    this.status = status;
    this.paiCode = paiCode;
  }
}

/** 400 for a parameter, naming it and what was found. */
export const invalidParameter = (name: string, found: string, expected: string): Refusal =>
  new Refusal(400, 'InvalidParameter', `Parameter ${name} is invalid: found "${found}", expected ${expected}.`);

export const pipelineRunNotFound = (id: string): Refusal =>
  new Refusal(404, 'PipelineRunNotFound', `Pipeline run ${id} does not exist.`);
