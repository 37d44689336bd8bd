import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.ts';
import type { LinkerdState } from '../../src/lab/linkerd.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { planRelink } from '../../src/plan/plan-mesh.ts';
import { planLinkerd, planLinks } from '../../src/plan/plan-mesh-verbs.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Step } from '../../src/step/step.ts';
import { facts, settled } from './build-certificates.ts';
import { type ClusterWords, change, cluster, errorOf, lab, linkerd } from './build-lab.ts';
import { linkTo, meshed, VERSION, worldOf } from './mesh-world.ts';

const member = (name: string, words: ClusterWords = {}) => cluster(name, { group: 'face', mesh: linkerd, ...words });
const LAB = lab([member('a'), member('b')], { groups: { face: { mode: 'flat' } } });
const names = (of: Lab) => of.clusters.map(({ name }) => name);
const install = (of: Lab, world: Observed, only = names(of)) => planLinkerd(resolve(of, world), world, only);
const link = (of: Lab, world: Observed, only = names(of)) => planLinks(resolve(of, world), world, only);
const idsOf = ({ steps }: { readonly steps: readonly Step[] }) => steps.map(({ id }) => id);
const find = ({ steps }: { readonly steps: readonly Step[] }, id: string) => {
  const step = steps.find((one) => one.id === id);
  if (!step) throw new Error(`no step ${id} among ${steps.map((one) => one.id).join(', ')}`);
  return step;
};
/** Both clusters with Linkerd and both links, as finished runs leave them. */
const linked = (of = LAB): Observed => {
  const world = worldOf(of);
  return meshed(of, meshed(of, world, 'a', [linkTo(world, 'b')]), 'b', [linkTo(world, 'a')]);
};

describe('lab linkerd on a cluster without Linkerd', () => {
  const plan = install(LAB, worldOf(LAB), ['a']);

  it('checks, renders and applies, waits, checks again, and notes what it did', () => {
    expect(plan.steps.map(({ id, needs }) => [id, ...needs])).toEqual([
      ['a/gateway-api'],
      ['a/linkerd-pre', 'a/gateway-api'],
      ['a/linkerd-crds-render'],
      ['a/linkerd-crds', 'a/linkerd-crds-render', 'a/gateway-api', 'a/linkerd-pre'],
      ['a/linkerd-values'],
      ['a/linkerd-render', 'a/linkerd-values'],
      ['a/linkerd', 'a/linkerd-render', 'a/linkerd-crds'],
      ['a/wait/linkerd-identity', 'a/linkerd'],
      ['a/wait/linkerd-destination', 'a/linkerd'],
      ['a/wait/linkerd-proxy-injector', 'a/linkerd'],
      ['a/linkerd-check', 'a/wait/linkerd-identity', 'a/wait/linkerd-destination', 'a/wait/linkerd-proxy-injector'],
      ['a/linkerd-inputs', 'a/linkerd-check'],
      ['a/multicluster-values'],
      ['a/multicluster-render', 'a/multicluster-values'],
      ['a/multicluster', 'a/multicluster-render', 'a/linkerd-inputs'],
      ['a/wait/linkerd-local-service-mirror', 'a/multicluster'],
      ['a/multicluster-inputs', 'a/wait/linkerd-local-service-mirror'],
    ]);
  });

  it('gives an apply exactly what the render printed', () => {
    for (const id of ['a/linkerd-crds', 'a/linkerd', 'a/multicluster'])
      expect(find(plan, id)).toMatchObject({ kind: 'run', stdin: { ref: `${id}-render` } });
  });

  it('names the files of the certificates and never what is in them', () => {
    expect(find(plan, 'a/linkerd-render')).toMatchObject({
      kind: 'query',
      argv: [
        ...['linkerd', '--kubeconfig', { file: 'kubeconfigs/a.yaml' }, 'install', '--ignore-cluster'],
        ...['--identity-trust-anchors-file', { file: 'certificates/bundle.crt' }],
        ...['--identity-issuer-certificate-file', { file: 'certificates/issuer-a.crt' }],
        ...['--identity-issuer-key-file', { file: 'certificates/issuer-a.key' }],
        ...['--values', { file: 'linkerd/a_values.yaml' }],
      ],
    });
  });

  it('does not render Gateway API CRDs of its own', () => {
    expect(find(plan, 'a/linkerd-crds-render')).toMatchObject({
      argv: expect.arrayContaining(['--crds', 'installGatewayAPI=false']),
    });
  });

  it('leaves Gateway API CRDs that are there, and says when they do not fit', () => {
    const world = change(worldOf(LAB), 'a', ({ api }) => ({
      ...(api?.linkerd && { api: { ...api, linkerd: { ...api.linkerd, gatewayAPI: 'v1.0.0' } } }),
    }));
    const { steps, warnings } = install(LAB, world, ['a']);
    expect(steps.map(({ id }) => id)).not.toContain('a/gateway-api');
    expect(warnings.join()).toMatch(/a: Gateway API CRDs v1.0.0 are installed, .* fits 1.2.1 to 1.5.1; kubectl/);
  });

  it('does not ask whether it may be installed where a part of it already is', () => {
    const world = change(worldOf(LAB), 'a', ({ api }) => ({
      ...(api?.linkerd && { api: { ...api, linkerd: { ...api.linkerd, present: true } } }),
    }));
    expect(idsOf(install(LAB, world, ['a']))).not.toContain('a/linkerd-pre');
  });
});

