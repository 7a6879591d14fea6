import { replayCommand, type Shrunk } from "./shrink.js";
import type { Violation } from "./violation.js";

/** The end of a trace says what happened; all of it is there with --trace. */
const linesShown = 60;

/** What a person needs to understand a broken promise, and to see it again. */
export function failureText(seed: number, found: Violation, { run, narrowing, trace }: Shrunk): string {
  const { violation, plan, steps } = run;
  const shown = violation ?? found;
  return [
    `Seed ${seed} breaks ${shown.invariant} at step ${shown.step}: ${shown.what}`,
    `  expected: ${shown.expected}`,
    `  seen:     ${shown.seen.slice(0, 600)}`,
    `  shrunk to ${Object.keys(plan.rates).length} faults (${Object.keys(plan.rates).join(", ") || "none"}), ${plan.stormTicks} ticks, ${steps} steps`,
    ...trace.slice(-linesShown).map((line) => `  | ${line.slice(0, 240)}`),
    `  replay: ${replayCommand(seed, narrowing)}`,
  ].join("\n");
}

/** Counts that workers bring home. */
export type Tally = {
  runs: number;
  steps: number;
  transactions: number;
  readonly injected: Record<string, number>;
  readonly broken: { readonly seed: number; readonly violation: Violation }[];
};

export function newTally(): Tally {
  return { runs: 0, steps: 0, transactions: 0, injected: {}, broken: [] };
}

export function addTo(tally: Tally, more: Tally): void {
  tally.runs += more.runs;
  tally.steps += more.steps;
  tally.transactions += more.transactions;
  tally.broken.push(...more.broken);
  for (const [name, count] of Object.entries(more.injected)) tally.injected[name] = (tally.injected[name] ?? 0) + count;
}

export function progressText({ runs, steps, broken }: Tally, total: number, seconds: number): string {
  const pace = seconds > 0 ? Math.round(runs / seconds) : 0;
  const left = pace > 0 ? `, ${Math.round((total - runs) / pace)} s left` : "";
  return `${runs} of ${total} seeds, ${pace} a second, ${steps} steps, ${broken.length} broken${left}`;
}

export function summaryText(tally: Tally, seconds: number): string {
  const { runs, steps, transactions, injected, broken } = tally;
  const faults = Object.entries(injected).sort(([, one], [, other]) => other - one);
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  return [
    `${runs} seeds in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(1)} a second): ${steps} steps, ${transactions} transactions`,
    `${total} faults injected: ${faults.map(([name, count]) => `${name} ${count}`).join(", ") || "none"}`,
    broken.length === 0
      ? "All invariants held."
      : `${broken.length} seeds broke a promise: ${broken.map(({ seed }) => seed).join(" ")}`,
  ].join("\n");
}
