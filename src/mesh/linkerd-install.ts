import { stringify } from 'yaml';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { LINKERD } from '../lab/linkerd.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import type { CheckStep, QueryStep, Step, Value, WriteStep } from '../step/step.ts';
import { applyStep, changeStep } from '../tools/kubectl.ts';
import { deploymentStep, inputsStep, linkerdCall, unfinishedStep } from './linkerd-command.ts';
import { type Controller, controlPlaneValues, extensionValues, inputsOf } from './linkerd-values.ts';

/** One cluster that gets Linkerd, or another form of it. */
export interface LinkerdTarget {
  readonly desired: Desired;
  readonly cluster: DesiredCluster;
  readonly spec: LinkerdSpec;
  /** What the CLI says that it is; absent in a dry run without one. */
  readonly version?: string;
}

export interface ControlPlane {
  /** `upgrade` where a configuration is there; `check` where only the waits and the check are left. */
  readonly action: 'install' | 'upgrade' | 'check';
  /** Whether what the chart was given before stays where the spec says nothing: some of it may be its owner's. */
  readonly keepsValues: boolean;
  /** Whether an install was finished once, so that proxies may rely on it. */
  readonly inUse: boolean;
  readonly gatewayAPI: boolean;
  /** Whether the cluster is still without any Linkerd, so that it can be asked whether it may have one. */
  readonly pristine: boolean;
  /** Steps after which its API server answers. */
  readonly needs: readonly string[];
  /** Steps after which its certificates are on the disk. */
  readonly certificates: readonly string[];
}

const valuesFile = (cluster: string, part: string) => ({ file: `linkerd/${cluster}_${part}.yaml` });

/** The control plane of one cluster, and the check that it works. */
export function controlPlaneSteps(target: LinkerdTarget, plan: ControlPlane): Step[] {
  const { cluster, spec, version } = target;
  const { name } = cluster;
  const namespace = LINKERD.namespace;
  const made = plan.action === 'check' ? [] : applySteps(target, plan);
  const applied = made.length > 0 ? [`${name}/linkerd`] : plan.needs;
  const waits = LINKERD.deployments.map((deployment) => deploymentStep(name, namespace, deployment, applied));
  const check = checkStep(
    target,
    `${name}/linkerd-check`,
    'check Linkerd',
    [...waits, ...made.filter(({ id }) => id === pruneId(name))].map(({ id }) => id),
    ['check', '--wait', '60s'],
  );
  const inputs = inputsOf(version, controlPlaneValues(target.desired, cluster, spec));
  const note = inputsStep(name, `${name}/linkerd-inputs`, namespace, inputs, [check.id]);
  return [...versionQuery(target), ...made, ...waits, check, note];
}

/** Asks a CLI what it is that was not here when the plan was made. */
const versionQuery = (target: LinkerdTarget): QueryStep[] => {
  const id = versionCapture(target);
  const args = ['version', '--client', '--short'];
  return target.version === undefined
    ? [renderStep(target, id, `ask ${target.spec.binary} for its version`, [], args)]
    : [];
};

const versionCapture = ({ cluster }: LinkerdTarget): string => `${cluster.name}/linkerd-version`;

