import { expect, it } from 'vitest';
import { checkMachine, type Machine, thisMachine } from '../../src/doctor/machine.ts';

const GB = 1024 ** 3;
const SOUND: Machine = { nodeVersion: '24.21.0', memoryBytes: 4 * GB, freeMemoryBytes: 3 * GB, openFiles: 1_000_000 };

const levels = (machine: Partial<Machine>, connections = 20_000) =>
  Object.fromEntries(checkMachine({ ...SOUND, ...machine }, connections).map(({ check, level }) => [check, level]));

it('finds nothing wrong with a sound machine', () => {
  expect(levels({})).toEqual({ 'node-version': 'ok', memory: 'ok', 'open-files': 'ok' });
  expect(levels({ openFiles: null })['open-files']).toBe('ok');
});

it.each([
  ['node-version', { nodeVersion: '20.19.0' }, 'fail'],
  ['memory', { memoryBytes: 0.75 * GB }, 'warn'],
  ['memory', { memoryBytes: 0.25 * GB }, 'fail'],
  ['open-files', { openFiles: 4_096 }, 'warn'],
  ['open-files', { openFiles: 256 }, 'fail'],
] as const)('finds that %s is not enough: %j', (check, machine, level) => {
  expect(levels(machine)).toMatchObject({ [check]: level });
});

it('says which setting would fit the files there are', () => {
  const finding = checkMachine({ ...SOUND, openFiles: 4_096 }, 20_000).find(({ check }) => check === 'open-files');
  expect(finding?.advice).toMatch(/to 20256, or lower limits\.connections to 3840\.$/);
  expect(levels({ openFiles: 4_096 }, 3_840)['open-files']).toBe('ok');
});

it('knows the machine it runs on', () => {
  const { memoryBytes, freeMemoryBytes, openFiles, nodeVersion } = thisMachine();
  expect(nodeVersion).toBe(process.versions.node);
  expect(memoryBytes).toBeGreaterThan(100e6);
  expect(freeMemoryBytes).toBeLessThanOrEqual(memoryBytes);
  if (process.platform === 'linux') expect(openFiles).toBeGreaterThan(0);
});
