import type { Desired } from '../lab/desired.ts';
import { type DesiredWorkload, sidecarsOf, WORKLOAD_LABELS } from '../lab/workload.ts';
import { BUNDLE_FILE } from '../mesh/certificate-files.ts';
import type { QueryStep, RunStep, Value } from '../step/step.ts';
import { inNetworkOf } from '../tools/docker.ts';
import { awaitProxyScript, PROXY, PROXY_PROGRAM, redirectLines } from '../tools/linkerd-proxy.ts';
import {
  ANCHOR_KEY,
  onServer,
  PRIVATE,
  SERVER_STARTING,
  SHARED,
  settingsScript,
  TOKEN_SCRIPT,
} from '../tools/spire.ts';
import type { DesiredProxy } from './desired-proxy.ts';
import { identityLabels, pullStep, step } from './workload-steps.ts';

type ProxyStep = RunStep | QueryStep;

export interface ProxyScene {
  readonly desired: Desired;
  readonly workload: DesiredWorkload;
  readonly proxy: DesiredProxy;
  /** A node's image: it has the programs that those of SPIRE and of the proxy need not have. */
  readonly nodeImage: string;
}

/** Whether an image is there, only the engine knows when its turn comes. */
export const sidecarPulls = ({ workload, proxy }: ProxyScene): RunStep[] =>
  Object.entries(proxy.images).map(([part, image]) => ({
    ...pullStep(image, workload, `pull/${part}`),
    precondition: {
      argv: ['docker', 'image', 'inspect', image],
      expect: 'failure',
      otherwise: 'skip',
      message: `${image} is there already`,
    },
  }));

/**
 * SPIRE and the proxy beside a workload, one after the other and all of it new: a token is for one use, and what a server
 * had in its memory is gone. The agent and the proxy share the workload's processes, so that they end with it, and none
 * stays in a network that is no more. The server, which has the anchor's key, is on no network.
 */
export const proxySteps = (scene: ProxyScene, needs: readonly string[]): ProxyStep[] =>
  [...serverSteps(scene), ...agentSteps(scene), redirectStep(scene), ...runSteps(scene)].map((one, index, all) => ({
    ...one,
    needs: index === 0 ? needs : [all[index - 1]?.id ?? ''],
  }));

const make = ({ workload }: ProxyScene, id: string, title: string) => step(workload, id, title, []);

