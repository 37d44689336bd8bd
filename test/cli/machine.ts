import { existsSync } from 'node:fs';
import { expect, onTestFinished, vi } from 'vitest';
import { type Outcome, World } from '../stubs/world.ts';

export { clusterText, eventually, type Outcome, type Run, specs, type World } from '../stubs/world.ts';

// Every test starts real processes.
vi.setConfig({ testTimeout: 60_000 });

/** A machine of stubs that goes when the test ends. */
export async function makeWorld(files: Readonly<Record<string, string>> = {}): Promise<World> {
  const world = await World.make(files);
  onTestFinished(() => world.close());
  return world;
}

/** Fails with everything that was said, when the exit code is another. */
export function expectCode({ code, stdout, stderr }: Outcome, expected: number): void {
  expect(code, `${stdout}\n${stderr}`).toBe(expected);
}

/** Makes a lab and forgets how. */
export async function created(files: Readonly<Record<string, string>>): Promise<World> {
  const world = await makeWorld(files);
  expectCode(await world.lab('create'), 0);
  return world;
}

/** Nothing was changed on the engine, and not a file was written. */
export function expectUntouched(world: World): void {
  expect(world.changes()).toEqual([]);
  expect(existsSync(world.stateHome)).toBe(false);
  expect(world.kubeconfigText()).toBeUndefined();
}

/** Messages of standard error: a line each, with its hint in indented lines behind it. */
export const messages = (stderr: string): string[] => stderr.trimEnd().split(/\n(?! )/);
