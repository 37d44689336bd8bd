import { describe, expect, it } from 'vitest';
import { gatewayApiMisfit, isTooOld, readChecks, seriesOf, summariseChecks } from '../../src/tools/linkerd.ts';
import { toolOutput } from './fixture.ts';

describe("a CLI's version", () => {
  it.each([
    ['edge-26.8.3', [2, 20], false],
    ['edge-25.10.7', [2, 19], false],
    ['edge-25.10.6', [2, 18], false],
    ['edge-25.4.4', [2, 18], false],
    ['edge-25.4.3', [2, 17], true],
    ['edge-24.11.8', [2, 17], true],
    ['stable-2.14.10', [2, 14], true],
    ['enterprise-2.19.1', [2, 19], false],
    ['dev-1234abcd-me', undefined, false],
  ] as const)('%s tells what it can do', (version, series, tooOld) => {
    expect(seriesOf(version)).toEqual(series);
    expect(isTooOld(version)).toBe(tooOld);
  });

  it.each([
    ['edge-26.8.3', 'v1.2.1', undefined],
    ['edge-26.8.3', 'v1.5.1', undefined],
    ['edge-26.8.3', 'v1.1.1', 'Gateway API CRDs v1.1.1 are installed, and edge-26.8.3 fits 1.2.1 to 1.5.1'],
    ['edge-25.5.1', 'v1.4.0', 'Gateway API CRDs v1.4.0 are installed, and edge-25.5.1 fits 1.1.1 to 1.2.1'],
    ['edge-25.5.1', 'v1.1.1', undefined],
    ['edge-26.8.3', 'unknown', undefined],
  ])('%s with Gateway API %s: %s', (linkerd, installed, misfit) => {
    expect(gatewayApiMisfit(linkerd, installed)).toBe(misfit);
  });
});

describe('linkerd check -o json', () => {
  it('prints one document for itself and one for its extensions', () => {
    const results = readChecks(toolOutput('linkerd-edge-26.8.3/check.json')) ?? [];
    const categories = new Set(results.map(({ category }) => category));
    expect([...categories].at(0)).toBe('kubernetes-api');
    expect([...categories].at(-1)).toBe('linkerd-multicluster');
  });

  it('wants the internet for news only, which says nothing about the lab', () => {
    const results = readChecks(toolOutput('linkerd-edge-26.8.3/check.json')) ?? [];
    expect(results.filter(({ result }) => result === 'warning').length).toBeGreaterThan(0);
    expect(summariseChecks(results)).toMatchObject({ failed: [], warnings: [] });
  });

  it('says what failed, and why', () => {
    const results = readChecks(toolOutput('linkerd-edge-26.8.3/check-pre-installed.json')) ?? [];
    const { failed, passed } = summariseChecks(results);
    expect(failed[0]).toBe(
      'pre-kubernetes-setup: control plane namespace does not already exist: The "linkerd" namespace already exists',
    );
    expect(passed).toBeGreaterThan(3);
  });

  it('keeps a warning that is no news', () => {
    const check = { description: 'no clock skew detected', result: 'warning', error: 'clock skew of 3m' };
    const document = JSON.stringify({ success: true, categories: [{ categoryName: 'pre', checks: [check] }] });
    expect(summariseChecks(readChecks(document) ?? []).warnings).toEqual([
      'pre: no clock skew detected: clock skew of 3m',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['an error in words', 'Error: unknown flag: --wiat'],
    ['a document that breaks off', '{"success": true, "categories": ['],
    ['something else in braces', '{flags}'],
  ])('is not there: %s', (_, output) => {
    expect(readChecks(output)).toBeUndefined();
  });

  it('may have braces in what it says', () => {
    const check = { description: 'a } and a \\" and a {', result: 'success' };
    const document = JSON.stringify({
      categories: [
        { categoryName: 'c', checks: [check] },
        { categoryName: 'd', checks: null },
      ],
    });
    expect(readChecks(`${document}\n${document}`)).toHaveLength(2);
  });
});
