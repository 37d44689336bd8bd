import { expect, it } from 'vitest';
import { resolve } from '../../src/plan/resolve.ts';
import { dockerNetwork, lab, OUR_LABELS, observed } from './build-lab.ts';

it('assumes no address for a node to come that another container holds', () => {
  const attached = [{ name: 'x', addresses: ['172.28.0.2'] }];
  const network = dockerNetwork('lab-practical', ['172.28.0.0/20'], { labels: OUR_LABELS, attached });
  const { nodes } = resolve(lab(['a', 'b']), observed({ networks: [network] }));
  expect(nodes.map(({ addresses }) => addresses)).toEqual([['172.28.0.3'], ['172.28.0.4']]);
});
