import { createHash } from 'node:crypto';
import { manifestId } from '../addons/addon.ts';
import { ADDONS } from '../addons/index.ts';
import type { Problem } from '../errors.ts';
import type { App, AppSource } from '../lab/apps.ts';
import type { Cluster } from '../lab/lab.ts';
import { mergeValues } from '../tools/merge-values.ts';
import { type AppObject, findSharedObjects } from './app-object-rules.ts';
import type { AddonWords, AppWords } from './app-schema.ts';
import { resolveChart } from './chart.ts';
import type { ClusterFile } from './cluster-schema.ts';
import { readManifest } from './manifest.ts';
import { type ManifestObject, objectsIn } from './manifest-objects.ts';
import { show } from './show.ts';
import { type Path, type Sourced, whereKey, whereValue } from './source.ts';
import { suggest } from './suggest.ts';

export interface ReadApps {
  readonly apps: readonly App[];
  readonly problems: readonly Problem[];
}

type Spec = ClusterFile['spec'];

/** The add-ons and apps that a checked document declares, with their files. */
export function readApps(spec: Spec, sourced: Sourced): ReadApps {
  const addons = readAddons(spec, sourced);
  const apps: App[] = [...addons.apps];
  const problems: Problem[] = [...addons.problems];
  const objects: AppObject[] = [...addons.objects];
  for (const [index, words] of spec.apps.entries()) {
    const path = ['spec', 'apps', index];
    const read = readSources(words, sourced, path);
    const at = whereValue(sourced, [...path, 'name']);
    problems.push(...read.problems, ...findAppProblems(words, spec, sourced, path, read.services));
    const other = apps.find(({ name }) => name === words.name);
    if (other)
      problems.push({ at, message: `a second app named ${show(words.name)}`, hint: `the first is at ${other.at}` });
    else if (Object.hasOwn(ADDONS, words.name))
      problems.push({ at, message: `${show(words.name)} is the name of an add-on`, hint: 'give the app another one' });
    const exports = Object.entries(words.exports).map(([service, mode]) => ({ service, mode }));
    const { name, namespace = name, inject } = words;
    apps.push(withHash({ name, namespace, inject, sources: read.sources, exports, at }));
    objects.push(...ownedBy(name, namespace, read.objects));
  }
  return { apps, problems: [...problems, ...findInjectProblems(apps), ...findSharedObjects(objects)] };
}

const ownedBy = (app: string, into: string, objects: Sources['objects']): AppObject[] =>
  objects.map((object) => ({ ...object, app, into }));

/** The cluster with all values of its add-ons; the trust domain is known once all clusters are. */
export function completeAddons(cluster: Cluster, trustDomain: string): Cluster {
  const apps = cluster.apps.map((app) => {
    const addon = Object.values(ADDONS).find(({ name }) => name === app.name);
    const under = addon?.domainValues?.(cluster.network.domain, trustDomain);
    if (!under) return app;
    const sources = app.sources.map((source) =>
      source.kind === 'manifest' ? source : { ...source, values: mergeValues(under, source.values) },
    );
    return withHash({ ...app, sources });
  });
  return { ...cluster, apps };
}

