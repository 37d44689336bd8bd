import { planRepair, planRoute, planStart, planStop } from '../plan/plan-routing.ts';
import { type ChangeFlags, changeLab, type Round } from './change-lab.ts';
import type { Io } from './io.ts';

const routeRound: Round = { plan: planRoute, readsRouting: true };
// On a busy machine an API server may be away again when its turn comes: routing then waits for the next look.
const repairRound: Round = { plan: planRepair, readsRouting: true, atMost: 5 };
const stopRound: Round = { plan: planStop, readsRouting: false };
const startRound: Round = { plan: planStart, readsRouting: false };

/** The verbs that look, plan and act in rounds. */
const CHANGES = {
  /** One flat network of the clusters of each group. */
  route: [routeRound],
  /** Everything that joins the clusters of each group. */
  group: [routeRound],
  /** Puts back what a restart or a hand took away, and takes away what is stale. */
  repair: [repairRound],
  /** The nodes of a lab, or of named clusters; nothing is lost. */
  stop: [stopRound],
  /** Starts, waits for readiness, and repairs: addresses may have changed, routes are gone. */
  start: [startRound, repairRound],
} as const;

/** `lab route`, `lab group`, `lab repair`, `lab stop`, `lab start`. */
export const change = (verb: keyof typeof CHANGES, flags: ChangeFlags, io: Io): Promise<number> =>
  changeLab(verb, CHANGES[verb], flags, io);
