import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { InputError } from '../../src/errors.ts';
import type { Cluster, Lab } from '../../src/lab/lab.ts';
import { type LoadedLab, type LoadOptions, loadLab } from '../../src/spec/load.ts';

const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A new folder that is removed after the test. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'lab-spec-')));
  made.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** The text of a cluster's file; `spec` is YAML in flow style, so it stands on line 4 from column 7 on. */
export const clusterText = (name: string, spec = '{}'): string =>
  `apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

/** The text of lab.yaml; the spec stands on line 2 from column 7 on. */
export const labText = (spec: string): string => `kind: Lab\nspec: ${spec}\n`;

/** Loads `labs` out of a new folder with these files in it. */
export const load = async (
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> = {},
): Promise<LoadedLab> => {
  const inside = Object.entries(files).map(([name, text]) => [join('labs', name), text]);
  return loadLab({ dir: 'labs', cwd: makeFolder(Object.fromEntries(inside)), ...options });
};

export const loadOnly = async (files: Readonly<Record<string, string>>): Promise<Lab> => (await load(files)).lab;

export async function loadCluster(spec: string, lab?: string): Promise<Cluster> {
  const { clusters } = await loadOnly({ 'a.yaml': clusterText('a', spec), ...(lab && { 'lab.yaml': labText(lab) }) });
  return clusters[0] as Cluster;
}

/** All problems as `file:line:col: message (hint)`; fails when loading succeeds or throws anything else. */
export async function problemsOf(loading: Promise<unknown>): Promise<string[]> {
  const error = await loading.then(
    () => new Error('loading succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  return error.problems.map(({ at, message, hint }) => `${at}: ${message}${hint ? ` (${hint})` : ''}`);
}

export const problemsIn = (files: Readonly<Record<string, string>>): Promise<string[]> => problemsOf(load(files));
export const problemsOfSpec = (spec: string): Promise<string[]> => problemsIn({ 'a.yaml': clusterText('a', spec) });
export const problemsOfLab = (
  spec: string,
  clusters: Readonly<Record<string, string>> = { a: '{}' },
): Promise<string[]> => {
  const files = Object.entries(clusters).map(([name, text]) => [`${name}.yaml`, clusterText(name, text)]);
  return problemsIn({ ...Object.fromEntries(files), 'lab.yaml': labText(spec) });
};
