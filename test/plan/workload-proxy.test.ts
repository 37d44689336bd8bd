import { describe, expect, it } from 'vitest';
import type { Observed } from '../../src/lab/observed.ts';
import { type ObservedWorkload, sidecarsOf, type Workload } from '../../src/lab/workload.ts';
import { proxyOf } from '../../src/plan/desired-proxy.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { planStop } from '../../src/plan/plan-power.ts';
import { planUp } from '../../src/plan/plan-up.ts';
import { planWorkloads } from '../../src/plan/plan-workloads.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { statusRows } from '../../src/plan/status.ts';
import { renderScript } from '../../src/report/plan-script.ts';
import { formatPlan } from '../../src/report/plan-text.ts';
import type { RunStep, Step } from '../../src/step/step.ts';
import { facts, pair, settled } from './build-certificates.ts';
import { change, cluster, lab, linkerd, observed, UID, workload } from './build-lab.ts';
import { expectGolden } from './golden-file.ts';
import { meshed, VERSION, worldOf } from './mesh-world.ts';

const SPIRE: NonNullable<Workload['spire']> = {
  at: 'smiley.yaml:9:3',
  images: { server: 'spire/server:1', agent: 'spire/agent:1' },
};
const SMILEY = workload('smiley', { spire: SPIRE });

const declare = (words: Partial<Workload> = {}, values: Record<string, unknown> = {}) =>
  lab([cluster('a', { domain: 'a.test', mesh: { ...linkerd, values } })], {
    mesh: { trustDomain: 'trust.test', anchor: { lifetime: 1 } },
    workloads: [{ ...SMILEY, ...words }],
  });

/** Linkerd runs, certificates are made, images are there; and what Docker has of the workload. */
function worldWith(declared = declare(), more: Partial<Observed> = {}): Observed {
  const bare = worldOf(declared);
  const placed = change(bare, 'a', ({ api, nodes }) => ({
    ...(api && { api: { ...api, nodes: api.nodes.map((node) => ({ ...node, podCidrs: ['10.0.0.0/24'] })) } }),
    nodes,
  }));
  return {
    ...meshed(declared, placed, 'a'),
    certificates: settled(),
    images: { 'lab/probe:local': 'sha256:1' },
    ...more,
  };
}

const planOf = (declared: ReturnType<typeof lab>, world: Observed) =>
  planWorkloads(resolve(declared, world), world, ['a']);
const idsOf = (steps: readonly Step[]) => steps.map(({ id }) => id.replace('workload/smiley/', ''));

/** The workload as a finished run left it. */
function made(declared: ReturnType<typeof lab>, world: Observed): ObservedWorkload {
  const desired = resolve(declared, world);
  const [one] = desired.workloads;
  const proxy = one && proxyOf(desired, world, one);
  return {
    ...{ name: 'smiley', cluster: 'a', owner: UID, running: true, digest: 'digest-smiley', network: 'lab-practical' },
    addresses: one?.addresses.map(({ address }) => address) ?? [],
    routes: one?.routes.map((route) => ({ ...route, ours: true })) ?? [],
    sidecars: Object.values(sidecarsOf('smiley')),
    ...(proxy && 'inputs' in proxy && { proxy: proxy.inputs }),
  };
}

const SIDECARS = [
  'spire/server',
  'spire/settings',
  'spire/trust',
  'spire/anchor',
  'spire/key',
  'spire/start',
  'spire/entry',
  'spire/token',
  'spire/join',
  'spire/agent',
  'redirect',
  'trusted',
  'proxy',
  'proxied',
];

