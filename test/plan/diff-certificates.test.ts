import { describe, expect, test } from 'vitest';
import type { ObservedCertificates } from '../../src/lab/certificates.ts';
import { type CertificateChange, type CertificateOptions, diffCertificates } from '../../src/plan/diff-certificates.ts';
import {
  desiredCertificates,
  facts,
  issuer,
  NOW,
  OWN,
  observedCertificates,
  pair,
  settled,
} from './build-certificates.ts';

const ALL: CertificateOptions = { names: ['a', 'b'], discardKey: false, command: 'lab certs labs' };

const word = (change: CertificateChange): string => {
  switch (change.kind) {
    case 'anchor':
      return `make ${change.slot}`;
    case 'issuer':
      return `${change.replaces ? 'replace' : 'make'} issuer ${change.cluster} by ${change.signer}`;
    case 'trust':
      return `trust ${change.slots.join('+')}`;
    case 'distrust':
      return `only ${change.keep}`;
    case 'discard':
      return 'discard';
  }
};

/** Changes as words; fails when there is a problem. */
function changesOf(seen: ObservedCertificates, more: Partial<CertificateOptions> = {}, own = false): string[] {
  const diff = diffCertificates(desiredCertificates(own ? OWN : undefined), seen, { ...ALL, ...more });
  expect(diff.problems).toEqual([]);
  return diff.changes.map(word);
}

const phaseOf = (seen: ObservedCertificates, own = false) =>
  diffCertificates(desiredCertificates(own ? OWN : undefined), seen, ALL).rotation;

describe('without a rotation', () => {
  test.each<[string, ObservedCertificates, Partial<CertificateOptions>, string[]]>([
    [
      'everything is made once',
      observedCertificates(),
      {},
      ['make anchor', 'trust anchor', 'make issuer a by anchor', 'make issuer b by anchor'],
    ],
    [
      'only what is named',
      observedCertificates(),
      { names: ['b'] },
      ['make anchor', 'trust anchor', 'make issuer b by anchor'],
    ],
    ['a second run changes nothing', settled(), {}, []],
    ['a new cluster gets its issuer', settled({ b: pair('issuer-b') }), {}, ['make issuer b by anchor']],
    [
      'a key without a certificate is what a killed run left',
      settled({ b: pair('issuer-b', undefined, { key: { fits: false } }) }),
      {},
      ['make issuer b by anchor'],
    ],
    ['a bundle that is gone is written again', settled({ bundle: [] }), {}, ['trust anchor']],
    [
      'an anchor that a killed run left is used',
      observedCertificates({ anchor: pair('anchor', facts('A')) }),
      { names: ['a'] },
      ['trust anchor', 'make issuer a by anchor'],
    ],
    ['--rotate issuer', settled(), { rotate: 'issuer', names: ['a'] }, ['replace issuer a by anchor']],
    [
      '--rotate anchor of a new lab is a first run',
      observedCertificates(),
      { rotate: 'anchor', names: ['a'] },
      ['make anchor', 'trust anchor', 'make issuer a by anchor'],
    ],
  ])('%s', (_, seen, options, changes) => {
    expect(changesOf(seen, options)).toEqual(changes);
  });

  test('--rotate issuer heals any issuer', () => {
    const broken = [
      issuer('i', 'A', { notAfter: NOW - 1 }),
      issuer('i', 'another'),
      issuer('i', 'A', { name: 'else', algorithm: 'RSA 2048' }),
    ];
    for (const one of broken) {
      const seen = settled({ a: pair('issuer-a', one, { key: { fits: false } }) });
      expect(changesOf(seen, { rotate: 'issuer', names: ['a'] })).toEqual(['replace issuer a by anchor']);
    }
  });

  test('issuers of clusters that are not named are nobody’s concern', () => {
    expect(changesOf(settled({ b: pair('issuer-b', issuer('ib', 'X')) }), { names: ['a'] })).toEqual([]);
  });
});

