/** Labs with a mesh, and the certificates that they have. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectCode, makeWorld, type Outcome, specs, type World } from './machine.ts';

/** Two clusters with a mesh, and one without. */
export const MESHED = specs({ a: '{}', b: '{}', bare: '{mesh: none}' }, '{mesh: {}}');

/** The files of the only lab of a world, below its state directory. */
export function stateOf(world: World): string {
  const labs = join(world.stateHome, 'lab', 'labs');
  return join(labs, readdirSync(labs)[0] ?? '');
}

export const certificateOf = (world: World, name: string): string => join(stateOf(world), 'certificates', name);

/** Every certificate and key by the name of its file. */
export function readAll(world: World): Record<string, string> {
  const dir = certificateOf(world, '');
  return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

/** `lab certs`, which has to end well. */
export async function certs(world: World, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await world.lab('certs', ...args);
  expectCode(outcome, 0);
  return outcome;
}

/** A lab that has its certificates. */
export async function certified(files: Readonly<Record<string, string>> = MESHED): Promise<World> {
  const world = await makeWorld(files);
  await certs(world);
  return world;
}
