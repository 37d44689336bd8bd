/** Specs of the README: they can be read as they stand, and are not taken for files that look different. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadLab } from '../../src/spec/load.ts';

const ROOT = join(import.meta.dirname, '../..');
const BLOCKS = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  ([, text = '']) => text,
);

it('has a cluster that is no other one of the repository', () => {
  const [text = ''] = BLOCKS.filter((block) => block.includes('kind: Cluster'));
  const dir = mkdtempSync(join(tmpdir(), 'lab-readme-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'one.yaml'), text);
  const [cluster] = loadLab({ dir, cwd: ROOT }).lab.clusters;
  expect(cluster).toMatchObject({ ipFamily: 'dual', nodes: { servers: 1, workers: 1 } });
  expect(readdirSync(join(ROOT, 'clusters'))).not.toContain(`${cluster?.name}.yaml`);
});
