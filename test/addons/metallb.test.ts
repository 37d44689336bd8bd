import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifestId } from '../../src/addons/addon.ts';
import { metallb } from '../../src/addons/metallb.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Step } from '../../src/step/step.ts';
import { cluster, lab, observed } from '../plan/build-lab.ts';

const [desired] = resolve(lab([cluster('a', { ipFamily: 'dual' })]), observed()).clusters;
if (!desired) throw new Error('no cluster');
const MANIFEST = { location: 'https://example.com/metallb.yaml' };
const retries = (step: Step | undefined, message: string) =>
  step?.kind === 'run' && step.retry?.on.some((pattern) => new RegExp(pattern, 'i').test(message));

describe('MetalLB', () => {
  it('is applied, waited for, and only then given its pool', () => {
    const steps = metallb.install(desired, MANIFEST, ['a/create']);
    expect(steps.map(({ id, needs }) => [id, ...needs])).toEqual([
      ['a/metallb', 'a/create'],
      ['a/metallb-controller', 'a/metallb'],
      ['a/metallb-speaker', 'a/metallb'],
      ['a/pool', 'a/metallb-controller'],
    ]);
    expect(steps[0]).toMatchObject({ argv: expect.arrayContaining(['apply', '--server-side', MANIFEST.location]) });
    expect(steps.slice(1, 3)).toMatchObject([
      { for: { resource: 'deployment', namespace: 'metallb-system', name: 'controller' } },
      { for: { resource: 'daemonset', namespace: 'metallb-system', name: 'speaker' } },
    ]);
  });

  it('has one pool with the addresses of both families, and advertises it', () => {
    const { stdin } = metallb.pool(desired, MANIFEST, []);
    const [pool, advertisement, ...rest] = parseAllDocuments(String(stdin)).map((document) => document.toJS());
    expect(rest).toEqual([]);
    expect(pool).toEqual({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: {
        ...{ name: 'lab', namespace: 'metallb-system' },
        annotations: { 'lab/manifest': 'https://example.com/metallb.yaml' },
      },
      spec: { addresses: ['172.28.8.0/28', 'fd00:1ab::1:0/124'] },
    });
    expect(advertisement).toMatchObject({
      kind: 'L2Advertisement',
      metadata: { name: 'lab', namespace: 'metallb-system' },
      spec: { ipAddressPools: ['lab'] },
    });
  });

  it.each([
    'Error from server (InternalError): failed calling webhook "ipaddresspoolvalidationwebhook.metallb.io": connect: connection refused',
    'failed calling webhook "ipaddresspoolvalidationwebhook.metallb.io": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?',
    'error: no matches for kind "IPAddressPool" in version "metallb.io/v1beta1"',
    'no endpoints available for service "metallb-webhook-service"',
  ])('is given its pool again after: %s', (message) => {
    expect(retries(metallb.pool(desired, MANIFEST, []), message)).toBe(true);
    expect(retries(metallb.pool(desired, MANIFEST, []), 'spec.addresses: Invalid value')).toBe(false);
  });

  it.each([
    'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?',
    'Unable to connect to the server: net/http: TLS handshake timeout',
    'error: unable to read URL: Get "https://x": EOF',
    'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
  ])('is applied again after: %s', (message) => {
    const [apply] = metallb.install(desired, MANIFEST, []);
    expect(retries(apply, message)).toBe(true);
    expect(retries(apply, 'error: the path "x.yaml" does not exist')).toBe(false);
  });

  it('is told from another one by the content of a file, or by its address', () => {
    expect(manifestId(MANIFEST)).toBe(MANIFEST.location);
    expect(manifestId({ location: 'a.yaml', sha256: 'abc' })).toBe('abc');
  });
});
