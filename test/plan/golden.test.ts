import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planCreate } from '../../src/plan/plan-create.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { PROVIDERS } from '../../src/providers/index.ts';
import { renderScript } from '../../src/report/plan-script.ts';
import { formatPlan } from '../../src/report/plan-text.ts';
import { loadLab } from '../../src/spec/load.ts';
import { cluster, lab, observed, UID } from './build-lab.ts';
import { expectGolden } from './golden-file.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The plan of a create of all clusters that can be made, on an engine with nothing but Docker's default bridge. */
function firstPlan(declared: Lab) {
  const names = declared.clusters.filter(({ provider }) => PROVIDERS[provider].make).map(({ name }) => name);
  const world = observed({ images: { 'my/app:dev': 'sha256:1a2b' } });
  const desired = resolve(declared, world);
  return planCreate(desired, world, diffForCreate(desired, world, { names, recreate: [] }), names);
}

function expectPlan(name: string, declared: Lab): void {
  const plan = firstPlan(declared);
  expectGolden(`${name}.json`, `${JSON.stringify(plan, undefined, 2)}\n`);
  expectGolden(`${name}.sh`, renderScript(plan, '/labs/practical/clusters'));
  expectGolden(`${name}.txt`, `${formatPlan(plan, false)}\n`);
}

/** Labs that come with `lab`: `clusters` itself, and folders in it that have a lab.yaml. */
const labs = readdirSync(join(ROOT, 'clusters'), { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name === 'lab.yaml')
  .map(({ parentPath }) => parentPath.slice(ROOT.length + 1));

describe('the plan of a first create', () => {
  it.each(labs)('of %s', (dir) => {
    const { lab: declared } = loadLab({ dir, cwd: ROOT });
    // The uid comes from where the folder is.
    expectPlan(declared.name, { ...declared, uid: UID, path: '/labs/practical/clusters' });
  });

  it('of a dual-stack cluster of two nodes with everything that a spec can say', () => {
    const everything = cluster('two', {
      ipFamily: 'dual',
      nodes: { servers: 1, workers: 1 },
      zone: 'zone-east',
      group: 'face',
      kubernetes: { version: '1.34.4' },
      nodeMask: [25, 72],
      domain: 'two.local',
      proxyMode: 'ipvs',
      ports: [{ host: 8080, node: 80, protocol: 'tcp', listen: '127.0.0.1', at: 'two.yaml:9:5' }],
      images: ['my/app:dev'],
      providerConfig: { featureGates: { KubeletInUserNamespace: true }, nodes: [{ labels: { tier: 'edge' } }] },
    });
    expectPlan('dual', lab([everything], { name: 'dual', network: { name: 'lab-dual' } }));
  });

  it('is there for every lab that comes with us', () => {
    expect(labs).toEqual(expect.arrayContaining(['clusters', 'clusters/ipv6']));
  });
});
