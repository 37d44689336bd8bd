import { expect, test } from 'vitest';
import { type CertificateOptions, diffCertificates } from '../../src/plan/diff-certificates.ts';
import { planCertificates } from '../../src/plan/plan-certificates.ts';
import {
  DAY,
  desiredCertificates,
  facts,
  issuer,
  NOW,
  OWN,
  observedCertificates,
  pair,
  settled,
} from './build-certificates.ts';
import { checkGraph } from './step-graph.ts';

const LAB = { name: 'practical', uid: '0123456789ab' };
const inState = (name: string) => ({
  certificate: { file: `certificates/${name}.crt` },
  key: { file: `certificates/${name}.key` },
});
const BUNDLE = { file: 'certificates/bundle.crt' };

function planOf(observed = observedCertificates(), more: Partial<CertificateOptions> = {}, own = false) {
  const desired = desiredCertificates(own ? OWN : undefined);
  const options = { names: ['a', 'b'], discardKey: false, command: 'lab certs labs', ...more };
  const plan = planCertificates({ lab: LAB, desired, observed }, diffCertificates(desired, observed, options));
  checkGraph(plan.steps, []);
  return plan;
}

test('a first run: the anchor, and what needs it', () => {
  const { steps, summary } = planOf(observedCertificates(), { discardKey: true });
  expect(summary).toBe('Plan: 3 certificates to make, 2 other changes.');
  expect(steps.map(({ id, clusters, needs }) => ({ id, clusters, needs }))).toEqual([
    { id: 'certificates/anchor', clusters: [], needs: [] },
    { id: 'certificates/bundle', clusters: [], needs: ['certificates/anchor'] },
    { id: 'a/issuer', clusters: ['a'], needs: ['certificates/anchor'] },
    { id: 'b/issuer', clusters: ['b'], needs: ['certificates/anchor'] },
    {
      id: 'certificates/discard-key',
      clusters: [],
      needs: ['certificates/anchor', 'certificates/bundle', 'a/issuer', 'b/issuer'],
    },
  ]);
  expect(steps.map((step) => step.kind === 'certificate' && step.action)).toEqual([
    {
      do: 'make',
      name: 'root.linkerd.cluster.local',
      seconds: 3650 * DAY,
      pathLength: 1,
      files: inState('anchor'),
      replaces: false,
    },
    { do: 'bundle', from: [inState('anchor').certificate], to: BUNDLE },
    ...['a', 'b'].map((name) => ({
      do: 'make',
      name: 'identity.linkerd.cluster.local',
      seconds: 365 * DAY,
      pathLength: 0,
      signer: inState('anchor'),
      files: inState(`issuer-${name}`),
      replaces: false,
    })),
    { do: 'remove', files: [inState('anchor').key] },
  ]);
});

test('a second run plans nothing', () => {
  expect(planOf(settled())).toMatchObject({ steps: [], summary: 'Plan: 0 certificates to make.' });
});

test('an issuer is not planned to outlive its anchor', () => {
  const anchor = pair('anchor', facts('A', { notAfter: NOW + 7 * DAY }));
  const [step] = planOf(settled({ anchor, a: pair('issuer-a') }), { names: ['a'] }).steps;
  expect(step).toMatchObject({ id: 'a/issuer', action: { seconds: 7 * DAY } });
});

test('an anchor of the user’s own signs from where it is', () => {
  const { steps } = planOf(observedCertificates({ own: pair('ca', facts('O')) }), { names: ['a'] }, true);
  expect(steps).toMatchObject([
    { id: 'certificates/bundle', action: { from: ['/keys/ca.crt'] } },
    { id: 'a/issuer', action: { signer: { certificate: '/keys/ca.crt', key: '/keys/ca.key' } } },
  ]);
});

test('a change of the anchor, step by step', () => {
  const next = pair('next-anchor', facts('B'));
  const bundle = [facts('A'), facts('B')];
  const rotate = { rotate: 'anchor' } as const;
  expect(planOf(settled(), rotate).steps).toMatchObject([
    { id: 'certificates/next-anchor', action: { do: 'make', pathLength: 1, files: inState('next-anchor') } },
    {
      id: 'certificates/bundle',
      needs: ['certificates/next-anchor'],
      action: { do: 'bundle', from: [BUNDLE, inState('next-anchor').certificate] },
    },
  ]);
  expect(planOf(settled({ next, bundle }), rotate).steps).toMatchObject([
    { id: 'a/issuer', needs: [], action: { signer: inState('next-anchor'), replaces: true } },
    { id: 'b/issuer', needs: [], action: { signer: inState('next-anchor'), replaces: true } },
  ]);
  const byNext = { a: pair('issuer-a', issuer('ia', 'B')), b: pair('issuer-b', issuer('ib', 'B')) };
  expect(planOf(settled({ next, bundle, ...byNext }), rotate).steps).toMatchObject([
    { id: 'certificates/bundle', action: { from: [inState('next-anchor').certificate], to: BUNDLE } },
    {
      id: 'certificates/retire',
      needs: ['certificates/bundle'],
      action: { do: 'move', from: inState('next-anchor'), to: inState('anchor') },
    },
  ]);
});

test('an anchor of ours that the user’s own has taken the place of is removed, with its key', () => {
  const byOwn = { a: pair('issuer-a', issuer('ia', 'O')), b: pair('issuer-b', issuer('ib', 'O')) };
  const seen = settled({ own: pair('ca', facts('O')), bundle: [facts('A'), facts('O')], ...byOwn });
  const removed = ['anchor', 'next-anchor'].flatMap((name) => Object.values(inState(name)));
  expect(planOf(seen, { rotate: 'anchor' }, true).steps).toMatchObject([
    { id: 'certificates/bundle', action: { from: ['/keys/ca.crt'] } },
    { id: 'certificates/retire', needs: ['certificates/bundle'], action: { do: 'remove', files: removed } },
  ]);
});