describe("a cluster's values", () => {
  const valuesOf = (of: Lab, name: string): string => {
    const step = find(install(of, worldOf(of)), `${name}/linkerd-values`);
    return step.kind === 'write' && typeof step.content === 'string' ? step.content : '';
  };

  it('have its domains, no heartbeat, and IPv6 where it has it', () => {
    const of = lab([member('a', { domain: 'a.example' }), member('b', { ipFamily: 'dual' })]);
    expect(valuesOf(of, 'a')).toMatch(/clusterDomain: a.example\n/);
    expect(valuesOf(of, 'a')).toMatch(/identityTrustDomain: cluster.local\n/);
    expect(valuesOf(of, 'a')).toMatch(/disableIPv6: true\ndisableHeartBeat: true\n/);
    expect(valuesOf(of, 'b')).toMatch(/disableIPv6: false\n/);
  });

  it("cover every range of the lab, also outside the chart's own", () => {
    const of = lab([member('a', { pods: ['203.0.112.0/20'] }), member('b')]);
    expect(valuesOf(of, 'b')).toMatch(/clusterNetworks: 10.0.0.0\/8,.*,fd00::\/8,203.0.112.0\/20\n/);
  });

  it('are merged with those of the spec, which win', () => {
    const mesh = { ...linkerd, values: { disableHeartBeat: false, proxy: { logLevel: 'debug' } } };
    const of = lab([member('a', { mesh })]);
    expect(valuesOf(of, 'a')).toMatch(/disableHeartBeat: false\nproxy:\n {2}logLevel: debug\n/);
  });
});

/** The world of both links with another state of Linkerd in one cluster. */
const having = (name: string, state: Partial<LinkerdState>, world = linked()): Observed =>
  change(world, name, ({ api }) => (api?.linkerd ? { api: { ...api, linkerd: { ...api.linkerd, ...state } } } : {}));

