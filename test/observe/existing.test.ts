import { describe, expect, it } from 'vitest';
import type { NodeContainer } from '../../src/lab/observed.ts';
import { type ExistingAccess, type NodeGroup, observeExisting } from '../../src/observe/existing.ts';
import { startFakeApi } from '../exec/fake-api.ts';
import { cluster, OTHER_UID, UID } from '../plan/build-lab.ts';

const NODE = (name: string, address: string, podCIDRs: readonly string[]) => ({
  metadata: { name, labels: {} },
  spec: { podCIDRs },
  status: { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status: 'True' }] },
});
const NODES = [NODE('n1', '10.9.0.1', ['10.4.0.0/24']), NODE('n2', '10.9.0.2', ['10.4.1.0/24'])];
const RANGES = '/apis/networking.k8s.io/v1/servicecidrs';
const SAYS = (range: string) => ({ message: `is not in the valid range. The range of valid IPs is ${range}` });

/** Looks at a cluster whose API server answers like this. */
async function look(answers: Readonly<Record<string, unknown>>, groups: readonly NodeGroup[] = [], pods?: string[]) {
  const { kubeconfig, asked } = await startFakeApi((path) => answers[path]);
  const access: ExistingAccess = { kubeconfig: '/k', text: kubeconfig, server: 'https://x', stale: false };
  const seen = await observeExisting({
    ...{
      cluster: cluster('a', { provider: 'existing', pods: pods ?? [] }),
      access,
      groups,
      uid: UID,
      readsMesh: false,
    },
    rangesOf: async () => ({ pods: ['10.4.0.0/16'], services: ['10.96.0.0/16'] }),
  });
  return { seen, asked };
}

const container = (name: string, address: string): NodeContainer => ({
  ...{ name, role: 'worker', running: true, image: '', hostPorts: [] },
  networks: { kind: [address] },
});
const group = (nodes: readonly NodeContainer[], owner?: string): NodeGroup => ({
  ...{ provider: { name: 'kind' as const }, name: 'theirs', nodes },
  ...(owner !== undefined && { owner }),
});
const OBJECTS = { '/api/v1/nodes': { items: NODES }, [RANGES]: { items: [{ spec: { cidrs: ['10.96.0.0/16'] } }] } };

describe('a cluster that is there already', () => {
  it('is read through its API server: node ranges joined, service ranges from its objects', async () => {
    const { seen, asked } = await look(OBJECTS);
    expect(seen.group).toBeUndefined();
    expect(seen.cluster).toMatchObject({
      ...{ provider: 'existing', name: 'a', nodes: [], existing: { kubeconfig: '/k', stale: false } },
      ranges: { pods: ['10.4.0.0/23'], services: ['10.96.0.0/16'] },
    });
    expect(seen.cluster).not.toHaveProperty('owner');
    expect(asked.filter((path) => path.includes('dryRun'))).toEqual([]);
  });

  it('is asked by a dry run for its service range where it has no objects for it', async () => {
    const path = '/api/v1/namespaces/default/services?dryRun=All';
    const { seen } = await look({ ...OBJECTS, [RANGES]: new Error('no'), [path]: SAYS('10.43.0.0/16') });
    expect(seen.cluster.ranges?.services).toEqual(['10.43.0.0/16']);
  });

  it('is told what it does not say by its spec, or else is a problem', async () => {
    const bare = { ...OBJECTS, '/api/v1/nodes': { items: [NODE('n1', '10.9.0.1', [])] } };
    const { seen } = await look(bare);
    expect(seen.cluster.existing?.problem).toEqual({
      message: '/k: context undefined does not say which ranges its pods have',
      hint: 'name them: network: {pods: [...]}',
    });
    expect((await look(bare, [], ['10.7.0.0/16'])).seen.cluster.existing).not.toHaveProperty('problem');
  });

  it('is made of those containers that have the names and addresses of its nodes, with the whole of their ranges', async () => {
    const nodes = [container('n1', '10.9.0.1'), container('n2', '10.9.0.2')];
    const { seen } = await look(OBJECTS, [group([container('n1', '10.9.0.7')]), group(nodes)]);
    expect(seen.group?.nodes).toBe(nodes);
    expect(seen.cluster).toMatchObject({
      ...{ nodes, existing: { madeBy: 'kind' } },
      ranges: { pods: ['10.4.0.0/16'], services: ['10.96.0.0/16'] },
    });
    for (const others of [[container('n1', '10.9.0.1')], [container('n1', '10.9.0.1'), container('n2', '10.9.0.9')]])
      expect((await look(OBJECTS, [group(others)])).seen.group).toBeUndefined();
  });

  it('may be of another lab, and not of this one', async () => {
    const nodes = [container('n1', '10.9.0.1'), container('n2', '10.9.0.2')];
    const problem = async (owner: string) =>
      (await look(OBJECTS, [group(nodes, owner)])).seen.cluster.existing?.problem;
    expect(await problem(OTHER_UID)).toBeUndefined();
    expect((await problem(UID))?.message).toMatch(/theirs, which this lab made itself/);
  });
});
