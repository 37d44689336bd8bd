import { describe, expect, it } from 'vitest';
import type { LinkerdState } from '../../src/lab/linkerd.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { planLinkerd, planLinks } from '../../src/plan/plan-mesh-verbs.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { statusRows } from '../../src/plan/status.ts';
import { facts, observedCertificates, pair } from './build-certificates.ts';
import { change, cluster, lab, linkerd } from './build-lab.ts';
import { linkTo, meshed, worldOf } from './mesh-world.ts';

const existing = (name: string) =>
  cluster(name, { group: 'g', mesh: linkerd, provider: 'existing', access: { context: name, at: `${name}.yaml:5` } });
const LAB = lab([cluster('a', { group: 'g', mesh: linkerd }), existing('prod'), existing('test')], {
  groups: { g: { mode: 'gateway' } },
});
const NAMES = ['a', 'prod', 'test'];

/** The existing clusters are on other machines, each known by an address, and all have Linkerd. */
function worldWith(servers: { readonly prod: string; readonly test?: string }): Observed {
  let world = worldOf(LAB);
  for (const [name, server] of Object.entries({ test: 'https://test.example:6443', ...servers })) {
    const clusters = world.clusters.map((one) => {
      if (one.name !== name) return one;
      const { owner: _, applied: __, ...rest } = one;
      return {
        ...rest,
        nodes: [],
        credentials: { ca: `ca-${name}`, server },
        existing: { kubeconfig: '/k', stale: false },
      };
    });
    world = { ...world, clusters };
  }
  return NAMES.reduce((next, name) => meshed(LAB, next, name), world);
}

const links = (world: Observed) => planLinks(resolve(LAB, world), world, NAMES);

describe('a link with a cluster that is on another machine', () => {
  it('uses the address that the world knows its API server by', () => {
    const { steps, warnings } = links(worldWith({ prod: 'https://prod.example:6443' }));
    const generate = steps.find(({ id }) => id === 'a/link/prod/generate');
    expect(generate).toMatchObject({
      argv: expect.arrayContaining(['--api-server-address', 'https://prod.example:6443']),
    });
    expect(steps.map(({ id }) => id)).toContain('test/link/prod');
    expect(warnings.join()).not.toMatch(/link from a to prod|link from test to prod/);
  });

  it('is not made from there to what is on this machine only', () => {
    const { steps, warnings } = links(worldWith({ prod: 'https://prod.example:6443' }));
    expect(warnings).toContain('the API server of a is on this machine, where prod is not: no link from prod to a');
    expect(steps.map(({ id }) => id)).not.toContain('prod/link/a');
  });

  it.each(['https://127.0.0.1:6443', 'https://localhost:6443', 'https://[::1]:6443', 'https://0.0.0.0:6443'])(
    'is not made to %s, which is another machine for everybody else',
    (server) => {
      const world = worldWith({ prod: server });
      const { steps, warnings } = links(world);
      const why = `the API server of prod is known as ${server} only, which is another machine for every cluster`;
      expect(warnings).toEqual(
        expect.arrayContaining([`${why}: no link from a to prod`, `${why}: no link from test to prod`]),
      );
      expect(steps.filter(({ id }) => id.includes('/link/prod'))).toEqual([]);
      // Nobody can mend that here, so it is no drift.
      const rows = statusRows(resolve(LAB, world), world, ['a']).filter(({ thing }) => thing === 'links');
      expect(rows.map(({ want }) => want)).toEqual(['test (gateway)']);
    },
  );
});

describe('a Linkerd that was there before the lab', () => {
  /** One whose owner installed it: the lab has noted nothing there. */
  const owned = (anchor: string, trusted = 'ours'): Observed => {
    const world = change(worldWith({ prod: 'https://prod.example:6443' }), 'prod', ({ api }) => {
      if (!api?.linkerd) return {};
      const { inputs: _, ...own } = api.linkerd;
      const state: LinkerdState = { ...own, anchors: [anchor] };
      return { api: { ...api, linkerd: state } };
    });
    return {
      ...world,
      certificates: observedCertificates({ bundle: [facts(trusted)], anchor: pair('anchor', facts(trusted)) }),
    };
  };
  const install = (world: Observed) => planLinkerd(resolve(LAB, world), world, ['prod']);

  it('stays as it is, without extension and links, when it trusts another anchor', () => {
    const world = owned('theirs');
    const reason =
      'prod has a Linkerd with another trust anchor (let it trust that of this lab, or name its own: mesh.certificates.anchor in lab.yaml)';
    const installed = install(world);
    expect(installed.warnings).toContain(`${reason}: Linkerd stays as it is`);
    expect(installed.steps.filter(({ clusters }) => clusters.includes('prod') && !clusters.includes('a'))).toEqual(
      installed.steps.filter(({ kind, clusters }) => kind === 'certificate' && clusters.includes('prod')),
    );
    const linked = links(world);
    expect(linked.warnings).toContain(`${reason}: its links stay as they are`);
    expect(linked.steps.filter(({ id }) => id.includes('prod'))).toEqual([]);
    expect(statusRows(resolve(LAB, world), world, ['prod'])).toContainEqual(
      expect.objectContaining({ thing: 'linkerd', result: 'drift', have: 'edge-26.8.3 (with another trust anchor)' }),
    );
  });

  it('is taken on when it trusts the same: what its owner has set stays', () => {
    const { steps, warnings } = install(owned('ours'));
    expect(warnings.join()).not.toContain('another trust anchor');
    const render = steps.find(({ id }) => id === 'prod/linkerd-render');
    expect(render).toMatchObject({ argv: expect.arrayContaining(['upgrade']) });
    expect(render).toMatchObject({ argv: expect.not.arrayContaining(['--ignore-cluster']) });
    expect(steps.filter(({ id }) => /prune|unused/.test(id))).toEqual([]);
  });
});

it('links that are there are known by their address, too', () => {
  const world = worldWith({ prod: 'https://prod.example:6443' });
  const gateway = ['198.51.100.1'];
  const there = meshed(LAB, world, 'prod', [], { gateway });
  const link = linkTo(there, 'prod', { mode: 'gateway', gateway, server: 'https://prod.example:6443' });
  const good = meshed(LAB, there, 'a', [link]);
  expect(links(good).steps.map(({ id }) => id)).not.toContain('a/link/prod');
  const moved = meshed(LAB, there, 'a', [{ ...link, server: 'https://old.example:6443' }]);
  expect(links(moved).steps.map(({ id }) => id)).toContain('a/link/prod');
});
