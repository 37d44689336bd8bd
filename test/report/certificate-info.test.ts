import { expect, test } from 'vitest';
import { describeCertificates, formatCertificates } from '../../src/report/certificate-info.ts';
import { DAY, facts, issuer, NOW, pair, settled } from '../plan/build-certificates.ts';

const seen = settled({
  bundle: [facts('A'.repeat(64), { notAfter: NOW + 3650 * DAY })],
  a: pair('issuer-a', issuer('1'.repeat(64), 'A'.repeat(64), { notAfter: NOW + 59.5 * DAY })),
  b: pair('issuer-b', issuer('2'.repeat(64), 'A'.repeat(64), { notAfter: NOW - DAY / 2, signedBy: [] })),
});

test('what is worth knowing of each', () => {
  expect(describeCertificates(seen, ['a', 'c'])).toEqual([
    {
      role: 'trust anchor',
      name: 'root.linkerd.cluster.local',
      fingerprint: 'A'.repeat(64),
      notAfter: '2037-01-12T08:00:00.000Z',
      daysLeft: 3650,
    },
    {
      role: 'issuer',
      cluster: 'a',
      name: 'identity.linkerd.cluster.local',
      fingerprint: '1'.repeat(64),
      signedBy: 'A'.repeat(64),
      notAfter: '2027-03-15T20:00:00.000Z',
      daysLeft: 59,
    },
  ]);
});

test('a line each, also of one that has expired', () => {
  expect(formatCertificates(describeCertificates(seen, ['a', 'b']), false).split('\n')).toEqual([
    'CERTIFICATE   NAME                            EXPIRES     DAYS  FINGERPRINT       SIGNED-BY',
    'trust-anchor  root.linkerd.cluster.local      2037-01-12  3650  AAAAAAAAAAAAAAAA  -',
    'issuer/a      identity.linkerd.cluster.local  2027-03-15  59    1111111111111111  AAAAAAAAAAAAAAAA',
    'issuer/b      identity.linkerd.cluster.local  2027-01-14  -1    2222222222222222  -',
  ]);
  expect(formatCertificates(describeCertificates(seen, []), true)).toContain('A'.repeat(64));
});
