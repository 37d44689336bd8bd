import { expect, it } from 'vitest';
import { fixedProperties } from '../../src/plan/resolve.ts';
import { type ClusterWords, cluster } from './build-lab.ts';

const fixedOf = (words: ClusterWords) => fixedProperties(cluster('a', words), { pods: [], services: [] }, 'lab');
const port = (host: number) => ({ host, node: 80, protocol: 'tcp', at: `a.yaml:${host}` }) as const;

it('another order of ports and of keys is no change, one of nodes is', () => {
  const node = { labels: { tier: 'edge', rack: '1' } };
  const block = { featureGates: { A: true, B: false }, nodes: [node, {}] };
  const turned = {
    nodes: [{ labels: { rack: '1', tier: 'edge' } }, {}],
    featureGates: { B: false, A: true },
  };
  const ports = [port(8080), port(8081)];
  const before = fixedOf({ ports, providerConfig: block });
  expect(before).toMatchObject({
    ports: '8080:80/tcp,8081:80/tcp',
    kind: '{"featureGates":{"A":true,"B":false},"nodes":[{"labels":{"rack":"1","tier":"edge"}},{}]}',
  });
  expect(fixedOf({ ports: ports.toReversed(), providerConfig: turned })).toEqual(before);
  expect(fixedOf({ ports, providerConfig: { ...block, nodes: [{}, node] } })).not.toEqual(before);
});
