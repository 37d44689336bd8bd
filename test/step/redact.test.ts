import { describe, expect, it } from 'vitest';
import { redact, redactData } from '../../src/step/redact.ts';

const PEM = `-----BEGIN EC PRIVATE KEY-----\n${'MHcCAQEE'.repeat(8)}\nCANARY==\n-----END EC PRIVATE KEY-----`;

describe('redact', () => {
  it.each([
    ['a private key', `before\n${PEM}\nafter`],
    ['the beginning of a private key', PEM.slice(0, -20)],
    ['a private key in base64', `tls.key: ${Buffer.from(PEM).toString('base64')}`],
    ['a line of YAML', '  client-key-data: CANARY\n'],
    ['a line of a list of YAML', '- token: "CANARY with \\" quotes"'],
    ['JSON', '{"user": {"accessToken":"CANARY", "b": 1}}'],
    ['TOML', 'password = "CANARY one"'],
    ['a variable', 'export REGISTRY_PASSWORD=CANARY'],
    ['a flag', 'helm registry login --password CANARY'],
    ['a flag with =', 'helm registry login --password=CANARY'],
    ['a header', 'Authorization: Bearer CANARY-CANARY'],
    ['a URL', 'proxyconnect https://me:CANARY@proxy:3128/'],
    ['a token', 'sent eyJhbGciOiJSUzI1NiJ9.CANARYCANARY.CANARY-_ to it'],
    ['registry credentials', '{"auths":{"r.example":{"auth":"CANARY"}}}'],
  ])('takes %s out', (_, text) => {
    const left = redact(text);
    expect(left).not.toContain('CANARY');
    expect(left).not.toContain('MHcCAQEE');
    expect(left).toContain('***');
  });

  it.each([
    'ERROR: failed to create cluster: port is already allocated',
    'error: failed to get the secret: it is not there',
    'Error from server (Forbidden): secrets "linkerd-identity-issuer" is forbidden: User "x" cannot get',
    '    secretName: linkerd-identity-issuer',
    'kubectl --kubeconfig /home/me/a.yaml apply -f -',
    'authority: x',
    '10.1.0.0/16 via 172.28.0.2 proto 76',
    'sha256:3966ac761ae0136263ffdb6cfd4db23ef8a83cba8a463690e98317add2c9ba72',
    'https://github.com/metallb/metallb/blob/v0.15.2/config@main',
  ])('leaves: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('takes its time with nothing', () => {
    const begun = performance.now();
    for (const piece of ['a', '-', 'token', 'eyJ', '"', '-----BEGIN '])
      redact(piece.repeat(Math.ceil(65536 / piece.length)));
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe('redactData', () => {
  it('hides what telling keys hold and every value of an environment, and leaves the rest', () => {
    expect(
      redactData({ env: { A: 'x' }, token: 'CANARY', credentials: { ca: 'x' }, list: [1, null, 'password=CANARY'] }),
    ).toEqual({ env: { A: '***' }, token: '***', credentials: { ca: 'x' }, list: [1, null, 'password=***'] });
  });
});
