/** A real Chromium without a screen, from the registry. It is built for Linux on x64; elsewhere its tests are skipped. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium as driver } from 'playwright-core';

/** Null: it can run here. */
export const whyNot: string | null =
  process.platform === 'linux' && process.arch === 'x64'
    ? null
    : `the Chromium of the tests is for Linux on x64, and this is ${process.platform} on ${process.arch}`;

/** The package brings the libraries that it needs, and unpacks them where it believes to be on AWS Lambda. */
const AS_ON_LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: 'tests', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };

/** One process would end with its first page; and the web's own rules of security are part of what is tested. */
const UNWANTED = ['--single-process', '--disable-web-security'];

/** Leaves process.env as it was: other test files run in this process. */
export async function startChromium(): Promise<Browser> {
  const before = { ...process.env };
  // It unpacks itself into the temporary directory, and takes what lies there for its own: another user's, or half of it.
  const directory = mkdtempSync(join(tmpdir(), 'pai-mirror-chromium-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  Object.assign(process.env, AS_ON_LAMBDA, { TMPDIR: directory });
  try {
    // When it is loaded it puts the ways to libraries and fonts into the environment, which the browser inherits.
    const { default: chromium } = await import('@sparticuz/chromium');
    // No WebGL, whose libraries take a second to unpack: curves are drawn on a plain canvas.
    chromium.setGraphicsMode = false;
    const args = chromium.args.filter((one) => !UNWANTED.includes(one));
    const browser = await driver.launch({ executablePath: await chromium.executablePath(), args });
    browser.on('disconnected', remove);
    return browser;
  } catch (error) {
    remove();
    throw error;
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
