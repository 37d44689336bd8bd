import { describe, expect, it } from 'vitest';
import type { Observed } from '../../src/lab/observed.ts';
import type { NodeNetwork } from '../../src/lab/routing.ts';
import { diffDeparture } from '../../src/plan/diff-departure.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { change, lab, OTHER_UID, observed, UID, worldAfter } from './build-lab.ts';

/** a, b and c hold 10.0.0.0/16, 10.1.0.0/16 and 10.2.0.0/16. */
const WORLD = worldAfter(resolve(lab(['a', 'b', 'c']), observed()));
const route = (destination: string, ours = true) => ({ destination, via: '172.28.0.9', ours });
const rule = (destination: string, ours = true) => ({
  ...{ family: 4 as const, chain: 'KIND-MASQ-AGENT', ours, effective: true },
  args: ['-d', destination, '-j', 'RETURN'],
});
const withNetwork = (network: Omit<NodeNetwork, 'masquerading'>, world: Observed = WORLD): Observed => ({
  ...world,
  nodeNetworks: { 'a-control-plane': { ...network, masquerading: [] } },
});
const departure = (world: Observed, names: readonly string[]) =>
  diffDeparture(
    world,
    UID,
    world.clusters.filter(({ name }) => names.includes(name)),
  );

describe('what a cluster leaves on its peers', () => {
  const both = {
    routes: [route('10.1.0.0/24'), route('10.2.0.0/24'), route('10.2.1.0/24'), route('10.2.9.9', false)],
    rules: [rule('10.1.0.0/16'), rule('10.2.0.0/16'), rule('10.2.0.0/16', false)],
  };

  it('are our routes and rules that lead into its pod range', () => {
    expect(departure(withNetwork(both), ['c'])).toEqual([
      {
        ...{ kind: 'routing', cluster: 'a', node: 'a-control-plane', addRoutes: [], addRules: [] },
        removeRoutes: [route('10.2.0.0/24'), route('10.2.1.0/24')],
        removeRules: [rule('10.2.0.0/16')],
        why: 'routes to take away: 2, exemptions: 1',
      },
    ]);
  });

  it('are those that lead to nothing that is there, when it is gone already', () => {
    const gone = { ...WORLD, clusters: WORLD.clusters.filter(({ name }) => name !== 'c') };
    expect(departure(withNetwork(both, gone), ['c'])).toMatchObject([
      { removeRoutes: [route('10.2.0.0/24'), route('10.2.1.0/24')], removeRules: [rule('10.2.0.0/16')] },
    ]);
  });

  it('are only those into its own range while the range of one that stays is not known', () => {
    const clusters = WORLD.clusters.map(({ ranges, ...one }) =>
      one.name === 'b' || !ranges ? one : { ...one, ranges },
    );
    const unknown = { ...WORLD, clusters };
    const stray = { routes: [...both.routes, route('10.99.0.0/24')], rules: [] };
    expect(departure(withNetwork(stray, unknown), ['c'])).toMatchObject([
      { removeRoutes: [route('10.2.0.0/24'), route('10.2.1.0/24')] },
    ]);
  });

  it('reads destinations without a prefix and in IPv6, and leaves what has none', () => {
    const odd = {
      routes: [route('10.2.3.4'), route('fd00:10:0:900::/64'), route('unreachable')],
      rules: [{ ...rule(''), args: ['-j', 'RETURN'] }],
    };
    expect(departure(withNetwork(odd), ['c'])).toMatchObject([
      { removeRoutes: [route('10.2.3.4'), route('fd00:10:0:900::/64')], removeRules: [] },
    ]);
  });

  it('is nothing on nodes of others, or when all go', () => {
    expect(departure(withNetwork(both), ['a', 'b', 'c'])).toEqual([]);
    const theirs = change(WORLD, 'a', () => ({ owner: OTHER_UID }));
    expect(departure(withNetwork(both, theirs), ['c'])).toEqual([]);
  });
});