function applySteps(target: LinkerdTarget, plan: ControlPlane): Step[] {
  const { cluster, spec, desired } = target;
  const { name } = cluster;
  const verb = plan.action === 'upgrade' ? 'upgrade' : 'install';
  // An install renders while the cluster boots; an upgrade reads from the cluster what was set before.
  const offline = verb === 'install' ? ['--ignore-cluster'] : [];
  const renderNeeds = verb === 'install' ? [] : plan.needs;
  const gateway = plan.gatewayAPI
    ? [
        applyStep({
          id: `${name}/gateway-api`,
          title: 'install the Gateway API CRDs',
          cluster: name,
          needs: plan.needs,
          from: { files: [spec.gatewayAPI.manifest.location] },
        }),
      ]
    : [];
  const ready = [...plan.needs, ...gateway.map(({ id }) => id)];
  const pre = plan.pristine
    ? [
        checkStep(target, `${name}/linkerd-pre`, 'check that Linkerd can be installed', ready, [
          ...['check', '--pre', '--wait', '30s'],
        ]),
      ]
    : [];
  const crds = renderStep(target, `${name}/linkerd-crds-render`, 'render the CRDs of Linkerd', renderNeeds, [
    ...[verb, '--crds', ...offline],
    // Ours are there before; the chart's own would be older.
    ...['--set', 'installGatewayAPI=false'],
  ]);
  const applyCrds = applyStep({
    id: `${name}/linkerd-crds`,
    title: 'apply the CRDs of Linkerd',
    cluster: name,
    needs: [crds.id, ...ready, ...pre.map(({ id }) => id)],
    from: { ref: crds.capture },
  });
  const values = valuesStep(
    `${name}/linkerd-values`,
    'write the values of Linkerd',
    valuesFile(name, 'values'),
    controlPlaneValues(desired, cluster, spec),
    name,
  );
  const flags = [...identityFlags(desired, name), '--values', valuesFile(name, 'values')];
  const given = [...new Set([values.id, ...plan.certificates, ...(verb === 'upgrade' ? [applyCrds.id] : [])])];
  // It refuses an issuer that some proxy does not trust. What it renders begins with all that was ever set.
  const ask =
    verb === 'upgrade' && plan.inUse && !plan.keepsValues
      ? [renderStep(target, `${name}/linkerd-ask`, 'ask whether every proxy takes it', given, ['upgrade', ...flags])]
      : [];
  const render = renderStep(
    target,
    `${name}/linkerd-render`,
    'render Linkerd',
    [...given, ...ask.map(({ id }) => id)],
    plan.keepsValues ? [verb, ...offline, ...flags] : ['install', '--ignore-cluster', ...flags],
  );
  const begun = plan.inUse ? [unfinishedStep(name, `${name}/linkerd-begin`, LINKERD.namespace, [render.id])] : [];
  const apply = applyStep({
    id: `${name}/linkerd`,
    title: target.version === undefined ? `${verb} Linkerd` : `${verb} Linkerd ${target.version}`,
    cluster: name,
    needs: [render.id, applyCrds.id, ...begun.map(({ id }) => id)],
    from: { ref: render.capture },
  });
  const pruned = ask.length > 0 ? prune(target) : [];
  return [...gateway, ...pre, crds, applyCrds, values, ...ask, render, ...begun, apply, ...pruned];
}

const pruneId = (cluster: string): string => `${cluster}/linkerd-prune`;

/** Takes away what only other values, or an older version, had brought. */
function prune(target: LinkerdTarget): Step[] {
  const { name } = target.cluster;
  const find = renderStep(
    target,
    `${name}/linkerd-unused`,
    'find what is not part of Linkerd any more',
    [`${name}/linkerd`],
    ['prune'],
  );
  return [
    find,
    {
      ...changeStep(name, pruneId(name), 'remove it', [find.id], ['delete', '--ignore-not-found', '-f', '-']),
      stdin: { ref: find.capture },
    },
  ];
}

function identityFlags({ certificates }: Desired, cluster: string): Value[] {
  const files = certificates?.issuers.find((issuer) => issuer.cluster === cluster)?.files;
  if (!certificates || !files) throw new TypeError(`${cluster} has a mesh and no issuer`);
  return [
    ...['--identity-trust-anchors-file', certificates.bundle],
    ...['--identity-issuer-certificate-file', files.certificate],
    ...['--identity-issuer-key-file', files.key],
  ];
}

export interface Extension {
  /** Every link of the cluster: those that are there and those that are being made. */
  readonly controllers: readonly Controller[];
  /** Whether some cluster reaches this one by its gateway. */
  readonly gateway: boolean;
  /** Whether it is there in some form. */
  readonly installed: boolean;
  /** Steps after which the control plane runs. */
  readonly needs: readonly string[];
}