describe('lab linkerd where it is installed', () => {
  it('does nothing a second time', () => {
    expect(idsOf(install(LAB, linked()))).toEqual([]);
  });

  it.each([
    ['another version', { version: 'edge-26.7.1' }],
    ['other values', { inputs: '{}' }],
  ])('is upgraded for %s, to what the spec says and nothing else', (_, state) => {
    const plan = install(LAB, having('a', state));
    expect(new Set(plan.steps.flatMap((step) => step.clusters))).toEqual(new Set(['a']));
    expect(find(plan, 'a/linkerd-crds-render')).toMatchObject({ argv: expect.arrayContaining(['upgrade', '--crds']) });
    // The CLI's own upgrade looks at the proxies that are there; what it renders keeps what was ever set.
    expect(find(plan, 'a/linkerd-ask')).toMatchObject({ argv: expect.arrayContaining(['upgrade', '--values']) });
    expect(find(plan, 'a/linkerd-render').needs).toContain('a/linkerd-ask');
    expect(find(plan, 'a/linkerd-render')).toMatchObject({
      argv: expect.arrayContaining(['install', '--ignore-cluster']),
    });
    expect(find(plan, 'a/linkerd')).toMatchObject({ title: 'upgrade Linkerd edge-26.8.3' });
    expect(find(plan, 'a/linkerd-prune')).toMatchObject({
      needs: ['a/linkerd-unused'],
      stdin: { ref: 'a/linkerd-unused' },
    });
    expect(find(plan, 'a/linkerd-check').needs).toContain('a/linkerd-prune');
    expect(idsOf(plan)).not.toContain('a/linkerd-pre');
  });

  it('is made whole where its install was killed: nothing asks for what may not be there', () => {
    const world = change(linked(), 'a', ({ api }) => {
      if (!api?.linkerd) return {};
      const { inputs: _, ...state } = api.linkerd;
      return { api: { ...api, linkerd: state } };
    });
    const plan = install(LAB, world);
    expect(find(plan, 'a/linkerd-render')).toMatchObject({
      argv: expect.arrayContaining(['install', '--ignore-cluster']),
    });
    expect(idsOf(plan).filter((id) => /ask|prune|pre/.test(id))).toEqual([]);
  });

  it('is noted as unfinished before it changes, and made whole where a change was left at that', () => {
    const plan = install(LAB, having('a', { inputs: '{}' }));
    expect(find(plan, 'a/linkerd').needs).toContain('a/linkerd-begin');
    expect(find(plan, 'a/linkerd-begin')).toMatchObject({
      needs: ['a/linkerd-render'],
      argv: expect.arrayContaining(['annotate', 'lab/inputs=unfinished']),
    });
    // Whatever was applied then, the spec may say again what it said before.
    const again = install(LAB, having('a', { inputs: 'unfinished' }));
    expect(idsOf(again)).toEqual(idsOf(plan));
  });

  it('notes the same of the extension', () => {
    const extensionOf = (inputs: string) =>
      change(linked(), 'a', ({ api }) => {
        if (!api?.linkerd) return {};
        const extension = { ...api.linkerd.extension, inputs };
        return { api: { ...api, linkerd: { ...api.linkerd, extension } } };
      });
    for (const inputs of ['{}', 'unfinished']) {
      const plan = link(LAB, extensionOf(inputs));
      expect(find(plan, 'a/multicluster').needs).toContain('a/multicluster-begin');
    }
    expect(idsOf(install(LAB, worldOf(LAB), ['a']))).not.toContain('a/multicluster-begin');
  });

  it('lets the extension start anew where its proxies trust something else than their cluster will, and only there', () => {
    const bundle = [facts('A'), facts('N')];
    const anchors = bundle.map(({ fingerprint }) => fingerprint);
    const [old = ''] = anchors;
    const seen = (state: Partial<LinkerdState>): Observed => ({
      ...having('b', { anchors, issuer: 'ib' }, having('a', { anchors, issuer: 'ia', ...state })),
      certificates: settled({ bundle }),
    });
    const restart = 'a/multicluster-restart';
    expect(idsOf(install(LAB, seen({}))).filter((id) => id.includes('restart'))).toEqual([]);
    const plan = install(LAB, seen({ anchors: [old] }));
    expect(find(plan, restart)).toMatchObject({
      needs: ['a/linkerd-inputs'],
      argv: expect.arrayContaining([
        'rollout',
        'restart',
        'deployment/linkerd-local-service-mirror',
        'deployment/controller-b',
      ]),
    });
    expect(find(plan, `${restart}/controller-b`)).toMatchObject({ kind: 'wait', needs: [restart] });
    // Links alone do not change what a cluster trusts; what a run that was killed left behind they do mend.
    expect(idsOf(link(LAB, seen({ anchors: [old] })))).not.toContain(restart);
    const left = [{ pod: 'linkerd-multicluster/controller-b-1', anchors: [old] }];
    for (const verb of [install, link]) expect(idsOf(verb(LAB, seen({ outdated: left })))).toContain(restart);
    expect(idsOf(link(LAB, seen({ outdated: [{ pod: 'demo/web', anchors: [old] }] })))).toEqual([]);
  });

  it('only waits and checks where everything is applied and something does not run', () => {
    const world = change(linked(), 'b', ({ api }) => ({
      ...(api?.linkerd && { api: { ...api, linkerd: { ...api.linkerd, ready: false } } }),
    }));
    expect(install(LAB, world).steps.map(({ kind }) => kind)).toEqual(['wait', 'wait', 'wait', 'check', 'run']);
  });

  it('is not touched on a cluster that does not run or answer, while others go on', () => {
    const world = change(worldOf(LAB), 'a', ({ nodes }) => ({
      nodes: nodes.map((one) => ({ ...one, running: false })),
    }));
    const plan = install(LAB, world);
    expect(plan.warnings).toContain('a does not run: it gets no Linkerd');
    expect(new Set(plan.steps.flatMap((step) => step.clusters))).toEqual(new Set(['b']));
  });
});

