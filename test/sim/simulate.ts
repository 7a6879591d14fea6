import { calm } from "./calm.js";
import { feedReader } from "./feedReader.js";
import type { Fault } from "./kinds.js";
import { quieten } from "./pace.js";
import type { Plan } from "./plan.js";
import { sequenceReader } from "./readers.js";
import { storm } from "./storm.js";
import { subscribers } from "./subscribers.js";
import { tenantReader } from "./tenantReader.js";
import type { Violation } from "./violation.js";
import { World } from "./world.js";

export type Run = {
  readonly plan: Plan;
  /** The first promise that was broken; null when all held. */
  readonly violation: Violation | null;
  readonly steps: number;
  readonly stormSteps: number;
  readonly transactions: number;
  readonly injected: Readonly<Partial<Record<Fault, number>>>;
};

/** One seed: its mailboxes are put on the roster, a storm, then the calm in which all must come right. */
export async function simulate(plan: Plan, trace?: (line: string) => void): Promise<Run> {
  const world = new World(plan, {
    ...(trace === undefined ? {} : { trace }),
    readers: [sequenceReader(), feedReader(), tenantReader(), subscribers()],
  });
  for (const mailboxId of world.graph.mailboxes.ids()) await world.request(mailboxId, true);
  await quieten(world);
  if (world.oracle.violations.length === 0) await storm(world);
  const stormSteps = world.scheduler.steps;
  if (world.oracle.violations.length === 0) await calm(world);
  world.end();
  const { oracle, scheduler, dice } = world;
  return {
    plan,
    violation: oracle.violations[0] ?? null,
    steps: scheduler.steps,
    stormSteps,
    transactions: oracle.transactions,
    injected: dice.injected,
  };
}
