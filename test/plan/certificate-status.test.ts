import { expect, test } from 'vitest';
import type { ObservedCertificates } from '../../src/lab/certificates.ts';
import { certsRows } from '../../src/plan/certificate-status.ts';
import { desiredCertificates, facts, issuer, NOW, pair, settled } from './build-certificates.ts';

const lab = { name: 'practical', uid: '0123456789ab', dir: 'labs', path: '/labs' };

function rowsOf(certificates: ObservedCertificates | undefined, names = ['a', 'b']): string[] {
  const rows = certsRows(
    { lab, certificates: desiredCertificates() },
    certificates === undefined ? {} : { certificates },
    names,
  );
  return rows.map(({ cluster, thing, result, have }) => `${cluster} ${thing} ${result}: ${have}`);
}

test('what is in order', () => {
  expect(rowsOf(settled(), ['a'])).toEqual([
    '- certs ok: root.linkerd.cluster.local until 2027-11-11',
    'a certs ok: identity.linkerd.cluster.local until 2027-11-11',
  ]);
});

test('what is missing, and what is wrong', () => {
  const expired = pair('issuer-b', issuer('ib', 'A', { notAfter: NOW }));
  expect(rowsOf(settled({ a: pair('issuer-a'), b: expired }))).toEqual([
    '- certs ok: root.linkerd.cluster.local until 2027-11-11',
    'a certs drift: none',
    'b certs drift: issuer of b: it has expired on 2027-01-15 08:00 UTC',
  ]);
});

test('an anchor that is being changed', () => {
  const next = pair('next-anchor', facts('B'));
  const [anchor] = rowsOf(settled({ next, bundle: [facts('A'), facts('B')] }));
  expect(anchor).toBe('- certs drift: another one, trusted');
});

test('an anchor without a bundle', () => {
  expect(rowsOf(settled({ bundle: [] }))[0]).toBe('- certs drift: no cluster is told to trust it');
});

test('nothing where nothing was asked for', () => {
  expect(rowsOf(undefined)).toEqual([]);
  expect(certsRows({ lab }, { certificates: settled() }, ['a'])).toEqual([]);
});
