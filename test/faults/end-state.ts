/** What a person would call the state of a machine of stubs, the same whatever order it was made in. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { World } from '../stubs/world.ts';

/** Addresses depend on who was first: a node's name stands in their place. */
export function endState(world: World): unknown {
  const containers = world.store.list('containers');
  const state = {
    networks: entries(world, 'networks'),
    containers: Object.fromEntries(containers.map(({ addresses: _, ...rest }) => [rest.name, rest])),
    files: entries(world, 'files'),
    annotations: entries(world, 'annotations'),
    labels: entries(world, 'labels'),
    routing: entries(world, 'routing'),
    applied: entries(world, 'applied'),
    contexts: (world.kubeconfigText()?.match(/name: .*/g) ?? []).toSorted(),
    left: readdirSync(stateOfLab(world)).toSorted(),
  };
  let text = JSON.stringify(state)
    .replaceAll(world.root, 'ROOT')
    .replaceAll(basename(stateOfLab(world)), 'UID');
  for (const { name, addresses } of containers)
    for (const address of addresses) text = text.replaceAll(new RegExp(`${address}(?![\\da-f.:/])`, 'g'), name);
  // Routes and rules of a node have no order of their own.
  const isList = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string');
  return JSON.parse(text, (_, value) => (isList(value) ? value.toSorted() : value));
}

const entries = (world: World, table: 'files' | 'networks' | 'annotations' | 'labels' | 'routing' | 'applied') =>
  Object.fromEntries(world.store.keys(table).map((key) => [key, world.store.read(table, key)]));

/** The state directory of the one lab of this machine. */
export function stateOfLab(world: World): string {
  const labs = join(world.stateHome, 'lab', 'labs');
  return join(labs, readdirSync(labs)[0] ?? '');
}

export interface Line {
  readonly type: string;
  readonly run: string;
  readonly verb?: string;
  readonly step?: string;
  readonly result?: string;
}

/** The journal of the one lab of this machine. */
export const journalOf = (world: World): Line[] =>
  readFileSync(join(stateOfLab(world), 'journal.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