/** The multicluster extension of one cluster. */
export function extensionSteps(target: LinkerdTarget, { controllers, gateway, installed, needs }: Extension): Step[] {
  const { cluster, spec, desired, version } = target;
  const { name } = cluster;
  const namespace = LINKERD.multicluster;
  const content = extensionValues(desired, spec, controllers, gateway);
  const values = valuesStep(
    `${name}/multicluster-values`,
    'write the values of the extension',
    valuesFile(name, 'multicluster'),
    content,
    name,
  );
  const render = renderStep(
    target,
    `${name}/multicluster-render`,
    'render the multicluster extension',
    [values.id],
    [...['multicluster', 'install', '--ignore-cluster', '--values', valuesFile(name, 'multicluster')]],
  );
  const begun = installed ? [unfinishedStep(name, `${name}/multicluster-begin`, namespace, [render.id, ...needs])] : [];
  const apply = applyStep({
    id: `${name}/multicluster`,
    title: `install the multicluster extension${gateway ? ' with a gateway' : ''}`,
    cluster: name,
    needs: [render.id, ...needs, ...begun.map(({ id }) => id)],
    from: { ref: render.capture },
    why: 'The list of controllers is the whole truth each time: a link without its controller mirrors nothing.',
  });
  const deployments = [LINKERD.localMirror, ...(gateway ? [LINKERD.gateway] : [])];
  const waits = deployments.map((deployment) => deploymentStep(name, namespace, deployment, [apply.id]));
  const inputs = inputsStep(
    name,
    `${name}/multicluster-inputs`,
    namespace,
    inputsOf(version, content),
    waits.map(({ id }) => id),
  );
  return [values, render, ...begun, apply, ...waits, inputs];
}

/** Lets the extension's own proxies learn what is trusted now, one pod after the other. */
export function restartSteps(cluster: string, deployments: readonly string[], needs: readonly string[]): Step[] {
  const namespace = LINKERD.multicluster;
  const id = `${cluster}/multicluster-restart`;
  const restart = changeStep(cluster, id, 'let the multicluster extension trust what its cluster trusts', needs, [
    ...['rollout', 'restart', ...deployments.map((name) => `deployment/${name}`), '--namespace', namespace],
  ]);
  const waits = deployments.map((name) => ({
    ...deploymentStep(cluster, namespace, name, [id]),
    id: `${id}/${name}`,
  }));
  return [restart, ...waits];
}

const base = (target: LinkerdTarget, id: string, title: string, needs: readonly string[], timeout: number) => ({
  id,
  title,
  clusters: [target.cluster.name],
  needs,
  timeout,
});

/** Prints to a capture, which only the step that applies it reads: it holds the issuer's key. */
const renderStep = (
  target: LinkerdTarget,
  id: string,
  title: string,
  needs: readonly string[],
  args: readonly Value[],
): QueryStep => ({
  ...base(target, id, title, needs, 60),
  kind: 'query',
  ...linkerdCall(target.spec, target.cluster.name, args),
  capture: id,
});

/** Fails with what the check found, result by result. */
const checkStep = (
  target: LinkerdTarget,
  id: string,
  title: string,
  needs: readonly string[],
  args: readonly Value[],
): CheckStep => ({
  ...base(target, id, title, [...needs, ...versionQuery(target).map((query) => query.id)], 120),
  kind: 'check',
  check: {
    ...linkerdCall(target.spec, target.cluster.name, [
      ...args,
      // Else it asks the internet for the newest one.
      ...['--expected-version', target.version ?? { ref: versionCapture(target) }],
      ...['-o', 'json'],
    ]),
    reads: 'linkerd-check',
  },
});

const valuesStep = (
  id: string,
  title: string,
  file: WriteStep['file'],
  values: object,
  cluster: string,
): WriteStep => ({
  kind: 'write',
  id,
  title,
  clusters: [cluster],
  needs: [],
  timeout: 10,
  file,
  content: stringify(values),
  mode: 0o600,
});
