/** What each step would make of the world, as plain data: an engine, clusters and a kubeconfig without a process. */
import { type App, type AppsState, UNFINISHED } from '../../src/lab/apps.ts';
import type { Desired } from '../../src/lab/desired.ts';
import type { Observed, ObservedCluster } from '../../src/lab/observed.ts';
import type { Step } from '../../src/step/step.ts';
import { created, worldAfter } from '../plan/build-lab.ts';

export interface Model {
  readonly observed: Observed;
  /** What the API servers would answer, also while their nodes are stopped. */
  readonly apis: Readonly<Record<string, ObservedCluster['api']>>;
  /** The hash of the objects that were applied last, by `CLUSTER/APP`: what is really there, whatever a mark says. */
  readonly forms: Readonly<Record<string, string>>;
}

type Api = NonNullable<ObservedCluster['api']>;

/** What can be seen of it: an API server answers while all its nodes run. */
export function look({ observed, apis }: Model): Observed {
  const clusters = observed.clusters.map(({ api: _, ...one }) => {
    const api = one.name in apis && one.nodes.every(({ running }) => running) ? apis[one.name] : undefined;
    return { ...one, ...(api && { api }) };
  });
  return { ...observed, clusters };
}

/** The world after a step of a plan. @throws Error for a step that it does not know, so that none is passed over */
export function applyStep(model: Model, desired: Desired, step: Step): Model {
  const { observed, apis } = model;
  const [name = '', what = ''] = step.id.split('/');
  if (step.id === 'network') {
    const { networks } = worldAfter(desired, { ...observed, networks: [] }, []);
    return { ...model, observed: { ...observed, networks: [...observed.networks, ...networks] } };
  }
  if (name === 'network')
    return { ...model, observed: { ...observed, networks: observed.networks.filter((one) => one.name !== what) } };
  if (name === 'pull')
    return { ...model, observed: { ...observed, images: { ...observed.images, [step.id.slice(5)]: 'sha256:2' } } };
  if (what.startsWith('contexts'))
    return { ...model, observed: { ...observed, contexts: contextsAfter(observed, desired, step) } };
  if (what === 'remove') {
    const { [name]: _, ...rest } = apis;
    const clusters = observed.clusters.filter((one) => one.name !== name);
    return { ...model, observed: { ...observed, clusters }, apis: rest };
  }
  const target = desired.clusters.find((one) => one.name === name);
  if (!target) throw new Error(`the model does not know what ${step.id} is for`);
  const { applied, credentials, api: fullApi, ...bare } = created(desired, target, observed);
  const whole = fullApi as Api;
  const set = (more: Partial<ObservedCluster>): Model => ({
    ...model,
    observed: {
      ...observed,
      clusters: observed.clusters.map((one) => (one.name === name ? { ...one, ...more } : one)),
    },
  });
  const answer = (more: Partial<Api>): Model => ({
    ...model,
    apis: { ...apis, [name]: { nodes: [], ...apis[name], ...more } },
  });
  const switchNodes = (running: boolean) =>
    set({
      nodes: (observed.clusters.find((one) => one.name === name)?.nodes ?? []).map((node) => ({ ...node, running })),
    });
  /** The first so many addresses of each server, as its certificate holds them. */
  const certified = (count?: number) =>
    Object.fromEntries(
      bare.nodes
        .filter(({ role }) => role === 'server')
        .map((node) => [node.name, (node.networks[desired.network.name] ?? []).slice(0, count)]),
    );
  switch (what) {
    case 'create': {
      // kubeadm's certificate holds the address of the first family.
      const cluster = { ...bare, ...(credentials && { credentials }), certificates: certified(1) };
      return { ...model, observed: { ...observed, clusters: [...observed.clusters, cluster] } };
    }
    case 'certificate':
      return set({ certificates: certified() });
    case 'nodes':
    case 'zone':
      return answer({ nodes: whole.nodes });
    case 'record':
      return set({ ...(applied && { applied }), unmarked: true });
    case 'mark':
      return set({ unmarked: false });
    case 'credentials':
      return model;
    case 'kubeconfig':
      return set({ ...(credentials && { credentials }) });
    case 'metallb':
      return answer({
        ...(whole.loadBalancer && {
          loadBalancer: { ...whole.loadBalancer, ready: false, pools: [], advertised: false },
        }),
      });
    case 'calico':
    case 'calico-pools':
    case 'metallb-controller':
    case 'metallb-speaker':
    case 'images':
      return model;
    case 'calico-node':
      return answer({ ...(whole.calico && { calico: whole.calico }) });
    case 'pool':
      return answer({ ...(whole.loadBalancer && { loadBalancer: whole.loadBalancer }) });
    case 'namespace':
      return model;
    case 'app': {
      const app = target.spec.apps.find((one) => `${name}/app/${one.name}` === withoutNumber(step.id));
      const forms = { ...model.forms, ...(app && { [`${name}/${app.name}`]: app.hash }) };
      return { ...answer({ apps: appsAfter(apis[name]?.apps, target.spec.apps, step) }), forms };
    }
    case 'start':
    case 'stop':
      return switchNodes(what === 'start');
    default:
      throw new Error(`the model does not know the step ${step.id}`);
  }
}

/** Of an app with several sources each step has its number. */
const withoutNumber = (id: string): string => id.replace(/\/\d+(?=$|\/)/, '');

const NO_APPS: AppsState = { marks: [], workloads: [], services: [], types: {} };

/** What of an app can be seen: its services once it is applied, its mark with the last step. */
function appsAfter(before: AppsState = NO_APPS, apps: readonly App[], { id }: Step): AppsState {
  const [, , name = '', part = '', what = ''] = withoutNumber(id).split('/');
  const app = apps.find((one) => one.name === name);
  const { marks, services } = before;
  const others = <T extends { readonly app: string }>(list: readonly T[]) => list.filter((one) => one.app !== name);
  switch (part) {
    case 'mark':
    case 'values':
    case 'render':
    case 'ready':
    case 'objects':
      return before;
    case '': {
      const { namespace = '', exports = [] } = app ?? {};
      // A label that somebody else gave them stays.
      const own = exports.map(
        ({ service }) =>
          services.find((one) => one.app === name && one.namespace === namespace && one.name === service) ?? {
            app: name,
            namespace,
            name: service,
          },
      );
      return { ...before, services: [...others(services), ...own] };
    }
    case 'begin':
    case 'note': {
      const { namespace = '', inject = false } = app ?? {};
      const hash = part === 'note' ? (app?.hash ?? '') : UNFINISHED.applying;
      return { ...before, marks: [...others(marks), { app: name, namespace, hash, inject, missing: [] }] };
    }
    case 'export': {
      const exported = app?.exports.find(({ service }) => service === what)?.mode;
      const own = services.filter((one) => one.app === name && one.name === what);
      const rest = services.filter((one) => !own.includes(one));
      return { ...before, services: [...rest, ...own.map((one) => ({ ...one, ...(exported && { exported }) }))] };
    }
    default:
      throw new Error(`the model does not know the step ${id}`);
  }
}

function contextsAfter(observed: Observed, desired: Desired, step: Step): Observed['contexts'] {
  if (step.kind !== 'kubeconfig') throw new Error(`the model does not know the step ${step.id}`);
  const others = observed.contexts.filter(({ name }) => !step.contexts.includes(name));
  if (step.action === 'remove') return others;
  const merged = worldAfter(desired, { ...observed, contexts: [] }, [step.cluster]).contexts;
  return [...others, ...merged.filter(({ name }) => step.contexts.includes(name))];
}