describe('a change of the anchor', () => {
  const next = pair('next-anchor', facts('B', { pathLength: 1 }));
  const both = [facts('A'), facts('B')];
  const byNext = { a: pair('issuer-a', issuer('ia', 'B')), b: pair('issuer-b', issuer('ib', 'B')) };
  const steps: readonly [string, ObservedCertificates, string[]][] = [
    ['settled', settled(), ['make next', 'trust next']],
    ['prepared', settled({ next }), ['trust next']],
    ['trusted', settled({ next, bundle: both }), ['replace issuer a by next', 'replace issuer b by next']],
    ['trusted', settled({ next, bundle: both, a: byNext.a }), ['replace issuer b by next']],
    [
      'trusted',
      settled({ next, bundle: both, a: pair('issuer-a') }),
      ['make issuer a by next', 'replace issuer b by next'],
    ],
    ['signed', settled({ next, bundle: both, ...byNext }), ['only next']],
    ['signed', settled({ next, bundle: [facts('B')], ...byNext }), ['only next']],
  ];

  test.each(steps)('%s: a step further', (phase, seen, changes) => {
    expect(phaseOf(seen).phase).toBe(phase);
    expect(changesOf(seen, { rotate: 'anchor' })).toEqual(changes);
  });

  test.each(steps)('%s: without the flag nothing is gone on with', (_, seen) => {
    const missing = seen.issuers.a?.certificate ? [] : ['make issuer a by anchor'];
    expect(changesOf(seen)).toEqual(missing);
  });

  test('a bundle that is lost meanwhile is written again, with both', () => {
    expect(changesOf(settled({ next, bundle: [] }))).toEqual(['trust anchor+next']);
    expect(changesOf(settled({ next, bundle: [], ...byNext }))).toEqual(['trust anchor+next']);
  });

  test('of named clusters only the issuers of those', () => {
    expect(changesOf(settled({ next, bundle: both }), { rotate: 'anchor', names: ['b'] })).toEqual([
      'replace issuer b by next',
    ]);
  });

  test('a new issuer is signed by what every proxy trusts', () => {
    const half = settled({ next, bundle: both, b: pair('issuer-b') });
    expect(changesOf(half, { names: ['b'] })).toEqual(['make issuer b by anchor']);
    // The old key was discarded.
    const { anchor } = settled().anchors;
    const { key, ...keyless } = anchor;
    expect(key).toEqual({ fits: true });
    expect(changesOf({ ...half, anchors: { anchor: keyless, next } }, { names: ['b'] })).toEqual([
      'make issuer b by next',
    ]);
    const late = settled({ next, bundle: both, ...byNext, b: pair('issuer-b') });
    expect(changesOf(late, { names: ['b'] })).toEqual(['make issuer b by next']);
  });

  test('goes on when the old anchor is of no use any more', () => {
    const old = pair('anchor', facts('A', { notAfter: NOW - 1, name: 'before' }), { key: { fits: false } });
    expect(changesOf(settled({ anchor: old }), { rotate: 'anchor' })).toEqual(['make next', 'trust next']);
    expect(changesOf(settled({ anchor: pair('anchor') }), { rotate: 'anchor' })).toEqual([
      'make anchor',
      'trust anchor',
    ]);
  });

  test('from the one to another of the user’s own, and back', () => {
    const own = pair('own', facts('O'));
    const wanted = settled({ own });
    expect(phaseOf(wanted, true)).toEqual({ phase: 'prepared', target: 'own', signer: 'anchor' });
    expect(changesOf(wanted, { rotate: 'anchor' }, true)).toEqual(['trust own']);
    const trusted = settled({ own, bundle: [facts('A'), facts('O')] });
    expect(changesOf(trusted, { rotate: 'anchor' }, true)).toEqual([
      'replace issuer a by own',
      'replace issuer b by own',
    ]);
    const byOwn = { a: pair('issuer-a', issuer('ia', 'O')), b: pair('issuer-b', issuer('ib', 'O')) };
    const signed = settled({ own, bundle: [facts('A'), facts('O')], ...byOwn });
    expect(changesOf(signed, { rotate: 'anchor' }, true)).toEqual(['only own']);
    const back = settled({ bundle: [facts('O')], anchor: pair('anchor'), ...byOwn });
    expect(changesOf(back, { rotate: 'anchor' })).toEqual(['make anchor', 'trust anchor']);
  });
});

describe('an anchor of the user’s own', () => {
  const own = pair('own', facts('O'));
  test('is trusted, and signs', () => {
    expect(changesOf(observedCertificates({ own }), {}, true)).toEqual([
      'trust own',
      'make issuer a by own',
      'make issuer b by own',
    ]);
  });

  test('without its key is enough to check what is there', () => {
    const { key, ...keyless } = own;
    expect(key).toEqual({ fits: true });
    const seen = observedCertificates({
      own: keyless,
      bundle: [facts('O')],
      a: pair('issuer-a', issuer('ia', 'O')),
      b: pair('issuer-b'),
    });
    expect(changesOf(seen, { names: ['a'] }, true)).toEqual([]);
    const { problems } = diffCertificates(desiredCertificates(OWN), seen, ALL);
    expect(problems).toEqual([
      {
        at: OWN.at,
        message: 'no issuer for b, and no key to sign one',
        hint: expect.stringContaining(
          'common name identity.linkerd.cluster.local) and put them there:\n/s/issuer-b.crt and /s/issuer-b.key',
        ),
        input: true,
      },
    ]);
  });
});
