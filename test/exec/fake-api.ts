import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { makeCertificate } from '../stubs/api-server.ts';

let certificate: ReturnType<typeof makeCertificate> | undefined;

/** An API server that answers each path as `answer` says (404 for undefined, 500 for an error), and its kubeconfig. */
export async function startFakeApi(answer: (path: string) => unknown) {
  certificate ??= makeCertificate();
  const asked: string[] = [];
  const server = createServer(certificate, ({ url = '' }, response) => {
    asked.push(url);
    const object = answer(url);
    response.statusCode = object === undefined ? 404 : object instanceof Error ? Number(object.cause) || 500 : 200;
    response.end(object instanceof Error ? object.message : JSON.stringify(object ?? {}));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': certificate.cert.toString('base64'),
  };
  const kubeconfig = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user: { token: 'x' } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    'current-context': 'x',
  });
  return { kubeconfig, asked };
}