describe('a CLI that does not do', () => {
  const fail = (cli: Observed['linkerdClis'], of = LAB) =>
    errorOf(() => install(of, { ...worldOf(of), linkerdClis: cli ?? [] }));

  it.each([
    ['missing', { binary: 'linkerd', problem: 'linkerd is not here' }, 'linkerd is not here'],
    ['too old', { binary: 'linkerd', version: 'stable-2.14.10' }, 'linkerd is stable-2.14.10, which is too old'],
  ])('is said with where another comes from: %s', (_, cli, message) => {
    expect(fail([cli])).toMatchObject({ exitCode: 3, text: [message], hint: expect.stringContaining('edge-25.4.4') });
  });

  it('is not the one that the spec names', () => {
    const of = lab([member('a', { mesh: { ...linkerd, version: 'edge-25.10.7' } })]);
    expect(fail([{ binary: 'linkerd', version: VERSION }], of).text).toEqual([
      'linkerd is edge-26.8.3, and a wants edge-25.10.7',
    ]);
  });
});

describe('lab link', () => {
  const bare = () => {
    const world = worldOf(LAB);
    return meshed(LAB, meshed(LAB, world, 'a'), 'b');
  };

  it('makes both directions, each as soon as both its ends can', () => {
    const plan = link(LAB, bare());
    expect(find(plan, 'a/link/b/generate').needs).toEqual(['b/multicluster']);
    expect(find(plan, 'a/link/b').needs).toEqual(['a/link/b/generate', 'a/multicluster']);
    expect(find(plan, 'b/link/a').needs).toEqual(['b/link/a/generate', 'b/multicluster']);
  });

  it('asks the exporter for credentials with an address that reaches it, and applies them in the consumer', () => {
    const plan = link(LAB, bare());
    expect(find(plan, 'a/link/b/generate')).toMatchObject({
      argv: [
        ...['linkerd', '--kubeconfig', { file: 'kubeconfigs/b.yaml' }, 'multicluster', 'link-gen'],
        ...['--cluster-name', 'b', '--gateway=false', '--api-server-address', 'https://172.28.0.12:6443'],
      ],
    });
    expect(find(plan, 'a/link/b')).toMatchObject({
      argv: expect.arrayContaining([{ file: 'kubeconfigs/a.yaml' }]),
      stdin: { ref: 'a/link/b/generate' },
    });
  });

  it('gives the extension its whole list of controllers', () => {
    const of = lab([member('a'), member('b'), member('c')], { groups: { face: { mode: 'flat' } } });
    const world = worldOf(of);
    const three = meshed(of, meshed(of, meshed(of, world, 'a', [linkTo(world, 'b')]), 'b', [linkTo(world, 'a')]), 'c');
    const values = find(link(of, three, ['c']), 'a/multicluster-values');
    expect(values).toMatchObject({
      content: expect.stringMatching(/controllers:\n {2}- link:\n {6}ref:\n {8}name: b\n[\s\S]*name: c\n/),
    });
  });

  it('does nothing a second time', () => {
    expect(idsOf(link(LAB, linked()))).toEqual([]);
  });

  it('is refused where Linkerd is not installed, with the line to type', () => {
    const world = meshed(LAB, worldOf(LAB), 'a');
    expect(errorOf(() => link(LAB, world))).toMatchObject({
      exitCode: 3,
      text: ['no Linkerd in b'],
      hint: 'lab linkerd clusters b',
    });
  });

  it('leaves the links of a peer that is down, and says so', () => {
    const world = change(bare(), 'b', ({ nodes }) => ({ nodes: nodes.map((one) => ({ ...one, running: false })) }));
    const plan = link(LAB, world);
    expect(plan.warnings).toContain('b does not run: its links stay as they are');
    expect(idsOf(plan).filter((id) => id.includes('/link/'))).toEqual([]);
  });

  describe('with a gateway', () => {
    const of = lab([member('a', { group: 'x' }), member('b', { group: 'y' })], {
      links: [{ from: 'a', to: 'b', mode: 'gateway', at: 'lab.yaml:9' }],
    });
    const world = worldOf(of);
    const both = meshed(of, meshed(of, world, 'a'), 'b');

    it('puts one where the edge leads to, and nowhere else', () => {
      const plan = link(of, both);
      expect(find(plan, 'b/multicluster-values')).toMatchObject({
        content: expect.stringMatching(/gateway:\n {2}enabled: true/),
      });
      expect(find(plan, 'a/multicluster-values')).toMatchObject({
        content: expect.stringMatching(/gateway:\n {2}enabled: false/),
      });
      expect(find(plan, 'b/wait/linkerd-gateway').needs).toEqual(['b/multicluster']);
    });

    it('waits for its address', () => {
      expect(find(link(of, both), 'a/link/b/generate')).toMatchObject({
        argv: expect.arrayContaining(['--gateway=true']),
        retry: { on: expect.arrayContaining(['has no ingress addresses']) },
      });
    });

    it('is made anew when the address of the gateway changed', () => {
      const gateway = ['172.28.40.1'];
      const there = meshed(of, both, 'b', [], { gateway });
      const good = meshed(of, there, 'a', [linkTo(there, 'b', { mode: 'gateway' })]);
      expect(idsOf(link(of, good))).toEqual([]);
      const moved = meshed(of, there, 'a', [linkTo(there, 'b', { mode: 'gateway', gateway: ['172.28.40.9'] })]);
      expect(idsOf(link(of, moved))).toContain('a/link/b');
    });

    it('is taken away when no edge needs it any more', () => {
      const gateway = ['172.28.40.1'];
      const none = lab([member('a', { group: 'x' }), member('b', { group: 'y' })]);
      const there = meshed(of, both, 'b', [], { gateway });
      const plan = link(none, meshed(of, there, 'a', [linkTo(there, 'b', { mode: 'gateway' })]));
      expect(idsOf(plan)).toEqual(expect.arrayContaining(['a/unlink/b', 'b/gateway-remove']));
      const foreign = meshed(of, there, 'a', [linkTo(there, 'b', { mode: 'gateway', owner: '' })]);
      expect(idsOf(link(none, foreign))).not.toContain('b/gateway-remove');
    });
  });

  it.each([
    ['the API server moved', { server: 'https://172.28.0.99:6443' }],
    ['the exporter was made anew', { ca: 'another' }],
    ['the CLI is another', { version: 'edge-26.7.1' }],
    ['it was not finished', { owner: '' }],
  ])('makes a link anew when %s: what reads its credentials once forgets them', (_, words) => {
    const world = linked();
    const plan = link(LAB, meshed(LAB, world, 'a', [linkTo(world, 'b', words)]));
    const ids = idsOf(plan).filter((id) => id.startsWith('a/link/'));
    expect(ids).toEqual(['a/link/b/generate', 'a/link/b/forget', 'a/link/b', 'a/link/b/note', 'a/link/b/restart']);
    expect(idsOf(plan).some((id) => id.startsWith('b/'))).toBe(false);
  });
});

describe('repair', () => {
  const relink = (world: Observed) => planRelink(resolve(LAB, world), world, ['a', 'b']);

  it('makes links anew whose API server moved, and makes none that never was', () => {
    const world = linked();
    expect(idsOf(relink(world))).toEqual([]);
    const moved = meshed(LAB, world, 'a', [linkTo(world, 'b', { server: 'https://172.28.0.99:6443' })]);
    expect(idsOf(relink(moved))).toContain('a/link/b');
    expect(idsOf(relink(meshed(LAB, moved, 'a', [])))).toEqual([]);
  });

  it('goes on without a CLI where there are links, and needs none where there are none', () => {
    const none = [{ binary: 'linkerd', problem: 'linkerd is not here' }];
    expect(relink({ ...linked(), linkerdClis: none })).toMatchObject({
      steps: [],
      warnings: ['links stay as they are: linkerd is not here'],
    });
    expect(relink({ ...worldOf(LAB), linkerdClis: none })).toMatchObject({ steps: [], warnings: [] });
  });
});
