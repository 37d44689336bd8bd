import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Edge } from './edges.ts';
import { isStranger, type MeshMember } from './mesh-members.ts';

export interface MeshRequest {
  readonly names: readonly string[];
  /** Control planes are made and changed. */
  readonly install: boolean;
  /** Links are made and removed. */
  readonly link: boolean;
  /** No link is made that was never there. */
  readonly onlyExisting?: true;
  /** Of all edges only this one. */
  readonly only?: Edge;
  /** Edges of the command line, beside those of the specs. */
  readonly byHand?: { readonly add?: Edge; readonly remove?: Edge };
  /** Steps after which a cluster that the same plan makes, or loads images into, can be given something. */
  readonly answers?: After;
  /** Steps after which a cluster hands out addresses to services, where the same plan makes it do so. */
  readonly balances?: After;
  /** Clusters that another round looks after: they have to start first. */
  readonly later?: readonly string[];
  /** Goes on with what can be done: a CLI that does not do, and a peer without Linkerd, are only said. */
  readonly lenient?: true;
}

/** Steps that a later part builds upon: those after which a cluster has the thing. */
export type After = ReadonlyMap<string, readonly string[]>;

/** What the parts of a mesh plan share. */
export interface MeshWork {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly request: MeshRequest;
  readonly members: readonly MeshMember[];
  /** Steps after which the certificates of a cluster are on the disk, where the same plan makes them. */
  readonly certificates: After;
  /** Every edge that should be, also between clusters that the command does not name. */
  readonly edges: readonly Edge[];
}

/** Whether the command is about this direction. */
export const concerns = ({ names, only }: MeshRequest, from: string, to: string): boolean =>
  only ? only.from === from && only.to === to : names.includes(from) || names.includes(to);

/** Whether a member can be asked and changed, now or after other steps of the same plan. */
export const canChange = (member: MeshMember, { request, observed }: MeshWork): boolean =>
  member.state === undefined ? (request.answers?.has(member.cluster.name) ?? false) : !isStranger(member, observed);
