import type { MeshName } from '../lab/mesh.ts';
import { linkerd, linkerdKeys } from './linkerd.ts';
import type { Mesh } from './mesh.ts';
import { none } from './none.ts';

/** Every mesh that a spec can name. */
export const MESHES: Readonly<Record<MeshName, Mesh>> = { linkerd, none };

/** What `mesh` of a cluster may say beside its name. */
export const MESH_KEYS = linkerdKeys;
