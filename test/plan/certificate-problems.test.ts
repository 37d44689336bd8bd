import { describe, expect, test } from 'vitest';
import type { ObservedCertificates } from '../../src/lab/certificates.ts';
import type { OwnAnchor } from '../../src/lab/mesh.ts';
import { type CertificateOptions, diffCertificates } from '../../src/plan/diff-certificates.ts';
import {
  DAY,
  desiredCertificates,
  facts,
  issuer,
  NOW,
  OWN,
  observedCertificates,
  pair,
  type Seen,
  settled,
} from './build-certificates.ts';

type Options = Partial<CertificateOptions>;

function problemsOf(seen: ObservedCertificates, more: Options = {}, own?: OwnAnchor): string[] {
  const options = { names: ['a', 'b'], discardKey: false, command: 'lab certs labs', ...more };
  const { problems } = diffCertificates(desiredCertificates(own), seen, options);
  return problems.map(({ at, message, hint, input }) => `${input ? 'input ' : ''}${at}: ${message} (${hint})`);
}

const ROTATE_ISSUER = '(a new one: lab certs labs a --rotate issuer)';
const ROTATE_ANCHOR = '(a new one: lab certs labs --rotate anchor)';

describe('an issuer', () => {
  const badIssuers: readonly [Parameters<typeof issuer>[2], string][] = [
    [{ notAfter: NOW }, 'it has expired on 2027-01-15 08:00 UTC'],
    [{ notBefore: NOW + 60 }, 'it is not valid before 2027-01-15 08:01 UTC'],
    [{ name: 'identity.linkerd.other' }, 'it is for identity.linkerd.other, not for identity.linkerd.cluster.local'],
    [{ name: '' }, 'it is for nobody, not for identity.linkerd.cluster.local'],
    [{ signedBy: ['X'] }, 'it is signed by another trust anchor'],
    [{ signedBy: [] }, 'it is signed by another trust anchor'],
    [{ algorithm: 'RSA 2048' }, 'its key is RSA 2048; Linkerd takes ECDSA P-256'],
    [{ signature: 'ECDSA-SHA384' }, 'its signature is ECDSA-SHA384; Linkerd takes SHA-256'],
    [{ signs: false }, 'it is no CA that may sign certificates'],
  ];

  test.each(badIssuers)('%j', (words, message) => {
    const [problem, ...others] = problemsOf(settled({ a: pair('issuer-a', issuer('ia', 'A', words)) }));
    expect(others).toEqual([]);
    expect(problem).toContain(`/s/issuer-a.crt: issuer of a: ${message} (`);
    if (!message.includes('not valid before')) expect(problem).toContain(ROTATE_ISSUER);
  });

  test('with the key of another, or without one', () => {
    const certificate = issuer('ia', 'A');
    expect(problemsOf(settled({ a: pair('issuer-a', certificate, { key: { fits: false } }) }))).toEqual([
      `/s/issuer-a.key: issuer of a: the key is not the certificate's ${ROTATE_ISSUER}`,
    ]);
    const { key, ...keyless } = pair('issuer-a', certificate);
    expect(key).toEqual({ fits: true });
    expect(problemsOf(settled({ a: keyless }))).toEqual([
      `/s/issuer-a.key: issuer of a: the key is missing ${ROTATE_ISSUER}`,
    ]);
  });

  test('whose files cannot be read is not taken for none', () => {
    const faults = [{ path: '/s/issuer-a.key', message: 'an encrypted key', hint: 'decrypt it' }];
    expect(problemsOf(settled({ a: pair('issuer-a', undefined, { faults }) }))).toEqual([
      '/s/issuer-a.key: issuer of a: an encrypted key (decrypt it)',
    ]);
  });

  test('that cannot be signed anew has to be put there', () => {
    const { key, ...keyless } = pair('anchor', facts('A'));
    expect(key).toEqual({ fits: true });
    const expired = pair('issuer-a', issuer('ia', 'A', { notAfter: NOW }));
    expect(problemsOf(settled({ anchor: keyless, a: expired }))).toEqual([
      expect.stringContaining('(put one there that is right, with its key: /s/issuer-a.crt, /s/issuer-a.key)'),
    ]);
    const rotate = problemsOf(settled({ anchor: keyless }), { rotate: 'issuer', names: ['a'] });
    expect(rotate).toEqual([
      '/s/anchor.key: no issuer for a: the key of the trust anchor is gone, or was discarded (put it back, or change to a new anchor: lab certs labs --rotate anchor)',
    ]);
  });
});