/** What decides which objects are applied; of a file its content, wherever it lies. */
function withHash(app: Omit<App, 'hash'>): App {
  const sources = app.sources.map((source) => {
    if (source.kind === 'manifest') return manifestId(source.manifest);
    return 'sha256' in source ? { ...source, chart: '' } : source;
  });
  const text = JSON.stringify([app.namespace, app.inject, sources]);
  return { ...app, hash: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}

interface Sources {
  readonly sources: readonly AppSource[];
  readonly problems: readonly Problem[];
  /** Of local manifests. */
  readonly objects: readonly (ManifestObject & Pick<AppObject, 'manifest' | 'at'>)[];
  /** Of all manifests; undefined when not all objects are known here. */
  readonly services?: readonly string[];
}

function readSources({ helm, manifests }: Pick<AppWords, 'helm' | 'manifests'>, sourced: Sourced, path: Path): Sources {
  const sources: AppSource[] = [];
  const problems: Problem[] = [];
  const objects: Sources['objects'][number][] = [];
  let known = helm === undefined;
  if (helm) {
    const chart = resolveChart(helm, sourced, [...path, 'helm']);
    if ('problem' in chart) problems.push(chart.problem);
    else sources.push({ kind: 'chart', ...chart, values: helm.values, only: helm.only });
  }
  for (const [index, location] of manifests.entries()) {
    const at = [...path, 'manifests', index];
    const read = readManifest(location, sourced, at);
    if ('problem' in read) {
      problems.push(read.problem);
      known = false;
      continue;
    }
    sources.push({ kind: 'manifest', manifest: read.manifest });
    const found = read.bytes && objectsIn(read.bytes);
    const where = whereValue(sourced, at);
    if (found && 'fault' in found)
      problems.push({ at: where, message: `manifests: ${show(location)}: ${found.fault}` });
    if (found && 'objects' in found)
      objects.push(...found.objects.map((object) => ({ ...object, manifest: location, at: where })));
    else known = false;
  }
  const services = objects.filter(({ kind }) => kind === 'Service').map(({ name }) => name);
  return { sources, problems, objects, ...(known && { services }) };
}

function findAppProblems(
  { name, inject, helm, manifests, exports }: AppWords,
  { mesh }: Spec,
  sourced: Sourced,
  path: Path,
  services: readonly string[] | undefined,
): Problem[] {
  const problems: Problem[] = [];
  if (!helm && manifests.length === 0)
    problems.push({ at: whereValue(sourced, path), message: `app ${name} has neither helm nor manifests` });
  const meshed = mesh !== undefined && mesh.name !== 'none';
  if (inject && !meshed)
    problems.push({ at: whereKey(sourced, [...path, 'inject']), message: 'inject: the cluster has no mesh' });
  for (const service of Object.keys(exports)) {
    const at = whereKey(sourced, [...path, 'exports', service]);
    if (!meshed) problems.push({ at, message: `exports: ${service}: the cluster has no mesh` });
    if (services && !services.includes(service)) {
      const known = services.length > 0 ? { hint: `there are ${services.join(', ')}` } : {};
      const meant = suggest(service, services);
      problems.push({
        at,
        message: `exports: no service ${show(service)} in the manifests of ${name}`,
        ...(meant.hint === undefined ? known : meant),
      });
    }
  }
  return problems;
}

/** A namespace has one word about the proxy for all that is in it. */
function findInjectProblems(apps: readonly App[]): Problem[] {
  return apps.flatMap(({ name, namespace, inject, at }, index) => {
    const other = apps.slice(0, index).find((one) => one.namespace === namespace && one.inject !== inject);
    if (!other) return [];
    const message = `${name} and ${other.name} share namespace ${namespace}, and only one of them says inject`;
    return [{ at, message, hint: 'say it for both, or give one a namespace of its own' }];
  });
}

function readAddons({ addons, mesh }: Spec, sourced: Sourced): ReadApps & { readonly objects: readonly AppObject[] } {
  const wanted = Object.values(ADDONS).flatMap((addon) => {
    const words = addons[addon.name];
    return words === undefined || words === 'none' ? [] : [{ addon, words }];
  });
  const names = new Set<string>(wanted.map(({ addon }) => addon.name));
  const meshed = mesh !== undefined && mesh.name !== 'none';
  const has = (need: string) => (need === 'linkerd' ? meshed : names.has(need));
  const apps: App[] = [];
  const problems: Problem[] = [];
  const objects: AppObject[] = [];
  for (const { addon, words } of wanted) {
    const { name, namespace, needs, retired } = addon;
    const path = ['spec', 'addons', name];
    const at = whereKey(sourced, path);
    for (const need of needs.filter((one) => !has(one)))
      problems.push({
        at,
        message: `${name} needs ${need}`,
        hint: need === 'linkerd' ? 'give the cluster a mesh' : `addons: {${need}: {}, ${name}: {}}`,
      });
    const own = readOwnSources(words, sourced, path);
    problems.push(...own.problems);
    const pinned = addon.sources(names);
    const sources = own.sources.length > 0 ? own.sources : pinned.map((one) => adjust(one, words));
    problems.push(...findIdleWords(words, own.sources.length > 0 ? own.sources : pinned, sourced, path));
    const inject = addon.inject && meshed;
    apps.push(withHash({ name, namespace, inject, sources, exports: [], ...(retired && { retired }), at }));
    objects.push(...ownedBy(name, namespace, own.objects));
  }
  return { apps, problems, objects };
}

/** What a spec names in place of the pinned sources of an add-on. */
function readOwnSources(words: AddonWords, sourced: Sourced, path: Path): Sources {
  const { manifests, chart } = words;
  const files = readSources({ manifests }, sourced, path);
  if (chart === undefined) return files;
  const found = resolveChart({ ...words, chart }, sourced, path);
  if ('problem' in found) return { ...files, problems: [...files.problems, found.problem] };
  return { ...files, sources: [{ kind: 'chart', ...found, values: words.values, only: [] }, ...files.sources] };
}

const adjust = (source: AppSource, { version, repo, values }: AddonWords): AppSource =>
  source.kind === 'manifest'
    ? source
    : {
        ...source,
        values: mergeValues(source.values, values),
        ...(source.kind === 'chart' && version !== undefined && { version }),
        ...(source.kind === 'chart' && repo !== undefined && { repo }),
      };

/** Words of an add-on that nothing of it would heed. */
function findIdleWords(words: AddonWords, sources: readonly AppSource[], sourced: Sourced, path: Path): Problem[] {
  const has = (kind: AppSource['kind']) => sources.some((one) => one.kind === kind);
  const given = (['version', 'repo', 'values'] as const).filter((word) => Object.keys(words[word] ?? {}).length > 0);
  const idle = given.filter((word) => !has('chart') && !(word === 'values' && has('linkerd')));
  const hint = has('linkerd') ? "the cluster's Linkerd CLI renders it, in its own version" : 'it is for a chart';
  return idle.map((word) => ({
    at: whereKey(sourced, [...path, word]),
    message: `${word}: there is no chart that it would be for`,
    hint,
  }));
}