describe('the proxy of an external workload', () => {
  const declared = declare();
  const world = worldWith();
  const { steps, warnings } = planOf(declared, world);
  const stepOf = (id: string) => steps.find((one) => one.id === `workload/smiley/${id}`) as RunStep;

  it('is made after its container and its routes, each step after the one before it', () => {
    expect(idsOf(steps)).toEqual(['pull/server', 'pull/agent', 'pull/proxy', 'run', 'routes', ...SIDECARS]);
    SIDECARS.forEach((id, index) => {
      expect(stepOf(id).needs).toEqual([`workload/smiley/${SIDECARS[index - 1] ?? 'routes'}`]);
    });
    expect(stepOf('run').needs).toEqual(['server', 'agent', 'proxy'].map((part) => `workload/smiley/pull/${part}`));
  });

  it('is told by the lab what it has to know', () => {
    const argv = stepOf('proxy').argv.join(' ');
    for (const [name, value] of Object.entries({
      IDENTITY_SERVER_ID: 'spiffe://root.linkerd.trust.test/smiley',
      IDENTITY_SERVER_NAME: 'smiley.a.test',
      DESTINATION_SVC_ADDR: 'linkerd-dst-headless.linkerd.svc.a.test.:8086',
      DESTINATION_SVC_NAME: 'linkerd-destination.linkerd.serviceaccount.identity.linkerd.trust.test',
      DESTINATION_PROFILE_SUFFIXES: 'svc.a.test.',
      POLICY_SVC_ADDR: 'linkerd-policy.linkerd.svc.a.test.:8090',
      POLICY_WORKLOAD: '{"ns":"faces","external_workload":"smiley"}',
      INBOUND_IPS: '172.28.15.254,fd00:1ab::3:ffff',
      INBOUND_LISTEN_ADDR: '[::]:4143',
      OUTBOUND_LISTEN_ADDRS: '127.0.0.1:4140,[::1]:4140',
    }))
      expect(argv).toContain(` --env LINKERD2_PROXY_${name}=${value} `);
    expect(argv).toMatch(new RegExp(` cr.l5d.io/linkerd/proxy:${VERSION}$`));
    expect(argv).toContain('--network container:smiley --pid container:smiley ');
    expect(stepOf('proxy').env).toEqual({ LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: { ref: 'smiley/trusted' } });
    expect(stepOf('redirect').stdin).toContain(
      'iptables -w -t nat -A LAB_OUTBOUND -m owner --uid-owner 2102 -j RETURN',
    );
    expect(stepOf('redirect').stdin).toContain('ip6tables -w -t nat -A LAB_INBOUND -p tcp -j REDIRECT --to-ports 4143');
  });

  it.each([
    ['of its own', {}, { images: { ...SPIRE.images, proxy: 'my/proxy:1' } }, 'my/proxy:1'],
    ['that the chart is told of', { proxy: { image: { name: 'my/proxy' } } }, SPIRE, `my/proxy:${VERSION}`],
    [
      'in the version that the chart is told of',
      { proxy: { image: { version: '2' } } },
      SPIRE,
      'cr.l5d.io/linkerd/proxy:2',
    ],
  ])('can be an image %s', (_, values, spire, image) => {
    const other = declare({ spire: { ...SPIRE, ...spire } }, values);
    expect((planOf(other, worldWith(other)).steps.find(({ id }) => id.endsWith('/proxy')) as RunStep).argv).toContain(
      image,
    );
  });

  it('can be read as a plan, and as a script', () => {
    const plan = planOf(declared, world);
    expectGolden('workload.json', `${JSON.stringify(plan, undefined, 2)}\n`);
    expectGolden('workload.sh', renderScript(plan, '/labs'));
    expectGolden('workload.txt', `${formatPlan(plan, false)}\n`);
  });

  it('has the key of the trust anchor only where SPIRE signs, by its path, and says what that means once', () => {
    const withKey = steps.filter((one) => JSON.stringify(one).includes('anchor.key'));
    expect(idsOf(withKey)).toEqual(['spire/settings', 'spire/key']);
    expect(stepOf('spire/key').argv).toEqual([
      ...['docker', 'cp', { file: 'certificates/anchor.key' }, 'smiley-spire-server:/anchor.key'],
    ]);
    expect(stepOf('spire/server').argv.join(' ')).toContain('--network none');
    expect(renderScript(planOf(declared, world), '/labs')).toContain(
      'docker cp "$STATE/certificates/anchor.key" smiley-spire-server:/anchor.key',
    );
    const risk = /the key of the trust anchor goes into a container of SPIRE beside smiley: whoever can use Docker/;
    expect(warnings.filter((text) => risk.test(text))).toHaveLength(1);
  });

  it('hands the token over by way of a file', () => {
    expect(stepOf('spire/token')).toMatchObject({ kind: 'query', capture: 'smiley/token' });
    expect(stepOf('spire/join').stdin).toEqual({ ref: 'smiley/token' });
  });

  it('takes the anchor of its user, and while it is changed the one that everybody trusts', () => {
    const own = { certificate: '/keys/ca.crt', key: '/keys/ca.key', at: 'lab.yaml:3:5' };
    const mesh = { trustDomain: 'trust.test', anchor: { lifetime: 1, own } };
    const keyOf = (theirs: ReturnType<typeof lab>, certificates: Observed['certificates']) =>
      (
        planOf(theirs, { ...world, ...(certificates && { certificates }) }).steps.find(({ id }) =>
          id.endsWith('/key'),
        ) as RunStep
      ).argv[2];
    const theirs = { ...declared, mesh };
    expect(keyOf(theirs, settled({ own: pair('ca', facts('A')) }))).toBe('/keys/ca.key');
    const next = pair('next-anchor', facts('B'));
    expect(keyOf(declared, settled({ next, bundle: [facts('A'), facts('B')] }))).toEqual({
      file: 'certificates/anchor.key',
    });
  });

  it('is not there where nobody asked for it', () => {
    const { spire: _, ...plain } = SMILEY;
    const without = { ...declared, workloads: [plain] };
    const plan = planOf(without, world);
    expect(idsOf(plan.steps)).toEqual(['run', 'routes']);
    expect(plan.warnings.join()).not.toContain('trust anchor');
  });

  it('is left alone when it runs as it should, and is not warned of', () => {
    const running = { ...world, workloads: [made(declared, world)] };
    expect(planOf(declared, running)).toMatchObject({ steps: [], warnings: [] });
    const row = statusRows(resolve(declared, running), running, ['a']).find(({ thing }) => thing === 'workload');
    expect(row).toMatchObject({ result: 'ok', have: expect.stringContaining('proxy running') });
  });

  it('is made anew, and its workload is not, when it ended or is to be another', () => {
    const whole = made(declared, world);
    const { proxy: _, ...ended } = whole;
    const again = ['pull/server', 'pull/agent', 'pull/proxy', 'discard', ...SIDECARS];
    const dead = { ...world, workloads: [ended] };
    expect(idsOf(planOf(declared, dead).steps)).toEqual(again);
    const row = statusRows(resolve(declared, dead), dead, ['a']).find(({ thing }) => thing === 'workload');
    expect(row).toMatchObject({ result: 'drift', have: expect.stringContaining('proxy absent') });
    const discard = planOf(declared, dead).steps.find(({ id }) => id.endsWith('/discard')) as RunStep;
    expect(discard.argv.slice(2)).toEqual(['--force', '--volumes', ...Object.values(sidecarsOf('smiley'))]);
    const newer = meshed(declared, world, 'a', [], { version: 'edge-26.9.1' });
    expect(idsOf(planOf(declared, { ...newer, workloads: [whole] }).steps)).toEqual(again);
    const rotated = settled({ bundle: [facts('A'), facts('B')] });
    expect(idsOf(planOf(declared, { ...world, certificates: rotated, workloads: [whole] }).steps)).toEqual(again);
  });

  it('comes back with its container', () => {
    const { proxy: _, ...ended } = made(declared, world);
    const stopped = { ...world, workloads: [{ ...ended, running: false }] };
    expect(idsOf(planOf(declared, stopped).steps).slice(3)).toEqual(['discard', 'start', 'routes', ...SIDECARS]);
  });

  it('is taken away with its container, also what is left of it', () => {
    const whole = made(declared, world);
    const sidecars = Object.values(sidecarsOf('smiley'));
    const request = { lab: { name: 'practical', uid: UID }, names: ['a'], adopt: false };
    const [removal] = planDelete({ ...world, workloads: [whole] }, request).steps as RunStep[];
    expect(removal?.argv).toEqual(['docker', 'rm', '--force', '--volumes', ...sidecars, 'smiley']);
    const left = { ...whole, running: false, digest: '' };
    const [rest] = planDelete({ ...world, workloads: [left] }, request).steps as RunStep[];
    expect(rest?.argv).toEqual(['docker', 'rm', '--force', '--volumes', ...sidecars]);
    const seen = { ...world, workloads: [whole] };
    const [stop] = planStop(resolve(declared, seen), seen, ['a']).steps as RunStep[];
    expect(stop?.argv).toEqual(['docker', 'stop', 'a-control-plane', ...sidecars, 'smiley']);
  });

  it('waits for Linkerd, and for the key, and says so', () => {
    const bare = { ...worldOf(declared), certificates: settled(), images: world.images };
    const plan = planOf(declared, bare);
    expect(idsOf(plan.steps)).toEqual([]);
    expect(plan.warnings.join('\n')).toContain('a does not answer');
    expect(planOf(declared, { ...bare, images: {} }).steps).toEqual([]);
    const away = change(world, 'a', ({ api }) => {
      const { linkerd: _, ...rest } = api ?? { nodes: [] };
      return { api: rest };
    });
    expect(idsOf(planOf(declared, away).steps)).toEqual(['run', 'routes']);
    expect(planOf(declared, away).warnings).toContain(
      'no proxy beside smiley: a has no Linkerd that answers (lab linkerd clusters)',
    );
    const discarded = settled({
      anchor: { paths: { certificate: '/s/anchor.crt' }, certificate: facts('A'), faults: [] },
    });
    expect(planOf(declared, { ...world, certificates: discarded }).warnings).toContain(
      'no proxy beside smiley: the key of the trust anchor is not there, with which SPIRE would sign',
    );
  });
});

describe('the image of an external workload', () => {
  it('is fetched before anything is made, and before a cluster is', () => {
    const declared = declare();
    const missing = { ...worldWith(declared), images: {} };
    const { steps } = planOf(declared, missing);
    const pulls = steps.flatMap(({ id }) => (id.includes('/pull') ? [id] : []));
    expect(pulls).toHaveLength(4);
    expect(steps.find(({ id }) => id.endsWith('/run'))?.needs).toEqual(pulls);
    expect(steps[0]?.title).toBe('pull lab/probe:local, which smiley.yaml:3 asks for');

    const nothing = observed();
    const desired = resolve(declared, nothing);
    const changes = diffForCreate(desired, nothing, { names: ['a'], recreate: [] });
    const up = planUp(desired, nothing, changes, ['a']);
    const first = up.steps.filter(({ needs, id }) => needs.length === 0 && !id.includes('/pull'));
    expect(first).toEqual([]);
    expect(up.warnings.join()).toContain('the key of the trust anchor goes into a container of SPIRE beside smiley');
  });
});