const labelArgv = ({ desired, workload }: ProxyScene, more: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries({ ...identityLabels(desired, workload), ...more }).flatMap(([key, value]) => [
    '--label',
    `${key}=${value}`,
  ]);

function serverSteps(scene: ProxyScene): ProxyStep[] {
  const { workload, proxy } = scene;
  const { server } = sidecarsOf(workload.name);
  const copy = (id: string, what: string, from: Value, to: string): RunStep => ({
    ...make(scene, `spire/${id}`, `give SPIRE ${what}`),
    argv: ['docker', 'cp', from, `${server}:${to}`],
  });
  return [
    {
      ...make(scene, 'spire/server', `make the SPIRE server of ${workload.name}`),
      argv: [
        ...['docker', 'create', '--name', server, '--network', 'none', '--user', '0:0', '--tmpfs', PRIVATE],
        ...['--volume', SHARED, ...labelArgv(scene), proxy.images.server, '-config', `${SHARED}/server.conf`],
      ],
    },
    {
      ...make(scene, 'spire/settings', "write SPIRE's settings"),
      argv: [...besideServer(scene), '-e'],
      stdin: settingsScript(trustDomainOf(workload)),
    },
    copy('trust', 'what the mesh trusts', BUNDLE_FILE, `${SHARED}/bundle.crt`),
    copy('anchor', 'the trust anchor', proxy.anchor.certificate, `${SHARED}/anchor.crt`),
    {
      ...copy('key', 'the key of the trust anchor', proxy.anchor.key, ANCHOR_KEY),
      why: 'spire.useTrustAnchorKey says so. Whoever can use Docker on this engine can read it there.',
    },
    { ...make(scene, 'spire/start', `start the SPIRE server of ${workload.name}`), argv: ['docker', 'start', server] },
  ];
}

const trustDomainOf = ({ identity }: DesiredWorkload): string => identity.id.split('/')[2] ?? '';

/** Writing into what the server shares, with a node's shell: its own image has none. */
const besideServer = ({ workload, nodeImage }: ProxyScene): string[] => [
  ...['docker', 'run', '--rm', '--interactive', '--network', 'none'],
  ...['--volumes-from', sidecarsOf(workload.name).server, '--entrypoint', 'sh', nodeImage],
];

function agentSteps(scene: ProxyScene): ProxyStep[] {
  const { workload, proxy } = scene;
  const { name, identity } = workload;
  const { server, agent } = sidecarsOf(name);
  const parent = `spiffe://${trustDomainOf(workload)}/lab/agent`;
  const token = `${name}/token`;
  return [
    {
      ...make(scene, 'spire/entry', `register ${identity.id}`),
      argv: onServer(
        ...[server, 'entry', 'create', '-parentID', parent, '-spiffeID', identity.id],
        ...['-selector', `unix:uid:${PROXY.uid}`],
      ),
      retry: { on: SERVER_STARTING, every: 1, for: 30 },
    },
    {
      ...make(scene, 'spire/token', 'ask for a token to join with'),
      kind: 'query',
      argv: onServer(server, 'token', 'generate', '-spiffeID', parent),
      capture: token,
    },
    {
      ...make(scene, 'spire/join', "put the token where SPIRE's agent finds it"),
      argv: [...besideServer(scene), '-ec', TOKEN_SCRIPT],
      stdin: { ref: token },
    },
    {
      ...make(scene, 'spire/agent', `run the SPIRE agent of ${name}`),
      why: 'It tells who asks by the process that does, so it has to see that one.',
      argv: [
        ...['docker', 'run', '--detach', '--name', agent, '--user', '0:0', '--tmpfs', PRIVATE],
        ...['--network', `container:${server}`, '--pid', `container:${name}`, '--volumes-from', server],
        ...[...labelArgv(scene), proxy.images.agent, '-config', `${SHARED}/agent.conf`],
      ],
    },
  ];
}

const redirectStep = (scene: ProxyScene): RunStep => ({
  ...make(scene, 'redirect', `lead the packets of ${scene.workload.name} through its proxy`),
  argv: [...inNetworkOf(scene.workload.name, scene.nodeImage, '--interactive', '--cap-add', 'NET_ADMIN'), '-e'],
  stdin: `${scene.workload.addresses.flatMap(({ family }) => redirectLines(family)).join('\n')}\n`,
});

function runSteps(scene: ProxyScene): ProxyStep[] {
  const { workload, proxy, nodeImage } = scene;
  const { name } = workload;
  const sidecars = sidecarsOf(name);
  const trusted = `${name}/trusted`;
  const anchors = 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS';
  return [
    {
      ...make(scene, 'trusted', 'read what the mesh trusts'),
      kind: 'query',
      argv: ['cat', BUNDLE_FILE],
      capture: trusted,
    },
    {
      ...make(scene, 'proxy', `run Linkerd's proxy beside ${name}`),
      argv: [
        ...['docker', 'run', '--detach', '--name', sidecars.proxy, '--user', `${PROXY.uid}:${PROXY.uid}`],
        ...['--network', `container:${name}`, '--pid', `container:${name}`],
        ...['--volumes-from', `${sidecars.server}:ro`, '--entrypoint', PROXY_PROGRAM],
        ...labelArgv(scene, { [WORKLOAD_LABELS.proxy]: proxy.inputs }),
        ...Object.entries(proxy.settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
        ...['--env', anchors, proxy.images.proxy],
      ],
      env: { [anchors]: { ref: trusted } },
    },
    {
      ...make(scene, 'proxied', `wait until the proxy of ${name} has its identity`),
      timeout: 150,
      argv: [...inNetworkOf(name, nodeImage, '--interactive')],
      stdin: awaitProxyScript(120, [sidecars.proxy, sidecars.agent]),
    },
  ];
}
