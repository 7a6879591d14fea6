import type { World } from "./world.js";

/** Our choice: ten times what the busiest tick of a calm was seen to take. A storm of messages would take more. */
const stepsPerTickMax = 20_000;

/** Until nothing is under way. A message that is still leased to a dead host stays where it is. */
export async function quieten(world: World): Promise<void> {
  const { scheduler, oracle } = world;
  const endSteps = scheduler.steps + stepsPerTickMax;
  while (oracle.violations.length === 0) {
    if (await world.step()) {
      if (scheduler.steps < endSteps) continue;
      oracle.report(
        "I9",
        "the calm never gets quiet",
        `${stepsPerTickMax} steps at most`,
        world.leftMessages().join("; "),
      );
      return;
    }
    if (scheduler.waiting === 0) return;
    scheduler.nowMs = Math.max(scheduler.nowMs, scheduler.nextDueMs()); // A call that stalled, or a short wait.
  }
}

/** Lets all happen that can until then. */
export async function passTime(world: World, untilMs: number): Promise<void> {
  const { scheduler, oracle } = world;
  while (scheduler.nowMs < untilMs && oracle.violations.length === 0) {
    if (!(await world.step())) scheduler.nowMs = Math.max(scheduler.nowMs, Math.min(world.nextMs(), untilMs));
  }
}
