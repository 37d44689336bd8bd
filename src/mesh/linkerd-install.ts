import { stringify } from 'yaml';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { LINKERD } from '../lab/linkerd.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import type { CheckStep, QueryStep, Step, Value, WriteStep } from '../step/step.ts';
import { applyStep } from '../tools/kubectl.ts';
import { deploymentStep, inputsStep, linkerdCall } from './linkerd-command.ts';
import { type Controller, controlPlaneValues, extensionValues, inputsOf } from './linkerd-values.ts';

/** One cluster that gets Linkerd, or another form of it. */
export interface LinkerdTarget {
  readonly desired: Desired;
  readonly cluster: DesiredCluster;
  readonly spec: LinkerdSpec;
  /** What the CLI says that it is. */
  readonly version: string;
}

export interface ControlPlane {
  /** `upgrade` where a configuration is there; `check` where only the waits and the check are left. */
  readonly action: 'install' | 'upgrade' | 'check';
  readonly gatewayAPI: boolean;
  /** Whether the cluster is still without any Linkerd, so that it can be asked whether it may have one. */
  readonly pristine: boolean;
  /** Steps after which its API server answers. */
  readonly needs: readonly string[];
  /** Steps after which its certificates are on the disk. */
  readonly certificates: readonly string[];
}

const valuesFile = (cluster: string, part: string) => ({ file: `linkerd/${cluster}-${part}.yaml` });

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
    waits.map(({ id }) => id),
    [
      // Else it asks the internet for the newest one.
      ...['check', '--wait', '60s', '--expected-version', version],
    ],
  );
  const inputs = inputsOf(version, controlPlaneValues(target.desired, cluster, spec));
  return [...made, ...waits, check, inputsStep(name, `${name}/linkerd-inputs`, namespace, inputs, [check.id])];
}

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
          from: spec.gatewayAPI.manifest.location,
        }),
      ]
    : [];
  const ready = [...plan.needs, ...gateway.map(({ id }) => id)];
  const pre = plan.pristine
    ? [
        checkStep(target, `${name}/linkerd-pre`, 'check that Linkerd can be installed', ready, [
          'check',
          '--pre',
          '--wait',
          '30s',
          '--expected-version',
          target.version,
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
  const render = renderStep(
    target,
    `${name}/linkerd-render`,
    'render Linkerd',
    [...new Set([values.id, ...plan.certificates, ...(verb === 'upgrade' ? [applyCrds.id] : [])])],
    [verb, ...offline, ...identityFlags(desired, name), '--values', valuesFile(name, 'values')],
  );
  const apply = applyStep({
    id: `${name}/linkerd`,
    title: `${verb} Linkerd ${target.version}`,
    cluster: name,
    needs: [render.id, applyCrds.id],
    from: { ref: render.capture },
  });
  return [...gateway, ...pre, crds, applyCrds, values, render, apply];
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
  /** Steps after which the control plane runs. */
  readonly needs: readonly string[];
}

/** The multicluster extension of one cluster. */
export function extensionSteps(target: LinkerdTarget, { controllers, gateway, needs }: Extension): Step[] {
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
  const apply = applyStep({
    id: `${name}/multicluster`,
    title: `install the multicluster extension${gateway ? ' with a gateway' : ''}`,
    cluster: name,
    needs: [render.id, ...needs],
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
  return [values, render, apply, ...waits, inputs];
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
  ...base(target, id, title, needs, 120),
  kind: 'check',
  check: { ...linkerdCall(target.spec, target.cluster.name, [...args, '-o', 'json']), reads: 'linkerd-check' },
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
