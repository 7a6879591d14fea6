import { type Random, randomFrom } from "../../local/graph/random.js";
import { FAULT_NAMES, type Fault } from "./kinds.js";
import type { Plan } from "./plan.js";
import type { CallKind, Fate } from "./scheduler.js";

type Side = readonly [fault: Fault, fate: Fate];

const crashes: readonly Side[] = [
  ["crashBefore", "crashBefore"],
  ["crashAfter", "crashAfter"],
  ["stall", "stall"],
];
const reads: readonly Side[] = [...crashes, ["tableFails", "fails"]];

/** What may become of each kind of call. */
const sidesOf: Readonly<Record<CallKind, readonly Side[]>> = {
  get: reads,
  page: reads,
  transact: [...reads, ["tableLost", "lost"], ["tableLate", "late"]],
  fetch: [...crashes, ["fetchFails", "fails"], ["fetchLost", "lost"]],
  send: [...crashes, ["sendFails", "fails"], ["sendLost", "lost"]],
  delete: [...crashes, ["deleteLost", "fails"]],
  nudge: [...crashes, ["nudgeFails", "fails"], ["nudgeLost", "lost"]],
  sleep: [["crashBefore", "crashBefore"]],
  effect: [],
};

/** Decides what goes wrong, and counts what did. In the calm nothing does. */
export class Dice {
  isCalm = true;
  readonly injected: Partial<Record<Fault, number>> = {};

  /** One source for each fault: leaving one out changes as little as may be for the others. */
  readonly #sources: ReadonlyMap<Fault, Random>;
  readonly #rates: Plan["rates"];

  constructor({ seed, rates }: Plan) {
    this.#rates = rates;
    const sources = FAULT_NAMES.map((name, index) => [name, randomFrom(seed * 101 + index)] as const);
    this.#sources = new Map(sources.filter(([name]) => rates[name] !== undefined));
  }

  /** Whether a fault is injected now; if so, it is counted. */
  injects(fault: Fault): boolean {
    const rate = this.#rates[fault] ?? 0;
    if (this.isCalm || (this.#sources.get(fault)?.next() ?? 1) >= rate) return false;
    this.count(fault);
    return true;
  }

  count(fault: Fault, times = 1): void {
    this.injected[fault] = (this.injected[fault] ?? 0) + times;
  }

  fateOf(kind: CallKind): Fate {
    if (this.isCalm) return "go";
    for (const [fault, fate] of sidesOf[kind]) if (this.injects(fault)) return fate;
    return "go";
  }
}
