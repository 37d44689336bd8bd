import type { Problem } from '../errors.ts';
import type { ManifestObject } from './manifest-objects.ts';
import { shorten, show } from './show.ts';

/** An object of a local manifest, with the app that brings it. */
export interface AppObject extends ManifestObject {
  readonly app: string;
  /** The namespace of the app: where objects go that name none. */
  readonly into: string;
  /** The manifest as the spec names it, and where. */
  readonly manifest: string;
  readonly at: string;
}

/** Kinds that are in no namespace, whatever that of their app is. Of other groups only what every cluster knows. */
const CLUSTER_WIDE: readonly string[] = [
  'Namespace',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'APIService',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'PriorityClass',
  'StorageClass',
  'IngressClass',
  'GatewayClass',
];

/** An object has the mark of one app: a second one that brings it would take it from the first with every run. */
export function findSharedObjects(objects: readonly AppObject[]): Problem[] {
  const first = new Map<string, AppObject>();
  return objects.flatMap((object): Problem[] => {
    const { group, kind, name, app, at } = object;
    const namespace = CLUSTER_WIDE.includes(kind) ? undefined : (object.namespace ?? object.into);
    const key = JSON.stringify([group, kind, namespace, name]);
    const other = first.get(key);
    if (!other) {
      first.set(key, object);
      return [];
    }
    if (other.app === app) return [];
    const what = shorten(`${kind} ${name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
    return [
      {
        at,
        message: `${app} and ${other.app} both bring ${what}: ${place(object)}, ${place(other)}`,
        hint: `the other is at ${other.at}; leave it out of one of them`,
      },
    ];
  });
}

const place = ({ manifest, line }: AppObject): string => `${show(manifest)} line ${line}`;
