import type { MeshName } from '../lab/mesh.ts';

/**
 * One service mesh. To add one: implement this in a file of its own and put it on the list in `index.ts`; the spec
 * and the planner take it from there.
 */
export interface Mesh {
  readonly name: MeshName;
  /** The common names of its certificates; absent where nothing is meshed, and so nothing can be linked. */
  readonly certificateNames?: {
    readonly anchor: (trustDomain: string) => string;
    readonly issuer: (trustDomain: string) => string;
  };
}