describe('a trust anchor', () => {
  const badAnchors: readonly [Parameters<typeof facts>[1], string][] = [
    [{ notAfter: NOW - 5 * DAY }, 'it has expired on 2027-01-10 08:00 UTC'],
    [{ notBefore: NOW + DAY }, 'it is not valid before 2027-01-16 08:00 UTC'],
    [{ algorithm: 'RSA 1024' }, 'its key is RSA 1024; Linkerd takes ECDSA P-256, RSA 2048, RSA 4096'],
    [{ algorithm: 'ECDSA P-384' }, 'its key is ECDSA P-384; Linkerd takes ECDSA P-256, RSA 2048, RSA 4096'],
    [{ signs: false }, 'it is no CA that may sign certificates'],
    [{ pathLength: 0 }, 'its path length of 0 allows no issuer below it'],
  ];

  test.each(badAnchors)('of ours: %j', (words, message) => {
    const [problem, ...others] = problemsOf(settled({ anchor: pair('anchor', facts('A', words)) }));
    expect(others).toEqual([]);
    expect(problem).toContain(`/s/anchor.crt: trust anchor: ${message} (`);
  });

  test.each(badAnchors)('of the user’s own: %j', (words, message) => {
    const [problem, ...others] = problemsOf(observedCertificates({ own: pair('ca', facts('O', words)) }), {}, OWN);
    expect(others).toEqual([]);
    expect(problem).toContain(`input lab.yaml:3:5: trust anchor /s/ca.crt: ${message} (`);
  });

  test.each(['RSA 2048', 'RSA 4096'])('of the user’s own with %s, and any name', (algorithm) => {
    const own = pair('ca', facts('O', { algorithm, name: 'My Root', signature: 'RSA-SHA1' }));
    expect(problemsOf(observedCertificates({ own }), {}, OWN)).toEqual([]);
  });

  test('with the key of another', () => {
    const words = { key: { fits: false } };
    expect(problemsOf(settled({ anchor: pair('anchor', facts('A'), words) }))).toEqual([
      `/s/anchor.key: trust anchor: the key is not the certificate's ${ROTATE_ANCHOR}`,
    ]);
    expect(problemsOf(observedCertificates({ own: pair('ca', facts('O'), words) }), {}, OWN)).toEqual([
      "input lab.yaml:3:5: trust anchor /s/ca.key: the key is not the certificate's (name another one in spec.mesh.certificates.anchor)",
    ]);
  });

  test('of another trust domain', () => {
    expect(problemsOf(settled({ anchor: pair('anchor', facts('A', { name: 'root.linkerd.old' })) }))).toEqual([
      `/s/anchor.crt: trust anchor: it is called root.linkerd.old, and with this trust domain it would be root.linkerd.cluster.local ${ROTATE_ANCHOR}`,
    ]);
  });

  test('that is gone while something of it is left', () => {
    const gone = [
      expect.stringMatching(/^\/s\/anchor\.crt: the trust anchor is gone, but clusters may trust it still/),
    ];
    expect(problemsOf(settled({ anchor: pair('anchor') }))).toEqual(gone);
    expect(problemsOf(settled({ anchor: pair('anchor'), bundle: [] }))).toEqual(gone);
  });

  test('of the user’s own that clusters do not trust yet, or trust already', () => {
    const own = pair('ca', facts('O'));
    expect(problemsOf(settled({ own }), {}, OWN)).toEqual([
      'input lab.yaml:3:5: clusters trust another anchor than this one (to change over to this one: lab certs labs --rotate anchor)',
    ]);
    const byOwn: Seen = {
      own,
      bundle: [facts('O')],
      a: pair('issuer-a', issuer('ia', 'O')),
      b: pair('issuer-b', issuer('ib', 'O')),
    };
    expect(problemsOf(settled(byOwn), {}, OWN)).toEqual([]);
    expect(problemsOf(settled(byOwn), { rotate: 'anchor' }, OWN)).toEqual([
      'input lab.yaml:3:5: the trust anchor is your own, and clusters trust it already (name the files of the new one here, and repeat this)',
    ]);
  });

  test('of the user’s own that is to follow, and cannot', () => {
    const own = pair('ca', facts('O', { notAfter: NOW }));
    const [problem, ...others] = problemsOf(settled({ own }), { rotate: 'anchor' }, OWN);
    expect(others).toEqual([]);
    expect(problem).toContain('trust anchor /s/ca.crt: it has expired');
  });

  test('whose files cannot be read', () => {
    const faults = [{ path: '/s/x', message: 'cannot be read: permission denied' }];
    const said = 'cannot be read: permission denied';
    expect(problemsOf(observedCertificates({ anchor: pair('anchor', undefined, { faults }) }))).toEqual([
      `/s/x: trust anchor: ${said} ${ROTATE_ANCHOR}`,
    ]);
    expect(problemsOf(settled({ next: pair('next-anchor', undefined, { faults }) }), { rotate: 'anchor' })).toEqual([
      `/s/x: next trust anchor: ${said} (remove it)`,
    ]);
    const bundle = { path: '/s/bundle.crt', trusted: [], faults };
    expect(problemsOf({ ...settled(), bundle })).toEqual([`/s/x: trusted anchors: ${said} (remove it)`]);
    expect(problemsOf(observedCertificates({ own: pair('ca', undefined, { faults }) }), {}, OWN)).toEqual([
      `input lab.yaml:3:5: trust anchor /s/x: ${said} (name another one in spec.mesh.certificates.anchor)`,
    ]);
  });
});

