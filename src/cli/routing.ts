import { planRepair, planRoute, planStart, planStop } from '../plan/plan-routing.ts';
import { type ChangeFlags, changeLab } from './change-lab.ts';
import type { Io } from './io.ts';

/** The verbs that look, plan and act in rounds. */
const CHANGES = {
  /** One flat network of the clusters of each group. */
  route: [planRoute],
  /** Puts back what a restart or a hand took away, and takes away what is stale. */
  repair: [planRepair, planRepair],
  /** The nodes of a lab, or of named clusters; nothing is lost. */
  stop: [planStop],
  /** Starts, waits for readiness, and repairs: addresses may have changed, routes are gone. */
  start: [planStart, planRepair, planRepair],
} as const;

/** `lab route`, `lab repair`, `lab stop`, `lab start`. */
export const change = (verb: keyof typeof CHANGES, flags: ChangeFlags, io: Io): Promise<number> =>
  changeLab(verb, CHANGES[verb], flags, io);
