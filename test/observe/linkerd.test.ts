import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { connectApi } from '../../src/observe/api-client.ts';
import { observeLinkerdClis, readLinkerd } from '../../src/observe/linkerd.ts';
import { startFakeApi } from '../exec/fake-api.ts';
import { fails, fakeRunner, says } from '../exec/fake-runner.ts';
import { makeCertificate } from '../mesh/authority.ts';
import { toolOutput } from '../tools/fixture.ts';

const read = async (objects: Readonly<Record<string, unknown>>) => {
  const { kubeconfig } = await startFakeApi((path) => objects[path.split('?')[0] ?? '']);
  const api = await connectApi(kubeconfig);
  try {
    return await readLinkerd(api);
  } finally {
    api.close();
  }
};

const deployment = (name: string, available = 1) => ({
  metadata: { name },
  spec: { replicas: 1 },
  status: { updatedReplicas: available, availableReplicas: available },
});
const DEPLOYMENTS = '/apis/apps/v1/namespaces/linkerd/deployments';
const CONFIG = '/api/v1/namespaces/linkerd/configmaps/linkerd-config';
const EXTENSION = '/api/v1/namespaces/linkerd-multicluster';
const LINKS = '/apis/multicluster.linkerd.io/v1alpha3/namespaces/linkerd-multicluster/links';
/** What `link-gen` prints: two Secrets and a Link. */
const [secret, , link] = parseAllDocuments(toolOutput('linkerd-edge-26.8.3/link-gen.yaml')).map((document) =>
  document.toJS(),
);

describe('Linkerd in a cluster', () => {
  it('is nothing at all before it is installed', async () => {
    expect(await read({})).toEqual({
      present: false,
      ready: false,
      anchors: [],
      outdated: [],
      extension: { ready: false, links: [], federated: [] },
    });
  });

  it('has a version, what it was made from, and runs', async () => {
    const state = await read({
      '/api/v1/namespaces/linkerd': { metadata: { name: 'linkerd', annotations: { 'lab/inputs': 'those' } } },
      [CONFIG]: { metadata: {}, data: { values: 'controllerReplicas: 1\nlinkerdVersion: edge-26.8.3\n' } },
      [DEPLOYMENTS]: {
        items: ['linkerd-identity', 'linkerd-destination', 'linkerd-proxy-injector'].map((name) => deployment(name)),
      },
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io': {
        metadata: { annotations: { 'gateway.networking.k8s.io/bundle-version': 'v1.2.1' } },
      },
    });
    expect(state).toMatchObject({
      present: true,
      version: 'edge-26.8.3',
      inputs: 'those',
      ready: true,
      gatewayAPI: 'v1.2.1',
    });
  });

  it('shows proxies that learned other anchors when they started, and not its own', async () => {
    const [{ certificate: now }, { certificate: then }] = [await makeCertificate(), await makeCertificate()];
    const pod = (namespace: string, name: string, env: object, containers: 'containers' | 'initContainers') => ({
      metadata: { namespace, name },
      spec: {
        [containers]: [{ name: 'linkerd-proxy', env: [{ name: 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS', ...env }] }],
      },
    });
    const state = await read({
      '/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots': {
        metadata: {},
        data: { 'ca-bundle.crt': now },
      },
      '/api/v1/pods': {
        items: [
          pod('demo', 'new', { value: `${now}\n` }, 'initContainers'),
          pod('demo', 'old', { value: then }, 'containers'),
          pod('linkerd', 'linkerd-identity', { valueFrom: {} }, 'containers'),
        ],
      },
    });
    expect(state.outdated.map(({ pod }) => pod)).toEqual(['demo/old']);
    expect(state.outdated[0]?.anchors).toHaveLength(1);
    expect(state.outdated[0]?.anchors).not.toEqual(state.anchors);
  });

  it('does not run while one of its deployments does not', async () => {
    const items = [
      deployment('linkerd-identity'),
      deployment('linkerd-destination', 0),
      deployment('linkerd-proxy-injector'),
    ];
    expect(await read({ [DEPLOYMENTS]: { items } })).toMatchObject({ ready: false });
  });

  it('shows a link with the server of its credentials, and never their token', async () => {
    const mirror = (name: string, labels: object) => ({ metadata: { name, namespace: 'demo', labels } });
    const state = await read({
      [LINKS]: {
        items: [
          {
            ...link,
            metadata: {
              ...link.metadata,
              annotations: { ...link.metadata.annotations, 'lab/link': '{"uid":"u","mode":"flat"}' },
            },
          },
        ],
      },
      [`${EXTENSION}/secrets`]: { items: [secret] },
      '/apis/apps/v1/namespaces/linkerd-multicluster/deployments': { items: [deployment('controller-lk-b')] },
      '/api/v1/services': {
        items: [
          mirror('web-lk-b', { 'mirror.linkerd.io/cluster-name': 'lk-b' }),
          mirror('probe-lk-b', {
            'mirror.linkerd.io/cluster-name': 'lk-b',
            'mirror.linkerd.io/mirrored-gateway': 'true',
          }),
          {
            metadata: {
              name: 'web-federated',
              namespace: 'demo',
              annotations: { 'multicluster.linkerd.io/remote-discovery': 'web@lk-b,web@lk-c' },
            },
          },
        ],
      },
    });
    expect(state.extension.links).toMatchObject([
      {
        to: 'lk-b',
        record: { uid: 'u', mode: 'flat' },
        version: 'edge-26.8.3',
        gateway: [],
        server: 'https://172.28.32.5:6443',
        ca: expect.stringMatching(/^[0-9a-f]{64}$/),
        ready: true,
        services: ['demo/web-lk-b'],
      },
    ]);
    expect(state.extension.federated).toEqual([
      { namespace: 'demo', name: 'web-federated', members: ['web@lk-b', 'web@lk-c'], local: false },
    ]);
    expect(JSON.stringify(state)).not.toContain('token');
  });

  it('takes a note that cannot be read for none', async () => {
    const broken = { ...link, metadata: { ...link.metadata, annotations: { 'lab/link': '{' } } };
    const { links } = (await read({ [LINKS]: { items: [broken] } })).extension;
    expect(links[0]?.record).toBeUndefined();
  });
});

describe("Linkerd's CLI", () => {
  it('says what it is, each once', async () => {
    const { runner, lines } = fakeRunner(() => says(toolOutput('linkerd-edge-26.8.3/version.txt')));
    expect(await observeLinkerdClis(runner, ['linkerd', 'linkerd'])).toEqual([
      { binary: 'linkerd', version: 'edge-26.8.3' },
    ]);
    expect(lines()).toEqual(['linkerd version --client --short']);
  });

  it('may be missing, or something else', async () => {
    const { runner } = fakeRunner((line) =>
      line.startsWith('away')
        ? { exitCode: undefined, stdout: '', stderr: '', failure: 'missing' }
        : fails('unknown command "version"'),
    );
    expect(await observeLinkerdClis(runner, ['away', 'other'])).toEqual([
      { binary: 'away', problem: 'away is not here' },
      { binary: 'other', problem: 'other does not say its version: unknown command "version"' },
    ]);
  });
});
