import { describe, expect, test } from 'vitest';
import { parsePeak, parsePs, parseStat, readProcess } from '../../bench/process-stats.js';

const STAT =
  '4711 (node (main) x) S 17 4711 17 34816 4711 4194304 9 8 7 6 250 50 30 20 20 0 11 0 100 200 300 18446744073709551615';

describe('what the system tells of a process', () => {
  test('/proc/PID/stat: a name may hold parentheses and spaces', () => {
    expect(parseStat(STAT)).toEqual({ parent: 17, ownSeconds: 3, endedChildrenSeconds: 0.5 });
    expect(parseStat('')).toBeNull();
  });

  test('/proc/PID/status: the peak is there as long as the process has memory', () => {
    expect(parsePeak('Name:\tnode\nVmHWM:\t  125000 kB\nVmRSS:\t 1 kB\n')).toBeCloseTo(128);
    expect(parsePeak('Name:\tnode\nState:\tZ (zombie)\n')).toBeNull();
  });

  test.each([
    [' 1000   0:02', 2],
    ['1000 01:02:03', 3_723],
    ['1000 1-00:00:01', 86_401],
    ['1000 0:02.50', 2.5],
  ])('ps says %j: %d seconds of CPU', (text, cpuSeconds) => {
    expect(parsePs(text)).toEqual({ cpuSeconds, peakMb: 1.024 });
  });

  test('ps of a process that is gone says nothing', () => expect(parsePs('')).toBeNull());

  test('this process has used CPU and memory, and one that does not exist has not', async () => {
    const own = await readProcess(process.pid);
    expect(own?.cpuSeconds).toBeGreaterThan(0);
    expect(own?.peakMb).toBeGreaterThan(20);
    expect(await readProcess(2 ** 30)).toBeNull();
  });
});