describe('--discard-root-key', () => {
  const discard = { discardKey: true };
  const changes = (seen: ObservedCertificates, more: Options = {}) =>
    diffCertificates(desiredCertificates(), seen, {
      names: ['a', 'b'],
      ...discard,
      command: 'lab certs labs',
      ...more,
    }).changes.map(({ kind }) => kind);

  test('comes last, and once', () => {
    expect(changes(observedCertificates())).toEqual(['anchor', 'trust', 'issuer', 'issuer', 'discard']);
    expect(changes(settled())).toEqual(['discard']);
    const { key, ...keyless } = pair('anchor', facts('A'));
    expect(key).toEqual({ fits: true });
    expect(changes(settled({ anchor: keyless }))).toEqual([]);
    expect(problemsOf(settled({ anchor: keyless }), discard)).toEqual([]);
  });

  test('is refused while something needs it', () => {
    expect(problemsOf(observedCertificates(), { ...discard, names: ['a'] })).toEqual([
      'input command line: --discard-root-key: b would never get an issuer (all at once: lab certs labs --discard-root-key)',
    ]);
    expect(problemsOf(settled(), { ...discard, signing: ['smiley'] })).toEqual([
      'input command line: --discard-root-key: SPIRE beside smiley signs with it (first take spire out of those files)',
    ]);
    const next = pair('next-anchor', facts('B'));
    expect(problemsOf(settled({ next, bundle: [facts('A'), facts('B')] }), discard)).toEqual([
      'input command line: --discard-root-key: the trust anchor is being changed, which takes its key (first finish: lab certs labs --rotate anchor)',
    ]);
    expect(problemsOf(observedCertificates({ own: pair('ca', facts('O')) }), discard, OWN)).toEqual([
      'input lab.yaml:3:5: --discard-root-key: the key of the trust anchor is your own (leave it out of lab.yaml once all issuers are signed)',
    ]);
  });
});

describe('what expires soon', () => {
  const warningsOf = (days: number, more: Options = {}) => {
    const notAfter = NOW + days * DAY;
    const seen = settled({ bundle: [facts('A', { notAfter })], a: pair('issuer-a', issuer('ia', 'A', { notAfter })) });
    const options = { names: ['a', 'b'], discardKey: false, command: 'lab certs labs', ...more };
    return diffCertificates(desiredCertificates(), seen, options).warnings;
  };

  test.each([
    [60, undefined],
    [59, 'in 59 days (2027-03-15)'],
    [1, 'in 1 day (2027-01-16)'],
    [0.5, 'today (2027-01-15)'],
  ])('in %s days', (days, when) => {
    const said = [
      `trust anchor root.linkerd.cluster.local expires ${when}: lab certs labs --rotate anchor`,
      `issuer of a expires ${when}: lab certs labs a --rotate issuer`,
    ];
    expect(warningsOf(days)).toEqual(when === undefined ? [] : said);
  });

  test('and is made anew needs no warning', () => {
    expect(warningsOf(5, { rotate: 'issuer' })).toHaveLength(1);
  });
});
