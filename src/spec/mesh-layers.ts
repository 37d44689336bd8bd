import { MESHES } from '../mesh/index.ts';
import { isMap } from '../tools/merge-values.ts';
import { mergeSourced, omitKeys, takePart } from './merge.ts';
import { type Sourced, valueAt } from './source.ts';

const MESH = ['spec', 'mesh'];
/** What the clusters of a lab share. */
const OF_THE_LAB = { mesh: ['trustDomain'], certificates: ['anchor', 'anchorLifetime'] };

/** The document with `mesh: NAME` as `mesh: {name: NAME}`, so that it merges like any other block. */
export function spellOutMesh(document: Sourced): Sourced {
  return [MESH, ['spec', 'defaults', 'mesh']].reduce((sourced, path) => {
    const name = valueAt(sourced.value, path);
    if (typeof name !== 'string' || !Object.hasOwn(MESHES, name)) return sourced;
    const place = sourced.places.get(path.join('.'));
    const value = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), { name });
    const places = new Map(place ? [[`${path.join('.')}.name`, place] as const] : []);
    return mergeSourced(sourced, { value, places });
  }, document);
}

/** {@link mergeSourced} for documents with a mesh: a block that names none takes back the `none` that it lies on. */
export function mergeWithMesh(under: Sourced, over: Sourced): Sourced {
  const block = valueAt(over.value, MESH);
  const takesBack = isMap(block) && !('name' in block) && valueAt(under.value, [...MESH, 'name']) === 'none';
  return mergeSourced(takesBack ? omitKeys(under, MESH, ['name']) : under, over);
}

/** What lies under every cluster: `defaults` of lab.yaml, and under those its mesh, without what is the whole lab's. */
export function clusterDefaults(lab: Sourced): Sourced | undefined {
  const defaults = takePart(lab, ['spec', 'defaults'], 'spec');
  const shared = takePart(lab, MESH, 'mesh');
  if (!shared) return defaults;
  const own = omitKeys(omitKeys(shared, ['mesh'], OF_THE_LAB.mesh), ['mesh', 'certificates'], OF_THE_LAB.certificates);
  const mesh: Sourced = {
    value: { spec: own.value },
    places: new Map([...own.places].map(([path, place]) => [`spec.${path}`, place])),
  };
  return defaults ? mergeWithMesh(mesh, defaults) : mesh;
}
