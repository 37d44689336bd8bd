import { InputError } from '../errors.ts';
import type { LinkMode } from '../lab/mesh.ts';
import { planAppsVerb } from '../plan/plan-apps.ts';
import { planEdgeByHand, planLinkerd, planLinks } from '../plan/plan-mesh-verbs.ts';
import { planStart, planStop } from '../plan/plan-power.ts';
import { planRepair } from '../plan/plan-repair.ts';
import { planGroup, planRoute } from '../plan/plan-routing.ts';
import { planWorkloads } from '../plan/plan-workloads.ts';
import { type ChangeFlags, changeLab, type Round } from './change-lab.ts';
import type { Io } from './io.ts';

const routeRound: Round = { plan: planRoute, readsRouting: true };
// On a busy machine an API server may be away again when its turn comes: routing then waits for the next look.
const repairRound: Round = { plan: planRepair, readsRouting: true, readsMesh: true, patience: 300 };
const groupRound: Round = { plan: planGroup, readsRouting: true, readsMesh: true };
const linkerdRound: Round = { plan: planLinkerd, readsRouting: false, readsMesh: true };
const linkRound: Round = { plan: planLinks, readsRouting: false, readsMesh: true };
const appsRound: Round = { plan: planAppsVerb, readsRouting: false, readsMesh: true, readsApps: true };
const workloadsRound: Round = { plan: planWorkloads, readsRouting: true, readsMesh: true };
const stopRound: Round = { plan: planStop, readsRouting: false };
const startRound: Round = { plan: planStart, readsRouting: false };

/** The verbs that look, plan and act in rounds. */
const CHANGES = {
  /** One flat network of the clusters of each group. */
  route: [routeRound],
  /** Routes and links of each group. */
  group: [groupRound],
  /** Linkerd and its multicluster extension. */
  linkerd: [linkerdRound],
  /** Add-ons and apps. */
  apps: [appsRound],
  /** Containers beside the clusters, their routes and resources. */
  workloads: [workloadsRound],
  /** Puts back what a restart or a hand took away, and takes away what is stale. */
  repair: [repairRound],
  /** The nodes of a lab, or of named clusters; nothing is lost. */
  stop: [stopRound],
  /** Starts, waits for readiness, and repairs: addresses may have changed, routes are gone. */
  start: [startRound, repairRound],
} as const;

/** Does one of the verbs above. */
export const change = (verb: keyof typeof CHANGES, flags: ChangeFlags, io: Io): Promise<number> =>
  changeLab(verb, CHANGES[verb], flags, io);

export interface LinkFlags extends ChangeFlags {
  readonly src: string | undefined;
  readonly dst: string | undefined;
  readonly mode: LinkMode;
  readonly remove: boolean;
}

/** `lab link`: the links of the specs, or one edge of the command line. @throws InputError for half an edge */
export function link({ src: from, dst: to, mode, remove, ...flags }: LinkFlags, io: Io): Promise<number> {
  if (from === undefined && to === undefined && !remove) return changeLab('link', [linkRound], flags, io);
  if (from === undefined || to === undefined) {
    const hint = 'lab link [DIR] --src CONSUMER --dst EXPORTER [--mode gateway] [--remove]';
    throw new InputError([{ at: 'command line', message: 'a link needs both --src and --dst', hint }]);
  }
  const plan: Round['plan'] = (desired, observed) => planEdgeByHand(desired, observed, { from, to, mode, remove });
  return changeLab('link', [{ ...linkRound, plan }], flags, io);
}
