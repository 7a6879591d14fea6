import type { Fault } from "./kinds.js";
import { type Narrowing, type Plan, planOf } from "./plan.js";
import { type Run, simulate } from "./simulate.js";

/** A failing seed with as little around it as the shrinker could find. */
export type Shrunk = { readonly run: Run; readonly narrowing: Narrowing; readonly trace: readonly string[] };

/** Our choice: enough to try each fault of a busy seed twice and every length of its storm. */
const attemptsMax = 150;

/**
 * Drops kinds of faults one by one and shortens the storm, for as long as the same promise is broken. Dropping one
 * changes the order of all that follows, so this finds a short trace, not the shortest there is.
 */
export async function shrink(plan: Plan, invariant: string): Promise<Shrunk> {
  let best = plan;
  let attempts = 0;
  const breaks = async (narrowing: Narrowing): Promise<boolean> => {
    attempts += 1;
    const tried = planOf(plan.seed, narrowing);
    const { violation } = await simulate(tried);
    if (violation?.invariant !== invariant) return false;
    best = tried;
    return true;
  };
  const faultsOf = ({ rates }: Plan) => Object.keys(rates) as Fault[];
  for (let share = 2; share <= 64 && attempts < attemptsMax; share *= 2) {
    const size = Math.ceil(faultsOf(plan).length / share);
    for (let start = 0; start < faultsOf(best).length && attempts < attemptsMax; ) {
      const faults = faultsOf(best).filter((_, index) => index < start || index >= start + size);
      if (!(await breaks({ faults, stormTicks: best.stormTicks }))) start += size;
    }
  }
  for (let stormTicks = 0; stormTicks < best.stormTicks && attempts < attemptsMax; stormTicks++) {
    await breaks({ faults: faultsOf(best), stormTicks });
  }
  const trace: string[] = [];
  const narrowing = { faults: faultsOf(best), stormTicks: best.stormTicks };
  return { run: await simulate(best, (line) => trace.push(line)), narrowing, trace };
}

/** The line that replays a seed just so. */
export function replayCommand(seed: number, { faults, stormTicks }: Narrowing = {}): string {
  const parts = [`npm run sim -- --seed ${seed}`];
  if (faults !== undefined) parts.push(`--faults ${faults.length === 0 ? "none" : faults.join()}`);
  if (stormTicks !== undefined) parts.push(`--ticks ${stormTicks}`);
  return [...parts, "--trace"].join(" ");
}
