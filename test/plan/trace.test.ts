import { describe, expect, it } from 'vitest';
import type { NodeNetwork, PlacedNode } from '../../src/lab/routing.ts';
import { type Roads, trace } from '../../src/plan/trace.ts';
import { nodeNetwork } from '../../src/tools/node-network.ts';

const node = (name: string, index: number): PlacedNode => ({
  cluster: name.replace(/-.*/, ''),
  node: name,
  addresses: [`172.28.0.${index}`],
  podCidrs: [`10.${index}.0.0/24`],
  assumed: false,
});

const [east, west, other] = [node('east-a', 1), node('west-a', 2), node('other-a', 3)] as const;
const pod = (on: PlacedNode) => ({ node: on, address: (on.podCidrs[0] ?? '').replace('0/24', '9') });

const MASQUERADE = '-A KIND-MASQ-AGENT -j MASQUERADE';
const exempt = (peer: string) => `-A KIND-MASQ-AGENT -d ${peer} -m comment --comment lab -j RETURN`;

const network = (routes: string, ...rules: string[]): NodeNetwork => nodeNetwork(routes, rules.join('\n'), '');

const WHOLE: Record<string, NodeNetwork> = {
  'east-a': network('10.2.0.0/24 via 172.28.0.2 metric 76', exempt('10.2.0.0/16'), MASQUERADE),
  'west-a': network('10.1.0.0/24 via 172.28.0.1 metric 76', exempt('10.1.0.0/16'), MASQUERADE),
  'other-a': network('', MASQUERADE),
};

const roads = (changed: Record<string, NodeNetwork | undefined> = {}): Roads => ({
  nodes: [east, west, other],
  networks: Object.fromEntries(
    Object.entries({ ...WHOLE, ...changed }).flatMap(([name, one]) => (one ? [[name, one]] : [])),
  ),
  cniOf: () => 'kindnet',
  peerPools: () => [],
});

const across = (changed?: Record<string, NodeNetwork | undefined>) => trace(roads(changed), pod(east), pod(west));

describe('the way of a packet', () => {
  it('goes by the route, keeps its source by the rule, and comes back', () => {
    expect(across()).toEqual({
      there: [
        {
          node: 'east-a',
          route: { destination: '10.2.0.0/24', via: '172.28.0.2' },
          rule: expect.objectContaining({ chain: 'KIND-MASQ-AGENT', args: ['-d', '10.2.0.0/16', '-j', 'RETURN'] }),
        },
        { node: 'west-a' },
      ],
      back: [{ node: 'west-a', route: { destination: '10.1.0.0/24', via: '172.28.0.1' } }, { node: 'east-a' }],
      reached: true,
      source: '10.1.0.9',
    });
  });

  it('prefers the longest prefix', () => {
    const routes = '10.0.0.0/8 via 172.28.0.3\n10.2.0.0/24 via 172.28.0.2\n10.2.0.0/16 via 172.28.0.3';
    expect(across({ 'east-a': network(routes, exempt('10.2.0.0/16'), MASQUERADE) }).reached).toBe(true);
  });

  it.each([
    ['no route', { 'east-a': network('', exempt('10.2.0.0/16'), MASQUERADE) }, 'no route on east-a to 10.2.0.0/24'],
    [
      'the node of another cluster',
      { 'east-a': network('10.2.0.0/24 via 172.28.0.3') },
      'next hop stale on east-a: 10.2.0.0/24 goes by way of 172.28.0.3, which is other-a, not west-a',
    ],
    [
      'an address that nobody has',
      { 'east-a': network('10.2.0.0/24 via 172.28.0.77') },
      'next hop stale on east-a: 10.2.0.0/24 goes by way of 172.28.0.77, which no node has, not west-a',
    ],
    ['no way back', { 'west-a': network('', MASQUERADE) }, 'answer: no route on west-a to 10.1.0.0/24'],
    ['a node that is off', { 'east-a': undefined }, 'east-a does not run'],
  ])('names the first hop that stops it: %s', (_, changed, text) => {
    expect(across(changed)).toMatchObject({ reached: false, fault: { text } });
  });

  it.each([
    ['no rule', [MASQUERADE]],
    ['a rule that comes too late', [MASQUERADE, exempt('10.2.0.0/16')]],
    ['a rule for somebody else', [exempt('10.3.0.0/16'), MASQUERADE]],
    ['a rule with a condition', ['-A KIND-MASQ-AGENT -d 10.2.0.0/16 -m mark --mark 0x1 -j RETURN', MASQUERADE]],
    ['a rule in a chain of somebody else', ['-A KUBE-POSTROUTING -d 10.2.0.0/16 -j RETURN', MASQUERADE]],
  ])('arrives as the node with %s, and needs no way back', (_, rules) => {
    const routes = '10.2.0.0/24 via 172.28.0.2 metric 76';
    const way = across({ 'east-a': network(routes, ...rules), 'west-a': network('', MASQUERADE) });
    expect(way).toMatchObject({
      reached: true,
      source: '172.28.0.1',
      fault: { text: 'masqueraded by chain KIND-MASQ-AGENT on east-a' },
    });
  });

  it('keeps its source where nothing masquerades', () => {
    expect(across({ 'east-a': network('10.2.0.0/24 via 172.28.0.2') })).toMatchObject({
      reached: true,
      source: '10.1.0.9',
    });
  });
});
